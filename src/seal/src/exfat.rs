//! exFAT (Microsoft, "exFAT file system specification" 1.00).

use crate::draft::{Draft, index, wide};
use crate::name::FileName;
use crate::refusal::Refusal;
use crate::root::{Root, Slot};
use crate::space::{Picker, Run, Space};
use crate::table::{Table, Width};
use crate::volume::{Existing, NewFile, Place, Volume};
use blanche_media::Survey;
use blanche_media::layout::entry_set::{self, Collector, EntrySet, Step};
use blanche_media::layout::upcase::Upcase;
use blanche_media::layout::{ExFatBoot, Record};
use std::ops::Range;

const ARCHIVE: u16 = 0x20;
const DIRECTORY: u16 = 0x10;
/// VolumeFlags (3.1.13) in the boot sector.
const FLAGS: u64 = 106;
const DIRTY: u16 = 0x02;
const MEDIA_FAILURE: u16 = 0x04;
const CLEAR_TO_ZERO: u16 = 0x08;
/// PercentInUse (3.1.18) in the boot sector, and its value for "not known".
const PERCENT: u64 = 112;
const PERCENT_UNKNOWN: u8 = 0xff;
/// GeneralSecondaryFlags (6.3.4): AllocationPossible, NoFatChain.
const ALLOCATED: u8 = 1;
const NO_FAT_CHAIN: u8 = 2;
/// Records of the entry set that is written: File, Stream Extension, one File Name.
const RECORDS: usize = 3;
/// EntryType of a File entry that is not in use (6.2.1.4).
const UNUSED: u8 = entry_set::FILE & !entry_set::IN_USE;
/// Largest root folder (7.4: 256 MB).
const MAX_RECORDS: usize = (256 << 20) / 32;
/// Bytes of the bitmap read at once.
const STEP: u64 = 1 << 20;

/// An open exFAT volume.
pub(crate) struct ExFat {
    boot: ExFatBoot,
    start: u64,
    table: Table,
    /// Where the bytes of the allocation bitmap stand on the medium.
    bitmap: Vec<Range<u64>>,
    upcase: Upcase,
}

impl ExFat {
    /// The volume that begins at byte `start` of the medium.
    pub(crate) fn open(draft: &mut Draft<'_>, start: u64, boot: ExFatBoot) -> Result<Self, Refusal> {
        if boot.tables != 1 {
            return Err(Refusal::Unsupported("exFAT with two allocation tables (TexFAT)"));
        }
        let copies = vec![start.saturating_add(boot.table_start)];
        let table = Table { copies, width: Width::ExFat, clusters: boot.clusters };
        let mut volume = Self { boot, start, table, bitmap: Vec::new(), upcase: Upcase::fallback() };
        let root = volume.root(draft)?;
        let damaged = |what| Refusal::Damaged { what, offset: start };
        let mut bitmap = None;
        let mut upcase = None;
        for record in root.records().take_while(|record| record.u8(0) != entry_set::END) {
            let place = (record.u32(20), record.u64(24));
            match record.u8(0) {
                entry_set::BITMAP if bitmap.replace(place).is_some() => return Err(damaged("two allocation bitmaps")),
                entry_set::UPCASE if upcase.replace(place).is_some() => return Err(damaged("two up-case tables")),
                _ => {}
            }
        }
        let (first, length) = bitmap.ok_or(damaged("no allocation bitmap"))?;
        volume.bitmap = volume.stream(draft, first, length)?;
        if length < u64::from(boot.clusters).div_ceil(8) {
            return Err(damaged("the allocation bitmap is too short"));
        }
        let (first, length) = upcase.ok_or(damaged("no up-case table"))?;
        let mut bytes = Vec::new();
        for place in volume.stream(draft, first, length.min(1 << 17))? {
            let mut part = vec![0u8; index(place.end.saturating_sub(place.start))];
            draft.read_raw(place.start, &mut part)?;
            bytes.extend_from_slice(&part);
        }
        bytes.truncate(index(length));
        volume.upcase = Upcase::parse(&bytes);
        Ok(volume)
    }

