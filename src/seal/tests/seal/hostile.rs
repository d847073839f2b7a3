//! Volumes that were made to make us write where we must not: each is refused, or sealed without touching anything else.

use crate::media::{Files, Volume, content, files, read_files};
use crate::oracles::{findings, run};
use crate::recorder::Recorder;
use crate::sealing::{request, seal};
use blanche_seal::{FileDevice, FileName, Refusal, plan, plan_removal};

const FLOPPY: &[&str] = &["-F", "12"];
/// On a floppy of 1.44 MB: two tables of nine sectors, then 224 records.
const TABLES: [usize; 2] = [512, 512 * 10];
const ROOT: usize = 512 * 19;
const HEAP: usize = 512 * 33;

/// A floppy that holds a file `blanche.tag` of this many bytes, made by mtools.
fn tagged(name: &str, length: usize) -> Volume {
    let mut all = files();
    all.insert(name.into(), content(8, length));
    Volume::fat(1440, FLOPPY, all)
}

/// Where the short record with these eleven bytes stands.
fn record(bytes: &[u8], short: &[u8; 11]) -> usize {
    (ROOT..HEAP).step_by(32).find(|at| &bytes[*at..*at + 11] == short && bytes[*at + 11] != 0x0f).expect("the record")
}

fn first_cluster(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at + 26], bytes[at + 27]]))
}

/// Changes an entry in both tables of a floppy.
fn link(bytes: &mut [u8], cluster: usize, value: u16) {
    for table in TABLES {
        let at = table + cluster * 3 / 2;
        let old = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let new = if cluster.is_multiple_of(2) { old & 0xf000 | value } else { old & 0xf | value << 4 };
        bytes[at..at + 2].copy_from_slice(&new.to_le_bytes());
    }
}

/// Neither sealing nor removing writes anything; what the refusal says.
fn refused(device: &mut Recorder, volume: &Volume) -> String {
    let refusal = seal(device, volume.range(), &content(1, 3_000), true).unwrap_err();
    assert!(device.events.is_empty());
    refusal.to_string()
}

/// Seals over what is there and checks the rest.
fn replaced(volume: &Volume, name: &str, device: &mut Recorder) {
    let tag = content(31, 2_500);
    seal(device, volume.range(), &tag, true).unwrap();
    std::fs::write(&volume.path, &device.bytes).unwrap();
    assert_eq!(findings(&volume.path, volume.exfat), Vec::<String>::new());
    let mut expected = volume.files.clone();
    expected.insert(name.into(), tag);
    assert!(read_files(&volume.path, volume.exfat) == expected);
}

#[test]
fn a_tag_that_shares_clusters_with_a_file_frees_nothing_of_it() {
    let volume = tagged("blanche.tag", 3_000);
    let mut device = volume.device();
    let tag = record(&device.bytes, b"BLANCHE TAG");
    let user = record(&device.bytes, b"NOTES   TXT");
    // The tag's entry names the first cluster of a file; then the tag's chain runs into it; then it loops.
    let clean = device.bytes.clone();
    let (own, other) = (first_cluster(&clean, tag), first_cluster(&clean, user));
    device.bytes.copy_within(user + 26..user + 28, tag + 26);
    assert!(refused(&mut device, &volume).contains("CrossLinked"));
    for (target, cause) in [(other, "CrossLinked"), (own, "Chain"), (0, "Chain"), (0xff7, "Chain"), (0xfef, "Chain")] {
        device.bytes.clone_from(&clean);
        link(&mut device.bytes, own, u16::try_from(target).unwrap());
        let said = refused(&mut device, &volume);
        assert!(said.contains(cause), "{target}: {said}");
    }
}

/// The chain goes on behind the size of the tag: to clusters of a file of which the survey sees no link.
#[test]
fn a_chain_that_is_longer_than_the_tag_is_not_freed() {
    let volume = tagged("blanche.tag", 512);
    let mut device = volume.device();
    let at = record(&device.bytes, b"BLANCHE TAG");
    let own = first_cluster(&device.bytes, at);
    let other = first_cluster(&device.bytes, record(&device.bytes, b"NOTES   TXT"));
    link(&mut device.bytes, own, u16::try_from(other).unwrap());
    assert!(refused(&mut device, &volume).contains("a chain is longer than its file"));
    let refusal = plan_removal(&device, volume.range(), &FileName::default()).unwrap_err();
    assert!(refusal.to_string().contains("a chain is longer than its file"));
}

#[test]
fn clusters_of_a_file_that_the_table_calls_free_are_not_taken() {
    let volume = Volume::exfat(8192, &["-c", "4096"], &Files::new(), files());
    let mut device = volume.device();
    // The bitmap record is the first of its kind in the root folder; its cluster holds the bits.
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let heap = word(&device.bytes, 88) * 512;
    let root = heap + (word(&device.bytes, 96) - 2) * 4096;
    let record = (root..).step_by(32).find(|at| device.bytes[*at] == 0x81).unwrap();
    let bitmap = heap + (word(&device.bytes, record + 20) - 2) * 4096;
    device.bytes[bitmap..bitmap + 4].fill(0);
    assert!(refused(&mut device, &volume).contains("marked as free"));
}

