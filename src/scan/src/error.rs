//! Why a session could not take place at all. What went wrong *within* a session is no error: it stands in the report
//! as something that was not checked.
//!
//! The texts here are for logs; [`crate::words::scan_error`] says the same to a person, in French and English.

use crate::settings::SettingsError;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Nothing is there.
    #[error("{}: no such file, folder or device; check the name", path.display())]
    TargetMissing {
        /// As given.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is there, but may not or cannot be opened.
    #[error("{}: cannot be opened: {source}; check the rights, or unplug it and plug it in again", path.display())]
    TargetUnreadable {
        /// As given.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Neither a block device, nor a regular file, nor a folder.
    #[error("{}: is neither a block device, nor an image file, nor a folder", path.display())]
    TargetUnsupported {
        /// As given.
        path: PathBuf,
    },
    /// No engine can be used: no base, or the self-test failed.
    #[error("the engines cannot be used: {0}; see `blanche engines`")]
    Engines(String),
    /// A sandboxed child could not be started or did not behave.
    #[error("{program}: {reason}")]
    Children {
        /// Name of the program.
        program: String,
        /// What happened.
        reason: String,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Somebody stopped the program before anything was read.
    #[error("stopped before anything was read")]
    Cancelled,
    /// Something that the station itself lacks or did wrong: memory, descriptors, disk space.
    #[error("station: {0}")]
    Station(String),
}

impl ScanError {
    /// The medium, image or folder that it is about, as given.
    #[must_use]
    pub fn target(&self) -> Option<&Path> {
        match self {
            Self::TargetMissing { path, .. }
            | Self::TargetUnreadable { path, .. }
            | Self::TargetUnsupported { path } => Some(path),
            Self::Engines(_) | Self::Children { .. } | Self::Settings(_) | Self::Cancelled | Self::Station(_) => None,
        }
    }

    /// The same for another who waited for it.
    pub(crate) fn told_again(&self) -> Self {
        match self {
            Self::Engines(why) => Self::Engines(why.clone()),
            Self::Children { program, reason } => Self::Children { program: program.clone(), reason: reason.clone() },
            Self::Cancelled => Self::Cancelled,
            Self::Station(why) => Self::Station(why.clone()),
            other => Self::Station(other.to_string()),
        }
    }
}
