//! What a volume is, by its signatures, and the reader for it if this build has one.
//!
//! The first sector comes first. Signatures elsewhere are looked for only where no content of files can lie, so that no
//! byte of a file is read before its time; those in content are seen when it is read. Several filesystems in one place
//! are several views. What no reader reads is called by its name.

use crate::bytes::{Record, index, is_zero};
use crate::exfat::{self, ExFatVolume};
use crate::ext;
use crate::fat::{self, FatVolume};
use crate::filesystem::{Fault, Filesystem, Identity};
use crate::iso;
use crate::ntfs;
use crate::source::{Medium, ReadError, Removed, Sign, Watched};
use crate::udf;
use blanche_sandbox::wire::{Cause, Corruption, FilesystemKind, NameEncoding, Tree, View};
use std::ops::Range;

/// Bytes at each end of a volume that must be zeros for it to be blank.
pub(crate) const BLANK_END: u64 = 1 << 20;

/// A signature at a fixed place: bytes from the start of the volume.
struct Signature {
    offset: u64,
    magic: &'static [u8],
    kind: FilesystemKind,
}

const fn signature(offset: u64, magic: &'static [u8], kind: FilesystemKind) -> Signature {
    Signature { offset, magic, kind }
}

/// Linux RAID superblock, little-endian 0xa92b4efc (drivers/md, versions 0.90 and 1.x).
const RAID: &[u8] = &[0xfc, 0x4e, 0x2b, 0xa9];

