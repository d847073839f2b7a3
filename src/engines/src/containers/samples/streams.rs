//! Samples of compressed streams, stored wherever the format can store.

use super::{Writer, archives, length};

/// RFC 1952 around one stored block (RFC 1951 3.2.4).
pub(super) fn gzip(marker: &[u8]) -> Vec<u8> {
    let mut stream = Writer::default();
    stream.bytes(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    stream.bytes(&[1]).le16(length(marker)).le16(!length::<u16>(marker)).bytes(marker);
    stream.le32(crc32fast::hash(marker)).le32(length(marker));
    stream.take()
}

/// The .xz file format 1.2.1 around one uncompressed LZMA2 chunk.
pub(super) fn xz(marker: &[u8]) -> Vec<u8> {
    let flags = [0, 1]; // check: CRC-32
    let mut stream = Writer::default();
    stream.bytes(b"\xfd7zXZ\x00").bytes(&flags).le32(crc32fast::hash(&flags));
    let block_start = stream.0.len();
    // Block header: 12 bytes, one filter, LZMA2 with a dictionary of 64 KiB.
    let mut header = Writer::default();
    header.bytes(&[0x02, 0x00, 0x21, 0x01, 0x08, 0, 0, 0]);
    let header = header.take();
    stream.bytes(&header).le32(crc32fast::hash(&header));
    // Chunk 1: uncompressed, dictionary reset, size minus one; then the end mark.
    stream.bytes(&[0x01]).be16(length::<u16>(marker).saturating_sub(1)).bytes(marker).bytes(&[0x00]);
    let unpadded = stream.0.len() - block_start + 4;
    stream.pad(4).le32(crc32fast::hash(marker));
    let mut index = Writer::default();
    index.bytes(&[0, 1, u8::try_from(unpadded).unwrap_or_default(), length(marker)]).pad(4);
    let index = index.take();
    stream.bytes(&index).le32(crc32fast::hash(&index));
    let mut footer = Writer::default();
    footer.le32(length::<u32>(&index) / 4).bytes(&flags);
    let footer = footer.take();
    stream.le32(crc32fast::hash(&footer)).bytes(&footer).bytes(b"YZ");
    stream.take()
}

/// SWF 19 specification, "The SWF header": everything behind the first eight bytes is compressed.
pub(super) fn swf(marker: &[u8]) -> Vec<u8> {
    let mut movie = Writer::default();
    // An empty rectangle, rate and count of frames, one tag of binary data, the end tag.
    movie.bytes(&[0x08, 0x00]).le16(0x1900).le16(1);
    movie.le16((87 << 6) | 0x3f).le32(length::<u32>(marker) + 6).le16(1).le32(0).bytes(marker).le16(0);
    let movie = movie.take();
    let mut file = Writer::default();
    file.bytes(b"CWS\x09").le32(length::<u32>(&movie) + 8).bytes(&archives::zlib(&movie));
    file.take()
}

/// Bits from the most significant one on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        for shift in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let (Some(last), 1) = (self.bytes.last_mut(), (value >> shift) & 1) {
                *last |= 0x80 >> (self.used % 8);
            }
            self.used += 1;
        }
    }
}

/// bzip2 as its decoder reads it: one block; Burrows-Wheeler by sorting rotations, move to front, and prefix codes of
/// equal length. For short content without runs of four equal bytes, as the marker is.
pub(super) fn bzip2(marker: &[u8]) -> Vec<u8> {
    let crc = crc32_msb(marker);
    let (sorted, origin) = burrows_wheeler(marker);
    let mut used: Vec<u8> = marker.to_vec();
    used.sort_unstable();
    used.dedup();
    let symbols = move_to_front(&sorted, &used);
    let alphabet = used.len() + 2;
    let width = usize::BITS - (alphabet - 1).leading_zeros();

    let mut bits = Bits::default();
    b"BZh1".iter().for_each(|byte| bits.put(u64::from(*byte), 8));
    bits.put(0x3141_5926_5359, 48);
    bits.put(u64::from(crc), 32);
    bits.put(0, 1);
    bits.put(origin, 24);
    put_used(&mut bits, &used);
    // Two tables (the least allowed), one selector for each 50 symbols, all of the first table.
    let selectors = symbols.len().div_ceil(50);
    bits.put(2, 3);
    bits.put(u64::try_from(selectors).unwrap_or_default(), 15);
    (0..selectors).for_each(|_| bits.put(0, 1));
    for _ in 0..2 {
        bits.put(width.into(), 5);
        (0..alphabet).for_each(|_| bits.put(0, 1));
    }
    symbols.iter().for_each(|symbol| bits.put(*symbol, width));
    bits.put(0x1772_4538_5090, 48);
    bits.put(u64::from(crc), 32);
    bits.bytes
}

/// The last column of the sorted rotations, and the row of the original.
fn burrows_wheeler(content: &[u8]) -> (Vec<u8>, u64) {
    let count = content.len();
    let mut rows: Vec<usize> = (0..count).collect();
    let rotation = |start: usize| content.iter().cycle().skip(start).take(count);
    rows.sort_by(|a, b| rotation(*a).cmp(rotation(*b)));
    let last = rows.iter().filter_map(|start| content.get((start + count - 1) % count)).copied().collect();
    let origin = rows.iter().position(|start| *start == 0).unwrap_or_default();
    (last, u64::try_from(origin).unwrap_or_default())
}

/// Positions moved to the front; runs of the front symbol in base two (RUNA = 0, RUNB = 1), then the end symbol.
fn move_to_front(column: &[u8], used: &[u8]) -> Vec<u64> {
    let mut order = used.to_vec();
    let (mut symbols, mut run) = (Vec::new(), 0u64);
    let end_run = |symbols: &mut Vec<u64>, run: &mut u64| {
        while *run > 0 {
            let odd = *run % 2 == 1;
            symbols.push(u64::from(!odd));
            *run = (*run - if odd { 1 } else { 2 }) / 2;
        }
    };
    for byte in column {
        let place = order.iter().position(|known| known == byte).unwrap_or_default();
        if place == 0 {
            run += 1;
            continue;
        }
        end_run(&mut symbols, &mut run);
        symbols.push(u64::try_from(place).unwrap_or_default() + 1);
        let moved = order.remove(place);
        order.insert(0, moved);
    }
    end_run(&mut symbols, &mut run);
    symbols.push(u64::try_from(used.len()).unwrap_or_default() + 1);
    symbols
}

/// Which bytes occur: a map of sixteen groups, and one for each group in use.
fn put_used(bits: &mut Bits, used: &[u8]) {
    let occurs = |byte: u8| u64::from(used.contains(&byte));
    for group in 0..16u8 {
        bits.put((0..16).map(|low| occurs(group * 16 + low)).max().unwrap_or(0), 1);
    }
    for group in 0..16u8 {
        if (0..16).any(|low| occurs(group * 16 + low) == 1) {
            (0..16).for_each(|low| bits.put(occurs(group * 16 + low), 1));
        }
    }
}

/// CRC-32 with the bits of each byte from the top, as bzip2 has it.
fn crc32_msb(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            if crc & 0x8000_0000 != 0 { (crc << 1) ^ 0x04c1_1db7 } else { crc << 1 }
        })
    })
}