#[test]
fn a_folder_a_foreign_short_name_and_a_second_tag_are_refused() {
    let mut all = files();
    all.insert("blanche.tag/inside.txt".into(), content(3, 100));
    let volume = Volume::fat(1440, FLOPPY, all.clone());
    assert!(refused(&mut volume.device(), &volume).contains("blanche.tag is already there and is a folder"));
    let volume = Volume::exfat(8192, &["-c", "4096"], &Files::new(), all);
    assert!(refused(&mut volume.device(), &volume).contains("blanche.tag is already there and is a folder"));
    // A long name whose short name is ours: the pieces stay, only the eleven bytes and their checksums change.
    let volume = tagged("blanche of another.tag", 700);
    let mut device = volume.device();
    let at = record(&device.bytes, b"BLANCH~1TAG");
    rename(&mut device.bytes, at, b"BLANCHE TAG");
    assert!(refused(&mut device, &volume).contains("the short name of another file"));
    // Two records of one name.
    let volume = tagged("blanche.tag", 700);
    let mut device = volume.device();
    let at = record(&device.bytes, b"NOTES   TXT");
    device.bytes[at..at + 11].copy_from_slice(b"BLANCHE TAG");
    assert!(refused(&mut device, &volume).contains("AmbiguousNames"));
}

/// Another short name, with the checksum in the pieces of the long name before it.
fn rename(bytes: &mut [u8], at: usize, short: &[u8; 11]) {
    bytes[at..at + 11].copy_from_slice(short);
    let sum = short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    let mut piece = at - 32;
    while bytes[piece + 11] == 0x0f {
        bytes[piece + 13] = sum;
        piece -= 32;
    }
}

#[test]
fn other_forms_of_the_same_name_are_replaced_in_place() {
    // A short record without the lower-case marks; one with a long name; one that is read-only.
    let volume = tagged("BLANCHE.TAG", 700);
    let mut expected = Volume { files: files(), ..volume };
    let mut device = expected.device();
    replaced(&expected, "blanche.tag", &mut device);
    expected = tagged("Blanche.Tag", 9_000);
    let mut device = expected.device();
    expected.files.remove("Blanche.Tag");
    replaced(&expected, "Blanche.Tag", &mut device);
    let plan = plan_removal(&device, expected.range(), &FileName::default()).unwrap();
    plan.commit(&mut device, &mut std::io::empty()).unwrap();
    std::fs::write(&expected.path, &device.bytes).unwrap();
    assert_eq!(findings(&expected.path, false), Vec::<String>::new());
    assert!(read_files(&expected.path, false) == expected.files);
    expected = tagged("blanche.tag", 700);
    run("mattrib", &["+r", "-i", expected.path.to_str().unwrap(), "::/blanche.tag"]);
    let mut device = expected.device();
    replaced(&expected, "blanche.tag", &mut device);
    assert_eq!(device.bytes[record(&device.bytes, b"BLANCHE TAG") + 11], 0x21, "read-only stays");
}

#[test]
fn a_file_of_the_same_name_is_kept_unless_asked() {
    let volume = tagged("blanche.tag", 700);
    let refusal = plan(&volume.device(), volume.range(), &request(10, false)).unwrap_err();
    assert_eq!(refusal, Refusal::Exists { name: "blanche.tag".into(), size: 700 });
}

#[test]
fn volumes_that_a_host_has_not_finished_with_are_refused() {
    let dirty = |volume: &Volume, changes: &[(usize, u8)]| {
        let mut device = volume.device();
        changes.iter().for_each(|(at, value)| device.bytes[*at] = *value);
        let said = refused(&mut device, volume);
        assert!(said.contains("was not removed safely"), "{said}");
    };
    dirty(&Volume::fat(1440, FLOPPY, files()), &[(37, 1)]);
    let volume = Volume::fat(8192, &["-F", "16", "-s", "1"], files());
    let bytes = volume.device().bytes;
    let table = 512 * usize::from(u16::from_le_bytes([bytes[14], bytes[15]]));
    dirty(&volume, &[(table + 3, 0x7f)]);
    dirty(&volume, &[(table + 3, 0xbf)]);
    let volume = Volume::fat(34 * 1024, &["-F", "32", "-s", "1"], files());
    dirty(&volume, &[(65, 1)]);
    dirty(&volume, &[(512 * 32 + 7, 0x07)]);
    let volume = Volume::exfat(8192, &["-c", "4096"], &Files::new(), files());
    dirty(&volume, &[(106, 2)]);
    dirty(&volume, &[(106, 4)]);
}

#[test]
fn copies_of_the_table_that_differ_are_refused() {
    for (options, size) in [(FLOPPY, 1440), (&["-F", "32", "-s", "1"][..], 34 * 1024)] {
        let volume = Volume::fat(size, options, files());
        let mut device = volume.device();
        let tables = 512 * usize::from(u16::from_le_bytes([device.bytes[14], device.bytes[15]]));
        // An entry that no file uses.
        device.bytes[tables + 900] = 0xff;
        let said = refused(&mut device, &volume);
        assert!(said.contains("the copies of the allocation table differ"), "{said}");
    }
}

