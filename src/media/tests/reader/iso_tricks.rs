//! What hides in places that only some hosts look at: path tables, Rock Ridge, associated files, sections, boot
//! catalogues.

use super::patch::{Iso, PRIMARY, SECTOR};
use super::sessions::sessions;
use super::{GENISOIMAGE, XORRISO, contents, files, is_of, made, small, volume};
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::{Attributes, Cause, Corruption, EntryKind, ReadLimit, Subject, Tree};
use std::collections::BTreeMap;

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const UNREACHABLE: Cause = Cause::Corrupt(Corruption::Unreachable);

fn causes(reading: &Reading) -> Vec<Cause> {
    reading.not_read.iter().map(|note| note.cause.clone()).collect()
}

fn plain(list: &[(&str, usize)]) -> Iso {
    Iso(made(GENISOIMAGE, &[], &small(list)))
}

fn rock(list: &[(&str, usize)]) -> Iso {
    Iso(made(GENISOIMAGE, &["-R"], &small(list)))
}

/// Adds a line to a path table, which has room up to the end of its sector.
fn add_line(image: &mut Iso, big: bool, block: u32) {
    let at = if big { PRIMARY + 148 } else { PRIMARY + 140 };
    let field: [u8; 4] = image.0[at..at + 4].try_into().unwrap();
    let table = if big { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) } as usize * SECTOR;
    let end = table + image.u32(PRIMARY + 132);
    let line = [&[4, 0][..], &if big { block.to_be_bytes() } else { block.to_le_bytes() }, &[1, 1], b"GONE"].concat();
    image.0[end..end + 12].copy_from_slice(&line);
    image.0[end + if big { 6 } else { 7 }] = 0;
}

#[test]
fn a_folder_in_the_path_tables_only() {
    for tables in [&[false, true][..], &[false], &[true]] {
        let mut image = plain(&[("A.BIN", 3000), ("SUB/B.BIN", 10)]);
        let folder = image.start(image.record("SUB"));
        let copy = image.0[folder..folder + SECTOR].to_vec();
        let block = image.append(&copy);
        for big in tables {
            add_line(&mut image, *big, block);
        }
        let size = image.u32(PRIMARY + 132) as u32;
        image.set32(PRIMARY + 132, size + 12);
        let reading = read_image(image.0);
        let place = u64::from(block) * SECTOR as u64;
        let hidden = reading.not_read.iter().find(|note| note.cause == UNREACHABLE).unwrap();
        assert_eq!((hidden.subject, hidden.offset), (Subject::Volume(0), place));
        let disagree = reading.not_read.iter().any(|note| note.cause == DIRECTORY);
        assert_eq!(disagree, tables.len() == 1, "tables that differ: {:?}", reading.not_read);
    }
}

#[test]
fn path_tables_that_cannot_be() {
    for size in [u32::MAX, 5_000_000, 3] {
        let mut image = plain(&[("A.BIN", 3000)]);
        image.set32(PRIMARY + 132, size);
        let reading = read_image(image.0);
        assert!(causes(&reading).contains(&DIRECTORY), "{size}");
        assert_eq!(reading.files(0).len(), 1);
    }
}

#[test]
fn trees_that_show_different_files() {
    // The Joliet tree names the same file with another place.
    let mut image = Iso(made(XORRISO, &["-r", "-J"], &small(&[("a.bin", 3000)])));
    let hidden = image.append(&[7; 3000]);
    let joliet = image.descriptor(2);
    let record = image.records(joliet + 156)[2];
    image.set32(record + 2, hidden);
    let reading = read_image(image.0);
    assert_eq!(reading.not_read, []);
    assert_eq!(files(&reading, Tree::Joliet, 0)["a.bin"], [7; 3000]);
    assert_eq!(files(&reading, Tree::RockRidge, 0), small(&[("a.bin", 3000)]));
}

#[test]
fn an_older_session_with_another_root_of_the_same_name() {
    let tree = small(&[("one.bin", 3000), ("two.bin", 4000)]);
    let image = sessions(&[&["-map", "DISK/one.bin", "/x"], &["-rm", "/x", "--", "-map", "DISK/two.bin", "/x"]], &tree);
    let reading = read_image(image.clone());
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.contents.len(), 2);
    // An older set whose root is no folder any more, is not a session but is still there.
    let mut image = Iso(image);
    let set = 48 * SECTOR;
    for descriptor in [set, set + SECTOR] {
        let root = image.u32(descriptor + 158) * SECTOR;
        image.0[root] = 0;
    }
    let reading = read_image(image.0);
    let second = Cause::Corrupt(Corruption::SecondFilesystem);
    assert!(reading.not_read.iter().any(|note| note.offset == set as u64 && note.cause == second));
}

