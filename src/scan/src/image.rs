//! A disk image inside a file: read by a reader of its own like a medium, one level deep, and matched by the same
//! matcher. What is found in it stands at the file, with the place inside the image as its layer.
//!
//! It needs no proof at start-up: the image's own ledger says whether all of it was checked, and only then the file
//! counts as opened.

use crate::believe::{MAX_LINES, MAX_TEXT, believe};
use crate::intake::{Accepted, Intake};
use crate::judge::ContentLedgerState;
use crate::ledger::{ClosedLedger, Ledger};
use crate::matching::{Answers, Feeder, Silence};
use crate::reading;
use blanche_sandbox::ChannelError;
use blanche_sandbox::birth::Child;
use blanche_sandbox::content::{self, SealedContent};
use blanche_sandbox::wire::{
    Answer, Cause, Digests, EntryId, Finding, FromReader, Piece, ReadJob, ReadLimits, ScanPiece, Scanned, Source,
    Subject, ToMatcher,
};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Block size of images: nothing in a file says another one.
const BLOCK: u32 = 512;
/// How often the reader's channel is left to see whether somebody cancelled.
const LOOK: Duration = Duration::from_millis(100);
/// A reader of memory is never silent for long.
const SILENCE: Duration = Duration::from_secs(60);
/// Contents of an image come in one piece up to this many bytes; longer ones are not checked.
const MAX_OBJECT: u64 = 2 << 30;

/// What a reading of an image gave.
struct Inside {
    intake: Intake,
    ledger: ClosedLedger,
    cpu: blanche_sandbox::wire::EngineCpu,
    layers: u32,
}

/// Whether the matcher is still of use.
pub(crate) enum Matcher {
    Alive,
    Dead,
}

/// Looks into the disk image that `piece` of `object` is, and writes what it finds into the answer about it.
pub(crate) fn look_inside(
    feeder: &Feeder<'_>,
    matcher: &Child,
    object: &SealedContent,
    piece: &ScanPiece,
    scanned: &mut Scanned,
) -> Matcher {
    let (inside, state) = match read(feeder, matcher, object, piece) {
        Ok(read) => read,
        Err(cause) => {
            // It stays a container that nobody opened, and says why.
            add(&mut scanned.not_checked, cause);
            return Matcher::Alive;
        }
    };
    // Only what stands for the image itself is answered. What else the bytes are (an archive behind the volume, another
    // kind of image around it) nobody looked into. An image that shows no volume to a reader stays a container that nobody opened.
    let known = inside.ledger.gaps().iter().all(|gap| gap.cause != Cause::UnknownContent);
    if inside.intake.volumes() > 0 && known {
        scanned.not_checked.retain(|cause| !is_image(cause));
    }
    for gap in inside.ledger.gaps() {
        add(&mut scanned.not_checked, gap.cause.clone());
    }
    if inside.ledger.state() != ContentLedgerState::Complete && scanned.not_checked.is_empty() {
        scanned.not_checked.push(Cause::NeverRead);
    }
    scanned.layers = scanned.layers.saturating_add(inside.layers);
    scanned.cpu.add(inside.cpu);
    let mut found = Vec::new();
    for (entry, findings) in inside.ledger.ledger().findings() {
        found.extend(findings.iter().map(|finding| within(&inside.intake, *entry, finding)));
    }
    found.append(&mut scanned.findings);
    found.sort_by(|left, right| {
        right.severity.cmp(&left.severity).then_with(|| (&left.layer, &left.name).cmp(&(&right.layer, &right.name)))
    });
    found.truncate(MAX_LINES);
    scanned.findings = found;
    state
}

/// Whether a cause stands for a disk image that a reader may read.
fn is_image(cause: &Cause) -> bool {
    matches!(cause, Cause::ContainerUnsupported(container) if container.is_disk_image())
}

fn add(causes: &mut Vec<Cause>, cause: Cause) {
    if causes.len() < MAX_LINES && !causes.contains(&cause) {
        causes.push(cause);
    }
}

/// A finding with its place in the image in front of its layers.
fn within(intake: &Intake, entry: EntryId, finding: &Finding) -> Finding {
    let path = intake.catalogue.path(entry).visible;
    let kept = path.char_indices().rev().map(|(at, _)| at).take_while(|at| path.len() - at <= MAX_TEXT).last();
    let mut layer = vec![path.get(kept.unwrap_or(0)..).unwrap_or_default().to_owned()];
    layer.extend(finding.layer.iter().take(31).cloned());
    Finding { layer, ..finding.clone() }
}

/// Reads and matches everything in the image.
fn read(
    feeder: &Feeder<'_>,
    matcher: &Child,
    object: &SealedContent,
    piece: &ScanPiece,
) -> Result<(Inside, Matcher), Cause> {
    let whole = piece.offset == 0 && piece.length == object.length();
    let copy = if whole { None } else { Some(part(object, piece)?) };
    let image = copy.as_ref().unwrap_or(object);
    let object_limit = piece.length.min(MAX_OBJECT).max(feeder.settings.reader.max_memory_object);
    let limits = ReadLimits { max_memory_object: object_limit, ..feeder.settings.reader };
    let source = Source::Medium { capacity: piece.length, logical_block: BLOCK };
    let reader = reading::start(image.as_fd(), source, &limits, feeder.settings).map_err(|error| {
        tracing::error!("reader of a disk image: {error}");
        Cause::ReaderLost
    })?;
    let mut inside = Look {
        feeder,
        matcher: Some(matcher),
        intake: Intake::new(source, limits),
        ledger: Ledger::new(0),
        cpu: blanche_sandbox::wire::EngineCpu::default(),
        layers: 0,
    };
    let ended = inside.listen(&reader, &ReadJob { source, limits });
    reader.kill();
    if let Err(cause) = ended {
        inside.ledger.gap(Subject::Medium, 0, 0, cause);
    }
    let state = if inside.matcher.is_some() { Matcher::Alive } else { Matcher::Dead };
    let Look { intake, ledger, cpu, layers, .. } = inside;
    let ledger = ledger.close(&intake.catalogue, &Cause::NeverRead);
    Ok((Inside { intake, ledger, cpu, layers }, state))
}