/// A long name in pieces in front of a free record, with the checksum of our name: with it, the tag would be shown under
/// that name.
#[test]
fn a_long_name_that_waits_for_our_record_does_not_get_it() {
    let mut all = files();
    all.insert("a program.exe".into(), content(3, 400));
    let volume = Volume::fat(1440, FLOPPY, all);
    let mut device = volume.device();
    let at = record(&device.bytes, b"APROGR~1EXE");
    rename(&mut device.bytes, at, b"BLANCHE TAG");
    let first = first_cluster(&device.bytes, at);
    device.bytes[at] = 0xe5;
    link(&mut device.bytes, first, 0);
    let tag = content(1, 300);
    seal(&mut device, volume.range(), &tag, false).unwrap();
    std::fs::write(&volume.path, &device.bytes).unwrap();
    let found = read_files(&volume.path, false);
    assert_eq!(found.get("blanche.tag"), Some(&tag));
    assert!(!found.contains_key("a program.exe"));
}

#[test]
fn records_behind_the_end_of_the_root_folder_are_not_brought_back() {
    let volume = Volume::fat(1440, FLOPPY, files());
    let mut device = volume.device();
    let end = (ROOT..HEAP).step_by(32).find(|at| device.bytes[*at] == 0).unwrap();
    // A piece of a long name, which the survey has no reason to refuse.
    device.bytes[end + 32..end + 64].fill(0x41);
    device.bytes[end + 32 + 11] = 0x0f;
    assert!(refused(&mut device, &volume).contains("records behind the end"));
}

#[test]
fn what_is_no_volume_of_ours_is_refused() {
    let volume = Volume::fat(1440, FLOPPY, files());
    let empty = Recorder::new(vec![0; 1 << 20], 512);
    let refusal = plan(&empty, 0..1 << 20, &request(10, false)).unwrap_err();
    assert!(refusal.to_string().contains("neither FAT nor exFAT"), "{refusal}");
    let mut wide = volume.device();
    wide.block = 4096;
    let refusal = plan(&wide, volume.range(), &request(10, false)).unwrap_err();
    assert!(refusal.to_string().contains("sectors smaller"), "{refusal}");
    let refusal = plan(&volume.device(), volume.range(), &request(0, false)).unwrap_err();
    assert_eq!(refusal, Refusal::Length { length: 0, most: u64::from(u32::MAX) });
    let short = Recorder::new(volume.device().bytes[..1 << 20].to_vec(), 512);
    assert!(plan(&short, 0..1 << 20, &request(10, false)).is_err());
    assert!(FileDevice::open(volume.folder.path()).is_err(), "a folder is no device");
}

/// Seeded damage anywhere in the metadata of a sealed volume: whatever it means, sealing is refused or succeeds, writes
/// planned blocks only (`seal` checks that), and touches no cluster that a file used before.
#[test]
fn damaged_volumes_never_lose_a_file_to_the_tag() {
    let seed = std::env::var("BLANCHE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut random = fastrand::Rng::with_seed(seed);
    let exfat = Volume::exfat(4096, &["-c", "4096"], &Files::new(), files());
    let mut all = files();
    all.insert("blanche.tag".into(), content(8, 2_000));
    let fat = Volume::fat(1440, FLOPPY, all);
    let rounds = std::env::var("BLANCHE_CUTS").map_or(400, |rounds| rounds.parse().expect("a number"));
    let (mut sealed, mut refused) = (0, 0);
    for volume in [&fat, &exfat] {
        let clean = volume.device();
        let contents: Vec<_> = volume
            .files
            .values()
            .map(|content| {
                let start = position(&clean.bytes, &content[..256]).expect("every content begins with a sector");
                start..start + content.len()
            })
            .collect();
        let metadata = |at: &usize| clean.bytes[*at] != 0 && !contents.iter().any(|range| range.contains(at));
        let places: Vec<usize> = (0..clean.bytes.len()).filter(metadata).collect();
        for _ in 0..rounds {
            let mut device = clean.clone();
            for _ in 0..random.usize(1..4) {
                let at = places[random.usize(..places.len())];
                device.bytes[at] ^= 1 << random.u8(..8);
            }
            let before = device.bytes.clone();
            match seal(&mut device, volume.range(), &content(1, 5_000), true) {
                Ok(()) => sealed += 1,
                Err(_) => {
                    refused += 1;
                    assert!(device.bytes == before);
                }
            }
            for (name, bytes) in volume.files.iter().filter(|(name, _)| *name != "blanche.tag") {
                let start = &bytes[..256.min(bytes.len())];
                let at = position(&clean.bytes, start).unwrap();
                assert!(device.bytes[at..at + start.len()] == *start, "{name} was overwritten");
            }
        }
    }
    assert!(sealed > 0 && refused > 0, "{sealed} sealed, {refused} refused");
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    (0..bytes.len()).step_by(512).find(|at| bytes[*at..].starts_with(part))
}
