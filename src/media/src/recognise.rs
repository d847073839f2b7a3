//! What a volume is, by its signatures, and the reader for it if this build has one.
//!
//! The first sector comes first. Signatures elsewhere are looked for only where no content of files can lie, so that no
//! byte of a file is read before its time; those in content are seen when it is read. Several filesystems in one place
//! are several views. What no reader reads is called by its name.

use crate::bytes::{Record, index, is_zero, wide};
use crate::exfat::{self, ExFatVolume};
use crate::ext;
use crate::fat::{self, FatVolume};
use crate::filesystem::{Fault, Filesystem, Identity};
use crate::iso;
use crate::ntfs;
use crate::partition::gaps;
use crate::signatures::{self, Proof, SUPERBLOCK, Signature};
use crate::source::{Medium, ReadError, Removed, Sign, Watched};
use crate::udf;
use blanche_sandbox::wire::{Cause, Corruption, FilesystemKind, NameEncoding, Tree, View};
use std::ops::Range;

/// Bytes at each end of a volume that must be zeros for it to be blank.
pub(crate) const BLANK_END: u64 = 1 << 20;

/// See [`near`].
const NEAR: u64 = 65_608;

/// Signatures in the first sector that are stronger than a FAT boot sector. BitLocker To Go disguises itself as FAT32.
const FIRST_SECTOR: [(usize, &[u8], FilesystemKind); 4] = [
    (3, b"-FVE-FS-", FilesystemKind::BitLocker),
    // 4967D63B-2E29-4AD8-8399-F6A339E3D001 as on disk.
    (424, b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", FilesystemKind::BitLocker),
    (3, b"NTFS    ", FilesystemKind::Ntfs),
    (3, b"ReFS\0\0\0\0", FilesystemKind::Refs),
];

/// A volume, or one view of it, that was looked at.
pub(crate) struct Recognised {
    /// Label and kind.
    pub(crate) identity: Identity,
    /// Which of several trees this is.
    pub(crate) view: Option<View>,
    /// The reader; absent when the volume is not read.
    pub(crate) reader: Option<Box<dyn Filesystem>>,
    /// About the volume; offsets on the medium.
    pub(crate) faults: Vec<Fault>,
}

impl Recognised {
    /// A volume, or one of its views, that is read.
    pub(crate) fn read(mut reader: Box<dyn Filesystem>, view: Option<View>) -> Self {
        let faults = reader.take_faults();
        Self { identity: reader.identity().clone(), view, reader: Some(reader), faults }
    }

    /// A volume that is not read, as a whole.
    pub(crate) fn unread(kind: FilesystemKind, range: &Range<u64>, cause: Cause) -> Self {
        let identity = Identity { kind, label: None, identifier: None, encoding: NameEncoding::Bytes };
        let fault = Fault { offset: range.start, length: range.end.saturating_sub(range.start), cause };
        Self { identity, view: None, reader: None, faults: vec![fault] }
    }

    /// A volume whose boot sector or superblock contradicts itself.
    pub(crate) fn broken(kind: FilesystemKind, range: &Range<u64>) -> Self {
        Self::unread(kind, range, Cause::Corrupt(Corruption::BootSector))
    }

    fn unsupported(kind: FilesystemKind, range: &Range<u64>) -> Self {
        Self::unread(kind, range, Cause::FilesystemUnsupported(kind))
    }
}

/// Looks at the volume in `range` (bytes on the medium). At least one view of it comes back, and every view that some
/// host may choose.
pub(crate) fn recognise(medium: &Medium<'_>, range: Range<u64>) -> Result<Vec<Recognised>, Removed> {
    let length = range.end.saturating_sub(range.start);
    let mut sector = vec![0u8; index(medium.block().min(length))];
    match medium.read(range.start, &mut sector) {
        Ok(()) => {}
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => {
            return Ok(vec![Recognised::unread(FilesystemKind::Unknown, &range, Cause::Unreadable)]);
        }
    }
    let mut found = by_first_sector(medium, &range, &sector)?;
    // Some hosts prefer another filesystem in the same place: its signature is looked for where no content of files
    // lies.
    let (kinds, content) = announced_kinds(medium, &range, content_of(&sector, &range))?;
    watch_content(medium, &range, content);
    for kind in kinds {
        match kind {
            FilesystemKind::Ext => found.extend(ext::open(medium, &range)?),
            FilesystemKind::Iso9660 => found.extend(iso::open(medium, &range)?),
            FilesystemKind::Udf => found.extend(udf::open(medium, &range)?),
            _ => found.push(Recognised::unsupported(kind, &range)),
        }
    }
    if !found.is_empty() {
        return Ok(settle(found));
    }
    let other = match fat::claimed_kind(&sector) {
        Some(kind) => Recognised::broken(kind, &range),
        None => blank_or_unknown(medium, &range)?,
    };
    Ok(vec![other])
}

/// The filesystems that signatures before the `content` of the first sector's filesystem announce, and where content
/// begins. Without such a filesystem the near signatures come first: where one of a filesystem that is read stands
/// there, files may lie at the far ones.
fn announced_kinds(
    medium: &Medium<'_>,
    range: &Range<u64>,
    content: Option<u64>,
) -> Result<(Vec<FilesystemKind>, u64), Removed> {
    if let Some(content) = content {
        return Ok((signatures(medium, range, &|place| place.end <= content)?, content));
    }
    let near = near(range);
    let kinds = signatures(medium, range, &|place| place.end <= near)?;
    let read = [FilesystemKind::Ext, FilesystemKind::Iso9660, FilesystemKind::Udf];
    if kinds.iter().any(|kind| read.contains(kind)) {
        return Ok((kinds, near));
    }
    Ok((signatures(medium, range, &|_| true)?, range.end))
}

/// The end of the bytes in which ext, ISO 9660 and UDF keep what announces them, and Btrfs its first superblock.
fn near(range: &Range<u64>) -> u64 {
    range.start.saturating_add(NEAR).min(range.end)
}

/// Where content of files may lie, a signature is seen when that content is read.
fn watch_content(medium: &Medium<'_>, range: &Range<u64>, content: u64) {
    watch(medium, range, &|place, _| place.end > content);
}

/// Compares the `wanted` places (bytes on the medium) of the signatures of a volume with them when they are read.
pub(crate) fn watch(medium: &Medium<'_>, range: &Range<u64>, wanted: &dyn Fn(&Range<u64>, &Signature) -> bool) {
    for known in signatures::of_volume(range.end.saturating_sub(range.start)) {
        let place = known.place(range.start);
        if place.end <= range.end && wanted(&place, &known) {
            let (start, sign) = match known.proof {
                Proof::Magic => (place.start, Sign::Magic(known.magic)),
                _ => (range.start.saturating_add(known.base), Sign::Superblock(known)),
            };
            medium.watch(Watched { start, sign, volume: range.start, found: None });
        }
    }
}

/// What the first sector says by itself.
fn by_first_sector(medium: &Medium<'_>, range: &Range<u64>, sector: &[u8]) -> Result<Vec<Recognised>, Removed> {
    match first_sector_signature(sector) {
        Some(FilesystemKind::Ntfs) => return ntfs::open(medium, range),
        Some(kind) => return Ok(vec![Recognised::unsupported(kind, range)]),
        None => {}
    }
    if exfat::Boot::claims(sector) {
        return Ok(vec![match exfat::Boot::parse(sector) {
            Ok(boot) => Recognised::read(Box::new(ExFatVolume::open(medium, range.clone(), boot)?), None),
            Err(_) => Recognised::broken(FilesystemKind::ExFat, range),
        }]);
    }
    match fat::Boot::parse(sector) {
        Ok(boot) => fat_views(medium, range, boot),
        Err(_) => Ok(Vec::new()),
    }
}

/// A FAT volume through its first table and, where its flags name another one or the copies of a small table differ,
/// through that: Windows follows the flag, Linux always follows the first table, and repair tools ask which to take.
fn fat_views(medium: &Medium<'_>, range: &Range<u64>, boot: fat::Boot) -> Result<Vec<Recognised>, Removed> {
    let other = match boot.active_table {
        0 if fat::copies_differ(medium, range, &boot)? => 1,
        active => active,
    };
    let open = |table, view| {
        let volume = FatVolume::open(medium, range.clone(), boot, table, other != 0)?;
        Ok(Recognised::read(Box::new(volume), view))
    };
    let mut views = vec![open(0, None)?];
    if other != 0 {
        views.push(open(other, Some(View { tree: Tree::OtherTable, session: 0 }))?);
    }
    Ok(views)
}

/// Names the views where there are several, and keeps one line for each way to see the volume.
fn settle(mut found: Vec<Recognised>) -> Vec<Recognised> {
    let several = found.iter().filter(|one| one.reader.is_some()).count() > 1;
    if several {
        for one in &mut found {
            let tree = match one.identity.kind {
                FilesystemKind::Ext => Tree::Ext,
                FilesystemKind::Udf => Tree::Udf,
                _ => Tree::BootSector,
            };
            one.view = one.view.or(Some(View { tree, session: 0 }));
        }
    }
    // What is not read stands as a fault at what is read; alone, it stands for itself.
    let (mut read, mut unread): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| one.reader.is_some());
    let Some(first) = read.first_mut() else {
        unread.truncate(1);
        return unread;
    };
    first.faults.extend(unread.into_iter().flat_map(|other| other.faults));
    read
}

