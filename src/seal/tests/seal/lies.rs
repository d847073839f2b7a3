//! Volumes that lie about their own geometry or share records and clusters: whatever a reader takes for clean is, after it
//! was sealed, still clean to the same reader, with the same files; and other people's programs read the same bytes.

use crate::media::{Files, Volume, content, files, read_files};
use crate::recorder::Recorder;
use crate::sealing::seal;
use blanche_media::{Medium, Object, Receiver, Stop, inspect};
use blanche_sandbox::wire::{Entry, EntryId, EntryKind, FromReader, ReadLimits};
use std::collections::BTreeMap;

/// Everything that a reader said.
#[derive(Default)]
struct Seen {
    entries: Vec<Entry>,
    digests: BTreeMap<EntryId, [u8; 32]>,
    faults: usize,
}

impl Receiver for Seen {
    fn take(&mut self, message: FromReader, _: Option<Object>) -> Result<(), Stop> {
        match message {
            FromReader::Entries(entries) => self.entries.extend(entries),
            FromReader::Content(content) => {
                let digests = content.pieces.iter().map(|piece| (piece.entry, piece.digests.sha256));
                self.digests.extend(digests);
            }
            FromReader::Chunk(chunk) => self.digests.extend(chunk.last.map(|last| (chunk.entry, last.sha256))),
            FromReader::NotRead(_) => self.faults += 1,
            _ => {}
        }
        Ok(())
    }

    fn wants(&mut self, _: EntryId) -> bool {
        true
    }
}

/// Every path with its volume, kind, size and digest.
type Listing = BTreeMap<(u16, Vec<u8>), (bool, u64, Option<[u8; 32]>)>;

/// What the station's reader finds; nothing when a scan would not call the medium clean.
fn listing(device: &Recorder) -> Option<Listing> {
    let mut seen = Seen::default();
    inspect(&Medium::new(device, device.block), &ReadLimits::default(), &mut seen).unwrap();
    if seen.faults > 0 {
        return None;
    }
    let mut listing = Listing::new();
    for (id, entry) in (0u32..).zip(&seen.entries).filter(|(_, entry)| entry.kind != EntryKind::Area) {
        let mut path = entry.name.clone();
        let mut above = entry.parent;
        while let Some(folder) = above.map(|parent| &seen.entries[parent as usize]) {
            path = [&folder.name[..], b"/", &path].concat();
            above = folder.parent;
        }
        let digest = seen.digests.get(&entry.same_as.unwrap_or(id)).copied();
        let folder = entry.kind == EntryKind::Directory;
        listing.insert((entry.volume.unwrap(), path), (folder, if folder { 0 } else { entry.size }, digest));
    }
    Some(listing)
}

/// Fields of a boot sector: where they stand and how long they are.
const FAT_FIELDS: &[(usize, usize)] = &[
    (11, 2),
    (13, 1),
    (14, 2),
    (16, 1),
    (17, 2),
    (19, 2),
    (22, 2),
    (32, 4),
    (36, 4),
    (40, 2),
    (44, 4),
    (48, 2),
    (50, 2),
];
const EXFAT_FIELDS: &[(usize, usize)] =
    &[(72, 8), (80, 4), (84, 4), (88, 4), (92, 4), (96, 4), (106, 2), (108, 1), (109, 1), (110, 1), (112, 1)];

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A number near to, half or double of the one that stands there.
fn lie(bytes: &mut [u8], (at, length): (usize, usize), random: &mut fastrand::Rng) {
    let old = number(&bytes[at..at + length]);
    let lies = [
        old.wrapping_add(1),
        old.wrapping_sub(1),
        old.wrapping_add(random.u64(0..16)),
        old.wrapping_sub(random.u64(0..16)),
        old * 2,
        old / 2,
        0,
    ];
    let new = random.choice(lies).unwrap();
    bytes[at..at + length].copy_from_slice(&new.to_le_bytes()[..length]);
}

/// A lie in the root folder: a record copied over another, two fields exchanged, or one field changed.
fn lie_in_root(bytes: &mut [u8], records: &[usize], fields: &[(usize, usize)], random: &mut fastrand::Rng) {
    let [one, other] = [(); 2].map(|()| *random.choice(records).unwrap());
    let (at, length) = *random.choice(fields).unwrap();
    match random.u8(..4) {
        0 => bytes.copy_within(one..one + 32, other),
        1 => bytes.copy_within(one + at..one + at + length, other + at),
        2 => lie(bytes, (one + at, length.min(8)), random),
        _ => bytes[one + random.usize(..32)] ^= 1 << random.u8(..8),
    }
}

