//! LZNT1 ([MS-XCA] 2.5): the compression of NTFS.
//!
//! A unit is a row of chunks, each of which unpacks to at most 4096 bytes and begins where a multiple of 4096 bytes
//! of output ends: what a chunk does not fill is zeros, as all hosts show it.

use crate::bytes::Record;

/// Bytes that a chunk unpacks to at most (2.5.1.1).
const CHUNK: usize = 4096;

/// The input is no LZNT1, or a chunk of it unpacks to more than a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Unpacks `input` into exactly `length` bytes; what is missing at the end is zeros. What follows in `input` when the
/// output is full is slack, which no host looks at.
pub(crate) fn decompress(mut input: &[u8], length: usize) -> Result<Vec<u8>, Broken> {
    let mut output = Vec::with_capacity(length);
    while output.len() < length && input.len() >= 2 {
        let header = Record(input).u16(0);
        if header == 0 {
            break;
        }
        // Chunk_Header (2.5.1.2): size in the low 12 bits, signature 3, compressed or not.
        if header & 0x7000 != 0x3000 {
            return Err(Broken);
        }
        let size = usize::from(header & 0x0fff).saturating_add(1);
        let end = size.saturating_add(2);
        let data = input.get(2..end).ok_or(Broken)?;
        let start = output.len();
        if header & 0x8000 == 0 {
            output.extend_from_slice(data);
        } else {
            unpack_chunk(data, &mut output)?;
        }
        if output.len().saturating_sub(start) > CHUNK {
            return Err(Broken);
        }
        output.resize(start.saturating_add(CHUNK), 0);
        input = input.get(end..).unwrap_or_default();
    }
    output.resize(length, 0);
    Ok(output)
}

/// Appends what one compressed chunk unpacks to (2.5.1.3, 2.5.1.4).
fn unpack_chunk(data: &[u8], output: &mut Vec<u8>) -> Result<(), Broken> {
    let start = output.len();
    let mut rest = data;
    while let Some((flags, more)) = rest.split_first() {
        rest = more;
        for bit in 0..8u32 {
            if rest.is_empty() {
                break;
            }
            if flags.checked_shr(bit).unwrap_or(0) & 1 == 0 {
                let Some((literal, more)) = rest.split_first() else { break };
                output.push(*literal);
                rest = more;
            } else {
                let word = rest.get(..2).ok_or(Broken)?;
                copy_back(Record(word).u16(0), start, output)?;
                rest = rest.get(2..).unwrap_or_default();
            }
            if output.len().saturating_sub(start) > CHUNK {
                return Err(Broken);
            }
        }
    }
    Ok(())
}

/// Carries out a compressed word. How many of its bits are displacement grows with what the chunk holds (2.5.1.4).
fn copy_back(word: u16, start: usize, output: &mut Vec<u8>) -> Result<(), Broken> {
    let position = output.len().saturating_sub(start);
    let mut length_bits = 12u32;
    let mut reach = position.saturating_sub(1);
    while reach >= 16 {
        reach /= 2;
        length_bits = length_bits.saturating_sub(1);
    }
    let displacement = usize::from(word.checked_shr(length_bits).unwrap_or(0)).saturating_add(1);
    let mask = 1u16.checked_shl(length_bits).unwrap_or(0).saturating_sub(1);
    let length = usize::from(word & mask).saturating_add(3);
    if displacement > position {
        return Err(Broken);
    }
    for _ in 0..length {
        let from = output.len().saturating_sub(displacement);
        let byte = output.get(from).copied().ok_or(Broken)?;
        output.push(byte);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of [MS-XCA] 3.3.
    #[test]
    fn the_example_of_the_specification() {
        let packed = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01, 0xa0, 0x45,
            0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4,
            0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00,
            0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        let plain = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D \
                     E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        assert_eq!(decompress(&packed, plain.len()).unwrap(), plain.as_bytes());
        let padded = decompress(&packed, 8192).unwrap();
        assert!(padded.starts_with(plain.as_bytes()) && padded[plain.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn chunks_begin_at_multiples_of_their_size() {
        let plain = [&[0x02, 0x30][..], b"abc", &[0x00, 0x30][..], b"d", &[0, 0]].concat();
        let unpacked = decompress(&plain, 8192).unwrap();
        assert_eq!((&unpacked[..4], unpacked[4096], unpacked.len()), (&b"abc\0"[..], b'd', 8192));
    }

    #[test]
    fn what_is_not_lznt1_is_refused() {
        let refused = |bytes: &[u8]| decompress(bytes, 65_536) == Err(Broken);
        assert!(refused(b"no chunk"), "no signature");
        assert!(refused(&[0xff, 0xbf, 0, 0x41]), "shorter than its header says");
        assert!(refused(&[0x02, 0xb0, 0x01, 0x00, 0x00]), "refers to before the chunk");
        assert!(refused(&[0x02, 0xb0, 0x02, 0x41, 0x00]), "half a word");
        // One letter, then copies of 4098 bytes: more than a chunk.
        assert!(refused(&[0x03, 0xb0, 0x02, 0x41, 0xff, 0x0f]));
    }

    #[test]
    fn any_input_ends() {
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut bytes: Vec<u8> = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0]
                })
                .collect();
            bytes[1] = bytes[1] & 0x80 | 0x30;
            if let Ok(unpacked) = decompress(&bytes, 65_536) {
                assert_eq!(unpacked.len(), 65_536);
            }
        }
    }
}
