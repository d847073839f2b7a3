//! Tags as a station would write them, made from what the test put on the medium and not from what our readers find.

use crate::media::{Files, Kind, Made, START, head};
use crate::world::World;
use blanche_tag::claims::*;
use blanche_tag::envelope::seal;
use blanche_tag::manifest::{Counts, Digests, Entry, EntryKind, Finished, Writer, chaining_value};
use blanche_tag::testing::DAY;
use blanche_tag::{areas, header};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A station's tag for this medium and these files; `change` may make the claims special.
pub(crate) fn tag(world: &World, made: &Made, files: &Files, change: impl FnOnce(&mut Claims)) -> Vec<u8> {
    let partition = fs::read(made.partition()).unwrap();
    let sectors = u32::try_from(partition.len() / 512).unwrap();
    let bytes = [head(made.kind, sectors), partition].concat();
    let (manifest, finished) = manifest(files);
    let mut claims = claims(world, made.kind, &bytes, &finished);
    change(&mut claims);
    let envelope = seal(&claims, &mut world.station.clone()).unwrap();
    [&header(envelope.len(), finished.length).unwrap()[..], &envelope, &manifest].concat()
}

/// Seals: the tag stands on the medium.
pub(crate) fn seal_on(world: &World, made: &Made, files: &Files) -> Vec<u8> {
    let tag = tag(world, made, files, |_| {});
    made.write("blanche.tag", &tag);
    tag
}

fn manifest(files: &Files) -> (Vec<u8>, Finished) {
    let mut entries: BTreeMap<Vec<u8>, Option<&Vec<u8>>> = BTreeMap::new();
    for (path, content) in files {
        let names: Vec<_> = path.split('/').collect();
        let folders: BTreeSet<_> = (1..names.len()).map(|depth| names[..depth].join("\0").into_bytes()).collect();
        entries.extend(folders.into_iter().map(|folder| (folder, None)));
        entries.insert(names.join("\0").into_bytes(), Some(content));
    }
    let mut writer = Writer::new(Vec::new());
    for (path, content) in entries {
        let digests = content.map(|content| Digests {
            sha256: Sha256::digest(content).into(),
            blake3: *blake3::hash(content).as_bytes(),
        });
        let size = content.map_or(0, Vec::len);
        let values = (0..).zip(content.map_or(&[][..], Vec::as_slice).chunks(1 << 20));
        let values: Vec<_> =
            values.filter(|_| size > 1 << 20).map(|(number, bytes)| chaining_value(number, bytes)).collect();
        let kind = if content.is_some() { EntryKind::File } else { EntryKind::Folder };
        let entry = Entry { volume: 0, path, stream: None, kind, size: size as u64, digests, modified: None };
        writer.entry(&entry, &values).unwrap();
    }
    writer.finish()
}

fn claims(world: &World, kind: Kind, bytes: &[u8], finished: &Finished) -> Claims {
    let capacity = bytes.len() as u64;
    let start = START as usize;
    let (filesystem, area_kind, boot, identifier) = match kind {
        Kind::ExFat => {
            let sector = 1usize << bytes[start + 108];
            (Filesystem::ExFat, AreaKind::ExFat, 24 * sector, &bytes[start + 100..start + 104])
        }
        fat => {
            let sector = usize::from(bytes[start + 11]) | (usize::from(bytes[start + 12]) << 8);
            let reserved = usize::from(bytes[start + 14]) | (usize::from(bytes[start + 15]) << 8);
            let (filesystem, serial) = match fat {
                Kind::Fat12 => (Filesystem::Fat12, 39),
                Kind::Fat16 => (Filesystem::Fat16, 39),
                _ => (Filesystem::Fat32, 67),
            };
            (filesystem, AreaKind::Fat, sector * reserved, &bytes[start + serial..start + serial + 4])
        }
    };
    let identifier: String = identifier.iter().rev().map(|byte| format!("{byte:02x}")).collect();
    let area = |kind, volume: Option<u32>, start: u64, length: u64| {
        let range = start as usize..(start + length) as usize;
        let sha256 = areas::digest(kind, volume.map(|_| filesystem), &bytes[range]);
        Area { kind, volume, start, length, sha256 }
    };
    let sum = |class, volume, bytes, looked_at| AreaSum { class, volume, bytes, looked_at };
    let base =
        Base { name: "daily".into(), version: "1".into(), date: world.issued - DAY, signatures: 9, sha256: [7; 32] };
    Claims {
        tag: [1; 16],
        station: Label::try_from("station-1").unwrap(),
        site: Label::try_from("site-a").unwrap(),
        issued: world.issued,
        expires: world.issued + 7 * DAY,
        counter: 42,
        medium: Medium {
            capacity,
            block: 512,
            usb: None,
            areas: vec![
                area(AreaKind::Mbr, None, 0, 512),
                area(AreaKind::Gap, None, 512, START - 512),
                area(area_kind, Some(0), START, boot as u64),
            ],
            tag_volume: Some(0),
        },
        volumes: vec![Volume {
            start: START,
            length: capacity - START,
            role: Role::Primary,
            filesystem,
            identifier: Some(identifier),
            partition_type: Some(PartitionType::Mbr(bytes[450])),
            hidden: false,
            efi: false,
            names: Names::Wtf8,
            code_page: None,
            view: None,
        }],
        content: content(finished),
        areas: vec![
            sum(AreaClass::Table, None, 512, 512),
            sum(AreaClass::Gap, None, START - 512, START - 512),
            sum(AreaClass::Free, Some(0), capacity - START, 0),
        ],
        how: How {
            engines: vec![Engine { name: "clamav".into(), version: "1.4".into(), bases: vec![base] }],
            limits: BTreeMap::new(),
            policy: "default".into(),
            policy_version: 1,
            program: "TEST".into(),
        },
        verdict: Verdict::Clean,
        exceptions: Vec::new(),
    }
}

fn content(finished: &Finished) -> Content {
    let Counts { entries, files, streams, folders, links, others, bytes } = finished.counts;
    Content {
        manifest_length: finished.length,
        manifest_sha256: finished.sha256,
        entries,
        files,
        streams,
        folders,
        links,
        others,
        bytes,
        checked: bytes,
        skipped: 0,
        unreadable: 0,
    }
}
