//! Reparse points ([MS-FSCC] 2.1.2): what a program on the host would do instead of reading the file.

use blanche_sandbox::wire::{Cause, Feature};

/// What a reparse point makes of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It names another place.
    Link,
    /// What is stored here is not what hosts show.
    Unread(Cause),
}

/// What a tag means.
pub(super) fn meaning(tag: u32) -> Meaning {
    let unread = |feature| Meaning::Unread(Cause::FeatureUnsupported(feature));
    match tag {
        // Mount point (also of a folder: a junction), symbolic link, symbolic link of WSL.
        0xa000_0003 | 0xa000_000c | 0xa000_001d => Meaning::Link,
        // WOF.
        0x8000_0017 => unread(Feature::Compression),
        0x8000_0013 => unread(Feature::Deduplication),
        // HSM, HSM2, and the cloud files with their sixteen variants.
        0xc000_0004 | 0x8000_0006 => unread(Feature::StoredElsewhere),
        tag if tag & 0xffff_0fff == 0x9000_001a => unread(Feature::StoredElsewhere),
        _ => unread(Feature::ReparsePoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_variant_is_elsewhere() {
        let unread = |feature| Meaning::Unread(Cause::FeatureUnsupported(feature));
        for variant in 0..16 {
            assert_eq!(meaning(0x9000_001a | variant << 12), unread(Feature::StoredElsewhere));
        }
        assert_eq!(meaning(0x9001_001a), unread(Feature::ReparsePoint));
        assert_eq!(meaning(0xa000_0003), Meaning::Link);
        assert_eq!(meaning(0), unread(Feature::ReparsePoint));
    }
}
