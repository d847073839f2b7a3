//! An Outlook folder file: its node database layer (MS-PST 2.2), with one data block that carries EICAR.
//!
//! There is no message store above it: Outlook would ask for a repair. What recognises or unpacks a PST has to deal with
//! that as well.

use super::ContainerSample;
use crate::bytes::{Put, len16};
use crate::samples::eicar_gzipped;
use blanche_sandbox::wire::Container;

const PAGE: usize = 512;
/// Where the first block, the block tree and the node tree stand, in bytes; the allocation map is at 0x4400.
const MAP: u64 = 0x4400;
const BLOCK: u64 = 0x4600;
const BLOCK_TREE: u64 = 0x4800;
const NODE_TREE: u64 = 0x4a00;
const END: u64 = 0x4c00;

pub(super) fn samples() -> Vec<ContainerSample> {
    vec![ContainerSample::new("pst", "mail.pst", Container::Pst, pst(&eicar_gzipped()))]
}

/// A Unicode PST (version 23) without encoding.
fn pst(content: &[u8]) -> Vec<u8> {
    const BLOCK_ID: u64 = 4;
    let mut file = header();
    file.resize(MAP as usize, 0);
    file.raw(&page(&[0xff; 496], 0x84, MAP));
    // 2.2.2.8: data, padding, trailer of 16 bytes, in units of 64.
    let mut block = content.to_vec();
    block.resize((content.len() + 16).next_multiple_of(64) - 16, 0);
    block.u16(len16(content)).u16(signature(BLOCK, BLOCK_ID)).u32(pst_crc(content)).u64(BLOCK_ID);
    file.raw(&block).align(PAGE);
    let mut entry = Vec::new();
    entry.u64(BLOCK_ID).u64(BLOCK).u16(len16(content)).u16(2).u32(0);
    file.raw(&tree_page(&entry, 24, 0x80, BLOCK_TREE));
    let mut node = Vec::new();
    node.u64(0x21).u64(BLOCK_ID).u64(0).u32(0).u32(0);
    file.raw(&tree_page(&node, 32, 0x81, NODE_TREE));
    file
}

/// 2.2.2.6: magic, partial CRC, "SM", versions, identifiers, root, free maps, sentinel, encoding, full CRC.
fn header() -> Vec<u8> {
    let mut counted = b"SM".to_vec();
    counted.u16(23).u16(19).u8(1).u8(1).u32(0).u32(0).u64(0).u64(0x104).u32(1);
    for _ in 0..32 {
        counted.u32(0x400);
    }
    counted.u64(0);
    // ROOT: reserved, file size, last map, free bytes, the two trees, validity of the map.
    counted.u32(0).u64(END).u64(MAP).u64(0).u64(0).u64(0x82).u64(NODE_TREE).u64(0x81).u64(BLOCK_TREE).u8(2).zeros(3);
    counted.u32(0).raw(&[0xff; 256]).u8(0x80).u8(0).u16(0).u64(0x108);
    let mut header = b"!BDN".to_vec();
    header.u32(pst_crc(&counted[..471])).raw(&counted).u32(pst_crc(&counted[..516])).zeros(36);
    header
}

/// 2.2.2.7.7.1: a leaf page with one entry.
fn tree_page(entry: &[u8], entry_bytes: u8, kind: u8, offset: u64) -> Vec<u8> {
    let mut body = entry.to_vec();
    body.resize(488, 0);
    body.u8(1).u8((488 / usize::from(entry_bytes)) as u8).u8(entry_bytes).u8(0).u32(0);
    page(&body, kind, offset)
}

/// 2.2.2.7.1: 496 bytes and a trailer. Allocation maps have no signature, their identifier is their offset.
fn page(body: &[u8], kind: u8, offset: u64) -> Vec<u8> {
    let (id, signature) = match kind {
        0x84 => (offset, 0),
        _ => (u64::from(kind) + 1, signature(offset, u64::from(kind) + 1)),
    };
    let mut page = body.to_vec();
    page.u8(kind).u8(kind).u16(signature).u32(pst_crc(body)).u64(id);
    page
}

/// 5.5: the offset and the identifier, folded.
fn signature(offset: u64, id: u64) -> u16 {
    let mixed = (offset ^ id) as u32;
    (mixed >> 16) as u16 ^ mixed as u16
}

/// 5.3: CRC-32 without inversion at either end.
fn pst_crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!0);
    hasher.update(bytes);
    !hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MS-PST 2.2.2.6 gives the header of a Unicode file 564 bytes, with "wMagicClient" at 8 and the full CRC at 524.
    #[test]
    fn the_header_has_the_published_size() {
        let header = header();
        assert_eq!(header.len(), 564);
        assert_eq!(&header[8..10], b"SM");
        assert_eq!(header[512], 0x80);
        assert_eq!(header[524..528], pst_crc(&header[8..524]).to_le_bytes());
    }

    /// What stands below the trees is where they say.
    #[test]
    fn pages_are_at_their_offsets() {
        let file = pst(&eicar_gzipped());
        assert_eq!(file.len() as u64, END);
        assert!(file[BLOCK as usize..].starts_with(&eicar_gzipped()));
        assert_eq!(file[BLOCK_TREE as usize + 496], 0x80);
    }
}
