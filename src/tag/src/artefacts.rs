//! The closed list of what ordinary hosts write on a medium that they see (section 11 of the specification).

use crate::claims::Filesystem;
use crate::manifest::{EntryKind, is_folder_path};
use std::ops::RangeInclusive;

/// The most that has to be read of an artefact to judge it.
pub const MAX_CONTENT: u64 = 65_536;

const DESKTOP_INI: &[u8] = b"[.ShellClassInfo]\r\nCLSID={645FF040-5081-101B-9F08-00AA002F954E}\r\n\
LocalizedResourceName=@%SystemRoot%\\system32\\shell32.dll,-8964\r\n";
const PLIST: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist ";

/// A component of a path in the list.
enum Name {
    Exactly(&'static str),
    /// `S-1-5-21`, then one or more times `-` and digits.
    Sid,
    /// 16 lower-case hexadecimal digits.
    Log,
}

/// What the content must be.
enum Content {
    Folder,
    Begins(RangeInclusive<u64>, &'static [u8]),
    Exactly(&'static [u8]),
    /// `8-4-4-4-12` upper-case hexadecimal digits in ASCII.
    Uuid,
    /// The same in braces and UTF-16LE.
    WideUuid,
}

use Content::{Begins, Exactly, Folder, Uuid, WideUuid};
use Name::{Exactly as Called, Log, Sid};

const SVI: Name = Called("System Volume Information");
const BIN: Name = Called("$RECYCLE.BIN");
const EVENTS: Name = Called(".fseventsd");
const SPOTLIGHT: Name = Called(".Spotlight-V100");
const INI: Name = Called("desktop.ini");

const LIST: [(&[Name], Content); 17] = [
    (&[SVI], Folder),
    (&[SVI, Called("WPSettings.dat")], Begins(12..=12, b"\x0c\0\0\0")),
    (&[SVI, Called("IndexerVolumeGuid")], WideUuid),
    (&[SVI, Called("AadRecoveryPasswordDelete")], Folder),
    (&[SVI, Called("ClientRecoveryPasswordRotation")], Folder),
    (&[BIN], Folder),
    (&[BIN, INI], Exactly(DESKTOP_INI)),
    (&[BIN, Sid], Folder),
    (&[BIN, Sid, INI], Exactly(DESKTOP_INI)),
    (&[EVENTS], Folder),
    (&[EVENTS, Called("fseventsd-uuid")], Uuid),
    (&[EVENTS, Log], Begins(20..=65_536, b"\x1f\x8b\x08")),
    (&[SPOTLIGHT], Folder),
    (&[SPOTLIGHT, Called("VolumeConfiguration.plist")], Begins(1..=8192, PLIST)),
    (&[Called(".Trashes")], Folder),
    (&[Called("._.Trashes")], Begins(4096..=4096, b"\0\x05\x16\x07\0\x02\0\0")),
    (&[Called(".DS_Store")], Begins(4096..=65_536, b"\0\0\0\x01Bud1")),
];

impl Name {
    fn fits(&self, component: &[u8]) -> bool {
        match self {
            Self::Exactly(name) => component == name.as_bytes(),
            Self::Sid => component.strip_prefix(b"S-1-5-21-").is_some_and(|rest| {
                let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
                component.len() <= 64 && rest.split(|byte| *byte == b'-').all(digits)
            }),
            Self::Log => {
                component.len() == 16 && component.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            }
        }
    }
}

impl Content {
    fn fits_size(&self, kind: EntryKind, size: u64) -> bool {
        let exactly = |length: usize| kind == EntryKind::File && u64::try_from(length) == Ok(size);
        match self {
            Folder => kind == EntryKind::Folder,
            Begins(sizes, _) => kind == EntryKind::File && sizes.contains(&size),
            Exactly(text) => exactly(text.len()),
            Uuid => exactly(36),
            WideUuid => exactly(76),
        }
    }

    fn fits(&self, bytes: &[u8]) -> bool {
        match self {
            Folder => true,
            Begins(_, start) => bytes.starts_with(start),
            Exactly(text) => bytes == *text,
            Uuid => is_uuid(bytes),
            WideUuid => {
                let narrow: Vec<u8> = bytes.chunks(2).filter_map(|unit| unit.first()).copied().collect();
                let wide = bytes.len() == 76 && bytes.chunks(2).all(|unit| matches!(unit, [_, 0]));
                let inner = narrow.strip_prefix(b"{").and_then(|inner| inner.strip_suffix(b"}"));
                wide && inner.is_some_and(is_uuid)
            }
        }
    }
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'A'..=b'F'),
        })
}

