//! Structures that lie: loops, cross-links, chains into nothing, sizes, ends.

use crate::images::{empty_fat, exfat, fat, fill_fat, with_mtools};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, Cause, Corruption, FilesystemKind, NotRead, ReadLimits, Subject, Tree, View};
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;
const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const CROSS_LINKED: Cause = Cause::Corrupt(Corruption::CrossLinked);

/// A FAT16 volume that is easy to damage: 2 KiB clusters.
struct Fat16 {
    bytes: Vec<u8>,
    table: usize,
    table_length: usize,
    root: usize,
    heap: usize,
}

const CLUSTER: usize = 2048;

impl Fat16 {
    fn new(tree: &[(&str, usize)]) -> Self {
        let files = tree.iter().enumerate();
        let files = files
            .map(|(number, (path, size))| ((*path).to_owned(), vec![(number as u8).wrapping_add(1); *size]))
            .collect();
        Self::of(fat(16, 16 * MIB, &["-s", "4"], &files))
    }

    fn of(bytes: Vec<u8>) -> Self {
        let field = |offset: usize| usize::from(u16::from_le_bytes([bytes[offset], bytes[offset + 1]]));
        let table = field(14) * 512;
        let table_length = field(22) * 512;
        let root = table + usize::from(bytes[16]) * table_length;
        let heap = root + field(17) * 32;
        Self { bytes, table, table_length, root, heap }
    }

    /// Offset of the record with this short name, in any folder.
    fn record(&self, short: &[u8; 11]) -> usize {
        let mut places = (self.root..self.bytes.len()).step_by(32);
        places.find(|place| &self.bytes[*place..place + 11] == short).expect("no such record")
    }

