//! FAT12, FAT16 and FAT32 (Microsoft, "FAT: General Overview of On-Disk Format" 1.03).

use crate::draft::Draft;
use crate::name::FileName;
use crate::refusal::Refusal;
use crate::root::{Root, Slot};
use crate::space::{Picker, Run, Space};
use crate::table::{Table, Width};
use crate::volume::{Existing, NewFile, Place, Volume};
use blanche_media::Survey;
use blanche_media::layout::{FatBoot, LongName, Record};
use blanche_sandbox::wire::FilesystemKind;
use std::ops::Range;

const ARCHIVE: u8 = 0x20;
const DIRECTORY: u8 = 0x10;
const VOLUME_LABEL: u8 = 0x08;
const LONG_NAME: u8 = 0x0f;
const DELETED: u8 = 0xe5;
/// DIR_NTRes: base and extension are shown in lower case (Windows NT, Linux vfat).
const LOWER_CASE: u8 = 0x18;
/// Records of the largest folder ("Directory Structure": 65 536 × 32 bytes).
const MAX_RECORDS: usize = 65_536;
/// Signatures of FSInfo: FSI_LeadSig, FSI_StrucSig, FSI_TrailSig.
const FS_INFO: [(usize, u32); 3] = [(0, 0x4161_5252), (484, 0x6141_7272), (508, 0xaa55_0000)];

/// An open FAT volume.
#[derive(Debug)]
pub(crate) struct Fat {
    boot: FatBoot,
    start: u64,
    table: Table,
    /// First byte of FSInfo on the medium, where its signatures are right.
    fs_info: Option<u64>,
}

impl Fat {
    /// The volume that begins at byte `start` of the medium.
    pub(crate) fn open(draft: &mut Draft<'_>, start: u64, boot: FatBoot) -> Result<Self, Refusal> {
        if boot.tables > 1 && !boot.mirrored {
            return Err(Refusal::Unsupported("FAT32 whose copies of the table are not kept equal"));
        }
        let width = match boot.kind {
            FilesystemKind::Fat12 => Width::Fat12,
            FilesystemKind::Fat16 => Width::Fat16,
            _ => Width::Fat32,
        };
        let copy = |number: u64| {
            let tables = boot.table.saturating_mul(number);
            start.saturating_add(boot.reserved).saturating_add(tables)
        };
        // The survey refuses a table that is too short for the heap. Numbers from 0FFFFFF7h on are marks.
        let clusters = u32::try_from(boot.clusters).unwrap_or(u32::MAX);
        if clusters > width.end_mark().saturating_sub(10) {
            return Err(Refusal::Unsupported("more clusters than the table can number"));
        }
        let table = Table { copies: (0..boot.tables).map(copy).collect(), width, clusters };
        let mut fat = Self { boot, start, table, fs_info: None };
        fat.fs_info = fat.find_fs_info(draft)?;
        Ok(fat)
    }

    fn is_wide(&self) -> bool {
        self.table.width == Width::Fat32
    }

    /// BPB_FSInfo, when it names a sector of the reserved region that has the three signatures.
    fn find_fs_info(&self, draft: &mut Draft<'_>) -> Result<Option<u64>, Refusal> {
        if !self.is_wide() {
            return Ok(None);
        }
        let sector = u64::from(Record(&draft.read(self.start, 512)?).u16(48));
        let offset = sector.saturating_mul(self.boot.sector);
        if sector == 0 || offset >= self.boot.reserved {
            return Ok(None);
        }
        let position = self.start.saturating_add(offset);
        let bytes = draft.read(position, 512)?;
        let signed = FS_INFO.iter().all(|(at, value)| Record(&bytes).u32(*at) == *value);
        Ok(signed.then_some(position))
    }

    fn damaged(root: &Root, number: usize, what: &'static str) -> Refusal {
        Refusal::Damaged { what, offset: root.position(number).unwrap_or(0) }
    }

    /// The file whose short record has this number.
    fn existing(
        &self,
        draft: &mut Draft<'_>,
        root: &Root,
        records: Range<usize>,
        exact: bool,
    ) -> Result<Existing, Refusal> {
        let number = records.end.saturating_sub(1);
        let record = root.record(number);
        let high = if self.is_wide() { u32::from(record.u16(20)) << 16 } else { 0 };
        let first = (high | u32::from(record.u16(26))) & 0x0fff_ffff;
        let size = u64::from(record.u32(28));
        let clusters = size.div_ceil(self.boot.cluster.max(1));
        let runs = match (clusters, first) {
            (0, 0) => Vec::new(),
            (0, _) => return Err(Self::damaged(root, number, "an empty file has clusters")),
            // A chain that goes on behind the end of its file is refused: what it holds may be somebody's.
            _ => self.table.follow(draft, first, clusters)?,
        };
        if Run::total(&runs) != clusters {
            return Err(Self::damaged(root, number, "a chain is shorter than its file"));
        }
        Ok(Existing { records, exact, attributes: u16::from(record.u8(11)), size, runs })
    }

