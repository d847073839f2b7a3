//! A small writer of zip archives (PKWARE APPNOTE 6.3.10), made at run time: a program that carried such archives with it would
//! be found by every virus scanner that looks at its package.

use crc32fast::Hasher;

/// General purpose bit 0: encrypted; bit 11: the name is UTF-8 (4.4.4).
const ENCRYPTED: u16 = 1;
const UTF8: u16 = 1 << 11;
/// 22 November 2026, midnight (4.4.6).
const MOMENT: u32 = 0x5d76_0000;
/// Bytes in front of encrypted content (6.1.3). They are random in other people's archives, so that two of one content
/// differ; nothing here is secret.
const SALT: [u8; 11] = *b"entrainemen";

/// One file of an archive.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) content: &'a [u8],
    /// Encrypts it with the traditional method (6.1), which every program knows.
    pub(super) password: Option<&'a str>,
}

/// An archive with these files, not compressed.
pub(super) fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = length(&archive);
        let crc = crc32fast::hash(member.content);
        let stored = match member.password {
            Some(password) => encrypted(member.content, crc, password),
            None => member.content.to_vec(),
        };
        let flags = UTF8 | if member.password.is_some() { ENCRYPTED } else { 0 };
        let mut header = Vec::new();
        header.extend(20u16.to_le_bytes());
        header.extend(flags.to_le_bytes());
        header.extend(0u16.to_le_bytes());
        header.extend(MOMENT.to_le_bytes());
        header.extend(crc.to_le_bytes());
        header.extend(length(&stored).to_le_bytes());
        header.extend(length(member.content).to_le_bytes());
        header.extend(short(member.name.len()).to_le_bytes());
        header.extend(0u16.to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&header);
        archive.extend(member.name.as_bytes());
        archive.extend(stored);
        directory.extend(b"PK\x01\x02");
        directory.extend(20u16.to_le_bytes());
        directory.extend(&header);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let (start, count) = (length(&archive), short(members.len()).to_le_bytes());
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count, count].concat());
    archive.extend(length(&directory).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend(0u16.to_le_bytes());
    archive
}

/// Archives for training are small.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Content under the traditional encryption: twelve bytes, of which the last tells whether a password is the right one, and
/// the content.
fn encrypted(content: &[u8], crc: u32, password: &str) -> Vec<u8> {
    let mut keys = Keys::new(password);
    let [.., check] = crc.to_le_bytes();
    SALT.iter().chain([&check]).chain(content).map(|byte| keys.encrypt(*byte)).collect()
}

/// The three keys (6.1.5).
struct Keys([u32; 3]);

impl Keys {
    fn new(password: &str) -> Self {
        let mut keys = Self([0x1234_5678, 0x2345_6789, 0x3456_7890]);
        password.bytes().for_each(|byte| keys.update(byte));
        keys
    }

    fn update(&mut self, byte: u8) {
        let [first, second, third] = &mut self.0;
        *first = step(*first, byte);
        *second = second.wrapping_add(*first & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        let [.., high] = second.to_le_bytes();
        *third = step(*third, high);
    }

    fn encrypt(&mut self, byte: u8) -> u8 {
        let [_, _, third] = self.0;
        let word = (third | 2) & 0xffff;
        let [_, stream, ..] = word.wrapping_mul(word ^ 1).to_le_bytes();
        self.update(byte);
        byte ^ stream
    }
}

/// One step of CRC-32 without the inversions at both ends, which the library makes.
fn step(crc: u32, byte: u8) -> u32 {
    let mut hasher = Hasher::new_with_initial(!crc);
    hasher.update(&[byte]);
    !hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::process::Command;

    #[test]
    fn other_peoples_program_opens_what_is_open_and_the_rest_with_its_password_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let members = [
            Member { name: "open.txt", content: b"open\n", password: None },
            Member { name: "paie.csv", content: b"locked\n", password: Some("formation") },
        ];
        let file = folder.path().join("archive.zip");
        std::fs::write(&file, zip(&members)).expect("room");
        let unzip = |arguments: &[&str]| {
            let output = Command::new("unzip").args(arguments).arg(&file).current_dir(folder.path()).output();
            output.expect("unzip is installed: run make deps-test")
        };
        let good = unzip(&["-o", "-q", "-P", "formation"]);
        assert!(good.status.success(), "{good:?}");
        let read = |name: &str| std::fs::read(folder.path().join(name)).expect("extracted");
        assert_eq!((read("open.txt"), read("paie.csv")), (b"open\n".to_vec(), b"locked\n".to_vec()));
        // unzip(1): 82 = no files were found with the right password, 1 = a warning; never 0.
        let wrong = unzip(&["-t", "-q", "-P", "wrong"]);
        assert!(!wrong.status.success(), "{wrong:?}");
    }
}
