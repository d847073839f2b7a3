//! The name of the file that is written.
//!
//! Only names that need one 32-byte record on FAT (8.3, one case) and one File Name entry on exFAT: then the directory
//! entry fits into one logical block and appears in one write.

/// A name of at most 8 and 3 lower-case letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    base: String,
    extension: String,
}

/// Why a name cannot be written in one block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a tag: use 1 to 8 lower-case letters or digits, a dot, and 1 to 3 more")]
pub struct NameError(String);

impl FileName {
    /// Validates a name.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        let refused = || NameError(name.to_owned());
        let (base, extension) = name.split_once('.').ok_or_else(refused)?;
        let good = |part: &str, most: usize| {
            (1..=most).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
        };
        // CON, NUL and the like are devices for Windows, whatever their extension.
        let device = ["con", "prn", "aux", "nul"].contains(&base)
            || (base.len() == 4 && (base.starts_with("com") || base.starts_with("lpt")));
        if !good(base, 8) || !good(extension, 3) || device {
            return Err(refused());
        }
        Ok(Self { base: base.to_owned(), extension: extension.to_owned() })
    }

    /// The eleven bytes of a FAT record: upper case, padded with spaces.
    pub(crate) fn short(&self) -> [u8; 11] {
        let mut short = [b' '; 11];
        let letters = short.iter_mut().take(8).zip(self.base.bytes());
        letters.for_each(|(to, from)| *to = from.to_ascii_uppercase());
        let letters = short.iter_mut().skip(8).zip(self.extension.bytes());
        letters.for_each(|(to, from)| *to = from.to_ascii_uppercase());
        short
    }

    /// UTF-16 units.
    pub(crate) fn units(&self) -> Vec<u16> {
        self.to_string().encode_utf16().collect()
    }

    /// Whether hosts take a long name of FAT for this one: without case, and without dots and spaces at its end.
    pub(crate) fn is(&self, long: &[u16]) -> bool {
        let text = String::from_utf16_lossy(long);
        text.trim_end_matches([' ', '.']).eq_ignore_ascii_case(&self.to_string())
    }
}

impl Default for FileName {
    fn default() -> Self {
        Self { base: "blanche".into(), extension: "tag".into() }
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.base, self.extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_one_record_are_taken() {
        assert_eq!(FileName::new("blanche.tag"), Ok(FileName::default()));
        assert_eq!(&FileName::default().short(), b"BLANCHE TAG");
        for name in
            ["Blanche.tag", "blanche", "blanchett.tag", "a.tags", ".tag", "a.b.c", "é.tag", "nul.tag", "com1.tag"]
        {
            assert_eq!(FileName::new(name), Err(NameError(name.to_owned())));
        }
    }

    #[test]
    fn a_long_name_is_compared_as_hosts_do() {
        let name = FileName::default();
        let is = |text: &str| name.is(&text.encode_utf16().collect::<Vec<_>>());
        assert!(is("BLANCHE.TAG") && is("Blanche.Tag. ."));
        assert!(!is("blanche.tagliatelle") && !is("blanche"));
    }
}