/// A sealed object that holds nothing but this piece.
fn part(object: &SealedContent, piece: &ScanPiece) -> Result<SealedContent, Cause> {
    let copy = || -> std::io::Result<SealedContent> {
        let file = content::writable()?;
        reading::copy(object, piece.offset..piece.offset.saturating_add(piece.length), &file)?;
        SealedContent::accept(content::seal(file)?, piece.length).map_err(std::io::Error::other)
    };
    copy().map_err(|error| {
        tracing::error!("copy of a disk image: {error}");
        Cause::SpoolFull
    })
}

/// A reading of an image.
struct Look<'a> {
    feeder: &'a Feeder<'a>,
    /// Gone once it died on some content: the rest is not checked.
    matcher: Option<&'a Child>,
    intake: Intake,
    ledger: Ledger,
    cpu: blanche_sandbox::wire::EngineCpu,
    layers: u32,
}

impl Look<'_> {
    fn listen(&mut self, reader: &Child, job: &ReadJob) -> Result<(), Cause> {
        let lost = |error| {
            tracing::error!("reader of a disk image: {error}");
            if (self.feeder.stop)() { Cause::Cancelled } else { Cause::ReaderLost }
        };
        reader.channel().send(job, &[]).map_err(lost)?;
        while !self.intake.is_done() {
            self.wait(reader)?;
            let received = reader.channel().receive::<FromReader>(Some(SILENCE)).map_err(lost)?;
            let accepted = self.intake.accept(received.message, received.fds).map_err(|distrust| {
                tracing::error!("station alarm: {distrust}");
                Cause::ContentRefused
            })?;
            self.ledger.expect(self.intake.catalogue.len());
            match accepted {
                Accepted::Noted | Accepted::Planned { .. } | Accepted::Done => {}
                Accepted::NotRead(what) => self.ledger.not_read(what),
                Accepted::Object { object, pieces } => self.matched(&object, &pieces)?,
                Accepted::Part { entry, last, .. } => {
                    if last.is_some() {
                        let size = self.intake.catalogue.get(entry).map_or(0, |record| record.size);
                        self.ledger.gap(Subject::Entry(entry), 0, size, Cause::SpoolFull);
                    }
                }
            }
        }
        Ok(())
    }

    fn wait(&self, reader: &Child) -> Result<(), Cause> {
        let silent_until = Instant::now().checked_add(SILENCE);
        loop {
            if (self.feeder.stop)() {
                return Err(Cause::Cancelled);
            }
            match reader.channel().is_readable(LOOK) {
                Ok(true) => return Ok(()),
                Ok(false) if silent_until.is_none_or(|limit| Instant::now() <= limit) => {}
                Ok(false) | Err(_) => return Err(Cause::ReaderLost),
            }
        }
    }

    /// Hands contents of the image to the matcher and takes its answers.
    fn matched(&mut self, object: &SealedContent, pieces: &[Piece]) -> Result<(), Cause> {
        let matcher = self.matcher.ok_or(Cause::NeverRead)?;
        let waiting: Vec<(ScanPiece, Digests)> = pieces
            .iter()
            .map(|piece| {
                let scan = reading::scan_piece(&self.intake, piece.entry, piece.offset, piece.length);
                (scan, piece.digests)
            })
            .collect();
        let pieces = waiting.iter().map(|(piece, _)| piece.clone()).collect();
        let message = ToMatcher::Scan { pieces, prompt: true };
        if let Err(error) = matcher.channel().send(&message, &[object.as_fd()]) {
            tracing::warn!("matcher {}: {error}", matcher.pid());
            self.matcher = None;
            return Err(if matches!(error, ChannelError::TimedOut) {
                Cause::MatcherHung
            } else {
                Cause::MatcherCrashed
            });
        }
        let mut answers = Answers::new(self.feeder, matcher, true);
        for (piece, digests) in &waiting {
            self.ledger.delivered(piece.entry, piece.length, *digests);
            let answer = match answers.next(piece) {
                Ok(Answer::Scanned(scanned)) => believe(*scanned, piece, digests),
                Ok(Answer::Hashed(_)) | Err(Silence::Unclear) => Err(Cause::MatcherCrashed),
                Err(Silence::Because(cause)) => Err(cause),
            };
            match answer {
                Ok(scanned) => {
                    self.cpu.add(scanned.cpu);
                    self.layers = self.layers.saturating_add(scanned.layers);
                    self.ledger.matched(*scanned);
                }
                Err(cause) => {
                    matcher.kill();
                    self.matcher = None;
                    return Err(cause);
                }
            }
        }
        if !answers.is_over() {
            tracing::error!("station alarm: matcher {} answered more than it was asked", matcher.pid());
            matcher.kill();
            self.matcher = None;
            return Err(Cause::MatcherCrashed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_added_once_and_bounded() {
        let mut causes = Vec::new();
        add(&mut causes, Cause::Unreadable);
        add(&mut causes, Cause::Unreadable);
        assert_eq!(causes, [Cause::Unreadable]);
        for number in 0..MAX_LINES + 9 {
            add(&mut causes, Cause::EngineFailed(number.to_string()));
        }
        assert_eq!(causes.len(), MAX_LINES);
    }
}
