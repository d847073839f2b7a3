//! Samples of archives, with one stored member.

use super::{Writer, crc16, length};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write as _;

const NAME: &[u8] = b"marker.com";

/// PKWARE APPNOTE 6.3: local headers, central directory, end record.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Writer::default(), Writer::default());
    for (name, content) in members {
        let start = length(&archive.0);
        let mut common = Writer::default();
        common.le16(20).le16(0).le16(0).le16(0).le16(0x21).le32(crc32fast::hash(content));
        common.le32(length(content)).le32(length(content)).le16(length(name.as_bytes())).le16(0);
        let common = common.take();
        archive.bytes(b"PK\x03\x04").bytes(&common).bytes(name.as_bytes()).bytes(content);
        directory.bytes(b"PK\x01\x02").le16(20).bytes(&common);
        directory.zeros(10).le32(start).bytes(name.as_bytes());
    }
    let start = length(&archive.0);
    archive.bytes(&directory.0).bytes(b"PK\x05\x06").zeros(4);
    let count = u16::try_from(members.len()).unwrap_or_default();
    archive.le16(count).le16(count).le32(length(&directory.0)).le32(start).le16(0);
    archive.take()
}

/// 7zFormat.txt: one folder with the coder "copy", one file.
pub(super) fn seven_zip(marker: &[u8]) -> Vec<u8> {
    let size: u8 = length(marker);
    let mut header = Writer::default();
    // Header, MainStreamsInfo: PackInfo with one stream at 0.
    header.bytes(&[0x01, 0x04, 0x06, 0x00, 0x01, 0x09, size, 0x00]);
    // UnpackInfo: one folder, one coder of one id byte (0 = copy), its size.
    header.bytes(&[0x07, 0x0b, 0x01, 0x00, 0x01, 0x01, 0x00, 0x0c, size, 0x00]);
    // SubStreamsInfo: CRC-32 of the one file.
    header.bytes(&[0x08, 0x0a, 0x01]).le32(crc32fast::hash(marker)).bytes(&[0x00, 0x00]);
    // FilesInfo: one file and its name in UTF-16.
    let name: Vec<u8> = NAME.iter().chain([&0]).flat_map(|byte| [*byte, 0]).collect();
    header.bytes(&[0x05, 0x01, 0x11, length::<u8>(&name) + 1, 0x00]).bytes(&name).bytes(&[0x00, 0x00]);
    let header = header.take();
    let mut start = Writer::default();
    start.le32(length(marker)).le32(0).le32(length(&header)).le32(0).le32(crc32fast::hash(&header));
    let start = start.take();
    let mut archive = Writer::default();
    archive.bytes(b"7z\xbc\xaf\x27\x1c\x00\x04").le32(crc32fast::hash(&start)).bytes(&start);
    archive.bytes(marker).bytes(&header);
    archive.take()
}

