//! Short names of FAT: eleven bytes of ASCII (FAT specification 1.03, "Short Names", "Name generation").

use std::collections::HashMap;

/// Characters beside letters and digits that a short name may hold. The tilde is kept for made-up names, so that these
/// never meet a real one.
const OTHERS: &[u8] = b"!#$%&'()-@^_`{}";

/// The eleven bytes of a name that needs no long one: upper case, 8.3, ASCII.
pub(super) fn exact(name: &[u16]) -> Option<[u8; 11]> {
    let bytes: Vec<u8> = name.iter().map(|unit| u8::try_from(*unit).ok()).collect::<Option<_>>()?;
    let mut parts = bytes.split(|byte| *byte == b'.');
    let (base, extension) = (parts.next()?, parts.next());
    let good = |part: &[u8], most: usize| {
        let letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || OTHERS.contains(byte);
        (1..=most).contains(&part.len()) && part.iter().all(letter)
    };
    let fits = good(base, 8) && extension.is_none_or(|extension| good(extension, 3)) && parts.next().is_none();
    fits.then(|| eleven(base, extension.unwrap_or_default()))
}

fn eleven(base: &[u8], extension: &[u8]) -> [u8; 11] {
    let mut short = [b' '; 11];
    short.iter_mut().take(8).zip(base).for_each(|(to, from)| *to = *from);
    short.iter_mut().skip(8).zip(extension).for_each(|(to, from)| *to = *from);
    short
}

/// Makes up short names of one folder, each once.
#[derive(Debug, Default)]
pub(super) struct Short {
    /// How often a beginning was used.
    used: HashMap<(Vec<u8>, Vec<u8>), u32>,
}

impl Short {
    /// A short name for a long one: what is left of it, and a number.
    pub(super) fn made_up(&mut self, name: &[u16]) -> [u8; 11] {
        let text: Vec<u8> = name.iter().map(|unit| u8::try_from(*unit).unwrap_or(b'_')).collect();
        let dot = text.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
        let (base, extension) = match dot {
            Some(dot) => text.split_at(dot),
            None => (&text[..], &[][..]),
        };
        // Two letters leave room for a tilde and five digits: a folder has at most 65 536 records.
        let (start, extension) = (clean(base, 2), clean(extension, 3));
        let count = self.used.entry((start.clone(), extension.clone())).or_default();
        *count = count.saturating_add(1);
        let base = [start, format!("~{count}").into_bytes()].concat();
        eleven(&base, &extension)
    }
}

/// The first letters that may stand in a short name, others replaced.
fn clean(part: &[u8], most: usize) -> Vec<u8> {
    let kept = part.iter().filter(|byte| !matches!(byte, b' ' | b'.')).take(most);
    let letter = |byte: &u8| {
        let upper = byte.to_ascii_uppercase();
        if upper.is_ascii_alphanumeric() || OTHERS.contains(&upper) { upper } else { b'_' }
    };
    kept.map(letter).collect()
}

/// The sum over a short name that its long name carries (FAT specification 1.03, "Checksum").
pub(super) fn checksum(short: &[u8; 11]) -> u8 {
    short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn units(name: &str) -> Vec<u16> {
        name.encode_utf16().collect()
    }

    #[test]
    fn only_upper_case_in_8_and_3_needs_no_long_name() {
        assert_eq!(exact(&units("README.TXT")), Some(*b"README  TXT"));
        assert_eq!(exact(&units("MAKEFILE")), Some(*b"MAKEFILE   "));
        for long in ["readme.txt", "README.TEXT", "A.B.C", ".A", "A~1", "É", "A B", "NINELETTE"] {
            assert_eq!(exact(&units(long)), None, "{long}");
        }
    }

    #[test]
    fn made_up_names_are_never_the_same() {
        let mut short = Short::default();
        let names = (0..40_000).map(|number| short.made_up(&units(&format!("Rapport {number}.docx"))));
        assert_eq!(names.collect::<HashSet<_>>().len(), 40_000);
        assert_eq!(&Short::default().made_up(&units(".été")), b"_T~1       ");
        assert_eq!(&Short::default().made_up(&units("日本.文字")), b"__~1    __ ");
    }
}
