//! The reading of a block device or image, from its tables to the area ledger.

use crate::area::{self, LedgerVolume};
use crate::deliver::{Allocation, ReadBytes, deliver};
use crate::filesystem::{Fault, Filesystem, Identity};
use crate::outbox::{Halt, Outbox};
use crate::partition::{Announced, Views, discover, is_subdivided};
use crate::plan::Plan;
use crate::recognise::recognise;
use crate::source::{Medium, Removed};
use crate::walk::Walk;
use blanche_sandbox::wire::{
    Cause, FilesystemKind, FromReader, MediumLayout, ReadLimit, ReadLimits, Subject, Volume, VolumeId,
};

/// A volume with its reader.
struct Opened {
    announced: Announced,
    identity: Identity,
    reader: Option<Box<dyn Filesystem>>,
    faults: Vec<Fault>,
}

/// Reads the whole medium. When it is removed half-way, what was found so far is completed with that cause.
pub(crate) fn read_medium(medium: &Medium<'_>, limits: &ReadLimits, outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    let mut said_layout = false;
    match read_present(medium, limits, outbox, &mut said_layout) {
        Err(Halt::Removed) => {
            if !said_layout {
                send_layout(medium, &Views::default(), &[], outbox)?;
            }
            outbox.not_read(Subject::Medium, 0, 0, Cause::MediumRemoved)?;
            outbox.planned()?;
            outbox.send(FromReader::Area(area::unknown(medium.capacity())), None)?;
            Ok(())
        }
        other => other,
    }
}

fn read_present(
    medium: &Medium<'_>,
    limits: &ReadLimits,
    outbox: &mut Outbox<'_>,
    said_layout: &mut bool,
) -> Result<(), Halt> {
    let views = discover(medium, limits.max_volumes)?;
    let mut volumes = open_all(medium, &views)?;
    send_layout(medium, &views, &volumes, outbox)?;
    *said_layout = true;
    say_faults(&views, &volumes, outbox)?;
    let mut plan = Plan::default();
    for (number, volume) in volumes.iter_mut().enumerate() {
        let Some(reader) = &mut volume.reader else { continue };
        let id = VolumeId::try_from(number).unwrap_or(VolumeId::MAX);
        if outbox.totals.entries >= limits.max_entries {
            outbox.not_read(Subject::Volume(id), 0, 0, Cause::ReadLimit(ReadLimit::Entries))?;
            continue;
        }
        Walk { limits, outbox, plan: &mut plan, volume: id }.run(medium, reader.as_mut())?;
    }
    // Readers hold maps of clusters; only their sums are needed from here on.
    let (allocations, mut ledger) = close_all(volumes);
    let mut read: ReadBytes = vec![0; ledger.len()];
    deliver(medium, &mut plan, &allocations, limits, outbox, &mut read)?;
    for (volume, bytes) in ledger.iter_mut().zip(read) {
        volume.file_bytes_read = bytes;
    }
    let report = area::report(medium, &ledger, &views.table_ranges)?;
    outbox.send(FromReader::Area(report), None)?;
    Ok(())
}

fn open_all(medium: &Medium<'_>, views: &Views) -> Result<Vec<Opened>, Removed> {
    views
        .volumes
        .iter()
        .map(|announced| {
            let found = recognise(medium, announced.range.clone())?;
            let announced = announced.clone();
            let mut faults = found.faults;
            if found.reader.is_some() && announced.partition_type.is_some_and(is_subdivided) {
                // Partitions inside this one are shown by some hosts and are not read here.
                faults.push(Fault { offset: announced.range.start, length: 0, cause: Cause::UnknownContent });
            }
            Ok(Opened { announced, identity: found.identity, reader: found.reader, faults })
        })
        .collect()
}

fn close_all(volumes: Vec<Opened>) -> (Vec<Allocation>, Vec<LedgerVolume>) {
    volumes
        .into_iter()
        .map(|volume| {
            let (cluster, start) = volume.reader.as_ref().map_or((0, 0), |reader| reader.allocation());
            let area = match &volume.reader {
                Some(reader) => Some(reader.area()),
                None => area::of_blank(volume.identity.kind, &volume.announced.range),
            };
            let ledger = LedgerVolume { range: volume.announced.range, area, file_bytes_read: 0 };
            (Allocation { cluster, start }, ledger)
        })
        .unzip()
}

fn send_layout(medium: &Medium<'_>, views: &Views, volumes: &[Opened], outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    let described = |volume: &Opened| Volume {
        start: volume.announced.range.start,
        length: volume.announced.range.end.saturating_sub(volume.announced.range.start),
        role: volume.announced.role,
        partition_type: volume.announced.partition_type,
        hidden: volume.announced.hidden,
        efi: volume.announced.efi,
        filesystem: volume.identity.kind,
        label: volume.identity.label.clone().filter(|label| !label.is_empty()),
        identifier: volume.identity.identifier.clone(),
        encoding: volume.identity.encoding,
    };
    let layout = MediumLayout {
        capacity: medium.capacity(),
        logical_block: u32::try_from(medium.block()).unwrap_or(u32::MAX),
        tables: views.tables.clone(),
        volumes: volumes.iter().map(described).collect(),
    };
    outbox.send(FromReader::Medium(layout), None)?;
    Ok(())
}

fn say_faults(views: &Views, volumes: &[Opened], outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    for fault in &views.faults {
        outbox.not_read(Subject::Medium, fault.offset, fault.length, fault.cause.clone())?;
    }
    let of_tables = views.volume_faults.iter().map(|(number, fault)| (*number, fault));
    let own = volumes.iter().enumerate();
    let of_volumes = own.flat_map(|(number, volume)| volume.faults.iter().map(move |fault| (number, fault)));
    for (number, fault) in of_tables.chain(of_volumes) {
        let id = VolumeId::try_from(number).unwrap_or(VolumeId::MAX);
        outbox.not_read(Subject::Volume(id), fault.offset, fault.length, fault.cause.clone())?;
    }
    Ok(())
}

/// Whether this build reads a filesystem, or only recognises it.
#[must_use]
pub fn is_read(kind: FilesystemKind) -> bool {
    use FilesystemKind::{ExFat, Fat12, Fat16, Fat32, MountedFolder};
    matches!(kind, Fat12 | Fat16 | Fat32 | ExFat | MountedFolder)
}
