//! Names: UTF-16 units as WTF-8, and digests of folded names, by which two names that a host cannot tell apart are
//! found.

/// UTF-16 units as WTF-8 (<https://wtf-8.codeberg.page/>, 4.3): well-formed text becomes UTF-8, a lone surrogate three
/// bytes of its own, so that no two different names become equal.
pub fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(letter) => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => out.extend_from_slice(&lone_surrogate(lone.unpaired_surrogate())),
        }
    }
    out
}

/// The generalised UTF-8 form of a surrogate: 1110xxxx 10xxxxxx 10xxxxxx.
fn lone_surrogate(unit: u16) -> [u8; 3] {
    let low = |shift: u32| {
        let [byte, _] = (unit.checked_shr(shift).unwrap_or(0) & 0x3f).to_le_bytes();
        byte | 0x80
    };
    [0xed, low(6), low(0)]
}

/// Digest (FNV-1a, 64 bits) of a folded name. Two different names that collide make a medium *Incomplete*, never
/// clean.
pub(crate) fn fold_key(space: u8, units: impl Iterator<Item = u16>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let start = step(0xcbf2_9ce4_8422_2325, space);
    units.flat_map(u16::to_le_bytes).fold(start, step)
}

/// Whether a host makes this short name of a long one (FAT specification 1.03, "The Basis-Name Generation Algorithm"; Linux,
/// macOS and Windows differ in details): the beginning of the long name without what has no place in a short one, or two
/// letters of it and four hexadecimal digits, then `~` and digits; its extension, if any, begins that of the long name.
pub(crate) fn is_made_of(short: &[u16], long: &[u16]) -> bool {
    let (short, long) = (String::from_utf16_lossy(short), String::from_utf16_lossy(long));
    let (base, extension) = short.rsplit_once('.').unwrap_or((&short, ""));
    let (base, tail) = base.split_once('~').unwrap_or((base, ""));
    let (base, whole) = (kept(base), kept(&long));
    let of_name = whole.starts_with(&base);
    // The tail would be too long: a hash stands for the rest of the name.
    let of_hash = base.split_at_checked(base.len().saturating_sub(4)).is_some_and(|(start, hash)| {
        start.len() <= 2
            && whole.starts_with(start)
            && hash.len() == 4
            && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    let extensions = long.rsplit_once('.').map(|(_, extension)| kept(extension));
    tail.bytes().all(|digit| digit.is_ascii_digit())
        && (of_name || (of_hash && !tail.is_empty()))
        && (extension.is_empty() || extensions.is_some_and(|long| long.starts_with(&kept(extension))))
}

/// What hosts keep of a name, in upper case: spaces, full stops and underscores are left out or put in.
fn kept(name: &str) -> String {
    let kept = name.chars().filter(|letter| !matches!(letter, ' ' | '.' | '_'));
    kept.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Upper case by Unicode's simple mappings, for filesystems that carry no table of their own.
pub(crate) fn upper(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(u32::from(unit)) else { return unit };
    let mut mapped = letter.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => u16::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_stay_apart() {
        assert_eq!(wtf8(&[0x61, 0xd83d, 0xde00]), "a😀".as_bytes());
        assert_eq!(wtf8(&[0xd800]), [0xed, 0xa0, 0x80]);
        assert_eq!(wtf8(&[0xdfff, 0x41]), [0xed, 0xbf, 0xbf, 0x41]);
    }

    #[test]
    fn a_short_name_is_made_of_its_long_one_or_names_something_else() {
        let made = |short: &str, long: &str| {
            let [short, long] = [short, long].map(|name| name.encode_utf16().collect::<Vec<_>>());
            is_made_of(&short, &long)
        };
        for (short, long) in [
            ("SYSTEM~1", "System Volume Information"),
            ("SYSTEMVO", "System Volume Information"),
            ("SYC4A1~1", "System Volume Information"),
            ("WPSETT~1.DAT", "WPSettings.dat"),
            ("DS_STO~1", ".DS_Store"),
            ("DS_STORE", ".DS_Store"),
            ("~1.DS_", ".DS_Store"),
            ("_~1.TRA", "._.Trashes"),
            ("TRASHE~1", "._.Trashes"),
            ("FSEVEN~1", "fseventsd-uuid"),
            ("SPOTLI~1", ".Spotlight-V100"),
            ("VOLUME~1.PLI", "VolumeConfiguration.plist"),
            ("000000~2", "0000000000f2a1b3"),
            ("S-1-5-~1", "S-1-5-21-1-2-3-1001"),
            ("DESKTOP.INI", "desktop.ini"),
            ("BLANCHE.TAG", "blanche.tag"),
        ] {
            assert!(made(short, long), "{short} of {long}");
        }
        for (short, long) in [
            ("START.CMD", ".DS_Store"),
            ("DS_STO~1.CMD", ".DS_Store"),
            ("BOOTMGR", ".DS_Store"),
            ("DS_ST~1X", ".DS_Store"),
            ("DSBEEF", ".DS_Store"),
            ("~DS", ".DS_Store"),
            ("AUTORUN.INF", "._.Trashes"),
            ("EFI", ".Trashes"),
            ("WPSETT~1.COM", "WPSettings.dat"),
            ("SETUP.TAG", "blanche.tag"),
            ("É", ".DS_Store"),
        ] {
            assert!(!made(short, long), "{short} of {long}");
        }
    }

    #[test]
    fn folding_ignores_case_only() {
        let key = |text: &str| fold_key(0, text.encode_utf16().map(upper));
        assert_eq!(key("Été.txt"), key("ÉTÉ.TXT"));
        assert_ne!(key("été"), key("ete"));
        assert_eq!(upper(0xdf), 0xdf);
    }
}
