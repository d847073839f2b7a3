//! File identifiers as hosts show them, and the keys by which hosts look them up.

use crate::names::{fold_key, upper, wtf8};

/// Longest name that is handed over, in bytes.
pub(super) const MAX_NAME: usize = 1024;

/// How a tree writes its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Bytes (ECMA-119, 7.5).
    Plain,
    /// UCS-2, big-endian (Joliet specification).
    Joliet,
}

/// A name, its key, and whether the identifier is one.
pub(super) struct Name {
    pub(super) bytes: Vec<u8>,
    pub(super) key: u64,
    pub(super) valid: bool,
}

/// Hosts take `;1` away from a file's name, and the full stop that separated an empty extension. For the key every
/// version is taken away: some hosts show all versions of a file, others only one.
///
/// Joliet keeps the case of names, and hosts still look them up without it: Windows opens the first record whose name
/// is the same in upper case, and Linux does so too unless Rock Ridge is mounted (isofs, `check=relaxed`). Where
/// "Makefile" and "makefile" stand side by side, both are listed and one is shown for the other: the names are
/// ambiguous, and a tree that needs both can be read through Rock Ridge only.
pub(super) fn name(naming: Naming, identifier: &[u8], is_directory: bool) -> Name {
    let (units, whole): (Vec<u16>, bool) = match naming {
        Naming::Plain => (identifier.iter().map(|byte| u16::from(*byte)).collect(), true),
        Naming::Joliet => {
            let pairs = identifier.chunks_exact(2);
            let whole = pairs.remainder().is_empty();
            (pairs.map(|pair| u16::from_be_bytes([byte(pair, 0), byte(pair, 1)])).collect(), whole)
        }
    };
    let shown = if is_directory { &units } else { without_stop(without_version(&units, true)) };
    let shown = if shown.is_empty() { &units } else { shown };
    let compared = without_stop(without_version(&units, false));
    let mut bytes = match naming {
        Naming::Plain => identifier.get(..shown.len()).unwrap_or(identifier).to_vec(),
        Naming::Joliet => wtf8(shown),
    };
    let valid = whole && !bytes.is_empty() && plausible(&bytes);
    if bytes.is_empty() {
        bytes = identifier.to_vec();
    }
    let space = match naming {
        Naming::Plain => 0,
        Naming::Joliet => 1,
    };
    Name { bytes, key: fold_key(space, compared.iter().copied().map(upper)), valid }
}

/// The same for the name that Rock Ridge gives, which is compared as it is. Linux cuts names of more than 254 bytes
/// and names that contain a zero, and refuses folders with a name that contains a slash.
pub(super) fn alternate(mut bytes: Vec<u8>) -> Name {
    let key = fold_key(2, bytes.iter().map(|byte| u16::from(*byte)));
    let valid = bytes.len() <= 255 && plausible(&bytes);
    bytes.truncate(MAX_NAME);
    Name { bytes, key, valid }
}

/// Whether every host can show it.
fn plausible(name: &[u8]) -> bool {
    !matches!(name, b"." | b"..") && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// Takes `;1` away, or any version.
fn without_version(units: &[u16], only_first: bool) -> &[u16] {
    let semicolon = units.iter().rposition(|unit| *unit == u16::from(b';'));
    let Some((name, version)) = semicolon.and_then(|at| units.split_at_checked(at)) else { return units };
    let digits = version.get(1..).unwrap_or_default();
    let is_version = match only_first {
        true => digits == [u16::from(b'1')],
        false => digits.iter().all(|unit| (0x30..0x3a).contains(unit)),
    };
    if is_version { name } else { units }
}

fn without_stop(units: &[u16]) -> &[u16] {
    units.strip_suffix(&[u16::from(b'.')]).unwrap_or(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(identifier: &str) -> String {
        let plain = name(Naming::Plain, identifier.as_bytes(), false);
        let joliet: Vec<u8> = identifier.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(name(Naming::Joliet, &joliet, false).bytes, plain.bytes);
        String::from_utf8(plain.bytes).unwrap()
    }

    #[test]
    fn versions_and_stops() {
        assert_eq!(shown("README.TXT;1"), "README.TXT");
        assert_eq!(shown("README.;1"), "README");
        assert_eq!(shown("README;1"), "README");
        assert_eq!(shown("README.TXT;2"), "README.TXT;2");
        assert_eq!(shown("A;B;1"), "A;B");
        assert_eq!(shown(";1"), ";1");
        let key = |identifier: &[u8]| name(Naming::Plain, identifier, false).key;
        assert_eq!(key(b"A.TXT;1"), key(b"a.txt;27"));
        assert_ne!(key(b"A.TXT;1"), key(b"A.TXT;X"));
    }

    #[test]
    fn names_that_hosts_see_differently() {
        assert!(!name(Naming::Joliet, &[0, 65, 0], false).valid);
        assert!(!name(Naming::Joliet, &[65], false).valid);
        assert_eq!(name(Naming::Joliet, &[65], false).bytes, [65]);
        assert!(!alternate(b"a/b".to_vec()).valid);
        assert!(!alternate(vec![b'a'; 256]).valid);
        assert!(alternate("é".repeat(127).into_bytes()).valid);
        assert_eq!(alternate(vec![b'a'; 10_000]).bytes.len(), MAX_NAME);
    }
}