/// Checksum of the boot region of exFAT (3.4), in the sector that repeats it; and of every entry set (6.3.3).
fn mend_exfat(bytes: &mut [u8], root: usize, length: usize) {
    let sum = bytes[..512 * 11].iter().enumerate().filter(|(at, _)| ![106, 107, 112].contains(at));
    let sum = sum.fold(0u32, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
    for word in bytes[512 * 11..512 * 12].chunks_exact_mut(4) {
        word.copy_from_slice(&sum.to_le_bytes());
    }
    for at in (root..root + length).step_by(32) {
        let end = at + 32 * (usize::from(bytes[at + 1]) + 1);
        if bytes[at] == 0x85 && end <= root + length {
            let sum = bytes[at..end].iter().enumerate().filter(|(place, _)| ![2, 3].contains(place));
            let sum = sum.fold(0u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
            bytes[at + 2..at + 4].copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// Where table and root folder of a volume stand.
struct Parts {
    table: std::ops::Range<usize>,
    root: std::ops::Range<usize>,
}

fn parts(volume: &Volume, bytes: &[u8]) -> Parts {
    let field = |at: usize, length: usize| usize::try_from(number(&bytes[at..at + length])).unwrap();
    if volume.exfat {
        let cluster = 512 << bytes[109];
        let (table, root) = (512 * field(80, 4), 512 * field(88, 4) + (field(96, 4) - 2) * cluster);
        return Parts { table: table..table + 4 * 64, root: root..root + 32 * 24 };
    }
    let sector = field(11, 2);
    let table = sector * field(14, 2);
    let length = sector * if field(22, 2) > 0 { field(22, 2) } else { field(36, 4) };
    let root = table + usize::from(bytes[16]) * length;
    Parts { table: table..table + length.min(200), root: root..root + 32 * 20 }
}

/// One volume with a lie or two.
fn lying(volume: &Volume, clean: &Recorder, random: &mut fastrand::Rng) -> Recorder {
    let mut device = clean.clone();
    let Parts { table, root } = parts(volume, &clean.bytes);
    let records: Vec<usize> = root.clone().step_by(32).collect();
    for _ in 0..random.usize(1..3) {
        let bytes = &mut device.bytes;
        match random.u8(..4) {
            0 if volume.exfat => lie(bytes, *random.choice(EXFAT_FIELDS).unwrap(), random),
            0 => lie(bytes, *random.choice(FAT_FIELDS).unwrap(), random),
            1 => bytes[random.usize(table.clone())] ^= 1 << random.u8(..8),
            _ if volume.exfat => {
                lie_in_root(bytes, &records, &[(0, 1), (1, 1), (1, 1), (8, 8), (20, 4), (24, 8)], random);
            }
            _ => lie_in_root(bytes, &records, &[(0, 11), (11, 1), (20, 2), (26, 2), (28, 4)], random),
        }
    }
    if volume.exfat {
        mend_exfat(&mut device.bytes, root.start, root.len());
    }
    device
}

/// What other programs read, where they read anything.
fn read_by_others(volume: &Volume, device: &Recorder) -> Files {
    std::fs::write(&volume.path, &device.bytes).unwrap();
    let mut found = std::panic::catch_unwind(|| read_files(&volume.path, false)).unwrap_or_default();
    found.remove("blanche.tag");
    found
}

#[test]
fn a_volume_that_lies_about_itself_keeps_every_file() {
    let seed = std::env::var("BLANCHE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let rounds = std::env::var("BLANCHE_CUTS").map_or(100, |rounds| rounds.parse().expect("a number"));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tagged = files();
    tagged.insert("blanche.tag".into(), content(8, 2_000));
    let volumes = [
        Volume::fat(1440, &["-F", "12"], tagged.clone()),
        // 4085 clusters are one more than FAT12 has, 65 525 one more than FAT16.
        Volume::fat(2130, &["-F", "16", "-s", "1", "-r", "112"], files()),
        Volume::fat(34 * 1024, &["-F", "32", "-s", "1"], tagged.clone()),
        Volume::exfat(4096, &["-c", "4096"], &Files::new(), tagged),
    ];
    let (mut clean, mut sealed) = (0, 0);
    for volume in &volumes {
        let honest = volume.device();
        for round in 0..rounds {
            let mut device = lying(volume, &honest, &mut random);
            let Some(mut before) = listing(&device) else { continue };
            clean += 1;
            let others = if volume.exfat { Files::new() } else { read_by_others(volume, &device) };
            let tag = content(round, 5_000);
            if seal(&mut device, volume.range(), &tag, true).is_err() {
                continue;
            }
            sealed += 1;
            let mut after =
                listing(&device).unwrap_or_else(|| panic!("seed {seed}, round {round}: not clean any more"));
            let is_tag = |path: &[u8]| path.eq_ignore_ascii_case(b"blanche.tag");
            before.retain(|(_, path), _| !is_tag(path));
            after.retain(|(_, path), _| !is_tag(path));
            assert!(before == after, "seed {seed}, round {round}: {before:?} became {after:?}");
            if !volume.exfat {
                assert!(
                    others == read_by_others(volume, &device),
                    "seed {seed}, round {round}: mtools reads otherwise"
                );
            }
        }
    }
    assert!(sealed > 20 && clean > sealed, "{clean} clean, {sealed} sealed");
}
