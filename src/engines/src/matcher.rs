//! A matcher: answers for the pieces of sealed objects, one after the other, until its parent closes the channel.

use crate::clock::CpuClock;
use crate::examine::Engines;
use crate::selftest;
use blanche_sandbox::content::{Refused, SealedContent};
use blanche_sandbox::wire::{Answer, Digests, FromMatcher, Hashed, ScanPiece, Scanned, ToMatcher};
use blanche_sandbox::{Channel, ChannelError};
use rustix::mm::{MapFlags, ProtFlags};
use sha2::Digest as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes that are hashed at a time: both digests see a part while it is in the cache.
const HASH_CHUNK: usize = 256 << 10;
/// How long an answer may wait for others.
const MOMENT: Duration = Duration::from_millis(5);
/// Answers in one message.
const MAX_TOGETHER: usize = 64;
/// Bytes of an extension (wire contract).
const MAX_EXTENSION: usize = 16;

/// Why a matcher ended.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// The parent broke the protocol or is gone.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The object is not sealed, or has another length than its pieces say.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A piece lies outside its object, or the message has no object.
    #[error("the parent sent a piece outside its object, or no object")]
    Piece,
    /// The object cannot be mapped.
    #[error("mapping the content: {0}")]
    Map(rustix::io::Errno),
}

/// Serves a channel until it is closed.
///
/// # Errors
/// [`MatcherError`]; the process must end then.
pub fn serve(channel: &Channel, engines: &mut Engines<'_>) -> Result<(), MatcherError> {
    loop {
        let received = match channel.receive::<ToMatcher>(None) {
            Err(ChannelError::Closed) => return Ok(()),
            other => other?,
        };
        match received.message {
            ToMatcher::Scan { pieces, prompt } => {
                let fd = received.fds.into_iter().next().ok_or(MatcherError::Piece)?;
                scan(channel, engines, fd, pieces, prompt)?;
            }
            ToMatcher::SelfTest => channel.send(&selftest::run(engines), &[])?,
        }
    }
}

fn scan(
    channel: &Channel,
    engines: &mut Engines<'_>,
    fd: OwnedFd,
    pieces: Vec<ScanPiece>,
    prompt: bool,
) -> Result<(), MatcherError> {
    let length = rustix::fs::fstat(&fd).ok().and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0);
    let content = SealedContent::accept(fd, length)?;
    let mapping = Mapping::new(&content)?;
    let mut company = Company { channel, answers: Vec::new(), since: Instant::now() };
    for piece in pieces {
        let bytes = mapping.piece(&piece).ok_or(MatcherError::Piece)?;
        if !piece.is_quick() {
            company.leave()?;
        }
        let answer = answer(engines, bytes, &piece);
        company.join(answer, prompt || !piece.is_quick())?;
    }
    company.leave()
}

/// Answers that wait for others.
struct Company<'a> {
    channel: &'a Channel,
    answers: Vec<Answer>,
    /// When the first of them joined.
    since: Instant,
}

impl Company<'_> {
    /// Adds an answer; `at_once` or after a moment all of them are told. One with much to say does not wait: a message
    /// has its limit.
    fn join(&mut self, answer: Answer, at_once: bool) -> Result<(), MatcherError> {
        if self.answers.is_empty() {
            self.since = Instant::now();
        }
        let brief = match &answer {
            Answer::Scanned(scanned) => scanned.findings.len() <= 1 && scanned.not_checked.is_empty(),
            Answer::Hashed(_) => true,
        };
        if !brief {
            self.leave()?;
        }
        self.answers.push(answer);
        if at_once || !brief || self.answers.len() >= MAX_TOGETHER || self.since.elapsed() >= MOMENT {
            self.leave()?;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), MatcherError> {
        if !self.answers.is_empty() {
            self.channel.send(&FromMatcher::Answers(std::mem::take(&mut self.answers)), &[])?;
        }
        Ok(())
    }
}

/// The answer for one piece.
fn answer(engines: &mut Engines<'_>, content: &[u8], piece: &ScanPiece) -> Answer {
    let clock = CpuClock::start();
    let digests = digest(content);
    let hash = clock.micros();
    let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
    if piece.hash_only {
        return Answer::Hashed(Hashed { entry: piece.entry, bytes, digests, cpu: hash });
    }
    let extensions = piece.extensions.iter().take(ScanPiece::MAX_EXTENSIONS);
    let extensions: Vec<String> = extensions.map(|name| name.chars().take(MAX_EXTENSION).collect()).collect();
    let examined = if piece.area { engines.examine_area(content) } else { engines.examine(content, &extensions, None) };
    let mut cpu = examined.cpu;
    cpu.hash = hash;
    Answer::Scanned(Box::new(Scanned {
        entry: piece.entry,
        bytes,
        digests,
        content_type: examined.content_type,
        findings: examined.findings,
        not_checked: examined.not_checked,
        layers: examined.layers,
        disk_image: examined.disk_image,
        cpu,
    }))
}

/// SHA-256 and BLAKE3 of the same bytes.
fn digest(content: &[u8]) -> Digests {
    let (mut sha256, mut blake3) = (sha2::Sha256::new(), blake3::Hasher::new());
    for chunk in content.chunks(HASH_CHUNK) {
        sha256.update(chunk);
        blake3.update(chunk);
    }
    Digests { sha256: sha256.finalize().into(), blake3: *blake3.finalize().as_bytes() }
}

/// A read-only mapping of a sealed object.
struct Mapping {
    start: *mut std::ffi::c_void,
    length: usize,
}

impl Mapping {
    fn new(content: &SealedContent) -> Result<Self, MatcherError> {
        let length = usize::try_from(content.length()).map_err(|_| MatcherError::Piece)?;
        if length == 0 {
            return Ok(Self { start: std::ptr::null_mut(), length });
        }
        // SAFETY: a new read-only mapping where the kernel likes; nobody can change or shorten a sealed object.
        let start = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, content.as_fd(), 0)
        }
        .map_err(MatcherError::Map)?;
        Ok(Self { start, length })
    }

    fn bytes(&self) -> &[u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: `length` readable bytes are mapped for as long as `self` lives, and are immutable.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.length) }
    }

    fn piece(&self, piece: &ScanPiece) -> Option<&[u8]> {
        let start = usize::try_from(piece.offset).ok()?;
        let end = start.checked_add(usize::try_from(piece.length).ok()?)?;
        self.bytes().get(start..end)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: mapped in `new`, and no slice of it outlives `self`. A failure leaves a mapping behind.
            let _ = unsafe { rustix::mm::munmap(self.start, self.length) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_whole() {
        // Longer than a chunk; SHA-256 of the empty string from FIPS 180-4 test vectors.
        let long = vec![7u8; HASH_CHUNK * 2 + 5];
        assert_eq!(digest(&long).blake3, *blake3::hash(&long).as_bytes());
        assert_eq!(digest(&long).sha256, <[u8; 32]>::from(sha2::Sha256::digest(&long)));
        assert_eq!(digest(b"").sha256.get(..4), Some([0xe3, 0xb0, 0xc4, 0x42].as_slice()));
    }
}
