//! Exit codes: stable, documented in docs/exit-codes.md, which a test compares with this file.

use blanche_tag::Code;

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// The medium is what was checked, as far as the level says.
    Accepted,
    /// Wrong arguments, policy, trust folder or memory.
    Usage,
    /// The target or the tag file is missing or cannot be opened.
    Target,
    /// The verifier itself failed.
    Verifier,
    /// Refused: there is no tag.
    NoTag,
    /// Refused: the tag, its origin, or what the policy demands of it.
    Tag,
    /// Refused: the medium is not what the tag describes.
    Medium,
    /// Refused: something could not be read or seen.
    NotSeen,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::Usage,
        Self::Target,
        Self::Verifier,
        Self::NoTag,
        Self::Tag,
        Self::Medium,
        Self::NotSeen,
        Self::Interrupted,
    ];

    /// The number that the caller of the program sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Usage => 2,
            Self::Target => 4,
            Self::Verifier => 5,
            Self::NoTag => 40,
            Self::Tag => 41,
            Self::Medium => 42,
            Self::NotSeen => 43,
            Self::Interrupted => 130,
        }
    }
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        match code {
            Code::NoTag => Self::NoTag,
            Code::Medium | Code::Boot | Code::Added | Code::Removed | Code::Changed => Self::Medium,
            Code::NotAvailable | Code::Unreadable => Self::NotSeen,
            _ => Self::Tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/exit-codes.md");

    #[test]
    fn the_document_says_the_same() {
        let (_, part) = DOCUMENT.split_once("## `blanche verify`").expect("the section");
        let part = part.split("\n## ").next().expect("its end");
        let rows: Vec<&str> =
            part.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code")).collect();
        let numbers: Vec<_> = rows.iter().filter_map(|row| row.split('|').nth(1)?.trim().parse::<u8>().ok()).collect();
        assert_eq!(numbers, Exit::ALL.map(Exit::code));
        for code in Code::ALL {
            let row = rows.iter().find(|row| row.contains(&format!("`{}`", code.as_str())));
            let number = row.map_or("41", |row| row.split('|').nth(1).expect("a number").trim());
            assert_eq!(number, Exit::from(*code).code().to_string(), "{}", code.as_str());
        }
    }
}
