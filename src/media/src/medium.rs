//! The reading of a block device or image, from its tables to the area ledger.

use crate::area::{self, Areas, LedgerVolume};
use crate::deliver::{Allocation, deliver};
use crate::filesystem::Fault;
use crate::outbox::{Halt, Outbox};
use crate::packer::Packer;
use crate::partition::{Announced, Views, discover, is_subdivided};
use crate::plan::Plan;
use crate::recognise::{Recognised, recognise};
use crate::source::{Medium, Removed};
use crate::walk::Walk;
use blanche_sandbox::wire::{
    Cause, Corruption, FilesystemKind, FromReader, MediumLayout, ReadLimit, ReadLimits, Subject, Volume, VolumeId,
};

/// A volume, or one view of it, with its reader.
struct Opened {
    announced: Announced,
    recognised: Recognised,
}

/// Reads the whole medium. When it is removed half-way, what was found so far is completed with that cause.
pub(crate) fn read_medium(medium: &Medium<'_>, limits: &ReadLimits, outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    let mut said_layout = false;
    let mut packer = Packer::new(limits);
    match read_present(medium, limits, outbox, &mut packer, &mut said_layout) {
        Err(Halt::Removed) => {
            if !said_layout {
                send_layout(medium, &Views::default(), &[], outbox)?;
            }
            outbox.not_read(Subject::Medium, 0, 0, Cause::MediumRemoved)?;
            outbox.planned()?;
            packer.finish(outbox)?;
            packer.release(outbox)?;
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
    packer: &mut Packer<'_>,
    said_layout: &mut bool,
) -> Result<(), Halt> {
    let mut views = discover(medium, limits.max_volumes)?;
    let mut volumes = open_all(medium, &mut views, limits.max_volumes)?;
    send_layout(medium, &views, &volumes, outbox)?;
    *said_layout = true;
    say_faults(&views, &volumes, outbox)?;
    let mut plan = Plan::default();
    for (number, volume) in volumes.iter_mut().enumerate() {
        let Some(reader) = &mut volume.recognised.reader else { continue };
        let id = VolumeId::try_from(number).unwrap_or(VolumeId::MAX);
        if outbox.totals.entries >= limits.max_entries {
            outbox.not_read(Subject::Volume(id), 0, 0, Cause::ReadLimit(ReadLimit::Entries))?;
            continue;
        }
        Walk { limits, outbox, packer, plan: &mut plan, volume: id }.run(medium, reader.as_mut())?;
    }
    // Readers hold maps of clusters; only their sums are needed from here on.
    let starts: Vec<u64> = volumes.iter().map(|volume| volume.announced.range.start).collect();
    let (allocations, ledger) = close_all(volumes);
    let mut areas = Areas::divide(medium.capacity(), ledger, &views.table_ranges);
    areas.announce(outbox, &mut plan)?;
    let read = deliver(medium, &mut plan, &allocations, limits, outbox, packer, &mut areas)?;
    say_second_filesystems(medium, &starts, outbox)?;
    let report = areas.report(medium, &read)?;
    outbox.send(FromReader::Area(report), None)?;
    Ok(())
}

/// Filesystems whose signature stands where another one keeps the content of its files: some host may prefer them.
fn say_second_filesystems(medium: &Medium<'_>, starts: &[u64], outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    for place in medium.found_watched()? {
        let number = starts.iter().position(|start| *start == place.volume);
        let subject =
            number.and_then(|number| VolumeId::try_from(number).ok()).map_or(Subject::Medium, Subject::Volume);
        outbox.not_read(subject, place.start, 0, Cause::Corrupt(Corruption::SecondFilesystem))?;
    }
    Ok(())
}

/// Every view of every announced volume, in the order of their start. What `views` says about its volumes is renumbered
/// to the first view of each.
fn open_all(medium: &Medium<'_>, views: &mut Views, max_volumes: u16) -> Result<Vec<Opened>, Removed> {
    let mut opened: Vec<Opened> = Vec::new();
    let mut first = Vec::new();
    for announced in &views.volumes {
        first.push(opened.len());
        for mut recognised in recognise(medium, announced.range.clone())? {
            if opened.len() >= usize::from(max_volumes) {
                let (offset, cause) = (announced.range.start, Cause::ReadLimit(ReadLimit::Volumes));
                views.faults.push(Fault { offset, length: 0, cause });
                break;
            }
            if recognised.reader.is_some() && announced.partition_type.is_some_and(is_subdivided) {
                // Partitions inside this one are shown by some hosts and are not read here.
                let (offset, cause) = (announced.range.start, Cause::UnknownContent);
                recognised.faults.push(Fault { offset, length: 0, cause });
            }
            opened.push(Opened { announced: announced.clone(), recognised });
        }
    }
    read_ends_elsewhere(&mut opened);
    // A hybrid disc: the partitions lie within it by design, for the programs that start computers. All are read.
    let disc = opened.iter().any(|volume| {
        let kind = volume.recognised.identity.kind;
        volume.announced.range.start == 0 && matches!(kind, FilesystemKind::Iso9660 | FilesystemKind::Udf)
    });
    let faults = std::mem::take(&mut views.volume_faults);
    for (number, fault) in faults {
        if disc && fault.offset < medium.capacity() && fault.cause == Cause::Corrupt(Corruption::PartitionBounds) {
            continue;
        }
        match first.get(number).filter(|number| **number < opened.len()) {
            Some(number) => views.volume_faults.push((*number, fault)),
            None => views.faults.push(fault),
        }
    }
    Ok(opened)
}

/// The volume in a partition may end behind it, and another partition from the same byte hold it as a whole: the GPT of a
/// hybrid disc leaves out its own copy at the end. What the shorter one lacks is read through the longer one.
fn read_ends_elsewhere(opened: &mut [Opened]) {
    let whole: Vec<_> = opened
        .iter()
        .map(|volume| (volume.announced.range.clone(), volume.recognised.identity.kind, volume.recognised.view))
        .collect();
    for volume in opened {
        let (range, kind, view) = (&volume.announced.range, volume.recognised.identity.kind, volume.recognised.view);
        let longer = whole.iter().filter(|other| other.0.start == range.start && (other.1, other.2) == (kind, view));
        let reach = longer.map(|other| other.0.end).fold(range.end, u64::max);
        let elsewhere = |fault: &Fault| {
            let behind = fault.offset >= range.end && fault.offset.saturating_add(fault.length) <= reach;
            behind && fault.length > 0 && fault.cause == Cause::Corrupt(Corruption::BootSector)
        };
        volume.recognised.faults.retain(|fault| !elsewhere(fault));
    }
}

fn close_all(volumes: Vec<Opened>) -> (Vec<Allocation>, Vec<LedgerVolume>) {
    volumes
        .into_iter()
        .map(|Opened { announced, recognised }| {
            let (cluster, start) = recognised.reader.as_ref().map_or((0, 0), |reader| reader.allocation());
            let area = match &recognised.reader {
                Some(reader) => Some(reader.area()),
                None => area::of_blank(recognised.identity.kind, &announced.range),
            };
            let kind = recognised.identity.kind;
            (Allocation { cluster, start }, LedgerVolume { range: announced.range, kind, area })
        })
        .unzip()
}

fn send_layout(medium: &Medium<'_>, views: &Views, volumes: &[Opened], outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    let described = |Opened { announced, recognised }: &Opened| Volume {
        start: announced.range.start,
        length: announced.range.end.saturating_sub(announced.range.start),
        role: announced.role,
        partition_type: announced.partition_type,
        hidden: announced.hidden,
        efi: announced.efi,
        filesystem: recognised.identity.kind,
        label: recognised.identity.label.clone().filter(|label| !label.is_empty()),
        identifier: recognised.identity.identifier.clone(),
        encoding: recognised.identity.encoding,
        view: recognised.view,
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
    let of_volumes = own.flat_map(|(number, volume)| volume.recognised.faults.iter().map(move |fault| (number, fault)));
    for (number, fault) in of_tables.chain(of_volumes) {
        let id = VolumeId::try_from(number).unwrap_or(VolumeId::MAX);
        outbox.not_read(Subject::Volume(id), fault.offset, fault.length, fault.cause.clone())?;
    }
    Ok(())
}

/// Whether this build reads a filesystem, or only recognises it.
#[must_use]
pub fn is_read(kind: FilesystemKind) -> bool {
    use FilesystemKind::{ExFat, Ext, Fat12, Fat16, Fat32, Iso9660, MountedFolder, Ntfs, Udf};
    matches!(kind, Fat12 | Fat16 | Fat32 | ExFat | Ntfs | Ext | Iso9660 | Udf | MountedFolder)
}