#[test]
fn sections_become_one_file() {
    let merged = |first: u32| {
        let mut image = plain(&[("A.BIN", 4096), ("B.BIN", 3000), ("C.BIN", 10)]);
        let (a, b) = (image.record("A.BIN;1"), image.record("B.BIN;1"));
        image.0[a + 25] |= 0x80;
        image.set32(a + 10, first);
        image.0[b + 33] = b'A';
        read_image(image.0)
    };
    let reading = merged(4096);
    assert_eq!(reading.not_read, []);
    let tree = small(&[("A", 4096), ("B", 3000)]);
    assert!(reading.files(0)["A.BIN"] == [&tree["A"][..], &tree["B"]].concat());
    assert_eq!(reading.files(0).len(), 2);
    // A section that does not fill its blocks: hosts disagree about what follows.
    assert_eq!(merged(4000).notes("A.BIN"), [(0, 7000, DIRECTORY)]);
    // The next record is about another file, or there is none.
    for name in ["A.BIN", "C.BIN"] {
        let mut image = plain(&[("A.BIN", 4096), ("B.BIN", 3000), ("C.BIN", 10)]);
        let record = image.record(&format!("{name};1"));
        image.0[record + 25] |= 0x80;
        let reading = read_image(image.0);
        assert_eq!(causes(&reading), [DIRECTORY]);
        assert_eq!(reading.files(0).len(), 3);
    }
}

#[test]
fn associated_and_hidden_files() {
    let mut image = plain(&[("A.BIN", 4096), ("B.BIN", 3000)]);
    let (a, b) = (image.record("A.BIN;1"), image.record("B.BIN;1"));
    image.0[a + 25] |= 0x04;
    image.0[a + 33] = b'B';
    image.0[b + 25] |= 0x01;
    let reading = read_image(image.0.clone());
    assert_eq!(reading.not_read, []);
    let tree = small(&[("A", 4096), ("B", 3000)]);
    let found = reading.files(0);
    assert!(found["B.BIN"] == tree["B"] && found["B.BIN:associated"] == tree["A"]);
    assert!(
        reading.entries[reading.find("B.BIN") as usize].attributes == Attributes { hidden: true, ..Default::default() }
    );
    // Without a file of its name it stands for itself.
    image.0[a + 33] = b'A';
    let reading = read_image(image.0);
    assert!(reading.not_read.is_empty() && reading.files(0)["A.BIN"] == tree["A"]);
}

#[test]
fn extended_attribute_records_are_streams() {
    let mut image = plain(&[("A.BIN", 4096)]);
    let block = image.append(&[vec![7; SECTOR], vec![8; 100]].concat());
    let record = image.record("A.BIN;1");
    image.0[record + 1] = 1;
    image.set32(record + 2, block);
    image.set32(record + 10, 100);
    let reading = read_image(image.0);
    assert_eq!(reading.not_read, []);
    let found = reading.files(0);
    assert_eq!((&found["A.BIN"], &found["A.BIN:extended attribute record"]), (&vec![8; 100], &vec![7; SECTOR]));
}

/// A continuation area with these entries, at the end of an image whose file `A.BIN` continues there: its TF entry
/// (26 bytes) gives its room, and a filler of no meaning.
fn continued(bytes: &[u8], length: u32) -> Iso {
    let mut image = rock(&[("A.BIN", 3000), ("B.BIN", 10)]);
    let block = image.append(bytes);
    let record = image.record("A.BIN;1");
    // PX (36 bytes) becomes CE (28 bytes) and an unknown entry (8 bytes).
    let at = image.entry(record, b"PX");
    image.0[at..at + 4].copy_from_slice(b"CE\x1c\x01");
    image.set32(at + 4, block);
    image.set32(at + 12, 0);
    image.set32(at + 20, length);
    image.0[at + 28..at + 36].copy_from_slice(b"ZZ\x08\x01\0\0\0\0");
    image
}

fn of_rock(reading: &Reading, size: u64) -> Vec<Cause> {
    let rock = volume(reading, Tree::RockRidge, 0);
    let is = |note: &&blanche_sandbox::wire::NotRead| match note.subject {
        Subject::Entry(id) => is_of(&reading.entries[id as usize], rock) && reading.entries[id as usize].size == size,
        _ => false,
    };
    reading.not_read.iter().filter(is).map(|note| note.cause.clone()).collect()
}

