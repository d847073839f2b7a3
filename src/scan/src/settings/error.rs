//! Why a configuration is not used: where, what, and what to write instead.

use std::io;
use std::path::{Path, PathBuf};

/// Line and column of a mistake, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}; check the name given to --config and the file's rights", file.display())]
    Unreadable {
        /// The configuration file.
        file: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file that the configuration names cannot be where it should.
    #[error("{}: {source}; check that the folder is there, and its rights", file.display())]
    Place {
        /// The file or folder.
        file: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Somebody else could change what the station does.
    #[error("{}: {weakness}; run: {remedy}", file.display())]
    Insecure {
        /// The configuration file, or the folder that holds it.
        file: PathBuf,
        /// What is wrong.
        weakness: &'static str,
        /// A command that puts it right.
        remedy: String,
    },
    /// It is not what docs/configuration.md describes.
    #[error("{}:{}:{}: {message}", file.display(), place.line, place.column)]
    Invalid {
        /// The configuration file.
        file: PathBuf,
        /// Where.
        place: Place,
        /// What is wrong, and what to write instead.
        message: String,
    },
}

impl SettingsError {
    /// The file that has to be changed.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Unreadable { file, .. }
            | Self::Place { file, .. }
            | Self::Insecure { file, .. }
            | Self::Invalid { file, .. } => file,
        }
    }
}
