//! Whether the boot areas, tables and gaps of a medium are still those that were scanned, and their normal form.

use crate::draft::wide;
use blanche_media::{ReadAt, ReadError};
use blanche_sandbox::wire::{BootAreaKind, FilesystemKind, SealArea, SealSurvey, WriteObstacle};
use blanche_tag::areas;
use blanche_tag::claims::{AreaKind, Filesystem};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes read at once.
const STEP: u64 = 1 << 20;
/// One boot area, and all of them: docs/tag-format.md, section 10.
const MAX_AREA: u64 = 16 << 20;
const MAX_AREAS: u64 = 64 << 20;

/// The digests of the boot areas after masking, if everything that was digested at the scan is still the same.
///
/// # Errors
/// [`WriteObstacle`]: [`Changed`](WriteObstacle::Changed), or what keeps it from being read. A boot area of which the scan
/// digested only a part is [`Unreadable`](WriteObstacle::Unreadable): what the reader can read there it digests, and
/// nothing is signed that was not looked at.
pub(crate) fn areas(view: &dyn ReadAt, survey: &SealSurvey) -> Result<Vec<[u8; 32]>, WriteObstacle> {
    let all = survey.areas.iter().map(|area| area.length).fold(0, u64::saturating_add);
    if all > MAX_AREAS || survey.areas.iter().any(|area| area.length > MAX_AREA) {
        return Err(WriteObstacle::Unsupported);
    }
    let known = joined(survey.unchanged.iter().map(|known| range(known.start, known.length)).collect());
    let areas: Vec<_> = survey.areas.iter().map(|area| range(area.start, area.length)).collect();
    if !areas.iter().all(|area| known.iter().any(|known| known.start <= area.start && area.end <= known.end)) {
        return Err(WriteObstacle::Unreadable);
    }
    let once = Once::read(view, areas)?;
    for known in &survey.unchanged {
        if once.digest(known.start, known.length)? != known.sha256 {
            return Err(WriteObstacle::Changed);
        }
    }
    survey.areas.iter().map(|area| once.normal(area)).collect()
}

fn range(start: u64, length: u64) -> Range<u64> {
    start..start.saturating_add(length)
}

/// The same bytes in as few ranges as there can be, in order.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// A medium of which the boot areas are read once. What is compared with the scan is then what is signed, also where
/// the medium answers differently each time.
struct Once<'v> {
    view: &'v dyn ReadAt,
    /// By first byte; none touches another.
    parts: BTreeMap<u64, Vec<u8>>,
}

impl<'v> Once<'v> {
    fn read(view: &'v dyn ReadAt, areas: Vec<Range<u64>>) -> Result<Self, WriteObstacle> {
        let part = |range: Range<u64>| {
            let bytes = read(view, range.start, range.end.saturating_sub(range.start))?;
            Ok((range.start, bytes))
        };
        Ok(Self { view, parts: joined(areas).into_iter().map(part).collect::<Result<_, _>>()? })
    }

    /// Bytes from memory as far as they are there, up to `length` of them.
    fn next(&self, start: u64, length: u64) -> Result<Vec<u8>, WriteObstacle> {
        let kept = self.parts.range(..=start).next_back().and_then(|(first, bytes)| {
            bytes.get(usize::try_from(start.saturating_sub(*first)).ok()?..).filter(|bytes| !bytes.is_empty())
        });
        if let Some(bytes) = kept {
            let count = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
            return Ok(bytes.get(..count).unwrap_or_default().to_vec());
        }
        let to = self.parts.range(start..).next().map_or(u64::MAX, |(first, _)| *first);
        read(self.view, start, length.min(to.saturating_sub(start)))
    }

    fn digest(&self, start: u64, length: u64) -> Result<[u8; 32], WriteObstacle> {
        let mut hash = Sha256::new();
        let mut at = start;
        let end = start.checked_add(length).ok_or(WriteObstacle::Changed)?;
        while at < end {
            let part = self.next(at, end.saturating_sub(at).min(STEP))?;
            hash.update(&part);
            at = at.saturating_add(wide(part.len()));
        }
        Ok(hash.finalize().into())
    }

    fn normal(&self, area: &SealArea) -> Result<[u8; 32], WriteObstacle> {
        let bytes = self.next(area.start, area.length)?;
        Ok(areas::digest(kind(area.kind), area.filesystem.and_then(filesystem), &bytes))
    }
}

fn read(view: &dyn ReadAt, start: u64, length: u64) -> Result<Vec<u8>, WriteObstacle> {
    let mut bytes = vec![0u8; usize::try_from(length).map_err(|_| WriteObstacle::Unsupported)?];
    match view.read_at(start, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(ReadError::Removed) => Err(WriteObstacle::Removed),
        Err(ReadError::Unreadable { .. }) => Err(WriteObstacle::Unreadable),
    }
}