    fn first(&self, short: &[u8; 11]) -> u16 {
        let at = self.record(short) + 26;
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn set_first(&mut self, short: &[u8; 11], cluster: u16) {
        let at = self.record(short) + 26;
        self.bytes[at..at + 2].copy_from_slice(&cluster.to_le_bytes());
    }

    fn set_size(&mut self, short: &[u8; 11], size: u32) {
        let at = self.record(short) + 28;
        self.bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }

    fn link(&mut self, cluster: u16, next: u16) {
        for copy in [self.table, self.table + self.table_length] {
            let at = copy + usize::from(cluster) * 2;
            self.bytes[at..at + 2].copy_from_slice(&next.to_le_bytes());
        }
    }

    fn position(&self, cluster: u16) -> usize {
        self.heap + (usize::from(cluster) - 2) * CLUSTER
    }

    fn read(self) -> Reading {
        read_image(self.bytes)
    }
}

#[test]
fn a_folder_that_points_at_its_parent_is_listed_once() {
    let mut volume = Fat16::new(&[("A/B/FILE.BIN", 100)]);
    let parent = volume.first(b"A          ");
    volume.set_first(b"B          ", parent);
    let reading = volume.read();
    assert_eq!(reading.notes("A/B"), [(0, 0, DIRECTORY)]);
    assert_eq!(reading.entries.len(), 2);
}

#[test]
fn a_folder_chain_that_loops_is_listed_once_and_named() {
    let mut volume = Fat16::new(&[("A/FILE.BIN", 100), ("A/OTHER.BIN", 50)]);
    let cluster = volume.first(b"A          ");
    volume.link(cluster, cluster);
    let reading = volume.read();
    assert_eq!(reading.notes("A"), [(0, 0, CHAIN)]);
    assert_eq!(reading.files(0).len(), 2);
}

#[test]
fn a_file_chain_that_loops_gives_every_cluster_once() {
    let mut volume = Fat16::new(&[("FILE.BIN", 3 * CLUSTER)]);
    let cluster = volume.first(b"FILE    BIN");
    volume.link(cluster + 2, cluster + 1);
    volume.set_size(b"FILE    BIN", u32::MAX);
    let reading = volume.read();
    let here = 3 * CLUSTER as u64;
    assert_eq!(reading.notes("FILE.BIN"), [(here, u64::from(u32::MAX) - here, CHAIN)]);
    assert!(reading.files(0)["FILE.BIN"] == vec![1; 3 * CLUSTER]);
}

#[test]
fn a_chain_into_a_free_cluster_gives_what_hosts_show() {
    let mut volume = Fat16::new(&[("FILE.BIN", 4 * CLUSTER)]);
    let cluster = volume.first(b"FILE    BIN");
    volume.link(cluster + 1, 0);
    let reading = volume.read();
    let here = 2 * CLUSTER as u64;
    assert_eq!(reading.notes("FILE.BIN"), [(here, here, CHAIN)]);
    assert_eq!(reading.files(0)["FILE.BIN"].len(), 2 * CLUSTER);
}

#[test]
fn a_chain_out_of_the_volume_ends_there() {
    let mut volume = Fat16::new(&[("FILE.BIN", 4 * CLUSTER), ("GONE.BIN", 10)]);
    let cluster = volume.first(b"FILE    BIN");
    volume.link(cluster, 0xfff0);
    volume.set_first(b"GONE    BIN", 0xffef);
    let reading = volume.read();
    assert_eq!(reading.notes("FILE.BIN"), [(CLUSTER as u64, 3 * CLUSTER as u64, CHAIN)]);
    assert_eq!(reading.notes("GONE.BIN"), [(0, 10, CHAIN)]);
    assert!(!reading.files(0).contains_key("GONE.BIN"));
}

#[test]
fn a_size_larger_than_the_chain_is_a_hole_in_the_ledger() {
    let mut volume = Fat16::new(&[("FILE.BIN", CLUSTER)]);
    volume.set_size(b"FILE    BIN", 10_000);
    let reading = volume.read();
    assert_eq!(reading.notes("FILE.BIN"), [(CLUSTER as u64, 10_000 - CLUSTER as u64, CHAIN)]);
}

#[test]
fn cross_linked_content_is_named_and_still_handed_over() {
    let mut volume = Fat16::new(&[("ONE.BIN", 3 * CLUSTER), ("TWO.BIN", 3 * CLUSTER)]);
    let one = volume.first(b"ONE     BIN");
    let two = volume.first(b"TWO     BIN");
    volume.link(two, one + 1);
    let reading = volume.read();
    assert_eq!(reading.notes("TWO.BIN"), [(CLUSTER as u64, 2 * CLUSTER as u64, CROSS_LINKED)]);
    let mixed = [vec![2; CLUSTER], vec![1; 2 * CLUSTER]].concat();
    assert!(reading.files(0)["TWO.BIN"] == mixed);
    assert!(reading.files(0)["ONE.BIN"] == vec![1; 3 * CLUSTER]);
}

#[test]
fn many_files_on_one_chain_do_not_multiply_the_medium() {
    let names: Vec<String> = (0..400).map(|number| format!("F{number:07}.BIN")).collect();
    let mut tree: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 10)).collect();
    tree.push(("BIG.BIN", 8 << 20));
    let mut volume = Fat16::new(&tree);
    let big = volume.first(b"BIG     BIN");
    for name in &names {
        let short: [u8; 11] = name.replace('.', "").as_bytes().try_into().unwrap();
        volume.set_first(&short, big);
        volume.set_size(&short, 8 << 20);
    }
    let reading = volume.read();
    assert!(reading.says(&CROSS_LINKED));
    assert!(reading.done.unwrap().bytes <= 4 * 16 * MIB, "{:?}", reading.done);
}

#[test]
fn names_that_a_host_cannot_tell_apart() {
    let mut volume = Fat16::new(&[("ONE.BIN", 10), ("TWO.BIN", 20)]);
    let at = volume.record(b"TWO     BIN");
    volume.bytes[at..at + 11].copy_from_slice(b"ONE     BIN");
    let reading = volume.read();
    let second = reading.not_read.first().unwrap();
    assert_eq!((second.subject, second.length, &second.cause), (Subject::Entry(1), 20, &Cause::AmbiguousNames));
    assert_eq!(reading.contents.len(), 2, "both contents are handed over");
}

