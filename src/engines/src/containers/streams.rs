//! Compressed streams: how many bytes must come out. libclamav scans what it managed to unpack and passes over the
//! rest in silence: later streams of a bzip2 or xz file, for instance.

use super::bytes::{has, le32, offset, part};
use flate2::bufread::GzDecoder;
use std::io::Read as _;

/// What a compressed file must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// So many bytes, in one layer.
    Bytes(u64),
    /// It cannot be unpacked to its end.
    Broken,
    /// It has parts that libclamav does not reach.
    Unsupported,
    /// Unpacking it to count would take more than the limit.
    TooLong,
}

/// Gzip (RFC 1952), all members: unpacked and counted, up to `limit` bytes (0 = no limit).
pub(super) fn gzip(content: &[u8], limit: u64) -> Output {
    let (mut rest, mut total) = (content, 0u64);
    let mut buffer = vec![0u8; 64 << 10];
    while has(rest, 0, b"\x1f\x8b") {
        let mut decoder = GzDecoder::new(rest);
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => total = total.saturating_add(u64::try_from(length).unwrap_or(u64::MAX)),
                Err(_) => return Output::Broken,
            }
            if limit != 0 && total > limit {
                return Output::TooLong;
            }
        }
        rest = decoder.into_inner();
    }
    // gzip(1) ignores zeros behind the last member; anything else there is content that nobody unpacked.
    if rest.iter().all(|byte| *byte == 0) { Output::Bytes(total) } else { Output::Broken }
}

/// Bzip2: libclamav stops after the first stream, so a second one is never seen.
pub(super) fn bzip2_is_one_stream(content: &[u8]) -> bool {
    !memchr::memmem::find_iter(content.get(1..).unwrap_or_default(), b"BZh").any(|at| {
        let stream = content.get(at + 1..).unwrap_or_default();
        matches!(stream.get(3), Some(b'1'..=b'9'))
            && (has(stream, 4, b"1AY&SY") || has(stream, 4, b"\x17\x72\x45\x38\x50\x90"))
    })
}

/// Xz (file format 1.2.1): the sum of the index, when the file is one stream.
pub(super) fn xz(content: &[u8]) -> Output {
    // 2.2: padding of zeros behind the stream, a multiple of four.
    let mut end = content.len();
    while end >= 4 && part(content, end - 4, 4) == Some(&[0; 4]) {
        end -= 4;
    }
    let Some(footer) = end.checked_sub(12).filter(|at| has(content, at + 10, b"YZ")) else { return Output::Broken };
    let Some(index_size) = le32(content, footer + 4).and_then(|size| offset(size).checked_add(1)?.checked_mul(4))
    else {
        return Output::Broken;
    };
    let Some(index) = footer.checked_sub(index_size).and_then(|at| content.get(at..footer)) else {
        return Output::Broken;
    };
    let Some((unpadded, output)) = xz_index(index) else { return Output::Broken };
    let stream = unpadded.checked_add(12).and_then(|size| size.checked_add(index_size)?.checked_add(12));
    if stream == Some(end) { Output::Bytes(output) } else { Output::Unsupported }
}

/// Sums of an index: padded bytes of all blocks, and bytes that come out (4.2 and 4.3).
fn xz_index(index: &[u8]) -> Option<(usize, u64)> {
    let mut at = 1usize;
    let records = multibyte(index, &mut at)?;
    let (mut blocks, mut output) = (0usize, 0u64);
    for _ in 0..records {
        let unpadded = offset(multibyte(index, &mut at)?).checked_next_multiple_of(4)?;
        blocks = blocks.checked_add(unpadded)?;
        output = output.checked_add(multibyte(index, &mut at)?)?;
    }
    (index.first() == Some(&0)).then_some((blocks, output))
}

/// 1.2: seven bits a byte, the least significant first.
fn multibyte(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at = at.checked_add(1)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
