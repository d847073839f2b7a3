//! Sample of a disc image.

use super::{Writer, length};

const SECTOR: usize = 2048;

/// ECMA-119: primary volume descriptor in sector 16, terminator, root folder in sector 18, one file in sector 19.
pub(super) fn iso(marker: &[u8]) -> Vec<u8> {
    let mut image = Writer::default();
    image.until(16 * SECTOR).bytes(b"\x01CD001\x01\x00");
    // 8.4: system and volume identifier.
    image.bytes(&[b' '; 64]).zeros(8);
    both32(&mut image, 20);
    image.zeros(32);
    both16(&mut image, 1);
    both16(&mut image, 1);
    both16(&mut image, 2048);
    both32(&mut image, 10);
    image.zeros(16);
    image.bytes(&record(18, 2048, true, &[0]));
    image.bytes(&[b' '; 623]).zeros(68).bytes(&[1]).until(17 * SECTOR);
    image.bytes(b"\xffCD001\x01").until(18 * SECTOR);
    image.bytes(&record(18, 2048, true, &[0])).bytes(&record(18, 2048, true, &[1]));
    image.bytes(&record(19, length(marker), false, b"MARKER.COM;1")).until(19 * SECTOR);
    image.bytes(marker).until(20 * SECTOR);
    image.take()
}

/// 9.1: a directory record.
fn record(block: u32, size: u32, folder: bool, name: &[u8]) -> Vec<u8> {
    let even = name.len().is_multiple_of(2);
    let mut record = Writer::default();
    record.bytes(&[33 + length::<u8>(name) + u8::from(even), 0]);
    both32(&mut record, block);
    both32(&mut record, size);
    record.bytes(&[70, 1, 1, 0, 0, 0, 0, if folder { 2 } else { 0 }, 0, 0]);
    both16(&mut record, 1);
    record.bytes(&[length(name)]).bytes(name).zeros(usize::from(even));
    record.take()
}

/// 7.2.3 and 7.3.3: numbers stand in both orders.
fn both16(writer: &mut Writer, number: u16) {
    writer.le16(number).be16(number);
}

fn both32(writer: &mut Writer, number: u32) {
    writer.le32(number).be32(number);
}
