//! What lies in the base folders: no session begins with bases that are not the ones in them.

use crate::settings::Bases;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into: as deep as rules are read.
const DEPTH: u32 = 8;

/// What the kernel says of each file in each folder that exists. Two that are equal are the same files, unless somebody set a clock
/// back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folders(BTreeMap<PathBuf, BTreeMap<PathBuf, Stamp>>);

/// Device, inode, bytes, and when content and inode were changed last (seconds, nanoseconds).
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Folders {
    /// Looks at all of them, by their names: whatever stands there now. What cannot be read is not there.
    pub(super) fn look(bases: &Bases) -> Self {
        let look = |(folder, depth): (PathBuf, u32)| {
            let mut files = BTreeMap::new();
            list(&folder, depth, &mut files);
            (folder, files)
        };
        // libclamav reads what stands in the folder itself.
        let clamav = bases.clamav_present().into_iter().map(|folder| (folder, 0));
        let rules = bases.rules_present().into_iter().map(|folder| (folder, DEPTH));
        Self(clamav.chain(rules).map(look).collect())
    }

    /// A folder with files that has none in `later`, or is gone.
    pub(super) fn emptied<'a>(&'a self, later: &Self) -> Option<&'a Path> {
        let is_full = |folders: &Self, name: &Path| folders.0.get(name).is_some_and(|files| !files.is_empty());
        self.0.keys().map(PathBuf::as_path).find(|name| is_full(self, name) && !is_full(later, name))
    }
}

fn list(folder: &Path, depth: u32, files: &mut BTreeMap<PathBuf, Stamp>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 0 {
            list(&path, depth - 1, files);
        } else if let (false, Ok(file)) = (is_folder, fs::metadata(&path)) {
            let changed = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
            files.insert(path, (file.dev(), file.ino(), file.size(), changed.0, changed.1));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn bases(home: &Path) -> Bases {
        Bases { clamav: vec![home.join("clamav")], rules: vec![home.join("rules")], ..Bases::default() }
    }

    #[test]
    fn whatever_happens_to_a_file_is_seen() {
        let home = tempfile::tempdir().unwrap();
        let (clamav, rules) = (home.path().join("clamav"), home.path().join("rules"));
        fs::create_dir(&clamav).unwrap();
        fs::create_dir_all(rules.join("team/inner")).unwrap();
        let look = || Folders::look(&bases(home.path()));
        let mut before = look();
        let changes: [&dyn Fn() -> std::io::Result<()>; 6] = [
            &|| fs::write(clamav.join("a.ndb"), "one"),
            &|| fs::write(rules.join("team/inner/a.yar"), "one"),
            // The same length, and another file of the same name.
            &|| fs::write(rules.join("team/inner/a.yar"), "two"),
            &|| fs::write(clamav.join("b"), "one").and_then(|()| fs::rename(clamav.join("b"), clamav.join("a.ndb"))),
            &|| fs::rename(&clamav, home.path().join("old")),
            &|| {
                fs::create_dir(&clamav)
                    .and_then(|()| fs::copy(home.path().join("old/a.ndb"), clamav.join("a.ndb")).map(drop))
            },
        ];
        for (number, change) in changes.iter().enumerate() {
            // Clocks of files are as coarse as the kernel's tick.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change().unwrap();
            let after = look();
            assert_ne!(before, after, "{number}");
            assert_eq!(after, look(), "{number}");
            before = after;
        }
    }

    #[test]
    fn a_folder_that_lost_all_its_files_is_named() {
        let home = tempfile::tempdir().unwrap();
        let (clamav, rules) = (home.path().join("clamav"), home.path().join("rules"));
        fs::create_dir(&clamav).unwrap();
        fs::create_dir(&rules).unwrap();
        fs::write(rules.join("a.yar"), "rule").unwrap();
        let look = || Folders::look(&bases(home.path()));
        let full = look();
        assert_eq!(full.emptied(&full), None, "a folder that was empty from the beginning misses nothing");
        fs::remove_file(rules.join("a.yar")).unwrap();
        assert_eq!(full.emptied(&look()), Some(rules.as_path()));
        fs::remove_dir(&rules).unwrap();
        assert_eq!(full.emptied(&look()), Some(rules.as_path()));
    }
}