/// POSIX.1-1988 ustar.
pub(super) fn tar(marker: &[u8]) -> Vec<u8> {
    let mut header = Writer::default();
    header.bytes(NAME).until(100).bytes(b"0000644\0").bytes(b"0000000\0").bytes(b"0000000\0");
    header.bytes(format!("{:011o}\0", marker.len()).as_bytes()).bytes(b"00000000000\0").bytes(b"        ");
    header.bytes(b"0").until(257).bytes(b"ustar\x0000").until(512);
    let mut header = header.take();
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(field) = header.get_mut(148..156) {
        field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    let mut archive = Writer(header);
    archive.bytes(marker).pad(512).zeros(1024);
    archive.take()
}

/// [MS-CAB] 2.1 to 2.4: one folder without compression; a checksum of zero means none.
pub(super) fn cab(marker: &[u8]) -> Vec<u8> {
    const HEADER: u32 = 36;
    const FOLDER: u32 = 8;
    let files = HEADER + FOLDER;
    let data = files + 16 + length::<u32>(NAME) + 1;
    let total = data + 8 + length::<u32>(marker);
    let mut cab = Writer::default();
    cab.bytes(b"MSCF").le32(0).le32(total).le32(0).le32(files).le32(0);
    cab.bytes(&[3, 1]).le16(1).le16(1).le16(0).le16(0).le16(0);
    cab.le32(data).le16(1).le16(0);
    cab.le32(length(marker)).le32(0).le16(0).le16(0x21).le16(0).le16(0x20).bytes(NAME).bytes(&[0]);
    cab.le32(0).le16(length(marker)).le16(length(marker)).bytes(marker);
    cab.take()
}

/// ARJ technical note: main header, one file header with method 0, end.
pub(super) fn arj(marker: &[u8]) -> Vec<u8> {
    let header = |kind: u8, size: u32, crc: u32, name: &[u8]| {
        let mut basic = Writer::default();
        // Size of the fixed part, versions, host, flags, method 0, type.
        basic.bytes(&[30, 11, 1, 0, 0, 0, kind, 0]).le32(0x21_0000).le32(size).le32(size).le32(crc);
        basic.le16(0).le16(0x20).le16(0).bytes(name).bytes(&[0, 0]);
        let basic = basic.take();
        let mut header = Writer::default();
        header.bytes(&[0x60, 0xea]).le16(length(&basic)).bytes(&basic).le32(crc32fast::hash(&basic)).le16(0);
        header.take()
    };
    let mut archive = Writer::default();
    archive.bytes(&header(2, 0, 0, b"marker.arj"));
    archive.bytes(&header(0, length(marker), crc32fast::hash(marker), NAME)).bytes(marker);
    archive.bytes(&[0x60, 0xea, 0, 0]);
    archive.take()
}

/// LHA header level 0, method -lh0- (stored).
pub(super) fn lha(marker: &[u8]) -> Vec<u8> {
    let mut header = Writer::default();
    header.bytes(b"-lh0-").le32(length(marker)).le32(length(marker)).le16(0).le16(0x21).bytes(&[0x20, 0]);
    header.bytes(&[length(NAME)]).bytes(NAME).le16(crc16(marker, true));
    let header = header.take();
    let sum = header.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    let mut archive = Writer::default();
    archive.bytes(&[length(&header), sum]).bytes(&header).bytes(marker).bytes(&[0]);
    archive.take()
}

/// SVR4 "newc": headers of hexadecimal digits, everything padded to four.
pub(super) fn cpio(marker: &[u8]) -> Vec<u8> {
    let mut archive = Writer::default();
    for (name, content) in [(NAME, marker), (b"TRAILER!!!".as_slice(), b"".as_slice())] {
        let mode = if content.is_empty() { 0 } else { 0o100_644 };
        let fields = [1, mode, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
        archive.bytes(b"070701");
        for field in fields {
            archive.bytes(format!("{field:08X}").as_bytes());
        }
        archive.bytes(name).bytes(&[0]).pad(4).bytes(content).pad(4);
    }
    archive.pad(512);
    archive.take()
}

/// xar 1.5: header, table of contents as compressed XML, heap.
pub(super) fn xar(marker: &[u8]) -> Vec<u8> {
    let (size, name) = (marker.len(), String::from_utf8_lossy(NAME));
    let toc = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xar><toc><file id=\"1\"><data><length>{size}</length>\
         <offset>0</offset><size>{size}</size><encoding style=\"application/octet-stream\"/></data>\
         <type>file</type><name>{name}</name></file></toc></xar>\n"
    );
    let compressed = zlib(toc.as_bytes());
    let mut archive = Writer::default();
    // Header size, version 1, both lengths of the table in 64 bits, no checksum.
    archive.bytes(b"xar!").be16(28).be16(1).be32(0).be32(length(&compressed)).be32(0).be32(length(toc.as_bytes()));
    archive.be32(0).bytes(&compressed).bytes(marker);
    archive.take()
}

/// RFC 1950; writing to memory does not fail, and an empty result fails the self-test.
pub(super) fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
    let written = encoder.write_all(content);
    encoder.finish().ok().filter(|_| written.is_ok()).unwrap_or_default()
}
