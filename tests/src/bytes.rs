//! Small pieces of the formats that are written byte by byte.

/// Grows a buffer by little- and big-endian numbers and raw bytes.
pub(crate) trait Put {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self;
    fn zeros(&mut self, count: usize) -> &mut Self;
    fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }
    fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }
    fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }
    fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }
    fn be16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    fn be32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    fn be64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }
    /// Zeros up to the next multiple of `boundary`.
    fn align(&mut self, boundary: usize) -> &mut Self;
}

impl Put for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.extend_from_slice(bytes);
        self
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.resize(self.len() + count, 0);
        self
    }

    fn align(&mut self, boundary: usize) -> &mut Self {
        self.resize(self.len().next_multiple_of(boundary), 0);
        self
    }
}

/// A length as the 32-bit field that most formats have.
pub(crate) fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("samples are small")
}

/// A length as a 16-bit field.
pub(crate) fn len16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).expect("names are short")
}

/// CRC-32 (ISO 3309).
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// CRC-16/ARC: polynomial 0x8005 reflected, start 0; LHA and ZOO.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
    })
}

/// gzip (RFC 1952).
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// zlib (RFC 1950).
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Raw deflate (RFC 1951).
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Base64 (RFC 4648) in lines of 76 characters, as mail and property lists have it.
pub(crate) fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("base64 is ASCII")).collect();
    lines.join("\n") + "\n"
}

/// Hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of CRC algorithms.
    #[test]
    fn crc16_of_the_nine_digits() {
        assert_eq!(crc16(b"123456789"), 0xbb3d);
    }

    #[test]
    fn align_adds_nothing_on_the_boundary() {
        let mut bytes = vec![1, 2, 3];
        assert_eq!(bytes.align(4).len(), 4);
        assert_eq!(bytes.align(4).len(), 4);
    }
}
