//! The claims of a tag, from what the session knows: one field after the other, nothing decided.

use super::{Order, unsealable};
use blanche_sandbox::wire::{self, AreaClass as Class, EngineLimits, NameEncoding, ReadLimits};
use blanche_scan::Inventory;
use blanche_scan::report::{NoTag, Report};
use blanche_scan::settings::Settings;
use blanche_tag::claims::{
    Area, AreaClass, AreaSum, Base, Content, Engine, Filesystem, How, Medium, Names, PartitionType, Role, Sha256, Tree,
    Verdict, View, Volume,
};
use blanche_tag::manifest::Finished;
use blanche_tag::{Claims, Usb};
use std::collections::BTreeMap;

/// 8.3 names without a long one are read as DOS code page 850.
const CODE_PAGE: u32 = 850;

/// Everything that changes from tag to tag of one medium.
pub(super) struct Signing {
    pub(super) tag: [u8; 16],
    pub(super) station: blanche_tag::claims::Label,
    pub(super) site: blanche_tag::claims::Label,
    pub(super) issued: u64,
    pub(super) expires: u64,
    pub(super) counter: u64,
    /// Position of the volume that will carry the tag.
    pub(super) tag_volume: Option<u32>,
}

/// What was found on the medium.
pub(super) struct Found<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) report: &'a Report,
    pub(super) order: &'a Order,
    pub(super) usb: Option<Usb>,
    /// Digests of the boot areas in normal form, in their order.
    pub(super) areas: &'a [Sha256],
}

/// The claims of a tag.
pub(super) fn claims(
    found: &Found<'_>,
    signing: &Signing,
    manifest: &Finished,
    settings: &Settings,
) -> Result<Claims, NoTag> {
    let layout = found.inventory.layout();
    let volumes = found.order.volumes().iter().filter_map(|number| layout.volumes.get(usize::from(*number)));
    Ok(Claims {
        tag: signing.tag,
        station: signing.station.clone(),
        site: signing.site.clone(),
        issued: signing.issued,
        expires: signing.expires,
        counter: signing.counter,
        medium: Medium {
            capacity: layout.capacity,
            block: layout.logical_block,
            usb: found.usb.clone(),
            areas: areas(found)?,
            tag_volume: signing.tag_volume,
        },
        volumes: volumes.map(volume).collect::<Result<_, _>>()?,
        content: content(manifest),
        areas: sums(found)?,
        how: how(found.report, settings)?,
        verdict: Verdict::Clean,
        exceptions: Vec::new(),
    })
}

fn areas(found: &Found<'_>) -> Result<Vec<Area>, NoTag> {
    let boot = &found.inventory.area().boot;
    if boot.len() != found.areas.len() {
        return Err(unsealable("boot areas without digests"));
    }
    let mut areas = Vec::with_capacity(boot.len());
    for (area, sha256) in boot.iter().zip(found.areas) {
        let volume = found.order.optional(area.volume)?;
        let kind = blanche_seal::kind(area.kind);
        areas.push(Area { kind, volume, start: area.start, length: area.length, sha256: *sha256 });
    }
    areas.sort_by_key(|area| (area.start, area.length, area.kind, area.volume));
    Ok(areas)
}

fn sums(found: &Found<'_>) -> Result<Vec<AreaSum>, NoTag> {
    let mut sums = Vec::new();
    for line in &found.inventory.area().sums {
        let class = match line.class {
            Class::Table => AreaClass::Table,
            Class::Boot => AreaClass::Boot,
            Class::Metadata => AreaClass::Metadata,
            Class::File => AreaClass::File,
            Class::Slack => AreaClass::Slack,
            Class::Free => AreaClass::Free,
            Class::Gap => AreaClass::Gap,
            Class::Unknown => return Err(unsealable("a part whose use is not known")),
        };
        let volume = found.order.optional(line.volume)?;
        sums.push(AreaSum { class, volume, bytes: line.bytes, looked_at: line.looked_at });
    }
    Ok(sums)
}

fn content(manifest: &Finished) -> Content {
    let counts = manifest.counts;
    Content {
        manifest_length: manifest.length,
        manifest_sha256: manifest.sha256,
        entries: counts.entries,
        files: counts.files,
        streams: counts.streams,
        folders: counts.folders,
        links: counts.links,
        others: counts.others,
        bytes: counts.bytes,
        // The verdict is Clean: nothing was skipped, and everything was delivered.
        checked: counts.bytes,
        skipped: 0,
        unreadable: 0,
    }
}