/// Linux does not stop at the end mark of a FAT folder, so a file behind it is not hidden there.
#[test]
fn an_entry_behind_the_end_mark_is_read_and_named() {
    let mut volume = Fat16::new(&[("ONE.BIN", 10), ("TWO.BIN", 20)]);
    let at = volume.record(b"TWO     BIN");
    let record: Vec<u8> = volume.bytes[at..at + 32].to_vec();
    volume.bytes[at..at + 32].fill(0);
    volume.bytes[at + 64..at + 96].copy_from_slice(&record);
    let reading = volume.read();
    assert!(reading.says(&DIRECTORY));
    assert!(reading.files(0)["TWO.BIN"] == vec![2; 20]);
}

#[test]
fn deleted_entries_are_skipped() {
    let volume = fat(16, 16 * MIB, &[], &BTreeMap::from([("a long name.txt".to_owned(), vec![1; 10])]));
    let volume = with_mtools(volume, |image| {
        crate::images::run("mdel", &["-i", image, "::/a long name.txt"], "");
    });
    let reading = read_image(volume);
    assert_eq!((reading.entries.len(), reading.not_read.len()), (0, 0));
}

#[test]
fn an_orphan_long_name_is_ignored() {
    let volume = fat(16, 16 * MIB, &[], &BTreeMap::from([("a long name.txt".to_owned(), vec![1; 10])]));
    let mut volume = Fat16::of(volume);
    let at = volume.record(b"ALONGN~1TXT");
    volume.bytes[at + 7] = b'9';
    assert_eq!(volume.read().files(0).into_keys().collect::<Vec<_>>(), ["ALONGN~9.TXT"]);
}

#[test]
fn a_dot_entry_that_hides_a_file_is_named() {
    let mut volume = Fat16::new(&[("ONE.BIN", 10)]);
    let at = volume.record(b"ONE     BIN");
    volume.bytes[at..at + 11].copy_from_slice(b"..         ");
    assert!(volume.read().says(&DIRECTORY));
}

#[test]
fn an_unreadable_sector_has_its_exact_place() {
    let volume = Fat16::new(&[("FILE.BIN", 20 * CLUSTER), ("NEXT.BIN", 100)]);
    let start = volume.position(volume.first(b"FILE    BIN"));
    let mut source = MemorySource::new(volume.bytes.clone());
    let bad = start as u64 + 5 * 512;
    source.unreadable = vec![bad..bad + 1024];
    let reading = read_with(&source, ReadLimits::default());
    assert_eq!(reading.notes("FILE.BIN"), [(5 * 512, 1024, Cause::Unreadable)]);
    let mut expected = vec![1u8; 20 * CLUSTER];
    expected[5 * 512..7 * 512].fill(0);
    assert!(reading.files(0)["FILE.BIN"] == expected);
    assert!(reading.files(0)["NEXT.BIN"] == vec![2; 100]);
    assert_eq!(reading.not_read.len(), 1);
}

#[test]
fn an_unreadable_sector_of_a_folder_costs_its_own_entries_only() {
    let names: Vec<String> = (0..64).map(|number| format!("F{number:07}.BIN")).collect();
    let volume = Fat16::new(&names.iter().map(|name| (name.as_str(), 10)).collect::<Vec<_>>());
    let mut source = MemorySource::new(volume.bytes.clone());
    let bad = volume.root as u64 + 512;
    source.unreadable = vec![bad..bad + 512];
    let reading = read_with(&source, ReadLimits::default());
    let note = NotRead { subject: Subject::Volume(0), offset: bad, length: 512, cause: Cause::Unreadable };
    assert_eq!(reading.not_read, [note]);
    assert_eq!(reading.files(0).len(), 64 - 16);
}

#[test]
fn a_medium_that_is_pulled_out_ends_in_order() {
    let volume = Fat16::new(&[("FILE.BIN", 20 * CLUSTER), ("A/NEXT.BIN", 100)]);
    for reads in 0..40 {
        let mut source = MemorySource::new(volume.bytes.clone());
        source.removed_after = Some(reads);
        let reading = read_with(&source, ReadLimits::default());
        let complete = reading.contents.len() == 2 && reading.not_read.is_empty();
        assert!(reading.says(&Cause::MediumRemoved) || complete, "after {reads} reads");
    }
}