    /// The bytes of a record for `file`.
    fn record(&self, old: Option<(Record<'_>, bool)>, file: &NewFile<'_>) -> [u8; 32] {
        let mut bytes: [u8; 32] = old.map_or([0; 32], |(record, _)| record.array(0));
        let mut field = |at: usize, value: &[u8]| {
            bytes.iter_mut().skip(at).zip(value).for_each(|(to, from)| *to = *from);
        };
        let first = file.runs.first().map_or(0, |run| run.first);
        let [low, high] = [first & 0xffff, first >> 16].map(|half| u16::try_from(half).unwrap_or(0).to_le_bytes());
        let attributes = old.map_or(0, |(record, _)| record.u8(11)) | ARCHIVE;
        let (date, time) = file.stamp.date_and_time();
        // The record behind a long name carries the checksum's name: it stays.
        if old.is_none_or(|(_, long)| !long) {
            field(0, &file.name.short());
            field(12, &[LOWER_CASE]);
        }
        field(11, &[attributes]);
        field(13, &[file.stamp.centiseconds()]);
        field(14, &time.to_le_bytes());
        field(16, &date.to_le_bytes());
        field(18, &date.to_le_bytes());
        field(20, &high);
        field(22, &time.to_le_bytes());
        field(24, &date.to_le_bytes());
        field(26, &low);
        field(28, &u32::try_from(file.size).unwrap_or(0).to_le_bytes());
        bytes
    }

    fn mark_deleted(draft: &mut Draft<'_>, root: &Root, records: Range<usize>) -> Result<(), Refusal> {
        records.filter_map(|number| root.position(number)).try_for_each(|at| draft.patch(at, &[DELETED]))
    }
}

impl Volume for Fat {
    fn heap(&self) -> (u64, u64) {
        (self.boot.cluster, self.start.saturating_add(self.boot.heap_start()))
    }

    fn most(&self) -> u64 {
        u64::from(u32::MAX)
    }

    fn table(&self) -> &Table {
        &self.table
    }

    /// The marks of Windows and Linux: the current head in the boot sector, ClnShutBitMask and HrdErrBitMask in the second
    /// entry of the table ("FAT Data Structure"); FAT12 has only the first.
    fn refuse_dirty(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let boot = draft.read(self.start, 512)?;
        let head = Record(&boot).u8(if self.is_wide() { 65 } else { 37 });
        if head & 3 != 0 {
            return Err(Refusal::Dirty { flag: "boot sector" });
        }
        let (clean, no_error) = match self.table.width {
            Width::Fat16 => (0x8000, 0x4000),
            Width::Fat32 => (0x0800_0000, 0x0400_0000),
            _ => return Ok(()),
        };
        for copy in &self.table.copies {
            let one = Table { copies: vec![*copy], ..self.table.clone() };
            let flags = one.get(draft, 1)?;
            if flags & clean == 0 {
                return Err(Refusal::Dirty { flag: "allocation table, not shut down" });
            }
            if flags & no_error == 0 {
                return Err(Refusal::Dirty { flag: "allocation table, errors on the medium" });
            }
        }
        Ok(())
    }

    fn space(&self, draft: &mut Draft<'_>, survey: &Survey, needed: u64) -> Result<Space, Refusal> {
        let mut picker = Picker::new(needed);
        let mut lost = None;
        self.table.for_each(draft, &mut |cluster, value| {
            if value == 0 {
                if survey.claimed(cluster) {
                    lost.get_or_insert(cluster);
                }
                picker.take(cluster);
            }
        })?;
        match lost {
            Some(_) => {
                Err(Refusal::Damaged { what: "clusters of a file are marked as free", offset: self.table.start() })
            }
            None => Ok(picker.finish()),
        }
    }

    fn root(&self, draft: &mut Draft<'_>) -> Result<Root, Refusal> {
        if !self.is_wide() {
            let end = self.heap().1;
            let fixed = end.saturating_sub(self.boot.root)..end;
            return Root::read(draft, vec![fixed], None);
        }
        let runs = self.table.follow(draft, self.boot.root_cluster, u64::MAX)?;
        let last = runs.last().and_then(|run| run.clusters().last());
        Root::read(draft, self.places(&runs), last)
    }

