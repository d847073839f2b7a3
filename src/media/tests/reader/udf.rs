//! UDF volumes: made by genisoimage and mkudffs, and by the writer in `build`, which 7z reads as an independent
//! judge.

mod attacks;
pub(crate) mod build;
mod noise;
mod real;

use crate::reading::Reading;
use blanche_sandbox::wire::{Cause, FilesystemKind, NotRead};

/// The number of the UDF volume.
fn volume(reading: &Reading) -> u16 {
    let volumes = &reading.layout().volumes;
    volumes.iter().position(|volume| volume.filesystem == FilesystemKind::Udf).expect("a UDF volume") as u16
}

/// What was not read, but for another filesystem on the same bytes.
fn notes(reading: &Reading) -> Vec<NotRead> {
    let other = Cause::FilesystemUnsupported(FilesystemKind::Iso9660);
    reading.not_read.iter().filter(|note| note.cause != other).cloned().collect()
}
