//! Opening a volume: boot sector, $MFT, and every file of the filesystem itself.

use super::entry::Describe;
use super::file::{File, Gather, Held, Whole, read};
use super::mft::Mft;
use super::record::{DATA, FileRecord, VOLUME_INFORMATION, VOLUME_NAME, units};
use super::runs::Place;
use super::space::Space;
use super::system::{self, Known};
use super::upcase::{self, Upcase};
use super::value::Value;
use super::{Boot, CONTENT_START, NtfsVolume, fixup, journal};
use crate::bytes::{Record, index};
use crate::filesystem::{Extent, Found, Identity};
use crate::names::wtf8;
use crate::recognise::Recognised;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, Feature, FilesystemKind, NameEncoding};
use std::collections::BTreeMap;
use std::ops::Range;

/// Rounds in which $MFT is found: each may find more of it with the records found before.
const MAX_ROUNDS: usize = 32;
/// Records that $MFTMirr repeats on every volume.
const MIRRORED: u64 = 4;
/// UTF-16 units of a label; Windows allows 32.
const MAX_LABEL: usize = 80;

const BROKEN: Cause = Cause::Corrupt(Corruption::FileRecord);

/// Opens the volume in `range`.
pub(super) fn volume(medium: &Medium<'_>, range: &Range<u64>) -> Result<Recognised, Removed> {
    let length = range.end.saturating_sub(range.start);
    let boot = match medium.read_vec(range.start, length.min(512)) {
        Ok(sector) => Boot::parse(&sector),
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => {
            return Ok(Recognised::unread(FilesystemKind::Ntfs, range, Cause::Unreadable));
        }
    };
    let Ok(boot) = boot else { return Ok(Recognised::broken(FilesystemKind::Ntfs, range)) };
    let held = length.checked_div(boot.cluster).unwrap_or(0);
    let mut space = Space::new(range.start, boot.cluster, boot.clusters.min(held));
    let mft = match table(medium, &boot, &mut space, range.start)? {
        Ok(mft) => mft,
        Err(cause) => return Ok(Recognised::unread(FilesystemKind::Ntfs, range, cause)),
    };
    let identity = Identity {
        kind: FilesystemKind::Ntfs,
        label: None,
        identifier: Some(format!("{:016x}", boot.serial)),
        encoding: NameEncoding::Wtf8,
    };
    // Honest files have a handful of continuations; the number of records bounds them all.
    let budget = mft.count().saturating_mul(2).saturating_add(1 << 16);
    let mut volume = NtfsVolume {
        boot,
        range: range.clone(),
        identity,
        mft,
        space,
        upcase: Upcase::fallback(),
        budget,
        special: BTreeMap::new(),
        extras: Vec::new(),
        faults: Vec::new(),
    };
    volume.check_boot();
    volume.system_files(medium)?;
    Ok(Recognised::read(Box::new(volume), None))
}

/// Finds $MFT from its first record, which may be continued in records that its first part holds.
fn table(medium: &Medium<'_>, boot: &Boot, space: &mut Space, volume: u64) -> Result<Result<Mft, Cause>, Removed> {
    let start = volume.saturating_add(space.bytes(boot.mft));
    let mut mft = Mft::new(Value::new(&[Extent { start, length: boot.record }]), boot.record, boot.record, boot.record);
    let volume_bytes = space.bytes(space.clusters);
    let mut known = 0u64;
    for _ in 0..MAX_ROUNDS {
        let base = match mft.fetch(medium, system::MFT)? {
            Ok(base) if base.in_use && base.base.is_none() => base,
            Ok(_) => return Ok(Err(BROKEN)),
            Err(cause) => return Ok(Err(cause)),
        };
        let mut budget = u64::from(u16::MAX);
        let file = Gather { mft: &mut mft, space: &mut *space, budget: &mut budget }.complete(medium, base, false)?;
        let Some(Whole { held: Held::Runs(runs), .. }) = file.find(DATA, "") else { return Ok(Err(BROKEN)) };
        let value = Value::new(&space.extents(&runs.runs, runs.size, &mut Vec::new()));
        if value.position(0) != Some(start) {
            return Ok(Err(BROKEN));
        }
        if value.stored() <= known {
            break;
        }
        known = value.stored();
        mft = Mft::new(value, runs.initialised, boot.record, volume_bytes);
    }
    Ok(Ok(mft))
}