/// A filesystem other than FAT and exFAT that the first sector alone gives away.
pub(crate) fn first_sector_signature(sector: &[u8]) -> Option<FilesystemKind> {
    let record = Record(sector);
    let matches = |(offset, magic, _): &&(usize, &[u8], FilesystemKind)| record.slice(*offset, magic.len()) == *magic;
    FIRST_SECTOR.iter().find(matches).map(|(_, _, kind)| *kind)
}

/// Where content of files may begin in the volume in `range` (byte on the medium); its end when nothing of it is read.
pub(crate) fn content_start(medium: &Medium<'_>, range: &Range<u64>) -> Result<u64, Removed> {
    let length = range.end.saturating_sub(range.start);
    let sector = match medium.read_vec(range.start, medium.block().min(length)) {
        Ok(sector) => sector,
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return Ok(range.end),
    };
    if let Some(content) = content_of(&sector, range) {
        return Ok(content);
    }
    let near = near(range);
    let first = signatures(medium, range, &|place| place.end <= near)?.into_iter().find_map(|kind| match kind {
        FilesystemKind::Ext => Some(ext::CONTENT_START),
        FilesystemKind::Iso9660 | FilesystemKind::Udf => Some(iso::CONTENT_START),
        _ => None,
    });
    Ok(first.map_or(range.end, |start| range.start.saturating_add(start)))
}