    fn find(&self, draft: &mut Draft<'_>, root: &Root, name: &FileName) -> Result<Option<Existing>, Refusal> {
        let taken = |what| Err(Refusal::NameTaken { name: name.to_string(), what });
        let mut long = LongName::default();
        let mut first = 0usize;
        for (number, record) in root.records().enumerate() {
            let attributes = record.u8(11);
            let kind = record.u8(0);
            if kind == 0 {
                return Ok(None);
            }
            if kind != DELETED && attributes & 0x3f == LONG_NAME {
                if kind & 0x40 != 0 {
                    first = number;
                }
                long.piece(record);
                continue;
            }
            let short: [u8; 11] = record.array(0);
            let full = long.finish(&short);
            let file = kind != DELETED && attributes & VOLUME_LABEL == 0;
            let by_short = short == name.short();
            let by_long = full.as_deref().map(|units| name.is(units));
            match by_long {
                _ if !file => {}
                Some(false) if by_short => return taken("the short name of another file"),
                None if !by_short => {}
                Some(false) => {}
                _ if attributes & DIRECTORY != 0 => return taken("a folder"),
                named => {
                    let from = if named.is_some() { first } else { number };
                    let exact = match full {
                        Some(units) => units == name.units(),
                        None => record.u8(12) & LOWER_CASE == LOWER_CASE,
                    };
                    return self.existing(draft, root, from..number.saturating_add(1), exact).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// One record: deleted, or the end mark when nothing but free records follows it. A record behind a piece of a long
    /// name is left alone: with a matching checksum the piece would give our entry another name.
    fn slot(&self, _: &Draft<'_>, root: &Root) -> Result<Option<Slot>, Refusal> {
        let end = root.end();
        let behind_piece = |number: usize| {
            number
                .checked_sub(1)
                .is_some_and(|before| root.kind(before) != DELETED && root.record(before).u8(11) & 0x3f == LONG_NAME)
        };
        let deleted = (0..end).find(|number| root.kind(*number) == DELETED && !behind_piece(*number));
        if let Some(first) = deleted {
            return Ok(Some(Slot { first, marks: 0..0 }));
        }
        if end >= root.len() {
            return Ok(None);
        }
        let rest = (end..root.len()).find(|number| !matches!(root.kind(*number), 0 | DELETED));
        match rest {
            Some(number) => Err(Self::damaged(root, number, "records behind the end of the root folder")),
            None if behind_piece(end) => Err(Self::damaged(root, end, "a long name without its file")),
            None => Ok(Some(Slot { first: end, marks: 0..0 })),
        }
    }

    fn may_grow(&self, root: &Root) -> bool {
        root.last.is_some() && root.len() < MAX_RECORDS
    }

    /// Nothing: a power cut leaves lost clusters at worst, and the boot sector is not worth a write for these.
    fn begin(&self, _: &mut Draft<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn allocate(&self, draft: &mut Draft<'_>, runs: &[Run], _: bool) -> Result<(), Refusal> {
        self.table.chain(draft, runs)
    }

    fn open_marks(&self, _: &mut Draft<'_>, _: &Root, _: Range<usize>) -> Result<(), Refusal> {
        Ok(())
    }

    fn put(&self, draft: &mut Draft<'_>, root: &Root, place: Place<'_>, file: &NewFile<'_>) -> Result<(), Refusal> {
        let (number, old) = match place {
            Place::Free(number) => (number, None),
            Place::Over(existing) => {
                let number = existing.records.end.saturating_sub(1);
                (number, Some((root.record(number), existing.records.len() > 1)))
            }
        };
        let Some(at) = root.position(number) else {
            return Err(Self::damaged(root, number, "no such record"));
        };
        draft.patch(at, &self.record(old, file))
    }

    fn erase(&self, draft: &mut Draft<'_>, root: &Root, existing: &Existing) -> Result<Range<usize>, Refusal> {
        let Range { start, end } = existing.records;
        let short = end.saturating_sub(1);
        // Pieces of a long name in the same block go in the same write; the others are orphans for a moment.
        let together =
            (start..end).find(|number| root.in_one_block(*number, end.saturating_sub(*number), draft.block()));
        let together = together.unwrap_or(short);
        Self::mark_deleted(draft, root, together..end)?;
        Ok(start..together)
    }

    fn erase_rest(&self, draft: &mut Draft<'_>, root: &Root, rest: Range<usize>) -> Result<(), Refusal> {
        Self::mark_deleted(draft, root, rest)
    }

    fn release(&self, draft: &mut Draft<'_>, runs: &[Run]) -> Result<(), Refusal> {
        self.table.free(draft, runs)
    }

    /// FSI_Free_Count; FFFFFFFFh means that it is not known, and stays.
    fn account(&self, draft: &mut Draft<'_>, free: u64) -> Result<(), Refusal> {
        let Some(position) = self.fs_info else { return Ok(()) };
        let at = position.saturating_add(488);
        let old = draft.read(at, 4)?;
        let new = u32::try_from(free).unwrap_or(u32::MAX).to_le_bytes();
        if Record(&old).u32(0) == u32::MAX || old == new {
            return Ok(());
        }
        draft.patch(at, &new)
    }
}
