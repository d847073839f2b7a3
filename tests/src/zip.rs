//! A small writer of zip archives (PKWARE APPNOTE 6.3.10), for those that no tool writes: ten thousand entries without
//! ten thousand files, an entry that unpacks to gigabytes, a first entry that must be stored.

use crate::bytes::{Put, crc32, deflate, len16, len32};

/// An archive that grows entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Zip {
    archive: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// What a zip entry says about its content.
struct Member<'a> {
    name: &'a str,
    method: u16,
    crc: u32,
    packed: &'a [u8],
    size: u32,
}

impl Zip {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more entry, stored.
    #[must_use]
    pub fn stored(mut self, name: &str, bytes: &[u8]) -> Self {
        self.push(&Member { name, method: 0, crc: crc32(bytes), packed: bytes, size: len32(bytes) });
        self
    }

    /// One more entry, deflated.
    #[must_use]
    pub fn deflated(mut self, name: &str, bytes: &[u8]) -> Self {
        self.push(&Member { name, method: 8, crc: crc32(bytes), packed: &deflate(bytes), size: len32(bytes) });
        self
    }

    /// One more entry whose deflated form was made elsewhere.
    pub(crate) fn packed(mut self, name: &str, packed: &[u8], crc: u32, size: u32) -> Self {
        self.push(&Member { name, method: 8, crc, packed, size });
        self
    }

    fn push(&mut self, member: &Member<'_>) {
        let offset = len32(&self.archive);
        let mut header = Vec::new();
        // Version 2.0, names in UTF-8, 22 November 2026.
        header.u16(20).u16(0x0800).u16(member.method).u16(0).u16(0x5d76).u32(member.crc);
        header.u32(len32(member.packed)).u32(member.size).u16(len16(member.name.as_bytes())).u16(0);
        self.archive.raw(b"PK\x03\x04").raw(&header).raw(member.name.as_bytes()).raw(member.packed);
        self.directory.raw(b"PK\x01\x02").u16(20).raw(&header);
        self.directory.u16(0).u16(0).u16(0).u32(0).u32(offset).raw(member.name.as_bytes());
        self.entries += 1;
    }

    /// The archive.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let (offset, length) = (len32(&self.archive), len32(&self.directory));
        self.archive.raw(&self.directory).raw(b"PK\x05\x06").u16(0).u16(0);
        self.archive.u16(self.entries).u16(self.entries).u32(length).u32(offset).u16(0);
        self.archive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::run;

    #[test]
    fn unzip_accepts_it() {
        let folder = tempfile::tempdir().unwrap();
        let zip = Zip::new().stored("a.txt", b"stored").deflated("é.txt", &[b'x'; 1000]).finish();
        std::fs::write(folder.path().join("a.zip"), zip).unwrap();
        assert_eq!(run(folder.path(), "unzip", ["-p", "a.zip", "a.txt"]), b"stored");
        run(folder.path(), "7z", ["t", "a.zip"]);
    }
}