/// The same by the first sector alone; nothing when it names no filesystem that is read.
fn content_of(sector: &[u8], range: &Range<u64>) -> Option<u64> {
    let start = match first_sector_signature(sector) {
        Some(FilesystemKind::Ntfs) => Some(ntfs::CONTENT_START),
        Some(_) => None,
        None if exfat::Boot::claims(sector) => exfat::Boot::parse(sector).ok().map(|boot| boot.heap_start),
        None => fat::Boot::parse(sector).ok().map(|boot| boot.heap_start()),
    };
    start.map(|start| range.start.saturating_add(start))
}

/// A boot sector of a filesystem: it ends in 55 AA as a partition table does, and its boot code may look like one.
pub(crate) fn is_boot_sector(sector: &[u8]) -> bool {
    fat::Boot::parse(sector).is_ok() || exfat::Boot::claims(sector) || first_sector_signature(sector).is_some()
}

/// Whether a filesystem stands where nobody announced one: two bytes that look like a signature are not enough here.
pub(crate) fn is_filesystem(medium: &Medium<'_>, range: &Range<u64>) -> Result<bool, Removed> {
    let length = range.end.saturating_sub(range.start);
    let sector = match medium.read_vec(range.start, medium.block().min(length)) {
        Ok(sector) => sector,
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return Ok(false),
    };
    if is_boot_sector(&sector) {
        return Ok(true);
    }
    let kinds = matching(medium, range, &|_| true, false)?;
    if kinds.contains(&FilesystemKind::Ext) && ext::open(medium, range)?.iter().any(|view| view.reader.is_some()) {
        return Ok(true);
    }
    Ok(kinds.iter().any(|kind| *kind != FilesystemKind::Ext))
}