#[test]
fn continuation_areas_that_loop_or_lead_nowhere() {
    let mut image = continued(&[0; 28], 28);
    let area = image.0.len() - SECTOR;
    image.0[area..area + 4].copy_from_slice(b"CE\x1c\x01");
    let block = (area / SECTOR) as u32;
    image.set32(area + 4, block);
    image.set32(area + 20, 28);
    assert_eq!(of_rock(&read_image(image.0), 3000), [DIRECTORY], "a loop");
    assert_eq!(of_rock(&read_image(continued(b"XX\x04\x01", 1 << 20).0), 3000), [DIRECTORY], "beyond the end");
    let long = continued(&vec![0; 200_000], 150_000);
    assert_eq!(of_rock(&read_image(long.0), 3000).len(), 1, "too long");
    let mut hidden = vec![0; SECTOR];
    hidden[..6].copy_from_slice(b"\x01CD001");
    assert_eq!(of_rock(&read_image(continued(&hidden, 2048).0), 3000), [DIRECTORY], "a descriptor");
    let reading = read_image(continued(b"NM\x09\x01\0.tail", 9).0);
    assert_eq!(of_rock(&reading, 3000), [DIRECTORY], "a second name");
}

#[test]
fn a_name_of_ten_thousand_bytes() {
    let mut entries = Vec::new();
    for part in 0..40u8 {
        entries.extend_from_slice(&[b'N', b'M', 255, 1, 1]);
        entries.extend_from_slice(&[b'a' + part % 26; 250]);
    }
    let mut image = continued(&entries, entries.len() as u32);
    let record = image.record("A.BIN;1");
    let own = image.entry(record, b"NM");
    image.0[own + 4] |= 1;
    let reading = read_image(image.0);
    assert_eq!(of_rock(&reading, 3000), [DIRECTORY]);
    let longest = reading.entries.iter().map(|entry| entry.name.len()).max();
    assert_eq!(longest, Some(1024));
    assert_eq!(contents(&files(&reading, Tree::RockRidge, 0)), contents(&small(&[("A", 3000), ("B", 10)])));
}

/// An image whose file `A.BIN` is a link by these entries, which follow each other in its continuation area.
fn linked(entries: &[u8]) -> Reading {
    read_image(continued(entries, entries.len() as u32).0)
}

/// An SL entry (RRIP 4.1.3) with these flags and component records.
fn symbolic(flags: u8, records: &[u8]) -> Vec<u8> {
    [&[b'S', b'L', records.len() as u8 + 5, 1, flags], records].concat()
}

#[test]
fn targets_in_pieces_that_do_not_fit_together() {
    let records = [b"\0\x03one".as_slice(), b"\0\x03two"];
    let link = |flags: [u8; 2]| linked(&[symbolic(flags[0], records[0]), symbolic(flags[1], records[1])].concat());
    let rock = |reading: &Reading| reading.links(volume(reading, Tree::RockRidge, 0));
    let whole = records.concat();
    for (flags, causes) in [([1, 0], &[][..]), ([0, 0], &[DIRECTORY]), ([1, 1], &[DIRECTORY])] {
        let reading = link(flags);
        assert_eq!(of_rock(&reading, whole.len() as u64), causes, "{flags:?}");
        assert_eq!(rock(&reading)["A.BIN"], whole, "{flags:?}");
    }
}

#[test]
fn a_target_of_three_hundred_thousand_bytes() {
    // Five continuation areas of 30 sectors, each with a CE entry behind 235 SL entries.
    let entries = symbolic(1, &[b'x'; 250]).repeat(235);
    let (length, sectors) = (entries.len() + 28, 30);
    let mut area = entries.clone();
    area.resize(sectors * SECTOR, 0);
    let mut image = continued(&area.repeat(5), length as u32);
    let first = image.0.len() / SECTOR - 5 * sectors;
    for number in 0..4 {
        let at = (first + number * sectors) * SECTOR + entries.len();
        image.0[at..at + 4].copy_from_slice(b"CE\x1c\x01");
        image.set32(at + 4, (first + (number + 1) * sectors) as u32);
        image.set32(at + 20, length as u32);
    }
    let last = (first + 4 * sectors) * SECTOR + entries.len() - 255;
    image.0[last + 4] = 0;
    let reading = read_image(image.0);
    // 256 KiB of it are taken, and the link is named.
    assert_eq!(of_rock(&reading, 262_000), [Cause::ReadLimit(ReadLimit::Entries)]);
}

#[test]
fn names_that_hosts_read_differently() {
    for (at, byte) in [(0, b'/'), (0, 0)] {
        let mut image = rock(&[("A.BIN", 3000)]);
        let record = image.record("A.BIN;1");
        let name = image.entry(record, b"NM") + 5;
        image.0[name + at] = byte;
        assert_eq!(of_rock(&read_image(image.0), 3000), [DIRECTORY], "{byte}");
    }
    for flag in [2, 4] {
        let mut image = rock(&[("A.BIN", 3000)]);
        let record = image.record("A.BIN;1");
        let name = image.entry(record, b"NM");
        image.0[name + 4] = flag;
        assert_eq!(of_rock(&read_image(image.0), 3000), [DIRECTORY], "{flag}");
    }
}