/// Signatures in the first sector that are stronger than a FAT boot sector. BitLocker To Go disguises itself as FAT32.
const FIRST_SECTOR: [Signature; 4] = [
    signature(3, b"-FVE-FS-", FilesystemKind::BitLocker),
    // 4967D63B-2E29-4AD8-8399-F6A339E3D001 as on disk.
    signature(424, b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", FilesystemKind::BitLocker),
    signature(3, b"NTFS    ", FilesystemKind::Ntfs),
    signature(3, b"ReFS\0\0\0\0", FilesystemKind::Refs),
];

/// Signatures elsewhere, the more telling ones first.
const ELSEWHERE: [Signature; 32] = [
    signature(0, b"LUKS\xba\xbe", FilesystemKind::Luks),
    signature(0, b"XFSB", FilesystemKind::Xfs),
    signature(0, b"hsqs", FilesystemKind::SquashFs),
    signature(0, b"sqsh", FilesystemKind::SquashFs),
    signature(32, b"NXSB", FilesystemKind::Apfs),
    signature(0, b"LABELONE", FilesystemKind::Lvm),
    signature(512, b"LABELONE", FilesystemKind::Lvm),
    signature(1024, b"LABELONE", FilesystemKind::Lvm),
    signature(1536, b"LABELONE", FilesystemKind::Lvm),
    signature(0, RAID, FilesystemKind::LinuxRaid),
    signature(4096, RAID, FilesystemKind::LinuxRaid),
    signature(1024, b"\x10\x20\xf5\xf2", FilesystemKind::F2fs),
    signature(1024, b"H+\0\x04", FilesystemKind::HfsPlus),
    signature(1024, b"HX\0\x05", FilesystemKind::HfsPlus),
    // HFS, alone or as a wrapper around HFS+.
    signature(1024, b"BD", FilesystemKind::HfsPlus),
    signature(1080, b"\x53\xef", FilesystemKind::Ext),
    signature(65_600, b"_BHRfS_M", FilesystemKind::Btrfs),
    // UDF volume recognition sequence (ECMA-167 2/9): from byte 32768 in steps of 2048, beside or without ISO 9660.
    signature(32_769, b"NSR0", FilesystemKind::Udf),
    signature(34_817, b"NSR0", FilesystemKind::Udf),
    signature(36_865, b"NSR0", FilesystemKind::Udf),
    signature(38_913, b"NSR0", FilesystemKind::Udf),
    signature(40_961, b"NSR0", FilesystemKind::Udf),
    signature(43_009, b"NSR0", FilesystemKind::Udf),
    signature(32_769, b"BEA01", FilesystemKind::Udf),
    signature(32_769, b"CD001", FilesystemKind::Iso9660),
    signature(34_817, b"CD001", FilesystemKind::Iso9660),
    signature(4086, b"SWAPSPACE2", FilesystemKind::Swap),
    signature(4086, b"SWAP-SPACE", FilesystemKind::Swap),
    signature(8182, b"SWAPSPACE2", FilesystemKind::Swap),
    signature(16_374, b"SWAPSPACE2", FilesystemKind::Swap),
    signature(32_758, b"SWAPSPACE2", FilesystemKind::Swap),
    signature(65_526, b"SWAPSPACE2", FilesystemKind::Swap),
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
    let content = content_of(&sector, &range).unwrap_or(range.end);
    watch_content(medium, &range, content);
    for kind in signatures(medium, &range, &|place| place.end <= content)? {
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

/// Where content of files may lie, a signature is seen when that content is read.
fn watch_content(medium: &Medium<'_>, range: &Range<u64>, content: u64) {
    for known in &ELSEWHERE {
        let start = range.start.saturating_add(known.offset);
        let end = start.saturating_add(u64::try_from(known.magic.len()).unwrap_or(u64::MAX));
        if end > content && end <= range.end {
            medium.watch(Watched { start, sign: Sign::Magic(known.magic), volume: range.start, found: None });
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
    let matches = |known: &&Signature| record.slice(index(known.offset), known.magic.len()) == known.magic;
    FIRST_SECTOR.iter().find(matches).map(|known| known.kind)
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
    let first = signatures(medium, range, &|_| true)?.into_iter().find_map(|kind| match kind {
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
    let telling = |kind: &FilesystemKind| {
        let magic = ELSEWHERE.iter().filter(|known| known.kind == *kind).map(|known| known.magic.len()).min();
        magic.is_none_or(|length| length >= 4)
    };
    let kinds = signatures(medium, range, &|_| true)?;
    if kinds.contains(&FilesystemKind::Ext) && ext::open(medium, range)?.iter().any(|view| view.reader.is_some()) {
        return Ok(true);
    }
    Ok(kinds.iter().any(telling))
}

/// The filesystems whose signature stands in the volume, looked for only where `allowed` (bytes on the medium); the
/// more telling ones first, each once.
pub(crate) fn signatures(
    medium: &Medium<'_>,
    range: &Range<u64>,
    allowed: &dyn Fn(&Range<u64>) -> bool,
) -> Result<Vec<FilesystemKind>, Removed> {
    let length = range.end.saturating_sub(range.start);
    let fixed = ELSEWHERE.iter().map(|known| (known.offset, known.magic, known.kind));
    let at_end = raid_places(length).into_iter().map(|offset| (offset, RAID, FilesystemKind::LinuxRaid));
    let mut kinds = Vec::new();
    for (offset, magic, kind) in fixed.chain(at_end) {
        let start = range.start.saturating_add(offset);
        let size = u64::try_from(magic.len()).unwrap_or(u64::MAX);
        let place = start..start.saturating_add(size);
        if kinds.contains(&kind) || place.end > range.end || !allowed(&place) {
            continue;
        }
        match medium.read_vec(start, size) {
            Ok(found) if found == magic => kinds.push(kind),
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

/// Where RAID superblocks of versions 0.90 and 1.0 stand, from the start of a volume of `length` bytes.
fn raid_places(length: u64) -> Vec<u64> {
    let old = (length & !0xffff).checked_sub(0x1_0000);
    let new = length.checked_sub(0x2000).map(|offset| offset & !0xfff);
    [old, new].into_iter().flatten().collect()
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
    let mut blank = Recognised::unread(FilesystemKind::Blank, range, Cause::UnknownContent);
    blank.faults.clear();
    Ok(blank)
}
