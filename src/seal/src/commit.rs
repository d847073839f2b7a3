//! Writing what was planned: stage by stage, with a flush after each.

use crate::device::Device;
use crate::draft::{StageKind, index, wide};
use crate::plan::Plan;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes of content in one write.
const STEP: u64 = 1 << 20;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The device did not write or flush.
    #[error("the medium answered: {0}")]
    Device(#[source] io::Error),
    /// The content could not be read.
    #[error("the content could not be read: {0}")]
    Content(#[source] io::Error),
    /// The content is shorter or longer than announced.
    #[error("the content is not {0} bytes long")]
    Length(u64),
    /// The device is not the one that the plan was made for.
    #[error("the plan was made for another medium")]
    OtherDevice,
}

/// Why writing stopped, and what stands on the medium now.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {}", meaning(*stage))]
pub struct CommitError {
    /// The stage that was not finished.
    pub stage: StageKind,
    /// What went wrong.
    #[source]
    pub what: Failure,
}

/// What a stage that was not finished means for the person with the medium.
fn meaning(stage: StageKind) -> &'static str {
    match stage {
        StageKind::Content | StageKind::Allocation | StageKind::Growth | StageKind::Opening => {
            "nothing was sealed, and every file is as it was; check the medium before the next try"
        }
        StageKind::Entry => "whether the medium is sealed is not known; verify it, every other file is as it was",
        StageKind::Release | StageKind::Account => {
            "the change was made, but space was not given back; check the medium when there is time"
        }
    }
}

/// The blocks that a stage writes, as they are; nothing when one of them cannot be read.
fn former(device: &dyn Device, writes: &[(u64, Vec<u8>)]) -> Vec<(u64, Vec<u8>)> {
    let read = |(offset, bytes): &(u64, Vec<u8>)| {
        let mut before = vec![0; bytes.len()];
        device.read_at(*offset, &mut before).ok().map(|()| (*offset, before))
    };
    writes.iter().map(read).collect::<Option<_>>().unwrap_or_default()
}

/// Puts back what the first stage wrote beside the content: on exFAT the volume is dirty no more (exFAT 8.1).
fn take_back(device: &mut dyn Device, before: &[(u64, Vec<u8>)]) {
    let written = before.iter().try_for_each(|(offset, bytes)| device.write_at(*offset, bytes));
    // The first error is told; a volume that stays dirty is one that its host looks at.
    drop(written.and_then(|()| device.flush()));
}

impl Plan {
    /// Writes the content and then everything else, to the device that the plan was made for. Nobody may have written to
    /// it in between.
    ///
    /// # Errors
    /// [`CommitError`]: up to [`StageKind::Opening`] the old state stands, after [`StageKind::Entry`] the new one. When it is
    /// the content that could not be read, nothing but free clusters is different from before.
    pub fn commit(&self, device: &mut dyn Device, content: &mut dyn Read) -> Result<(), CommitError> {
        if device.block() != self.block || device.capacity() != self.capacity {
            return Err(CommitError { stage: StageKind::Content, what: Failure::OtherDevice });
        }
        for stage in &self.stages {
            let failed = |what| CommitError { stage: stage.kind, what };
            let before = if stage.kind == StageKind::Content { former(device, &stage.writes) } else { Vec::new() };
            for (offset, bytes) in &stage.writes {
                device.write_at(*offset, bytes).map_err(Failure::Device).map_err(failed)?;
            }
            if stage.kind == StageKind::Content {
                self.write_content(device, content).map_err(|what| {
                    if !matches!(what, Failure::Device(_)) {
                        take_back(device, &before);
                    }
                    failed(what)
                })?;
            }
            device.flush().map_err(Failure::Device).map_err(failed)?;
        }
        Ok(())
    }

    fn write_content(&self, device: &mut dyn Device, content: &mut dyn Read) -> Result<(), Failure> {
        let mut left = self.length;
        for Range { start, end } in &self.content {
            let mut at = *start;
            while at < *end {
                let count = end.saturating_sub(at).min(STEP);
                let mut bytes = vec![0u8; index(count)];
                let filled = bytes.get_mut(..index(left.min(count))).unwrap_or_default();
                content.read_exact(filled).map_err(|error| self.content_failure(error))?;
                left = left.saturating_sub(wide(filled.len()));
                device.write_at(at, &bytes).map_err(Failure::Device)?;
                at = at.saturating_add(count);
            }
        }
        match content.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::Length(self.length)),
            Err(error) => Err(Failure::Content(error)),
        }
    }

    fn content_failure(&self, error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Failure::Length(self.length)
        } else {
            Failure::Content(error)
        }
    }
}
