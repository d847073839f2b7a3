//! What a volume is, by its signatures, and the reader for it if this build has one.
//!
//! Volumes whose content is read are decided by their first sector alone, so that no byte of a file is read before
//! its time. Everything else is recognised by name and not read.

use crate::bytes::{Record, index, is_zero};
use crate::exfat::{self, ExFatVolume};
use crate::fat::{self, FatVolume};
use crate::filesystem::{Fault, Filesystem, Identity};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, FilesystemKind, NameEncoding};
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

/// A volume that was looked at.
pub(crate) struct Recognised {
    /// Label and kind.
    pub(crate) identity: Identity,
    /// The reader; absent when the volume is not read.
    pub(crate) reader: Option<Box<dyn Filesystem>>,
    /// About the volume; offsets on the medium.
    pub(crate) faults: Vec<Fault>,
}

/// Looks at the volume in `range` (bytes on the medium).
pub(crate) fn recognise(medium: &Medium<'_>, range: Range<u64>) -> Result<Recognised, Removed> {
    let length = range.end.saturating_sub(range.start);
    let mut sector = vec![0u8; index(medium.block().min(length))];
    match medium.read(range.start, &mut sector) {
        Ok(()) => {}
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return Ok(unread(FilesystemKind::Unknown, &range, Cause::Unreadable)),
    }
    if let Some(kind) = first_sector_signature(&sector) {
        return Ok(unsupported(kind, &range));
    }
    if exfat::Boot::claims(&sector) {
        return match exfat::Boot::parse(&sector) {
            Ok(boot) => {
                let heap = boot.heap_start;
                let reader = ExFatVolume::open(medium, range.clone(), boot)?;
                read_by(medium, &range, heap, Box::new(reader))
            }
            Err(_) => Ok(broken_boot(FilesystemKind::ExFat, &range)),
        };
    }
    if let Ok(boot) = fat::Boot::parse(&sector) {
        let heap = boot.heap_start();
        let reader = FatVolume::open(medium, range.clone(), boot)?;
        return read_by(medium, &range, heap, Box::new(reader));
    }
    if let Some(kind) = foreign_signature(medium, &range, &|_| true)? {
        return Ok(unsupported(kind, &range));
    }
    if let Some(kind) = fat::claimed_kind(&sector) {
        return Ok(broken_boot(kind, &range));
    }
    blank_or_unknown(medium, &range)
}

/// A filesystem that is not read here and that the first sector alone gives away.
pub(crate) fn first_sector_signature(sector: &[u8]) -> Option<FilesystemKind> {
    let record = Record(sector);
    let matches = |known: &&Signature| record.slice(index(known.offset), known.magic.len()) == known.magic;
    FIRST_SECTOR.iter().find(matches).map(|known| known.kind)
}

/// A volume that is read. Some hosts prefer another filesystem in the same place: its signature is looked for in the
/// `heap` first bytes of the volume, where no content of files lies.
fn read_by(
    medium: &Medium<'_>,
    range: &Range<u64>,
    heap: u64,
    mut reader: Box<dyn Filesystem>,
) -> Result<Recognised, Removed> {
    let mut faults = reader.take_faults();
    let content = range.start.saturating_add(heap);
    if let Some(kind) = foreign_signature(medium, range, &|place| place.end <= content)? {
        let length = range.end.saturating_sub(range.start);
        faults.push(Fault { offset: range.start, length, cause: Cause::FilesystemUnsupported(kind) });
    }
    Ok(Recognised { identity: reader.identity().clone(), faults, reader: Some(reader) })
}

/// Where content of files may begin in the volume in `range` (byte on the medium); its end when nothing of it is read.
pub(crate) fn content_start(medium: &Medium<'_>, range: &Range<u64>) -> Result<u64, Removed> {
    let length = range.end.saturating_sub(range.start);
    let sector = match medium.read_vec(range.start, medium.block().min(length)) {
        Ok(sector) => sector,
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return Ok(range.end),
    };
    let heap = if exfat::Boot::claims(&sector) {
        exfat::Boot::parse(&sector).ok().map(|boot| boot.heap_start)
    } else {
        fat::Boot::parse(&sector).ok().map(|boot| boot.heap_start())
    };
    Ok(heap.map_or(range.end, |heap| range.start.saturating_add(heap)))
}

fn unread(kind: FilesystemKind, range: &Range<u64>, cause: Cause) -> Recognised {
    let identity = Identity { kind, label: None, identifier: None, encoding: NameEncoding::Bytes };
    let fault = Fault { offset: range.start, length: range.end.saturating_sub(range.start), cause };
    Recognised { identity, reader: None, faults: vec![fault] }
}

fn unsupported(kind: FilesystemKind, range: &Range<u64>) -> Recognised {
    unread(kind, range, Cause::FilesystemUnsupported(kind))
}

fn broken_boot(kind: FilesystemKind, range: &Range<u64>) -> Recognised {
    unread(kind, range, Cause::Corrupt(Corruption::BootSector))
}

/// The first signature of a filesystem that is not read here, looked for only where `allowed` (bytes on the medium).
pub(crate) fn foreign_signature(
    medium: &Medium<'_>,
    range: &Range<u64>,
    allowed: &dyn Fn(&Range<u64>) -> bool,
) -> Result<Option<FilesystemKind>, Removed> {
    let length = range.end.saturating_sub(range.start);
    let fixed = ELSEWHERE.iter().map(|known| (known.offset, known.magic, known.kind));
    let at_end = raid_places(length).into_iter().map(|offset| (offset, RAID, FilesystemKind::LinuxRaid));
    for (offset, magic, kind) in fixed.chain(at_end) {
        let start = range.start.saturating_add(offset);
        let size = u64::try_from(magic.len()).unwrap_or(u64::MAX);
        let place = start..start.saturating_add(size);
        if place.end > range.end || !allowed(&place) {
            continue;
        }
        match medium.read_vec(start, size) {
            Ok(found) if found == magic => return Ok(Some(kind)),
            Ok(_) | Err(ReadError::Unreadable { .. }) => {}
            Err(ReadError::Removed) => return Err(Removed),
        }
    }
    Ok(None)
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
            return Ok(unread(FilesystemKind::Unknown, &place, Cause::Unreadable));
        }
        if !is_zero(&bytes) {
            return Ok(unread(FilesystemKind::Unknown, range, Cause::UnknownContent));
        }
    }
    let mut blank = unread(FilesystemKind::Blank, range, Cause::UnknownContent);
    blank.faults.clear();
    Ok(blank)
}