impl NtfsVolume {
    fn check_boot(&mut self) {
        let length = self.range.end.saturating_sub(self.range.start);
        if self.boot.total > length {
            let missing = self.boot.total.saturating_sub(length);
            self.fault(self.range.end, missing, Cause::Corrupt(Corruption::BootSector));
        }
        if !self.boot.marked {
            self.fault(self.range.start, self.boot.sector, Cause::Corrupt(Corruption::BootSector));
        }
        let limit = self.mft.limit_fault();
        self.faults.extend(limit);
        if !self.mft.is_whole() {
            self.fault(self.mft.position(0), 0, Cause::Corrupt(Corruption::Chain));
        }
    }

    /// Reads the records of the filesystem itself.
    fn system_files(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        for number in 0..system::RECORDS.min(self.mft.count()) {
            let known = system::of_record(number);
            let place = self.mft.position(number);
            let record = self.mft.fetch(medium, number)?;
            if known.is_none() && matches!(record, Ok(FileRecord { in_use: false, .. })) {
                continue;
            }
            let file = self.file(medium, number)?;
            self.mft.reach(number);
            match file {
                Ok(file) => self.system_file(medium, &file, known)?,
                Err(cause) => self.fault(place, self.boot.record, cause),
            }
        }
        Ok(())
    }

    fn system_file(&mut self, medium: &Medium<'_>, file: &File, known: Option<&'static Known>) -> Result<(), Removed> {
        let name = known.map_or("$Reserved", |known| known.name);
        let letters: Vec<u16> = name.encode_utf16().collect();
        let found = Describe {
            space: &mut self.space,
            upcase: &self.upcase,
            volume: self.range.start,
            claim: true,
            budget: &mut self.budget,
            ordinary: &|attribute| known.is_some_and(|known| known.expects(attribute)),
        }
        .found(medium, file, &letters)?;
        let is_folder = matches!(file.number, system::ROOT | system::EXTEND);
        if known.is_some() && is_folder != file.directory {
            self.fault(self.mft.position(file.number), 0, BROKEN);
        }
        let prefix = if file.number == system::ROOT { "" } else { name };
        self.take_extras(found, prefix, self.mft.position(file.number));
        match file.number {
            system::VOLUME => self.take_label(file),
            system::BOOT => self.check_boot_file(file),
            _ => {}
        }
        match file.number {
            system::MFT_MIRROR => self.check_mirror(medium, file),
            system::LOG_FILE => self.check_log(medium, file),
            system::UPCASE => self.take_upcase(medium, file),
            _ => Ok(()),
        }
    }

    /// What a system file holds and should not.
    fn take_extras(&mut self, found: Found, name: &str, place: u64) {
        let Found { streams, kind, size, stored, faults, .. } = found;
        if kind == EntryKind::File && size > 0 {
            let main = Found::new(format!("{name}::$DATA").into_bytes(), EntryKind::Stream);
            self.extras.push(Found { size, stored, faults, ..main });
        } else {
            for fault in faults {
                self.fault(place, 0, fault.cause);
            }
        }
        self.extras.extend(streams.into_iter().map(|stream| {
            let own = [name.as_bytes(), b":", &stream.name].concat();
            Found { name: own, ..stream }
        }));
    }