    /// Where the clusters of a structure of `length` bytes stand. Bitmap and up-case table always have a chain.
    fn stream(&self, draft: &mut Draft<'_>, first: u32, length: u64) -> Result<Vec<Range<u64>>, Refusal> {
        let most = length.div_ceil(self.boot.cluster.max(1)).max(1);
        Ok(self.places(&self.table.follow(draft, first, most)?))
    }

    /// The byte of the bitmap that holds the bit of `cluster`, and this bit (7.1.5).
    fn bit(&self, cluster: u32) -> Result<(u64, u8), Refusal> {
        let number = cluster.saturating_sub(2);
        let mut offset = u64::from(number / 8);
        let mask = 1u8.checked_shl(number % 8).unwrap_or(0);
        for place in &self.bitmap {
            let length = place.end.saturating_sub(place.start);
            if offset < length {
                return Ok((place.start.saturating_add(offset), mask));
            }
            offset = offset.saturating_sub(length);
        }
        Err(Refusal::Damaged { what: "the allocation bitmap is too short", offset: self.start })
    }

    fn mark(&self, draft: &mut Draft<'_>, runs: &[Run], used: bool) -> Result<(), Refusal> {
        for cluster in runs.iter().flat_map(|run| run.clusters()) {
            let (at, mask) = self.bit(cluster)?;
            let old = draft.read(at, 1)?.first().copied().unwrap_or(0);
            draft.patch(at, &[if used { old | mask } else { old & !mask }])?;
        }
        Ok(())
    }

    /// NameHash (7.6.4) of the up-cased name.
    fn name_hash(&self, units: &[u16]) -> u16 {
        let bytes = units.iter().flat_map(|unit| self.upcase.upper(*unit).to_le_bytes());
        bytes.fold(0u16, |hash, byte| hash.rotate_right(1).wrapping_add(u16::from(byte)))
    }

    /// The entry set of `file` (6.3, 7.4, 7.6, 7.7).
    fn entry_set(&self, attributes: u16, file: &NewFile<'_>) -> Vec<u8> {
        let units = file.name.units();
        let mut records = [[0u8; 32]; RECORDS];
        let mut field = |record: usize, at: usize, value: &[u8]| {
            let target = records.get_mut(record).map(|bytes| bytes.iter_mut().skip(at));
            target.into_iter().flatten().zip(value).for_each(|(to, from)| *to = *from);
        };
        let time = file.stamp.timestamp().to_le_bytes();
        field(0, 0, &[entry_set::FILE, 2]);
        field(0, 4, &(attributes | ARCHIVE).to_le_bytes());
        for at in [8, 12, 16] {
            field(0, at, &time);
        }
        let (centiseconds, offset) = (file.stamp.centiseconds(), file.stamp.utc_offset());
        field(0, 20, &[centiseconds, centiseconds, offset, offset, offset]);
        let chain = if file.runs.len() == 1 { NO_FAT_CHAIN } else { 0 };
        let letters = u8::try_from(units.len()).unwrap_or(0);
        field(1, 0, &[entry_set::STREAM, ALLOCATED | chain, 0, letters]);
        field(1, 4, &self.name_hash(&units).to_le_bytes());
        field(1, 8, &file.size.to_le_bytes());
        field(1, 20, &file.runs.first().map_or(0, |run| run.first).to_le_bytes());
        field(1, 24, &file.size.to_le_bytes());
        field(2, 0, &[entry_set::NAME, 0]);
        let name: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        field(2, 2, &name);
        let sum = entry_set::checksum(&records).to_le_bytes();
        let mut bytes = records.concat();
        bytes.iter_mut().skip(2).zip(sum).for_each(|(to, from)| *to = from);
        bytes
    }