/// The filesystems whose signature stands in the volume, looked for only where `allowed` (bytes on the medium); the
/// more telling ones first, each once.
pub(crate) fn signatures(
    medium: &Medium<'_>,
    range: &Range<u64>,
    allowed: &dyn Fn(&Range<u64>) -> bool,
) -> Result<Vec<FilesystemKind>, Removed> {
    matching(medium, range, allowed, true)
}

/// The same; a volume that no table `announced` needs more than a short magic.
fn matching(
    medium: &Medium<'_>,
    range: &Range<u64>,
    allowed: &dyn Fn(&Range<u64>) -> bool,
    announced: bool,
) -> Result<Vec<FilesystemKind>, Removed> {
    let mut kinds = Vec::new();
    for known in signatures::of_volume(range.end.saturating_sub(range.start)) {
        let place = known.place(range.start);
        if kinds.contains(&known.kind) || place.end > range.end || !allowed(&place) {
            continue;
        }
        match medium.read_vec(place.start, wide(known.magic.len())) {
            Ok(found) if found == known.magic && proven(medium, range, &known, announced)? => kinds.push(known.kind),
            Ok(_) | Err(ReadError::Unreadable { .. }) => {}
            Err(ReadError::Removed) => return Err(Removed),
        }
    }
    // The sequence may be longer than the places above reach, behind many descriptors of ISO 9660.
    if !kinds.contains(&FilesystemKind::Udf) && udf::announced(medium, range, allowed)?.nsr {
        kinds.push(FilesystemKind::Udf);
    }
    Ok(kinds)
}

/// Whether the fields around a magic make sense, where that is asked for. Fields that cannot be read do not speak
/// against it.
fn proven(medium: &Medium<'_>, range: &Range<u64>, known: &Signature, announced: bool) -> Result<bool, Removed> {
    let fields = match known.proof {
        Proof::Fields(fields) => fields,
        Proof::FieldsUnlessAnnounced(fields) if !announced => fields,
        Proof::Magic | Proof::FieldsUnlessAnnounced(_) => return Ok(true),
    };
    let start = range.start.saturating_add(known.base);
    match medium.read_vec(start, SUPERBLOCK.min(range.end.saturating_sub(start))) {
        Ok(superblock) => Ok(fields(Record(&superblock))),
        Err(ReadError::Unreadable { .. }) => Ok(true),
        Err(ReadError::Removed) => Err(Removed),
    }
}

/// Zeros in the first and the last MiB, or data that nobody knows.
fn blank_or_unknown(medium: &Medium<'_>, range: &Range<u64>) -> Result<Recognised, Removed> {
    let length = range.end.saturating_sub(range.start);
    let size = length.min(BLANK_END);
    for start in [range.start, range.end.saturating_sub(size)] {
        let mut bytes = vec![0u8; index(size)];
        let mut bad = Vec::new();
        medium.read_tolerant(start, &mut bytes, &mut bad)?;
        if let Some(bad) = bad.first() {
            let place = bad.start..range.end;
            return Ok(Recognised::unread(FilesystemKind::Unknown, &place, Cause::Unreadable));
        }
        if !is_zero(&bytes) {
            return Ok(Recognised::unread(FilesystemKind::Unknown, range, Cause::UnknownContent));
        }
    }
    if length > BLANK_END.saturating_mul(2)
        && let Some(place) = gaps::hidden_places(medium, range)?.first()
    {
        // Hosts show nothing here either, until somebody tells them where to look.
        return Ok(Recognised::unread(FilesystemKind::Unknown, &(*place..range.end), Cause::UnknownContent));
    }
    let mut blank = Recognised::unread(FilesystemKind::Blank, range, Cause::UnknownContent);
    blank.faults.clear();
    Ok(blank)
}