    fn value(&self, file: &File) -> Value {
        match file.find(DATA, "").map(|data| &data.held) {
            Some(Held::Runs(runs)) => {
                Value::new(&self.space.extents(&runs.runs, runs.size.min(runs.initialised), &mut Vec::new()))
            }
            _ => Value::default(),
        }
    }

    /// The copies of the first records; the numbers of their last writes may differ.
    fn check_mirror(&mut self, medium: &Medium<'_>, file: &File) -> Result<(), Removed> {
        let mirror = self.value(file);
        let place = mirror.position(0).unwrap_or(self.range.start);
        let Some(bytes) = mirror.read_all(medium, self.boot.record.saturating_mul(MIRRORED))? else {
            self.fault(place, mirror.length(), Cause::Unreadable);
            return Ok(());
        };
        let size = index(self.boot.record);
        for number in 0..MIRRORED.min(self.mft.count()) {
            let Some(mut first) = self.mft.raw(medium, number)? else { continue };
            let at = index(number).saturating_mul(size);
            let mut second = bytes.get(at..at.saturating_add(size)).unwrap_or_default().to_vec();
            let whole = fixup::apply(&mut first) && fixup::apply(&mut second);
            [&mut first, &mut second].into_iter().for_each(|record| fixup::blank(record));
            let used = index(u64::from(Record(&first).u32(24)));
            if !whole || first.get(..used) != second.get(..used) {
                self.fault(place, mirror.length(), BROKEN);
            }
        }
        Ok(())
    }

    fn check_log(&mut self, medium: &Medium<'_>, file: &File) -> Result<(), Removed> {
        let log = self.value(file);
        self.space.read = self.space.read.saturating_add(log.length().min(8192));
        if let Some(cause) = journal::pending(medium, &log)? {
            self.fault(log.position(0).unwrap_or(self.range.start), log.length(), cause);
        }
        Ok(())
    }

    fn take_label(&mut self, file: &File) {
        if let Some(Whole { held: Held::Resident(bytes), .. }) = file.find(VOLUME_NAME, "") {
            let mut label = units(bytes);
            label.truncate(MAX_LABEL);
            self.identity.label = Some(wtf8(&label));
        }
        // Versions 1.2 (Windows NT 4), 3.0 (2000) and 3.1 (since XP).
        let version = match file.find(VOLUME_INFORMATION, "").map(|information| &information.held) {
            Some(Held::Resident(bytes)) => Record(bytes).u8(8),
            _ => 0,
        };
        if !(1..=3).contains(&version) {
            let cause = Cause::FeatureUnsupported(Feature::UnknownFlag);
            self.fault(self.mft.position(file.number), self.boot.record, cause);
        }
    }

    /// $Boot covers the boot area, which is a class of its own in the ledger.
    fn check_boot_file(&mut self, file: &File) {
        let runs = match file.find(DATA, "").map(|data| &data.held) {
            Some(Held::Runs(runs)) if runs.runs.first().is_some_and(|run| run.place == Place::At(0)) => &runs.runs,
            _ => return self.fault(self.mft.position(file.number), self.boot.record, BROKEN),
        };
        let claimed = self.space.bytes(super::runs::total(runs));
        self.space.boot_claimed(CONTENT_START.min(claimed), claimed.saturating_sub(CONTENT_START));
    }

    fn take_upcase(&mut self, medium: &Medium<'_>, file: &File) -> Result<(), Removed> {
        let Some(data) = file.find(DATA, "") else {
            self.fault(self.mft.position(file.number), self.boot.record, BROKEN);
            return Ok(());
        };
        let table = read(medium, &mut self.space, &data.held, upcase::BYTES)?;
        match table.map(|bytes| Upcase::parse(&bytes)) {
            Ok(Some(table)) => self.upcase = table,
            Ok(None) => self.fault(self.mft.position(file.number), 0, Cause::Corrupt(Corruption::Checksum)),
            Err(cause) => self.fault(self.mft.position(file.number), 0, cause),
        }
        Ok(())
    }
}