fn volume(found: &wire::Volume) -> Result<Volume, NoTag> {
    let filesystem = blanche_seal::filesystem(found.filesystem).ok_or_else(|| unsealable("a filesystem"))?;
    let fat = matches!(filesystem, Filesystem::Fat12 | Filesystem::Fat16 | Filesystem::Fat32);
    let identified = fat || matches!(filesystem, Filesystem::ExFat | Filesystem::Ntfs | Filesystem::Ext);
    let digits = |text: &String| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    Ok(Volume {
        start: found.start,
        length: found.length,
        role: role(found.role)?,
        filesystem,
        identifier: found.identifier.as_ref().filter(|_| identified).map(digits).filter(|text| !text.is_empty()),
        partition_type: found.partition_type.map(|kind| match kind {
            wire::PartitionType::Mbr(byte) => PartitionType::Mbr(byte),
            wire::PartitionType::Gpt(guid) => PartitionType::Gpt(guid),
        }),
        hidden: found.hidden,
        efi: found.efi,
        names: match found.encoding {
            NameEncoding::Wtf8 => Names::Wtf8,
            NameEncoding::Bytes => Names::Bytes,
        },
        code_page: fat.then_some(CODE_PAGE),
        view: found.view.map(view),
    })
}

fn role(role: wire::VolumeRole) -> Result<Role, NoTag> {
    Ok(match role {
        wire::VolumeRole::Superfloppy => Role::WholeMedium,
        wire::VolumeRole::Primary => Role::Primary,
        wire::VolumeRole::Logical => Role::Logical,
        wire::VolumeRole::Gpt => Role::Gpt,
        wire::VolumeRole::Gap => Role::Gap,
        wire::VolumeRole::Folder => return Err(NoTag::Folder),
    })
}

/// Which of several trees, in the words of the tag.
pub(super) fn view(view: wire::View) -> View {
    let tree = match view.tree {
        wire::Tree::Iso9660 => Tree::Iso9660,
        wire::Tree::RockRidge => Tree::RockRidge,
        wire::Tree::Joliet => Tree::Joliet,
        wire::Tree::Enhanced => Tree::Enhanced,
        wire::Tree::Udf => Tree::Udf,
        wire::Tree::BootSector => Tree::BootSector,
        wire::Tree::Ext => Tree::Ext,
        wire::Tree::OtherTable => Tree::OtherTable,
    };
    View { tree, session: view.session }
}

pub(super) fn how(report: &Report, settings: &Settings) -> Result<How, NoTag> {
    let mut engines = Vec::new();
    for engine in &report.engines.engines {
        let mut bases = Vec::new();
        for base in &engine.bases {
            // A base without a date forbids sealing, so this is not reached without one.
            let date = base.date.and_then(|date| u64::try_from(date).ok()).ok_or_else(|| unsealable("a base"))?;
            bases.push(Base {
                name: base.name.clone(),
                version: base.version.clone().unwrap_or_default(),
                date,
                signatures: base.signatures,
                sha256: base.sha256,
            });
        }
        engines.push(Engine { name: engine.name.clone(), version: engine.version.clone(), bases });
    }
    let engine_limits = report.engines.limits.iter().flat_map(engine_limits);
    Ok(How {
        engines,
        limits: engine_limits.chain(read_limits(&report.read_limits)).collect::<BTreeMap<_, _>>(),
        policy: settings.seal.policy.clone(),
        policy_version: settings.seal.policy_version.into(),
        program: format!("blanche {}", report.version),
    })
}

fn engine_limits(limits: &EngineLimits) -> [(String, u64); 7] {
    [
        ("max_file_size", limits.max_file_size),
        ("max_scan_size", limits.max_scan_size),
        ("max_files", limits.max_files.into()),
        ("max_recursion", limits.max_recursion.into()),
        ("max_scan_time", limits.max_scan_time.into()),
        ("max_rules_time", limits.max_rules_time.into()),
        ("max_matcher_memory", limits.max_matcher_memory),
    ]
    .map(|(name, limit)| (name.to_owned(), limit))
}

fn read_limits(limits: &ReadLimits) -> [(String, u64); 5] {
    [
        ("max_entries", limits.max_entries.into()),
        ("max_depth", limits.max_depth.into()),
        ("max_path", limits.max_path.into()),
        ("max_bytes", limits.max_bytes),
        ("max_volumes", limits.max_volumes.into()),
    ]
    .map(|(name, limit)| (name.to_owned(), limit))
}