#[test]
fn truncated_images() {
    let volume = Fat16::new(&[("FILE.BIN", 4 << 20), ("A/NEXT.BIN", 100), ("LAST.BIN", 4 << 20)]);
    for length in [0, 1, 511, 512, 4096, volume.root + 100, volume.heap + 5000, 5 << 20, volume.bytes.len() - 1] {
        let reading = read_image(volume.bytes[..length].to_vec());
        assert!(length == 0 || !reading.not_read.is_empty(), "{length} bytes");
    }
    let reading = read_image(volume.bytes[..5 << 20].to_vec());
    assert!(reading.says(&CHAIN));
    assert!(reading.files(0)["FILE.BIN"] == vec![1; 4 << 20]);
    assert!(reading.files(0).get("LAST.BIN").is_none_or(|content| content.len() < 4 << 20));
}

#[test]
fn a_broken_boot_sector_is_not_a_blank_medium() {
    let mut volume = empty_fat(16, 16 * MIB, &[]);
    volume[13] = 3;
    let reading = read_image(volume);
    assert_eq!(reading.layout().volumes[0].filesystem, FilesystemKind::Fat16);
    assert!(reading.says(&Cause::Corrupt(Corruption::BootSector)));
}

#[test]
fn the_active_table_is_honoured_and_named() {
    let tree = BTreeMap::from([("FILE.BIN".to_owned(), vec![9; 5000])]);
    let mut volume = fill_fat(empty_fat(32, 40 * MIB, &[]), &tree);
    let field = |offset: usize| u32::from_le_bytes(volume[offset..offset + 4].try_into().unwrap()) as usize;
    let table = usize::from(u16::from_le_bytes([volume[14], volume[15]])) * 512;
    let length = field(36) * 512;
    volume[table + 8..table + length].fill(0);
    volume[40] = 0x81;
    let reading = read_image(volume);
    assert_eq!(reading.layout().volumes[1].view, Some(View { tree: Tree::OtherTable, session: 0 }));
    assert_eq!(reading.files(1), tree);
    assert!(reading.says(&CHAIN), "the first table does not lead to the content");
}

/// Two hosts that use different copies of the table would see different files; what no file uses may differ.
#[test]
fn copies_of_the_table_that_disagree_are_named() {
    let tree = BTreeMap::from([("FILE.BIN".to_owned(), vec![9; 5000]), ("LAST.BIN".to_owned(), vec![8; 5000])]);
    for (width, mib) in [(12u8, 4), (16, 16), (32, 40)] {
        let volume = fill_fat(empty_fat(width, mib * MIB, &[]), &tree);
        let reserved = usize::from(u16::from_le_bytes([volume[14], volume[15]])) * 512;
        let small = usize::from(u16::from_le_bytes([volume[22], volume[23]]));
        let length = if width == 32 { u32::from_le_bytes(volume[36..40].try_into().unwrap()) as usize } else { small };
        let second = reserved + length * 512;
        let entry = |cluster: usize| second + cluster * usize::from(width) / 8;
        let mut unused = volume.clone();
        unused[entry(1000) + 1] = 0x12;
        assert_eq!(read_image(unused).not_read, [], "FAT{width}");
        let mut differs = volume;
        differs[entry(if width == 32 { 3 } else { 2 }) + 1] ^= 0x01;
        let reading = read_image(differs);
        // Small tables are two views; of large ones it is said.
        let views = reading.layout().volumes.len();
        let said = reading.says(&Cause::Corrupt(Corruption::Allocation));
        assert_eq!((views, said), if width == 32 { (1, true) } else { (2, false) }, "{:?}", reading.not_read);
        assert!(!reading.not_read.is_empty(), "FAT{width}");
        assert!(reading.files(0) == tree);
    }
}

/// Finds the record of the only file of an exFAT volume: offset of its File entry.
fn exfat_file(volume: &[u8], name: &str) -> usize {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = (0..volume.len()).step_by(32).find(|at| volume[*at] == 0xc1 && volume[at + 2..].starts_with(&units));
    at.expect("no such name") - 64
}

