//! What can go wrong with a journal: what, where, and what to do next.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What there is too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Room on the disk.
    Disk,
    /// `journal.max_size` is reached.
    Limit,
}

impl Lack {
    const fn words(self, french: bool) -> &'static str {
        match (self, french) {
            (Self::Disk, true) => "disque plein",
            (Self::Disk, false) => "no room on the disk",
            (Self::Limit, true) => "journal.max_size est atteint",
            (Self::Limit, false) => "journal.max_size is reached",
        }
    }
}

/// Why others could change a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// They have the right to.
    Writable,
    /// It is theirs.
    Foreign,
}

impl Weakness {
    const fn words(self, french: bool) -> &'static str {
        match (self, french) {
            (Self::Writable, true) => "d'autres peuvent y écrire",
            (Self::Writable, false) => "others may write it",
            (Self::Foreign, true) => "il appartient à un autre utilisateur",
            (Self::Foreign, false) => "it belongs to another user",
        }
    }

    /// The command that puts it right, but for the folder.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Writable => "chmod go-w",
            Self::Foreign => "chown root",
        }
    }
}

/// Why something was not recorded, read or opened. What was recorded before is untouched by every one of them.
#[derive(Debug, Error)]
pub enum JournalError {
    /// No room on the disk, or `journal.max_size` is reached. Sealing must stop.
    #[error("{}: the journal is full ({}); make room or export and shorten journal.keep, nothing that was recorded is lost", folder.display(), lack.words(false))]
    Full {
        /// Of the journal.
        folder: PathBuf,
        /// Of what.
        lack: Lack,
    },
    /// Another process records into it.
    #[error("{}: another process writes this journal; stop it first", folder.display())]
    InUse {
        /// Of the journal.
        folder: PathBuf,
    },
    /// There is no journal.
    #[error("{}: there is no journal; the station's service makes it at its first start", folder.display())]
    Missing {
        /// Of the journal.
        folder: PathBuf,
    },
    /// Others may write it.
    #[error("{0}: {1}; run: {2} {0}", folder.display(), weakness.words(false), weakness.remedy())]
    Insecure {
        /// Of the journal.
        folder: PathBuf,
        /// What is wrong.
        weakness: Weakness,
    },
    /// What is there is not what was recorded.
    #[error("{}: {what}; run blanche journal verify, keep the folder as evidence, and start with an empty one", file.display())]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// SQLite failed.
    #[error("{}: {source}; check the disk and the rights of the folder", file.display())]
    Database {
        /// The segment.
        file: PathBuf,
        /// In its words.
        source: rusqlite::Error,
    },
    /// A file or folder.
    #[error("{}: {source}; check the disk and the rights of the folder", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A record that has no canonical form: a number above 2^53 - 1, a digest that is none.
    #[error("this record cannot be kept: {0}; this is a mistake of the program that made it")]
    Record(String),
    /// Something panicked while it recorded.
    #[error("the journal was left in the middle of a record; restart the station")]
    Poisoned,
}

impl JournalError {
    /// An error of SQLite, told apart: a full disk is not a broken one.
    pub(crate) fn database(file: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |source| {
            let folder = || file.parent().unwrap_or(file).to_owned();
            match &source {
                rusqlite::Error::SqliteFailure(error, _) if is_full(error, file) => {
                    Self::Full { folder: folder(), lack: Lack::Disk }
                }
                rusqlite::Error::SqliteFailure(error, _)
                    if matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =>
                {
                    Self::Damaged { file: file.to_owned(), what: source.to_string() }
                }
                _ => Self::Database { file: file.to_owned(), source },
            }
        }
    }

    /// An error of the kernel with a folder, or a file in one.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
                Self::Full { folder: folder.to_owned(), lack: Lack::Disk }
            }
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// The sentence in French or English: what is wrong and what to do next.
    #[must_use]
    pub fn sentence(&self, french: bool) -> String {
        if !french {
            return self.to_string();
        }
        match self {
            Self::Full { folder, lack } => format!(
                "{} : le journal est plein ({}) ; faites de la place, ou exportez puis réduisez journal.keep ; rien de ce \
                 qui est enregistré n'est perdu",
                folder.display(),
                lack.words(true)
            ),
            Self::InUse { folder } => {
                format!("{} : un autre processus écrit ce journal ; arrêtez-le d'abord", folder.display())
            }
            Self::Missing { folder } => {
                format!("{} : il n'y a pas de journal ; le service le crée à son premier démarrage", folder.display())
            }
            Self::Insecure { folder, weakness } => {
                format!("{0} : {1} ; lancez : {2} {0}", folder.display(), weakness.words(true), weakness.remedy())
            }
            Self::Damaged { file, what } => format!(
                "{} : {what} ; lancez blanche journal verify, gardez le dossier comme preuve et repartez d'un dossier vide",
                file.display()
            ),
            Self::Database { file, source } => {
                format!("{} : {source} ; vérifiez le disque et les droits du dossier", file.display())
            }
            Self::Io { path, source } => {
                format!("{} : {source} ; vérifiez le disque et les droits du dossier", path.display())
            }
            Self::Record(what) => format!("cet enregistrement ne peut être gardé : {what}"),
            Self::Poisoned => {
                "le journal s'est arrêté au milieu d'un enregistrement ; redémarrez la station".to_owned()
            }
        }
    }
}

/// Whether a failure of SQLite means that there is no room: some of its own files have other codes for that.
fn is_full(error: &ffi::Error, file: &Path) -> bool {
    let shared_memory = matches!(error.extended_code, ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_WRITE);
    error.code == ErrorCode::DiskFull || (shared_memory && !has_room(file))
}

fn has_room(file: &Path) -> bool {
    let around = file.parent().unwrap_or(file);
    rustix::fs::statvfs(around).is_ok_and(|disk| disk.f_bavail > 16)
}
