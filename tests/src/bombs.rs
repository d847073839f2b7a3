//! What is small on the medium and huge, deep or endless when opened.

use crate::bytes::{Put, crc32, gzip, len32};
use crate::samples::{NAME, eicar_padded};
use crate::zip::Zip;

/// Zeros in one deflated piece that can be repeated.
const PIECE: usize = 64 << 20;
/// Bytes of one entry of the ratio bomb: below the 4 GiB where zip64 would start.
const ENTRY_PIECES: u32 = 60;

/// A bomb.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// Name on the medium.
    pub file_name: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Every bomb.
#[must_use]
pub fn bombs() -> Vec<Bomb> {
    let bomb = |file_name, bytes| Bomb { file_name, bytes };
    vec![
        bomb("depth20.zip", nested_zip(20)),
        bomb("entries.zip", many_entries(10_051)),
        bomb("zeros.zip", zeros_zip()),
        bomb("zeros.gz.gz", zeros_gz_gz()),
        bomb("quine.gz", gzip_quine()),
    ]
}

/// EICAR in `depth` zips in each other.
#[must_use]
pub fn nested_zip(depth: u32) -> Vec<u8> {
    let innermost = Zip::new().deflated(NAME, &eicar_padded()).finish();
    (1..depth).fold(innermost, |inner, level| Zip::new().deflated(&format!("{level}.zip"), &inner).finish())
}

/// A zip with `count` small files; EICAR is the last of them.
#[must_use]
pub fn many_entries(count: u32) -> Vec<u8> {
    let harmless = (1..count)
        .fold(Zip::new(), |zip, number| zip.stored(&format!("{number:05}.txt"), format!("file {number}\n").as_bytes()));
    harmless.deflated(NAME, &eicar_padded()).finish()
}

/// A zip of about 12 MB with three files of 3.75 GiB of zeros each.
#[must_use]
pub fn zeros_zip() -> Vec<u8> {
    let zeros = Zeros::new(ENTRY_PIECES);
    let size = u32::try_from(zeros.bytes).expect("less than 4 GiB");
    ["1.bin", "2.bin", "3.bin"]
        .into_iter()
        .fold(Zip::new(), |zip, name| zip.packed(name, &zeros.deflated, zeros.crc, size))
        .finish()
}

/// 10 GiB of zeros in a gzip in a gzip: some tens of kilobytes.
#[must_use]
pub fn zeros_gz_gz() -> Vec<u8> {
    let zeros = Zeros::new(160);
    let mut inner = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03".to_vec();
    // RFC 1952, 2.3.1: the size is kept modulo 2^32.
    inner.raw(&zeros.deflated).u32(zeros.crc).u32((zeros.bytes & 0xffff_ffff) as u32);
    gzip(&inner)
}

/// Many zeros, deflated once and repeated: after a full flush a deflate stream depends on nothing before it.
struct Zeros {
    deflated: Vec<u8>,
    crc: u32,
    bytes: u64,
}

impl Zeros {
    fn new(pieces: u32) -> Self {
        let zeros = vec![0; PIECE];
        let mut packer = flate2::Compress::new(flate2::Compression::best(), false);
        let mut piece = Vec::with_capacity(PIECE / 512);
        packer.compress_vec(&zeros, &mut piece, flate2::FlushCompress::Full).expect("memory");
        assert_eq!(packer.total_in(), PIECE as u64, "the piece was taken whole");
        let mut one = crc32fast::Hasher::new();
        one.update(&zeros);
        let mut crc = crc32fast::Hasher::new();
        (0..pieces).for_each(|_| crc.combine(&one));
        let mut deflated = piece.repeat(pieces as usize);
        // An empty last block (RFC 1951, 3.2.6).
        deflated.raw(&[3, 0]);
        Self { deflated, crc: crc.finalize(), bytes: u64::from(pieces) * PIECE as u64 }
    }
}

/// A gzip file that unpacks to itself, for ever.
///
/// Deflate has two instructions: "these bytes follow" and "repeat what was written before". A program of them that
/// prints itself exists (the idea is Russ Cox's, "Zip Files All The Way Down", 2010); it is easiest to see when every
/// instruction takes five bytes. With P for the gzip header, S for its trailer, L for a literal instruction and R for a
/// repetition, what is written and what it prints are the same line of symbols.
///
/// The trailer holds the checksum of the file that it is part of. CRC-32 is affine, so the checksum that fits, and the
/// time in the header as a second unknown, come from a linear system over single bits.
///
/// # Panics
/// Never: the system below is of full rank.
#[must_use]
pub fn gzip_quine() -> Vec<u8> {
    let difference = |time: u32, crc: u32| crc32(&quine_with(time, crc)) ^ crc;
    let base = difference(0, 0);
    let column = |bit: u32| {
        if bit < 32 { difference(1 << bit, 0) } else { difference(0, 1 << (bit - 32)) }
    };
    let columns: Vec<u32> = (0..64).map(|bit| column(bit) ^ base).collect();
    let solution = solve(&columns, base).expect("64 unknowns for 32 equations");
    quine_with((solution & 0xffff_ffff) as u32, (solution >> 32) as u32)
}