    fn existing(
        &self,
        draft: &mut Draft<'_>,
        records: Range<usize>,
        set: &EntrySet,
        name: &FileName,
    ) -> Result<Existing, Refusal> {
        if set.attributes & DIRECTORY != 0 {
            return Err(Refusal::NameTaken { name: name.to_string(), what: "a folder" });
        }
        let clusters = set.length.div_ceil(self.boot.cluster.max(1));
        let count = u32::try_from(clusters).unwrap_or(u32::MAX);
        let damaged = |what| Refusal::Damaged { what, offset: self.start };
        let runs = match (set.allocated, set.contiguous) {
            _ if clusters == 0 && set.first == 0 => Vec::new(),
            (true, true) if clusters > 0 => vec![Run { first: set.first, count }],
            (true, false) if clusters > 0 => self.table.follow(draft, set.first, clusters)?,
            _ => return Err(damaged("a file without content has clusters")),
        };
        let inside = runs.iter().all(|run| {
            let last = run.first.saturating_add(run.count.saturating_sub(1));
            self.table.holds(run.first) && self.table.holds(last)
        });
        if !inside || Run::total(&runs) != clusters {
            return Err(damaged("a file has fewer clusters than its length needs"));
        }
        if set.valid_length != set.length {
            return Err(damaged("the tag was not written to its end"));
        }
        let exact = set.name == name.units();
        Ok(Existing { records, exact, attributes: set.attributes, size: set.length, runs })
    }

    /// Refuses an entry set that cannot be switched in one write.
    fn one_block(&self, draft: &Draft<'_>, root: &Root, records: &Range<usize>) -> Result<u64, Refusal> {
        if records.len() != RECORDS || !root.in_one_block(records.start, RECORDS, draft.block()) {
            return Err(Refusal::Unsupported("a tag whose directory entry is not in one block; delete it first"));
        }
        let position = root.position(records.start);
        position.ok_or(Refusal::Damaged { what: "no such record", offset: self.start })
    }

    fn flags(&self, draft: &mut Draft<'_>) -> Result<u16, Refusal> {
        Ok(Record(&draft.read(self.start.saturating_add(FLAGS), 2)?).u16(0))
    }
}

impl Volume for ExFat {
    fn heap(&self) -> (u64, u64) {
        (self.boot.cluster, self.start.saturating_add(self.boot.heap_start))
    }

