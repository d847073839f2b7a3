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
    fn folding_ignores_case_only() {
        let key = |text: &str| fold_key(0, text.encode_utf16().map(upper));
        assert_eq!(key("Été.txt"), key("ÉTÉ.TXT"));
        assert_ne!(key("été"), key("ete"));
        assert_eq!(upper(0xdf), 0xdf);
    }
}