/// The program with this time in its header and this checksum in its trailer.
fn quine_with(time: u32, crc: u32) -> Vec<u8> {
    const UNIT: u16 = 5;
    const HEADER: u16 = 15;
    const TRAILER: u16 = 8;
    let mut header = b"\x1f\x8b\x08\x08".to_vec();
    header.u32(time).raw(b"\x02\x03").raw(b"q.gz\0");
    let (with_header, with_trailer) = (HEADER + UNIT, TRAILER + UNIT);
    // A stored block that is not the last one (RFC 1951, 3.2.4).
    let literal = |bytes: u16| {
        let mut block = vec![0];
        block.u16(bytes).u16(!bytes);
        block
    };
    let (l0, l1, l4) = (literal(0), literal(UNIT), literal(4 * UNIT));
    let (lp, ls) = (literal(with_header), literal(with_trailer));
    // Header and unit are as long as four units, so that both repetitions are the same bytes.
    let (rp, r4, rs) = (repetition(20, 264, 10, false), repetition(20, 264, 10, false), repetition(13, 260, 6, true));
    let size = u32::from(2 * (HEADER + TRAILER) + 30 * UNIT);
    let mut trailer = Vec::new();
    trailer.u32(crc).u32(size);
    let (p, s) = (&header, &trailer);
    let first = [p, &lp, p, &lp, &rp, &l1, &rp, &l1, &l1, &l4, &rp, &l1, &l1, &l4, &r4];
    let then = [&l4, &r4, &l4, &r4, &l4, &r4, &l4, &r4, &l0, &l0, &ls, &r4, &l0, &l0, &ls, &rs, s, &rs, s];
    let file: Vec<u8> = first.into_iter().chain(then).flatten().copied().collect();
    assert_eq!(len32(&file), size);
    file
}

/// A block with fixed codes (RFC 1951, 3.2.6) of five bytes that repeats the last `distance` bytes once, in two halves.
/// `code` is the code of the first half's `length`; the second half is as long, or one byte longer.
fn repetition(distance: u32, code: u32, length: u32, last: bool) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.low_first(u32::from(last), 1).low_first(1, 2);
    let second = code + distance - 2 * length;
    for code in [code, second] {
        // Codes 256 to 279 are the seven-bit codes from zero; lengths 3 to 10 have no further bits.
        bits.high_first(code - 256, 7);
        match distance {
            13..=16 => bits.high_first(7, 5).low_first(distance - 13, 2),
            17..=24 => bits.high_first(8, 5).low_first(distance - 17, 3),
            _ => unreachable!("the program repeats 13 or 20 bytes"),
        };
    }
    bits.high_first(0, 7);
    assert_eq!(bits.count.div_ceil(8), 5);
    bits.value.to_le_bytes()[..5].to_vec()
}

/// Bits in the order of deflate: numbers from their lowest bit, codes from their highest (RFC 1951, 3.1.1).
#[derive(Default)]
struct Bits {
    value: u64,
    count: u32,
}

impl Bits {
    fn low_first(&mut self, value: u32, width: u32) -> &mut Self {
        self.value |= u64::from(value) << self.count;
        self.count += width;
        self
    }

    fn high_first(&mut self, code: u32, width: u32) -> &mut Self {
        self.low_first(code.reverse_bits() >> (32 - width), width)
    }
}

/// Which of `columns`, added bit by bit, make `target`; bit n stands for column n.
fn solve(columns: &[u32], target: u32) -> Option<u64> {
    let mut basis: Vec<(u32, u64)> = Vec::new();
    let reduce =
        |basis: &[(u32, u64)], start: (u32, u64)| {
            basis.iter().fold(start, |(value, used), (pivot, members)| {
                if value ^ pivot < value { (value ^ pivot, used ^ members) } else { (value, used) }
            })
        };
    for (bit, column) in columns.iter().enumerate() {
        let reduced = reduce(&basis, (*column, 1 << bit));
        if reduced.0 != 0 {
            basis.push(reduced);
            basis.sort_by_key(|(value, _)| std::cmp::Reverse(*value));
        }
    }
    let (rest, used) = reduce(&basis, (target, 0));
    (rest == 0).then_some(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::run;

    #[test]
    fn the_quine_unpacks_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        let quine = gzip_quine();
        std::fs::write(folder.path().join("quine.gz"), &quine).unwrap();
        assert_eq!(run(folder.path(), "gzip", ["-dc", "quine.gz"]), quine);
    }

    #[test]
    fn twenty_zips_hold_eicar() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = nested_zip(20);
        for _ in 0..20 {
            std::fs::write(folder.path().join("a.zip"), &archive).unwrap();
            archive = run(folder.path(), "unzip", ["-p", "a.zip"]);
        }
        assert_eq!(archive, eicar_padded());
    }

    #[test]
    fn ten_thousand_entries_end_with_eicar() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.zip"), many_entries(10_051)).unwrap();
        assert_eq!(run(folder.path(), "unzip", ["-p", "a.zip", NAME]), eicar_padded());
        let listing = String::from_utf8(run(folder.path(), "unzip", ["-l", "a.zip"])).unwrap();
        assert!(listing.contains("10051 files"));
    }

    /// The checksums of the zeros are those that other programs compute, and the ratio is what makes them a bomb.
    #[test]
    fn zeros_are_a_thousand_times_larger_than_they_look() {
        let folder = tempfile::tempdir().unwrap();
        let bomb = zeros_zip();
        assert!(bomb.len() < 16 << 20);
        std::fs::write(folder.path().join("a.zip"), bomb).unwrap();
        run(folder.path(), "unzip", ["-tq", "a.zip", "1.bin"]);
        assert!(zeros_gz_gz().len() < 1 << 20);
    }
}
