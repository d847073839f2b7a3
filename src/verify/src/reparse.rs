//! Contents that a driver of Windows keeps elsewhere or makes when they are read: cloud files, compression, deduplication,
//! containers. What stands on the medium is then not what programs read, so it says nothing about that: such an entry is
//! unreadable, and no station seals one (docs/tag-format.md, section 7).
//!
//! Windows marks them as reparse points ([MS-FSCC] 2.1.2), as it does with links, which name another place and are compared
//! as what they are. From most programs it hides some of those marks (of WOF, of cloud files that are here as a whole);
//! [`crate::folder`] reads what it hides as every program does.

use std::fs::Metadata;
use std::io;

/// FILE_ATTRIBUTE_REPARSE_POINT ([MS-FSCC] 2.6).
const REPARSE_POINT: u32 = 0x400;
/// FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS ([MS-FSCC] 2.6): not here as a whole. It is shown where the reparse point is hidden.
const RECALL_ON_DATA_ACCESS: u32 = 0x0040_0000;

/// Lets through what stands where it is seen, and links.
///
/// # Errors
/// A driver stands between it and programs.
pub(crate) fn admit(metadata: &Metadata) -> io::Result<()> {
    if is_made_by_driver(attributes(metadata), metadata.is_symlink()) {
        return Err(io::Error::other("a reparse point that is no link: a driver of Windows makes what programs read"));
    }
    Ok(())
}

/// `is_link`: Windows says that the reparse point names another place.
const fn is_made_by_driver(attributes: u32, is_link: bool) -> bool {
    attributes & RECALL_ON_DATA_ACCESS != 0 || (attributes & REPARSE_POINT != 0 && !is_link)
}

#[cfg(windows)]
fn attributes(metadata: &Metadata) -> u32 {
    use std::os::windows::fs::MetadataExt;
    metadata.file_attributes()
}

/// Elsewhere a file has no second way to be opened, past a driver.
#[cfg(not(windows))]
fn attributes(_: &Metadata) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// FILE_ATTRIBUTE_DIRECTORY, _ARCHIVE, _SPARSE_FILE, _COMPRESSED, _OFFLINE ([MS-FSCC] 2.6).
    const FOLDER: u32 = 0x10;
    const FILE: u32 = 0x20;
    const SPARSE: u32 = 0x200;
    const COMPRESSED: u32 = 0x800;
    const OFFLINE: u32 = 0x1000;

    #[test]
    fn what_a_driver_makes_is_never_taken_for_what_is_stored() {
        // Deduplicated, a file of a container, a cloud file that is shown as one, or disguised; a folder of a cloud.
        for attributes in [
            FILE | SPARSE | REPARSE_POINT,
            FILE | REPARSE_POINT,
            FILE | SPARSE | OFFLINE | REPARSE_POINT | RECALL_ON_DATA_ACCESS,
            FILE | OFFLINE | RECALL_ON_DATA_ACCESS,
            FOLDER | REPARSE_POINT,
            FOLDER | RECALL_ON_DATA_ACCESS,
        ] {
            assert!(is_made_by_driver(attributes, false), "{attributes:#x}");
        }
        assert!(is_made_by_driver(FILE | REPARSE_POINT | RECALL_ON_DATA_ACCESS, true), "whatever it says of itself");
    }

    #[test]
    fn links_and_what_the_filesystem_itself_packs_are_let_through() {
        for attributes in [FILE, FOLDER, FILE | SPARSE, FILE | COMPRESSED] {
            assert!(!is_made_by_driver(attributes, false), "{attributes:#x}");
        }
        assert!(!is_made_by_driver(FILE | REPARSE_POINT, true), "a symbolic link");
        assert!(!is_made_by_driver(FOLDER | REPARSE_POINT, true), "a junction");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"here").unwrap();
        for here in [folder.path(), &file] {
            assert!(admit(&fs::symlink_metadata(here).unwrap()).is_ok(), "{here:?}");
        }
    }
}