#[test]
fn modes_that_contradict_the_record() {
    let mode = |value: u32| {
        let mut image = rock(&[("A.BIN", 3000)]);
        let record = image.record("A.BIN;1");
        let at = image.entry(record, b"PX");
        image.set32(at + 4, value);
        read_image(image.0)
    };
    assert_eq!(of_rock(&mode(0o040_755), 3000), [DIRECTORY]);
    for (value, kind, cause) in
        [(0o120_777, EntryKind::Link, DIRECTORY), (0o020_644, EntryKind::Other, Cause::NotRegularFile)]
    {
        let reading = mode(value);
        let rock = volume(&reading, Tree::RockRidge, 0);
        assert_eq!(reading.entries.iter().find(|entry| is_of(entry, rock)).unwrap().kind, kind);
        // A link without SL has no target.
        assert_eq!(of_rock(&reading, 0), [cause]);
        // What it holds is read all the same, by the plain tree.
        assert_eq!(contents(&files(&reading, Tree::Iso9660, 0)), contents(&small(&[("A", 3000)])));
    }
}

#[test]
fn folders_that_were_moved_nowhere() {
    let deep = "a/b/c/d/e/f/g/h/i/file.bin";
    let good = rock(&[(deep, 3000)]);
    let placeholder = good.record("A/B/C/D/E/F/G/H");
    let child = good.entry(placeholder, b"CL");
    for (block, cause) in [(0u32, DIRECTORY), (5_000_000, DIRECTORY), (good.u32(PRIMARY + 158) as u32, DIRECTORY)] {
        let mut image = good.clone();
        image.set32(child + 4, block);
        let reading = read_image(image.0);
        assert!(causes(&reading).contains(&cause), "{block}");
        assert_eq!(
            reading.contents.values().filter(|content| content.len() == 3000).count(),
            1,
            "the plain tree has it"
        );
    }
    // RE on a folder that nothing leads to hides it from hosts with Rock Ridge only.
    let mut image = rock(&[("SUB/A.BIN", 3000)]);
    let record = image.record("SUB");
    let stamp = image.entry(record, b"TF");
    image.0[stamp..stamp + 4].copy_from_slice(b"RE\x04\x01");
    image.0[stamp + 4..stamp + 6].copy_from_slice(b"ZZ");
    image.0[stamp + 6] = 22;
    let reading = read_image(image.0);
    assert_eq!(files(&reading, Tree::RockRidge, 0), BTreeMap::new());
    assert_eq!(files(&reading, Tree::Iso9660, 0).len(), 1);
}

#[test]
fn an_image_in_the_boot_catalogue_only() {
    let tree = small(&[("boot.bin", 20_000), ("file.bin", 9000)]);
    let boot = ["-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"];
    let mut image = Iso(made(XORRISO, &[&["-r"][..], &boot].concat(), &tree));
    let hidden = image.append(&[7; 5 * SECTOR]);
    let catalogue = image.u32(image.descriptor(0) + 71) * SECTOR;
    let good = image.clone();
    // A section of two more images, one of which is a file that a tree has, with its last sector.
    let section = catalogue + 64;
    image.0[section..section + 4].copy_from_slice(&[0x91, 0xef, 2, 0]);
    let known = image.u32(catalogue + 32 + 8) as u32;
    for (number, (block, count)) in [(hidden, 20u16), (known, 40)].into_iter().enumerate() {
        let entry = section + 32 * (number + 1);
        image.0[entry..entry + 2].copy_from_slice(&[0x88, 0]);
        image.0[entry + 6..entry + 8].copy_from_slice(&count.to_le_bytes());
        image.0[entry + 8..entry + 12].copy_from_slice(&block.to_le_bytes());
    }
    let whole = image.0[known as usize * SECTOR..][..20_480].to_vec();
    let reading = read_image(image.0);
    assert_eq!(reading.not_read, []);
    let boot: Vec<_> = reading.files(0).into_iter().filter(|(path, _)| path.starts_with("[boot]")).collect();
    let expected = [("[boot]/image 1".to_owned(), whole), ("[boot]/image 2".to_owned(), vec![7; 5 * SECTOR])];
    assert_eq!(boot, expected);
    // A catalogue whose checksum does not hold, and one outside of the volume.
    let mut image = good.clone();
    image.0[catalogue + 4] ^= 1;
    assert_eq!(causes(&read_image(image.0)), [Cause::Corrupt(Corruption::Checksum)]);
    let mut image = good;
    let record = image.descriptor(0) + 71;
    image.0[record..record + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(!read_image(image.0).not_read.is_empty());
}
