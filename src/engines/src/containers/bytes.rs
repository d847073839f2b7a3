//! Numbers out of hostile bytes: every access says whether it was inside.

/// Bytes `at..at + length`.
pub(super) fn part(content: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    content.get(at..at.checked_add(length)?)
}

/// Whether `signature` stands at `at`.
pub(super) fn has(content: &[u8], at: usize, signature: &[u8]) -> bool {
    part(content, at, signature.len()) == Some(signature)
}

/// Little-endian 16 bits.
pub(super) fn le16(content: &[u8], at: usize) -> Option<u16> {
    part(content, at, 2)?.try_into().ok().map(u16::from_le_bytes)
}

/// Little-endian 32 bits.
pub(super) fn le32(content: &[u8], at: usize) -> Option<u32> {
    part(content, at, 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// Little-endian 64 bits.
pub(super) fn le64(content: &[u8], at: usize) -> Option<u64> {
    part(content, at, 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// Big-endian 32 bits.
pub(super) fn be32(content: &[u8], at: usize) -> Option<u32> {
    part(content, at, 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A number that may be larger than an offset can be.
pub(super) fn offset(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

/// An ASCII number in octal (radix 8) or hexadecimal (radix 16), with leading spaces and a trailing NUL or space.
pub(super) fn digits(field: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, radix).ok() }
}
