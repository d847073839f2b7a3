//! What came of copying the files of a medium to another one.

use super::{Seal, SealingObstacle, TargetLine};
use crate::settings::CopyMode;
use blanche_sandbox::wire::{CopyFilesystem, VolumeId, WriteObstacle};
use serde::Serialize;

/// One copy.
#[derive(Clone, Debug, Serialize)]
pub struct CopyReport {
    /// What is on the output medium now.
    pub outcome: CopyOutcome,
    /// Why nothing was copied; absent exactly when the files were copied.
    pub cause: Option<CopyCause>,
    /// What the administrator allows.
    pub mode: CopyMode,
    /// Only the clean files of a medium that is not clean were to be copied, which the ANSSI profile does not foresee.
    pub outside_profile: bool,
    /// The output medium.
    pub output: TargetLine,
    /// What it was formatted with, or was to be.
    pub filesystem: Option<CopyFilesystem>,
    /// Files that were copied, or were to be.
    pub files: u64,
    /// Their folders.
    pub folders: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files and folders with another name on the output medium.
    pub renamed: Vec<Renamed>,
    /// How many more there are than a report lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_more: Option<u64>,
    /// What of the source was not to be copied.
    pub left_out: Vec<LeftOut>,
    /// How much more there is than a report lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_more: Option<u64>,
    /// What of every file is not copied.
    pub not_carried: [NotCarried; 4],
    /// What came of sealing the output medium; present when the files were copied, and where a tag was finished that nobody believes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

impl CopyReport {
    /// Of a copy that has not done anything yet.
    #[must_use]
    pub fn untouched(mode: CopyMode, output: TargetLine) -> Self {
        Self {
            outcome: CopyOutcome::Untouched,
            cause: None,
            mode,
            outside_profile: false,
            output,
            filesystem: None,
            files: 0,
            folders: 0,
            bytes: 0,
            renamed: Vec::new(),
            renamed_more: None,
            left_out: Vec::new(),
            left_out_more: None,
            not_carried: NotCarried::ALL,
            seal: None,
        }
    }
}

/// What is on an output medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyOutcome {
    /// Every file: written, read back, and checked like those of any medium.
    Copied,
    /// What was on it before: nothing was written.
    Untouched,
    /// It is formatted, and there is no file on it.
    Empty,
    /// It was begun and failed: nobody knows, nor whether a tag is there.
    Unknown,
}

impl CopyOutcome {
    /// The stable word, as in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Untouched => "untouched",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// A file or folder with another name on the output medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// Its volume on the source.
    pub volume: VolumeId,
    /// Its path there, made visible.
    pub path: String,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Its own name on the output medium.
    pub to: String,
    /// Why.
    pub because: Vec<NameChange>,
}

/// Why a name was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameChange {
    /// Bytes that are no text.
    Encoding,
    /// A character that no name may hold on Windows.
    Forbidden,
    /// A control, bidirectional or otherwise invisible character.
    Invisible,
    /// A space at the beginning or end, or a dot at the end.
    Edge,
    /// A name of a device on Windows: CON, NUL and the like.
    Device,
    /// The name that the tag needs.
    Tag,
    /// More than 255 UTF-16 units.
    TooLong,
    /// Another one in the same folder differs in case only, or was given the same name.
    Collision,
}

/// Something that was not to be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its volume on the source.
    pub volume: VolumeId,
    /// Its path there, made visible.
    pub path: String,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Why.
    pub because: Omission,
}

/// Why something was not to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Omission {
    /// It is not clean.
    NotClean,
    /// A symbolic link: output media have none.
    Link,
    /// A stream of a file: output media have none.
    Stream,
    /// Neither a file nor a folder.
    Special,
    /// An older tag, which this station replaced when it sealed the source.
    OldTag,
    /// On a hidden volume or one for starting computers.
    HiddenVolume,
    /// In another view of the same volume, with a content that no copied file has.
    OtherView,
}

/// What of every file is not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCarried {
    /// Hidden, system, read-only.
    Attributes,
    /// Owner and rights.
    Ownership,
    /// When a file was made and last read: these are the times of the copy. That of its last change is kept.
    OtherTimes,
    /// That two names are one file: each name gets a file of its own.
    HardLinks,
}

impl NotCarried {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Attributes, Self::Ownership, Self::OtherTimes, Self::HardLinks];
}

/// Why nothing was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "cause", content = "detail")]
pub enum CopyCause {
    /// The source is not clean, and the administrator allows clean media only; or it was not read at all.
    NotClean,
    /// A folder is no medium.
    Folder,
    /// The output could not be sealed: why.
    Obstacles(Vec<SealingObstacle>),
    /// There is no file that may be copied.
    Nothing,
    /// Source and output are the same medium.
    SameMedium,
    /// The output medium is not in a port for output media.
    NotOutput,
    /// There is something on the output medium, and nobody ordered to erase it.
    NotBlank,
    /// The output medium cannot be written.
    Output(WriteObstacle),
    /// Not enough room.
    NoRoom {
        /// Bytes in whole clusters.
        needed: u64,
        /// Bytes in whole clusters.
        room: u64,
    },
    /// The output medium is too small for any filesystem, or its blocks are too large.
    Unfit,
    /// More files and folders than a copy can have, or than a folder can hold.
    TooMany,
    /// The signer cannot be used: its words, for staff.
    Signer(String),
    /// A file, or the list of files, is not what was checked: its path, made visible.
    SourceChanged(Option<String>),
    /// A file cannot be read any more: its path, made visible.
    SourceUnreadable(String),
    /// The source was pulled out.
    SourceRemoved,
    /// The output medium did not take what was written to it.
    OutputFailed,
    /// The output medium does not give back what was written to it: the file's path, made visible.
    OutputDiffers(Option<String>),
    /// What was copied was checked again and is not clean, or not the same.
    OutputNotClean,
    /// Somebody stopped it.
    Cancelled,
    /// The station itself failed: what, for staff.
    Station(String),
}

impl CopyCause {
    /// What a program of the station said, in English, for staff: no sentence for everybody.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Signer(why) | Self::Station(why) => Some(why),
            _ => None,
        }
    }

    /// The stable word, as in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotClean => "not_clean",
            Self::Folder => "folder",
            Self::Obstacles(_) => "obstacles",
            Self::Nothing => "nothing",
            Self::SameMedium => "same_medium",
            Self::NotOutput => "not_output",
            Self::NotBlank => "not_blank",
            Self::Output(_) => "output",
            Self::NoRoom { .. } => "no_room",
            Self::Unfit => "unfit",
            Self::TooMany => "too_many",
            Self::Signer(_) => "signer",
            Self::SourceChanged(_) => "source_changed",
            Self::SourceUnreadable(_) => "source_unreadable",
            Self::SourceRemoved => "source_removed",
            Self::OutputFailed => "output_failed",
            Self::OutputDiffers(_) => "output_differs",
            Self::OutputNotClean => "output_not_clean",
            Self::Cancelled => "cancelled",
            Self::Station(_) => "station",
        }
    }
}
