//! Why nothing was written. Every refusal leaves the medium as it was.

use crate::name::NameError;
use blanche_media::{ReadError, SurveyFailure};

/// Why a file cannot be written to, or removed from, a volume.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The survey found a fault, or no filesystem that we write.
    #[error("{0}; run the checker of its own system on the medium, then seal it again")]
    Survey(#[from] SurveyFailure),
    /// A part of the volume's own structures cannot be read.
    #[error("{0}; keep a copy of the files, the medium may be failing")]
    Read(#[from] ReadError),
    /// A host did not finish with the volume.
    #[error("the volume was not removed safely ({flag}); plug it into its computer, check it, eject it, then seal it")]
    Dirty {
        /// Which mark says so.
        flag: &'static str,
    },
    /// A correct volume of a form that we do not write.
    #[error("this form of the filesystem is not written: {0}")]
    Unsupported(&'static str),
    /// A structure contradicts another in a way that the survey does not look at.
    #[error("the volume is damaged: {what} (byte {offset}); run a checker, then seal it again")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Bytes from the start of the medium.
        offset: u64,
    },
    /// Not enough free clusters.
    #[error("no room for the tag: {needed} bytes are needed, {free} are free; delete something, then seal it again")]
    NoSpace {
        /// Bytes in whole clusters. An older tag is kept until the new one stands, so both must fit.
        needed: u64,
        /// Bytes in whole clusters.
        free: u64,
    },
    /// The fixed root folder of FAT12 and FAT16, or the largest root folder of FAT32, has no free record.
    #[error("the root folder is full ({records} records); move a file into a folder, then seal it again")]
    RootFull {
        /// Its size.
        records: u64,
    },
    /// Another file or a folder has the name of the tag.
    #[error("{name} is already there and is {what}; rename it, then seal the medium again")]
    NameTaken {
        /// The name of the tag.
        name: String,
        /// What stands there.
        what: &'static str,
    },
    /// A file of that name is there, and the caller did not ask to replace it.
    #[error("{name} is already there ({size} bytes)")]
    Exists {
        /// The name of the tag.
        name: String,
        /// Bytes.
        size: u64,
    },
    /// There is nothing to remove.
    #[error("{name} is not there")]
    Absent {
        /// The name of the tag.
        name: String,
    },
    /// The content is empty or longer than the filesystem can hold.
    #[error("a tag of {length} bytes cannot be written; it must have 1 to {most} bytes")]
    Length {
        /// Bytes.
        length: u64,
        /// Bytes.
        most: u64,
    },
    /// The name does not fit.
    #[error(transparent)]
    Name(#[from] NameError),
}
