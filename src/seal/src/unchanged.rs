//! Whether the boot areas, tables and gaps of a medium are still those that were scanned, and their normal form.

use blanche_media::{ReadAt, ReadError};
use blanche_sandbox::wire::{BootAreaKind, FilesystemKind, SealArea, SealSurvey, WriteObstacle};
use blanche_tag::areas;
use blanche_tag::claims::{AreaKind, Filesystem};
use sha2::{Digest, Sha256};

/// Bytes read at once.
const STEP: u64 = 1 << 20;
/// One boot area, and all of them: docs/tag-format.md, section 10.
const MAX_AREA: u64 = 16 << 20;
const MAX_AREAS: u64 = 64 << 20;

/// The digests of the boot areas after masking, if everything that was digested at the scan is still the same.
///
/// # Errors
/// [`WriteObstacle`]: [`Changed`](WriteObstacle::Changed), or what keeps it from being read.
pub(crate) fn areas(view: &dyn ReadAt, survey: &SealSurvey) -> Result<Vec<[u8; 32]>, WriteObstacle> {
    let all = survey.areas.iter().map(|area| area.length).fold(0, u64::saturating_add);
    if all > MAX_AREAS || survey.areas.iter().any(|area| area.length > MAX_AREA) {
        return Err(WriteObstacle::Unsupported);
    }
    for known in &survey.unchanged {
        if digest(view, known.start, known.length)? != known.sha256 {
            return Err(WriteObstacle::Changed);
        }
    }
    survey.areas.iter().map(|area| normal(view, area)).collect()
}

fn digest(view: &dyn ReadAt, start: u64, length: u64) -> Result<[u8; 32], WriteObstacle> {
    let mut hash = Sha256::new();
    let mut at = start;
    let end = start.checked_add(length).ok_or(WriteObstacle::Changed)?;
    while at < end {
        let part = read(view, at, end.saturating_sub(at).min(STEP))?;
        hash.update(&part);
        at = at.saturating_add(STEP);
    }
    Ok(hash.finalize().into())
}

fn normal(view: &dyn ReadAt, area: &SealArea) -> Result<[u8; 32], WriteObstacle> {
    let bytes = read(view, area.start, area.length)?;
    Ok(areas::digest(kind(area.kind), area.filesystem.and_then(filesystem), &bytes))
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
