//! The parts of a tag file (section 2 of the specification).

use crate::refusal::{Code, Refusal};
use std::io;

/// Largest envelope of a tag.
pub const MAX_ENVELOPE: u32 = 262_144;
/// Largest manifest.
pub const MAX_MANIFEST: u64 = 1 << 30;
/// Length of the header.
const HEADER: usize = 32;
/// As PNG's: the first byte is not ASCII, line ends would be altered by text transfers.
const MAGIC: [u8; 8] = *b"\x89BLT\r\n\x1a\n";
/// Form of the file.
const VERSION: u16 = 1;

/// The copy of a tag file that verification works on. It must not change while it is used: memory, or a file that
/// nobody else can write.
pub trait Spool {
    /// Bytes.
    fn length(&self) -> u64;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// What reading the copy says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Spool for [u8] {
    fn length(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl Spool for Vec<u8> {
    fn length(&self) -> u64 {
        self.as_slice().length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, buffer)
    }
}

/// A part would be longer than the format allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("envelope of {envelope} bytes and manifest of {manifest} bytes: at most {MAX_ENVELOPE} and {MAX_MANIFEST}")]
pub struct BadFile {
    /// Bytes.
    pub envelope: usize,
    /// Bytes.
    pub manifest: u64,
}

/// The header of a tag file with an envelope and a manifest of these lengths, which follow it in this order.
///
/// # Errors
/// [`BadFile`]
pub fn header(envelope: usize, manifest: u64) -> Result<[u8; HEADER], BadFile> {
    let length = u32::try_from(envelope).ok().filter(|length| (1..=MAX_ENVELOPE).contains(length));
    let (Some(length), true) = (length, manifest <= MAX_MANIFEST) else {
        return Err(BadFile { envelope, manifest });
    };
    let parts: [&[u8]; 6] =
        [&MAGIC, &VERSION.to_be_bytes(), &[0, 32], &length.to_be_bytes(), &manifest.to_be_bytes(), &[0; 8]];
    let mut header = [0; HEADER];
    header.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
    Ok(header)
}

/// Where the parts of a tag file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFile {
    /// The envelope.
    pub envelope: Vec<u8>,
    /// First byte of the manifest.
    pub manifest_start: u64,
    /// Bytes.
    pub manifest_length: u64,
}

impl TagFile {
    /// Steps 1 and 2 of the verification.
    ///
    /// # Errors
    /// [`Code::Format`], [`Code::Version`]
    pub fn open(spool: &dyn Spool) -> Result<Self, Refusal> {
        // Step 1.
        let most = MAX_MANIFEST.saturating_add(u64::from(MAX_ENVELOPE)).saturating_add(32);
        let length = spool.length();
        if !(32..=most).contains(&length) {
            return Err(Refusal::new(Code::Format, 1, format!("{length} bytes: 32 to {most} are possible")));
        }
        let unreadable = |error: io::Error| Refusal::new(Code::Format, 1, format!("the copy cannot be read: {error}"));
        let mut header = [0; HEADER];
        spool.read_at(0, &mut header).map_err(unreadable)?;
        // Step 2.
        let parts = Self::lengths(&header, length)?;
        let mut envelope = vec![0; usize::try_from(parts.0).unwrap_or(usize::MAX)];
        spool.read_at(32, &mut envelope).map_err(unreadable)?;
        Ok(Self { envelope, manifest_start: u64::from(parts.0).saturating_add(32), manifest_length: parts.1 })
    }

    /// Lengths of envelope and manifest.
    fn lengths(header: &[u8; HEADER], length: u64) -> Result<(u32, u64), Refusal> {
        let refuse = |code, detail: &str| Err(Refusal::new(code, 2, detail));
        let (magic, rest) = header.split_at(8);
        let (form, rest) = rest.split_at(4);
        let (envelope, rest) = rest.split_at(4);
        let (manifest, reserved) = rest.split_at(8);
        if magic != MAGIC || reserved != [0; 8] {
            return refuse(Code::Format, "magic or reserved bytes of the header");
        }
        if form != [0, 1, 0, 32] {
            return refuse(Code::Version, "version or header length of the file");
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        let (envelope, manifest) = (number(envelope), number(manifest));
        let sum = envelope.checked_add(32).and_then(|sum| sum.checked_add(manifest));
        match u32::try_from(envelope) {
            Ok(short) if (1..=MAX_ENVELOPE).contains(&short) && manifest <= MAX_MANIFEST && sum == Some(length) => {
                Ok((short, manifest))
            }
            _ => refuse(Code::Format, "lengths in the header do not fit the file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_where_the_parts_are() {
        let mut file = header(3, 2).unwrap().to_vec();
        file.extend([1, 2, 3, 4, 5]);
        let opened = TagFile::open(&file).unwrap();
        assert_eq!(opened, TagFile { envelope: vec![1, 2, 3], manifest_start: 35, manifest_length: 2 });
    }

    #[test]
    fn nothing_follows_and_nothing_is_missing() {
        let whole = [&header(3, 2).unwrap()[..], &[0; 5]].concat();
        for length in (0..whole.len()).chain([whole.len() + 1]) {
            let mut file = whole.clone();
            file.resize(length, 0);
            assert_eq!(TagFile::open(&file).unwrap_err().code, Code::Format, "{length}");
        }
    }

    #[test]
    fn every_bit_of_the_header_counts() {
        let whole = [&header(3, 2).unwrap()[..], &[0; 5]].concat();
        for bit in 0..HEADER * 8 {
            let mut file = whole.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            assert!(TagFile::open(&file).is_err(), "{bit}");
        }
    }

    #[test]
    fn too_long_parts_are_not_written() {
        assert!(header(0, 0).is_err());
        assert!(header(262_145, 0).is_err());
        assert!(header(1, MAX_MANIFEST + 1).is_err());
    }
}