/// Writes the checksum of a set of three records.
fn exfat_checksum(volume: &mut [u8], set: usize) {
    let bytes = volume[set..set + 96].iter().enumerate().filter(|(offset, _)| !matches!(offset, 2 | 3));
    let sum = bytes.fold(0u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
    volume[set + 2..set + 4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn exfat_bytes_beyond_the_valid_length_are_zeros_and_named_where_others_are_stored() {
    let mut volume = exfat(16 * MIB, &BTreeMap::from([("file.bin".to_owned(), vec![7; 10_000])]));
    let set = exfat_file(&volume, "file.bin");
    volume[set + 32 + 8..set + 32 + 16].copy_from_slice(&3000u64.to_le_bytes());
    exfat_checksum(&mut volume, set);
    let start = volume.windows(10_000).position(|window| window == vec![7; 10_000]).unwrap();
    let expected = [vec![7; 3000], vec![0; 7000]].concat();
    let reading = read_image(volume.clone());
    assert!(reading.files(0)["file.bin"] == expected);
    assert_eq!(reading.notes("file.bin"), [(3000, 7000, Cause::Corrupt(Corruption::Allocation))]);
    volume[start + 3000..start + 10_000].fill(0);
    let reading = read_image(volume);
    assert!(reading.files(0)["file.bin"] == expected && reading.not_read.is_empty());
}

#[test]
fn exfat_checksum_and_size_lies_are_named() {
    let mut volume = exfat(16 * MIB, &BTreeMap::from([("file.bin".to_owned(), vec![7; 10_000])]));
    let set = exfat_file(&volume, "file.bin");
    volume[set + 4] ^= 2;
    let reading = read_image(volume.clone());
    assert_eq!(reading.notes("file.bin"), [(0, 10_000, Cause::Corrupt(Corruption::Checksum))]);
    assert!(reading.files(0)["file.bin"] == vec![7; 10_000]);
    volume[set + 4] ^= 2;
    volume[set + 32 + 24..set + 32 + 32].copy_from_slice(&(1u64 << 62).to_le_bytes());
    exfat_checksum(&mut volume, set);
    let reading = read_image(volume);
    assert!(reading.notes("file.bin").iter().any(|(_, length, cause)| *length > 1 << 61 && *cause == CHAIN));
}

#[test]
fn exfat_names_are_compared_by_its_own_table() {
    let tree = BTreeMap::from([("one.bin".to_owned(), vec![1; 10]), ("TWO.bin".to_owned(), vec![2; 20])]);
    let mut volume = exfat(16 * MIB, &tree);
    let set = exfat_file(&volume, "TWO.bin");
    let name: Vec<u8> = "ONE.bin".encode_utf16().flat_map(u16::to_le_bytes).collect();
    volume[set + 66..set + 66 + name.len()].copy_from_slice(&name);
    exfat_checksum(&mut volume, set);
    let reading = read_image(volume);
    assert_eq!(reading.not_read.len(), 1);
    assert_eq!(reading.not_read[0].cause, Cause::AmbiguousNames);
    assert_eq!(reading.contents.len(), 2);
}

#[test]
fn a_broken_exfat_boot_checksum_is_named_and_the_volume_read() {
    let tree = BTreeMap::from([("one.bin".to_owned(), vec![1; 10])]);
    let mut volume = exfat(16 * MIB, &tree);
    volume[200] ^= 1;
    let reading = read_image(volume);
    assert_eq!(reading.files(0), tree);
    assert_eq!(reading.not_read.len(), 1);
    assert_eq!(reading.not_read[0].cause, Cause::Corrupt(Corruption::Checksum));
}

/// Boot code that cannot be read cannot be matched: it is named, and gets no digest.
#[test]
fn a_bad_sector_in_a_boot_area_is_named() {
    let mut source = MemorySource::new(fat(32, 40 * MIB, &[], &BTreeMap::from([("a".to_owned(), vec![1; 10])])));
    source.unreadable = vec![13 * 512..14 * 512];
    let reading = read_with(&source, ReadLimits::default());
    let (area, content) = &reading.areas[0];
    assert_eq!((area.name.as_slice(), content.as_ref().unwrap().len()), (&b"[boot 0+16384]"[..], 16384));
    let [note] = &reading.not_read[..] else { panic!("{:?}", reading.not_read) };
    assert_eq!((note.offset, note.length, &note.cause), (13 * 512, 512, &Cause::Unreadable));
    assert_eq!(reading.area.unwrap().digests.iter().filter(|digest| digest.class == AreaClass::Boot).count(), 0);
}
