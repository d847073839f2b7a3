//! Archives of another age that attackers still send because scanners forget them: LHA, ACE, ALZ, EGG, ZOO, stored.

use super::ContainerSample;
use crate::bytes::{Put, crc16, crc32, len16, len32};
use crate::samples::eicar_gzipped;
use blanche_sandbox::wire::Container;

const NAME: &[u8] = b"eicar.com.gz";

pub(super) fn samples() -> Vec<ContainerSample> {
    let content = eicar_gzipped();
    vec![
        ContainerSample::new("lha", "archive.lzh", Container::Lha, lha(&content)),
        ContainerSample::new("ace", "archive.ace", Container::Ace, ace(&content)),
        ContainerSample::new("alz", "archive.alz", Container::Alz, alz(&content)),
        ContainerSample::new("egg", "archive.egg", Container::Egg, egg(&content)),
        ContainerSample::new("stuffit", "archive.sit", Container::StuffIt, stuffit(&content)),
        ContainerSample::new("zoo", "archive.zoo", Container::Zoo, zoo(&content)),
    ]
}

/// LHA, level-0 header, method -lh0-.
fn lha(content: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    header.raw(b"-lh0-").u32(len32(content)).u32(len32(content)).u32(0x5d76_0000).u8(0x20).u8(0);
    header.u8(NAME.len() as u8).raw(NAME).u16(crc16(content));
    let sum = header.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut archive = Vec::new();
    archive.u8(header.len() as u8).u8(sum).raw(&header).raw(content).u8(0);
    archive
}

/// ACE 1.0: its CRCs are CRC-32 without the final inversion, headers keep the lower half.
fn ace(content: &[u8]) -> Vec<u8> {
    let block = |rest: &[u8]| {
        let [low, high, ..] = (!crc32(rest)).to_le_bytes();
        let mut block = Vec::new();
        block.raw(&[low, high]).u16(len16(rest)).raw(rest);
        block
    };
    let mut main = vec![0];
    main.u16(0).raw(b"**ACE**").u8(20).u8(20).u8(2).u8(0).u32(0x5d76_0000).zeros(8);
    let mut file = vec![1];
    file.u16(1).u32(len32(content)).u32(len32(content)).u32(0x5d76_0000).u32(0x20).u32(!crc32(content));
    // Stored, normal quality, no parameters, reserved.
    file.u8(0).u8(3).u16(0).u16(0).u16(len16(NAME)).raw(NAME);
    [block(&main), block(&file), content.to_vec()].concat()
}

/// ALZip's first format: sizes as wide as the high half of the descriptor says, method 0 stores.
fn alz(content: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    archive.raw(b"ALZ\x01\x0a\x00\x00\x00").raw(b"BLZ\x01").u16(len16(NAME)).u8(0x20).u32(0x5d76_0000).u8(0x40).u8(0);
    archive.u8(0).u8(0).u32(crc32(content)).u32(len32(content)).u32(len32(content)).raw(NAME).raw(content);
    archive.raw(b"CLZ\x01").zeros(12).raw(b"CLZ\x02");
    archive
}

/// StuffIt 1.5: the archive's header, one file with its data fork stored.
fn stuffit(content: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0];
    file.u8(NAME.len() as u8).raw(NAME).zeros(63 - NAME.len()).raw(b"????????").be16(0).zeros(8);
    file.be32(0).be32(len32(content)).be32(0).be32(len32(content)).be16(0).be16(crc16(content)).zeros(6);
    let check = crc16(&file);
    file.be16(check).raw(content);
    let mut archive = Vec::new();
    archive.raw(b"SIT!").be16(1).be32(22 + len32(&file)).raw(b"rLau").u8(1).zeros(7).raw(&file);
    archive
}

/// ESTsoft EGG: archive, file, name and block headers, each ended by the same mark.
fn egg(content: &[u8]) -> Vec<u8> {
    const END: u32 = 0x08e2_8222;
    let mut archive = Vec::new();
    archive.raw(b"EGGA").u16(0x0100).u32(0x0b1a_9c4e).u32(0).u32(END);
    archive.u32(0x0a85_90e3).u32(1).u64(content.len() as u64);
    archive.u32(0x0a85_91ac).u8(0).u16(len16(NAME)).raw(NAME).u32(END);
    archive.u32(0x02b5_0c13).u8(0).u8(0).u32(len32(content)).u32(len32(content)).u32(crc32(content)).u32(END);
    archive.raw(content).u32(END);
    archive
}

/// ZOO 2.10: a text, a header, then entries that point at each other; the last one points nowhere.
fn zoo(content: &[u8]) -> Vec<u8> {
    const TAG: u32 = 0xfdc4_a7dc;
    const HEADER: u32 = 34;
    const ENTRY: u32 = 51;
    let entry = |archive: &mut Vec<u8>, next: u32, offset: u32, content: &[u8], name: &[u8]| {
        let end = archive.len() + ENTRY as usize;
        archive.u32(TAG).u8(1).u8(0).u32(next).u32(offset).u16(0x5d76).u16(0).u16(crc16(content));
        archive.u32(len32(content)).u32(len32(content)).u8(1).u8(0).u8(0).u8(0).u32(0).u16(0).raw(name);
        archive.resize(end, 0);
    };
    let mut archive = Vec::new();
    archive.raw(b"ZOO 2.10 Archive.\x1a").zeros(2).u32(TAG).u32(HEADER).u32(HEADER.wrapping_neg()).u8(2).u8(0);
    let data = HEADER + ENTRY;
    entry(&mut archive, data + len32(content), data, content, NAME);
    archive.raw(content);
    entry(&mut archive, 0, 0, &[], &[]);
    archive
}
