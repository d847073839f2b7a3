//! The one copy of a tag file that a verification works on (step 1).

use blanche_tag::{MAX_ENVELOPE, MAX_MANIFEST, Spool};
use std::fs::File;
use std::io::{self, Read, Seek};

/// Name of a tag on a medium (section 13).
pub(crate) const TAG_NAME: &[u8] = blanche_tag::TAG_NAME.as_bytes();

/// Longest tag file.
pub(crate) fn most() -> u64 {
    MAX_MANIFEST.saturating_add(u64::from(MAX_ENVELOPE)).saturating_add(32)
}

/// A copy in memory, or why there is none.
#[derive(Debug)]
pub(crate) enum Copy {
    /// All of it.
    Whole(Vec<u8>),
    /// Longer than any tag: not copied.
    TooLong(u64),
    /// It could not be read to its end.
    Broken(u64, String),
}

impl Copy {
    /// Reads an opened file from its beginning, wherever it was read before: reading at an offset moves on Windows. A pipe
    /// has no beginning to go back to, so it is a broken copy.
    pub(crate) fn of(mut file: &File) -> Self {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let mut bytes = Vec::new();
        if let Err(error) = file.rewind() {
            return Self::Broken(length, error.to_string());
        }
        match file.take(most().saturating_add(1)).read_to_end(&mut bytes) {
            Ok(read) if u64::try_from(read).is_ok_and(|read| read <= most()) => Self::Whole(bytes),
            Ok(_) => Self::TooLong(length.max(most().saturating_add(1))),
            Err(error) => Self::Broken(length, error.to_string()),
        }
    }
}

impl Spool for Copy {
    fn length(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.as_slice().length(),
            Self::TooLong(length) | Self::Broken(length, _) => *length,
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Whole(bytes) => bytes.as_slice().read_at(offset, buffer),
            Self::TooLong(_) => Err(io::ErrorKind::FileTooLarge.into()),
            Self::Broken(_, why) => Err(io::Error::other(why.clone())),
        }
    }
}
