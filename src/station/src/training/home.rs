//! The private folder of a training station: keys, trust, journal, tags and images of one run.

use super::TrainingError;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// See the module.
#[derive(Debug)]
pub enum Home {
    /// Goes with the run.
    Passing(TempDir),
    /// Stays: somebody wants to look at it afterwards.
    Kept(PathBuf),
}

impl Home {
    /// A new folder: `kept`, or one that is removed at the end.
    ///
    /// # Errors
    /// [`TrainingError::NotEmpty`] for the folder of an earlier run; [`TrainingError::Folder`].
    pub(super) fn make(kept: Option<&Path>) -> Result<Self, TrainingError> {
        let home = match kept {
            Some(path) => Self::Kept(empty(path)?),
            None => {
                let around = std::env::temp_dir();
                let made = tempfile::Builder::new().prefix("blanche-training-").tempdir_in(&around);
                Self::Passing(made.map_err(TrainingError::folder(&around))?)
            }
        };
        let path = home.path();
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(TrainingError::folder(path))?;
        new_folder(&home.media())?;
        Ok(home)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    /// Where images of made-up media are.
    pub(super) fn media(&self) -> PathBuf {
        self.path().join("media")
    }
}

/// The folder, absolute, made if it is not there.
fn empty(path: &Path) -> Result<PathBuf, TrainingError> {
    let failed = || TrainingError::folder(path);
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed()(error)),
        _ => {}
    }
    // What somebody else owns they can change, whatever its mode is.
    if fs::metadata(path).map_err(failed())?.uid() != rustix::process::geteuid().as_raw() {
        return Err(failed()(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user")));
    }
    if fs::read_dir(path).map_err(failed())?.next().is_some() {
        return Err(TrainingError::NotEmpty(path.to_owned()));
    }
    fs::canonicalize(path).map_err(failed())
}

/// A folder that only we may enter.
pub(super) fn new_folder(path: &Path) -> Result<(), TrainingError> {
    DirBuilder::new().mode(0o700).recursive(true).create(path).map_err(TrainingError::folder(path))
}