/// The kind of a boot area in the words of the tag.
#[must_use]
pub fn kind(kind: BootAreaKind) -> AreaKind {
    match kind {
        BootAreaKind::Mbr => AreaKind::Mbr,
        BootAreaKind::Ebr => AreaKind::Ebr,
        BootAreaKind::GptPrimary => AreaKind::GptPrimary,
        BootAreaKind::GptBackup => AreaKind::GptBackup,
        BootAreaKind::Fat => AreaKind::Fat,
        BootAreaKind::ExFat => AreaKind::ExFat,
        BootAreaKind::Ntfs => AreaKind::Ntfs,
        BootAreaKind::NtfsBackup => AreaKind::NtfsBackup,
        BootAreaKind::Ext => AreaKind::Ext,
        BootAreaKind::Head => AreaKind::Head,
        BootAreaKind::Gap => AreaKind::Gap,
    }
}

/// A filesystem in the words of the tag; nothing for those whose media cannot be sealed.
#[must_use]
pub fn filesystem(kind: FilesystemKind) -> Option<Filesystem> {
    Some(match kind {
        FilesystemKind::Fat12 => Filesystem::Fat12,
        FilesystemKind::Fat16 => Filesystem::Fat16,
        FilesystemKind::Fat32 => Filesystem::Fat32,
        FilesystemKind::ExFat => Filesystem::ExFat,
        FilesystemKind::Ntfs => Filesystem::Ntfs,
        FilesystemKind::Ext => Filesystem::Ext,
        FilesystemKind::Iso9660 => Filesystem::Iso9660,
        FilesystemKind::Udf => Filesystem::Udf,
        FilesystemKind::Blank => Filesystem::Blank,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{AreaClass, AreaDigest};
    use std::sync::Mutex;

    /// Answers honestly the first time that a block is read, and otherwise from then on.
    struct Liar {
        seen: Mutex<Vec<bool>>,
    }

    const BLOCK: usize = 512;

    impl Liar {
        fn new() -> Self {
            Self { seen: Mutex::new(vec![false; 64]) }
        }
    }

    fn honest(block: usize) -> u8 {
        u8::try_from(block).unwrap()
    }

    impl ReadAt for Liar {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
            let first = usize::try_from(offset).unwrap() / BLOCK;
            let mut seen = self.seen.lock().unwrap();
            for (number, bytes) in buffer.chunks_mut(BLOCK).enumerate() {
                let block = first + number;
                bytes.fill(if std::mem::replace(&mut seen[block], true) { 0xEE } else { honest(block) });
            }
            Ok(())
        }

        fn capacity(&self) -> u64 {
            64 * BLOCK as u64
        }
    }

    fn content(blocks: Range<usize>) -> Vec<u8> {
        blocks.flat_map(|block| [honest(block); BLOCK]).collect()
    }

    fn bytes(blocks: &Range<usize>) -> (u64, u64) {
        ((blocks.start * BLOCK) as u64, (blocks.len() * BLOCK) as u64)
    }

    fn survey(unchanged: &[Range<usize>], areas: &[Range<usize>]) -> SealSurvey {
        let known = |blocks: &Range<usize>| {
            let ((start, length), sha256) = (bytes(blocks), Sha256::digest(content(blocks.clone())).into());
            AreaDigest { class: AreaClass::Gap, start, length, sha256 }
        };
        let area = |blocks: &Range<usize>| {
            let (start, length) = bytes(blocks);
            SealArea { kind: BootAreaKind::Gap, filesystem: None, start, length }
        };
        SealSurvey {
            logical_block: 512,
            unchanged: unchanged.iter().map(known).collect(),
            areas: areas.iter().map(area).collect(),
            volumes: Vec::new(),
            length: 0,
        }
    }

    #[test]
    fn what_is_signed_of_a_medium_that_lies_the_second_time_is_what_was_compared() {
        // Areas that overlap, one inside a known range, one across two, and a known range without an area.
        let (known, wanted) = ([0..4, 4..20, 30..40], [0..1, 0..8, 6..12, 31..32]);
        let signed = areas(&Liar::new(), &survey(&known, &wanted)).unwrap();
        let expected: Vec<[u8; 32]> =
            wanted.iter().map(|blocks| areas::digest(AreaKind::Gap, None, &content(blocks.clone()))).collect();
        assert_eq!(signed, expected);
    }

    #[test]
    fn a_medium_that_changed_before_is_refused() {
        let liar = Liar::new();
        liar.read_at(35 * BLOCK as u64, &mut [0; BLOCK]).unwrap();
        assert_eq!(areas(&liar, &survey(&[0..4, 30..40], &[0..1, 31..32])), Err(WriteObstacle::Changed));
    }

    #[test]
    fn a_boot_area_that_the_scan_did_not_digest_is_not_signed() {
        for wanted in [4..5, 3..5, 2..31, 39..41] {
            let survey = survey(&[0..4, 30..40], std::slice::from_ref(&wanted));
            assert_eq!(areas(&Liar::new(), &survey), Err(WriteObstacle::Unreadable), "{wanted:?}");
        }
    }
}