fn row(path: &[u8]) -> Option<&'static Content> {
    let components: Vec<_> = path.split(|byte| *byte == 0).collect();
    let fits = |names: &[Name]| {
        names.len() == components.len() && names.iter().zip(&components).all(|(name, component)| name.fits(component))
    };
    LIST.iter().find(|(names, _)| fits(names)).map(|(_, content)| content)
}

/// Whether an entry has a path of the list, and a kind and size that fit it.
#[must_use]
pub fn may_be(filesystem: Filesystem, path: &[u8], kind: EntryKind, size: u64) -> bool {
    use Filesystem::{ExFat, Fat12, Fat16, Fat32, Ntfs};
    matches!(filesystem, Fat12 | Fat16 | Fat32 | ExFat | Ntfs)
        && is_folder_path(path)
        && row(path).is_some_and(|content| content.fits_size(kind, size))
}

/// Whether a path of the list may have this content.
#[must_use]
pub fn fits(path: &[u8], content: &[u8]) -> bool {
    row(path).is_some_and(|row| row.fits(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "{0A1B2C3D-0000-1111-2222-333344445555}";

    fn accepted(path: &str, content: &[u8]) -> bool {
        let path = path.replace('/', "\0").into_bytes();
        let size = u64::try_from(content.len()).unwrap();
        may_be(Filesystem::Fat32, &path, EntryKind::File, size) && fits(&path, content)
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn what_hosts_write_is_tolerated() {
        assert!(accepted("System Volume Information/WPSettings.dat", b"\x0c\0\0\0\x5f\x01\x02\x03\x04\x05\x06\x07"));
        assert!(accepted("System Volume Information/IndexerVolumeGuid", &wide(GUID)));
        assert_eq!(DESKTOP_INI.len(), 129);
        assert!(accepted("$RECYCLE.BIN/S-1-5-21-1-2-3-1001/desktop.ini", DESKTOP_INI));
        assert!(accepted(".fseventsd/fseventsd-uuid", &GUID.as_bytes()[1..37]));
        let log = [b"\x1f\x8b\x08".to_vec(), vec![7; 40]].concat();
        assert!(accepted(".fseventsd/0000000000f2a1b3", &log));
        assert!(may_be(Filesystem::Ntfs, b"System Volume Information", EntryKind::Folder, 0));
    }

    #[test]
    fn a_payload_in_the_same_place_is_not() {
        let program = [b"MZ".to_vec(), vec![0; 10]].concat();
        assert!(!accepted("System Volume Information/WPSettings.dat", &program));
        assert!(!accepted("System Volume Information/WPSettings.dat", &[&b"\x0c\0\0\0"[..], &[0; 9]].concat()));
        assert!(!accepted("System Volume Information/evil.exe", &program));
        assert!(!accepted("system volume information/WPSettings.dat", b"\x0c\0\0\0\x5f\x01\x02\x03\x04\x05\x06\x07"));
        assert!(!accepted("System Volume Information/IndexerVolumeGuid", &wide(&GUID.to_lowercase())));
        assert!(!accepted("System Volume Information/IndexerVolumeGuid", &[b'A'; 76]));
        assert!(!accepted("$RECYCLE.BIN/desktop.ini", &[b' '; 129]));
        assert!(!accepted("$RECYCLE.BIN/S-1-5-21-/desktop.ini", DESKTOP_INI));
        assert!(!accepted("$RECYCLE.BIN/S-1-5-21--1/desktop.ini", DESKTOP_INI));
        assert!(!accepted("$RECYCLE.BIN/S-1-5-21-1-/desktop.ini", DESKTOP_INI));
        assert!(!accepted(".fseventsd/0000000000F2A1B3", b"\x1f\x8b\x08aaaaaaaaaaaaaaaaaaaaaa"));
        assert!(!accepted("a/System Volume Information/WPSettings.dat", b"\x0c\0\0\0\x5f\x01\x02\x03\x04\x05\x06\x07"));
        assert!(!may_be(Filesystem::Ext, b"System Volume Information", EntryKind::Folder, 0));
        assert!(!may_be(Filesystem::Fat32, b".Trashes", EntryKind::File, 0));
        assert!(!may_be(Filesystem::Fat32, b".Trashes", EntryKind::Link, 0));
    }
}
