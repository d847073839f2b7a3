//! Which files a medium holds.

use std::path::Path;
use std::time::SystemTime;

/// Files for a medium, in any order; folders are made as needed.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: Vec<TreeFile>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct TreeFile {
    /// From the volume's root, separated by "/", without one in front.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// Hidden and system attributes, both.
    pub hidden: bool,
    /// When it was last changed; absent: when the medium was made.
    pub modified: Option<SystemTime>,
}

impl Tree {
    /// No file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push(TreeFile { path: path.into(), bytes: bytes.into(), hidden: false, modified: None });
        self
    }

    /// One more file, hidden and system.
    #[must_use]
    pub fn with_hidden(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push(TreeFile { path: path.into(), bytes: bytes.into(), hidden: true, modified: None });
        self
    }

    /// The last file was last changed then.
    #[must_use]
    pub fn modified(mut self, time: SystemTime) -> Self {
        self.files.last_mut().into_iter().for_each(|file| file.modified = Some(time));
        self
    }

    /// What it holds.
    #[must_use]
    pub fn files(&self) -> &[TreeFile] {
        &self.files
    }

    /// A name outside the basic multilingual plane: two UTF-16 units.
    #[must_use]
    pub(crate) fn has_surrogates(&self) -> bool {
        self.files.iter().any(|file| file.path.chars().any(|letter| letter.len_utf16() == 2))
    }

    /// Writes the files under `folder`, each path changed by `rename`.
    pub(crate) fn write(&self, folder: &Path, rename: impl Fn(&str) -> String) {
        for file in &self.files {
            let path = folder.join(rename(&file.path));
            std::fs::create_dir_all(path.parent().expect("a path below the folder")).expect("a writable folder");
            std::fs::write(&path, &file.bytes).expect("a writable folder");
            if let Some(time) = file.modified {
                let file = std::fs::File::open(&path).expect("just made");
                // exfat-fuse takes both or none.
                let times = std::fs::FileTimes::new().set_accessed(time).set_modified(time);
                file.set_times(times).expect("a filesystem with times");
            }
        }
    }
}

/// `depth` folders in each other, then `name`.
#[must_use]
pub fn deep(depth: usize, name: &str) -> String {
    let folders: Vec<String> = (1..=depth).map(|level| format!("f{level:02}")).collect();
    format!("{}/{name}", folders.join("/"))
}