    fn most(&self) -> u64 {
        // More than any device: what does not fit is refused for want of room.
        u64::MAX >> 1
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn refuse_dirty(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let flags = self.flags(draft)?;
        if flags & DIRTY != 0 {
            return Err(Refusal::Dirty { flag: "VolumeDirty" });
        }
        if flags & MEDIA_FAILURE != 0 {
            return Err(Refusal::Dirty { flag: "MediaFailure" });
        }
        Ok(())
    }

    fn space(&self, draft: &mut Draft<'_>, survey: &Survey, needed: u64) -> Result<Space, Refusal> {
        let mut picker = Picker::new(needed);
        let mut lost = None;
        let mut cluster = 2u32;
        for place in &self.bitmap {
            let mut at = place.start;
            while at < place.end && self.table.holds(cluster) {
                let mut bytes = vec![0u8; index(place.end.saturating_sub(at).min(STEP))];
                draft.read_raw(at, &mut bytes)?;
                at = at.saturating_add(wide(bytes.len()));
                for bit in bytes.iter().flat_map(|byte| (0..8u32).map(move |bit| byte >> bit & 1)) {
                    if bit == 0 && self.table.holds(cluster) {
                        if survey.claimed(cluster) {
                            lost.get_or_insert(cluster);
                        }
                        picker.take(cluster);
                    }
                    cluster = cluster.saturating_add(1);
                }
            }
        }
        match lost {
            Some(cluster) => {
                let offset = self.bit(cluster)?.0;
                Err(Refusal::Damaged { what: "clusters of a file are marked as free", offset })
            }
            None => Ok(picker.finish()),
        }
    }

    fn root(&self, draft: &mut Draft<'_>) -> Result<Root, Refusal> {
        let runs = self.table.follow(draft, self.boot.root, u64::MAX)?;
        let last = runs.last().and_then(|run| run.clusters().last());
        Root::read(draft, self.places(&runs), last)
    }

    fn find(&self, draft: &mut Draft<'_>, root: &Root, name: &FileName) -> Result<Option<Existing>, Refusal> {
        let upper = |units: &[u16]| units.iter().map(|unit| self.upcase.upper(*unit)).collect::<Vec<_>>();
        let wanted = upper(&name.units());
        let mut collector = Collector::default();
        let mut first = 0usize;
        for (number, record) in root.records().enumerate() {
            let bytes: [u8; 32] = record.array(0);
            match record.u8(0) {
                entry_set::END => break,
                entry_set::FILE => {
                    first = number;
                    collector.begin(&bytes);
                }
                _ if collector.open() => {
                    if let Step::Complete(set) = collector.take(&bytes)
                        && upper(&set.name) == wanted
                    {
                        return self.existing(draft, first..number.saturating_add(1), &set, name).map(Some);
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Three records that are not in use, in one block. End marks before them must become free records first, and
    /// nothing may be in use behind the first end mark.
    fn slot(&self, draft: &Draft<'_>, root: &Root) -> Result<Option<Slot>, Refusal> {
        let end = root.end();
        let used = |number: usize| root.kind(number) & entry_set::IN_USE != 0;
        if let Some(number) = (end..root.len()).find(|number| used(*number)) {
            let offset = root.position(number).unwrap_or(0);
            return Err(Refusal::Damaged { what: "records behind the end of the root folder", offset });
        }
        let mut free = 0usize;
        for number in 0..root.len() {
            free = if used(number) { 0 } else { free.saturating_add(1) };
            let first = number.saturating_sub(RECORDS.saturating_sub(1));
            if free >= RECORDS && root.in_one_block(first, RECORDS, draft.block()) {
                return Ok(Some(Slot { first, marks: end.min(first)..first }));
            }
        }
        Ok(None)
    }

    fn may_grow(&self, root: &Root) -> bool {
        root.len() < MAX_RECORDS
    }

    /// VolumeDirty before anything else, ClearToZero away (8.1; 3.1.13.4).
    fn begin(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let flags = (self.flags(draft)? | DIRTY) & !CLEAR_TO_ZERO;
        draft.patch(self.start.saturating_add(FLAGS), &flags.to_le_bytes())
    }

    fn allocate(&self, draft: &mut Draft<'_>, runs: &[Run], chained: bool) -> Result<(), Refusal> {
        if chained || runs.len() > 1 {
            self.table.chain(draft, runs)?;
        }
        self.mark(draft, runs, true)
    }

    fn open_marks(&self, draft: &mut Draft<'_>, root: &Root, mut marks: Range<usize>) -> Result<(), Refusal> {
        // Only the marks that stand in front of the entry: what lies behind the first one was made of end marks or free
        // records, and both may become free records.
        marks.try_for_each(|number| match root.position(number) {
            Some(at) if root.kind(number) == entry_set::END => draft.patch(at, &[UNUSED]),
            _ => Ok(()),
        })
    }

    fn put(&self, draft: &mut Draft<'_>, root: &Root, place: Place<'_>, file: &NewFile<'_>) -> Result<(), Refusal> {
        let (records, attributes) = match place {
            Place::Free(first) => (first..first.saturating_add(RECORDS), 0),
            Place::Over(existing) => (existing.records.clone(), existing.attributes),
        };
        let at = self.one_block(draft, root, &records)?;
        draft.patch(at, &self.entry_set(attributes, file))
    }

    fn erase(&self, draft: &mut Draft<'_>, root: &Root, existing: &Existing) -> Result<Range<usize>, Refusal> {
        self.one_block(draft, root, &existing.records)?;
        for number in existing.records.clone() {
            if let Some(at) = root.position(number) {
                draft.patch(at, &[root.kind(number) & !entry_set::IN_USE])?;
            }
        }
        Ok(0..0)
    }

    fn erase_rest(&self, _: &mut Draft<'_>, _: &Root, _: Range<usize>) -> Result<(), Refusal> {
        Ok(())
    }

    /// Only the bitmap: the FAT says nothing about clusters that are not allocated (4.1).
    fn release(&self, draft: &mut Draft<'_>, runs: &[Run]) -> Result<(), Refusal> {
        self.mark(draft, runs, false)
    }

    fn account(&self, draft: &mut Draft<'_>, free: u64) -> Result<(), Refusal> {
        let flags = self.flags(draft)? & !DIRTY;
        draft.patch(self.start.saturating_add(FLAGS), &flags.to_le_bytes())?;
        let at = self.start.saturating_add(PERCENT);
        if draft.read(at, 1)? == [PERCENT_UNKNOWN] {
            return Ok(());
        }
        let clusters = u64::from(self.boot.clusters);
        let used = clusters.saturating_sub(free).saturating_mul(100);
        let percent = used.checked_div(clusters).and_then(|percent| u8::try_from(percent).ok()).unwrap_or(100);
        draft.patch(at, &[percent])
    }
}
