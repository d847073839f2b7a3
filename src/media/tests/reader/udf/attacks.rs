//! Volumes that lie: what is hidden is handed over or named.

use super::build::{Fid, Kind, MAIN, RESERVE, Style, Udf, compress, long, seal, tagged};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, Feature, ReadLimits, Subject};
use std::collections::BTreeMap;

const MARKER: &[u8] = b"X5O!P%@AP[4\\PZX54(P^)7CC)7} a marker that nothing may hide";
const BLOCK: usize = 2048;
const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const CHECKSUM: Cause = Cause::Corrupt(Corruption::Checksum);
const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const FILE_RECORD: Cause = Cause::Corrupt(Corruption::FileRecord);
const SECOND: Cause = Cause::Corrupt(Corruption::SecondFilesystem);
const CROSS_LINKED: Cause = Cause::Corrupt(Corruption::CrossLinked);
const UNREACHABLE: Cause = Cause::Corrupt(Corruption::Unreachable);
const FLAG: Cause = Cause::FeatureUnsupported(Feature::UnknownFlag);

/// A volume with the root folder's block, to be filled.
fn start() -> (Udf, u32) {
    let mut udf = Udf::new(Style::plain());
    let root = udf.structure(1);
    (udf, root)
}

/// A volume with one file of three blocks, its entry, and the root.
fn one_file() -> (Udf, u32, u32) {
    let (mut udf, root) = start();
    let icb = udf.file(&[7; 3 * BLOCK]);
    udf.folder(root, root, 4, &[Fid::file("FILE", icb)]);
    (udf, root, icb)
}

fn causes(reading: &Reading) -> Vec<&Cause> {
    reading.not_read.iter().map(|note| &note.cause).collect()
}

/// Whether the marker was handed over in some content.
fn hands_over(reading: &Reading) -> bool {
    reading.contents.values().any(|content| content.windows(MARKER.len()).any(|window| window == MARKER))
}

/// Changes a sealed structure and seals it again.
fn change(image: &mut [u8], at: usize, work: impl FnOnce(&mut [u8])) {
    work(&mut image[at..]);
    seal(&mut image[at..]);
}

#[test]
fn an_honest_volume_has_no_faults() {
    let (udf, root, _) = one_file();
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.not_read, []);
    assert!(reading.files(0)["FILE"] == vec![7; 3 * BLOCK]);
}

#[test]
fn anchors_that_disagree() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    let last = image.len() - BLOCK;
    change(&mut image, last, |anchor| anchor[20] = RESERVE as u8);
    let reading = read_image(image.clone());
    assert_eq!(causes(&reading), [&SECOND]);
    // With the first one gone, the next one is used.
    image[256 * BLOCK..257 * BLOCK].fill(0);
    let reading = read_image(image);
    assert!(reading.says(&SECOND) && reading.files(0).contains_key("FILE"));
}

#[test]
fn a_damaged_anchor_is_named_and_another_one_used() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    image[256 * BLOCK + 20] ^= 1;
    let reading = read_image(image);
    assert_eq!(causes(&reading), [&CHECKSUM]);
    assert!(reading.files(0).contains_key("FILE"));
}

#[test]
fn an_anchor_of_another_block_size() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    let mut anchor = image[256 * BLOCK..256 * BLOCK + 512].to_vec();
    anchor[20] = 200;
    seal(&mut anchor);
    image[256 * 1024..256 * 1024 + 512].copy_from_slice(&anchor);
    let reading = read_image(image);
    assert!(reading.says(&SECOND), "{:?}", reading.not_read);
}

#[test]
fn a_broken_main_sequence_and_a_reserve_that_leads_elsewhere() {
    let (mut udf, root) = start();
    let harmless = udf.file(b"harmless");
    udf.folder(root, root, 4, &[Fid::file("GOOD", harmless)]);
    let other = udf.structure(1);
    let marker = udf.file(MARKER);
    udf.folder(other, other, 4, &[Fid::file("EVIL", marker)]);
    udf.file_sets.push((other, None));
    let mut image = udf.finish(root);
    // The reserve sequence names the second file set.
    change(&mut image, (RESERVE as usize + 1) * BLOCK, |volume| volume[252] += 1);
    let reading = read_image(image.clone());
    assert!(reading.says(&SECOND) && reading.files(0).contains_key("GOOD"));
    image[(MAIN as usize + 1) * BLOCK + 300] ^= 1;
    let reading = read_image(image);
    assert!(reading.says(&CHECKSUM) && reading.files(0).contains_key("EVIL"));
}

#[test]
fn a_sequence_that_goes_on_where_it_came_from() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    for first in [MAIN, RESERVE] {
        let at = (first as usize + 4) * BLOCK;
        image[at..at + BLOCK].fill(0);
        image[at + 20..at + 24].copy_from_slice(&(16 * BLOCK as u32).to_le_bytes());
        image[at + 24..at + 28].copy_from_slice(&first.to_le_bytes());
        tagged(&mut image[at..at + BLOCK], 3, 3, first + 4, 512);
    }
    let reading = read_image(image);
    assert_eq!(causes(&reading), [&CHAIN, &CHAIN]);
    assert!(reading.files(0).contains_key("FILE"));
}

#[test]
fn two_logical_volumes_of_the_same_age() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    for first in [MAIN, RESERVE] {
        let (from, to) = ((first as usize + 1) * BLOCK, (first as usize + 4) * BLOCK);
        image.copy_within(from..from + BLOCK, to);
        change(&mut image, to, |volume| {
            volume[12] += 3;
            volume[252] += 1;
        });
    }
    assert!(read_image(image).says(&SECOND));
}

#[test]
fn descriptors_that_go_in_a_circle() {
    let style = Style { block: 512, blocks: 4000, piece: Some(1), ..Style::plain() };
    let mut udf = Udf::new(style);
    let root = udf.structure(1);
    let icb = udf.file(&[7; 100 * 512]);
    udf.folder(root, root, 4, &[Fid::file("FILE", icb)]);
    let first = read_image(udf.image.clone());
    assert_eq!(first.entries.len(), 0, "not finished yet");
    let at = udf.structure_at(icb);
    let chained = udf.image[at + 216 + 36 * 8..at + 216 + 37 * 8].to_vec();
    assert_eq!(chained[3] >> 6, 3, "the last descriptor goes on elsewhere");
    let next = u32::from_le_bytes(chained[4..8].try_into().unwrap());
    let more = udf.structure_at(next);
    let length = udf.image[more + 20..more + 24].try_into().map(u32::from_le_bytes).unwrap() as usize;
    udf.image[more + 24 + length - 8..more + 24 + length].copy_from_slice(&chained);
    seal(&mut udf.image[more..]);
    let reading = read_image(udf.finish(root));
    let notes = reading.notes("FILE");
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].2, CHAIN);
}

#[test]
fn extents_outside_of_the_partition() {
    let (mut udf, root, icb) = one_file();
    let at = udf.structure_at(icb);
    let descriptors = |list: &[(u32, u32)]| -> Vec<u8> {
        list.iter().flat_map(|(length, block)| [length.to_le_bytes(), block.to_le_bytes()].concat()).collect()
    };
    let first = u32::from_le_bytes(udf.image[at + 220..at + 224].try_into().unwrap());
    let list = descriptors(&[(BLOCK as u32, 1_000_000), (BLOCK as u32, first), (BLOCK as u32, u32::MAX)]);
    change(&mut udf.image, at, |entry| {
        entry[212] = 24;
        entry[216..240].copy_from_slice(&list);
    });
    let reading = read_image(udf.finish(root));
    let block = BLOCK as u64;
    assert_eq!(reading.notes("FILE"), [(0, block, CHAIN), (2 * block, block, CHAIN)]);
    let expected = [vec![0; BLOCK], vec![7; BLOCK]].concat();
    assert!(reading.files(0)["FILE"] == expected);
}

#[test]
fn a_size_beyond_everything() {
    for size in [1u64 << 63, u64::MAX, 3 * BLOCK as u64 + 1] {
        let (mut udf, root, icb) = one_file();
        let at = udf.structure_at(icb);
        change(&mut udf.image, at, |entry| entry[56..64].copy_from_slice(&size.to_le_bytes()));
        let reading = read_image(udf.finish(root));
        let here = 3 * BLOCK as u64;
        // Only the last extent may end within a block, and it ends there.
        assert_eq!(reading.notes("FILE"), [(here, size - here, CHAIN)]);
        assert!(reading.files(0)["FILE"] == vec![7; 3 * BLOCK]);
    }
}

#[test]
fn holes_are_zeros() {
    let (mut udf, root, icb) = one_file();
    let at = udf.structure_at(icb);
    let first = udf.image[at + 220..at + 224].to_vec();
    let recorded = |length: u32| [length.to_le_bytes().to_vec(), first.clone()].concat();
    let hole = |length: u32, kind: u32| [(length | kind << 30).to_le_bytes(), [0; 4]].concat();
    let block = BLOCK as u32;
    let list = [hole(block, 2), recorded(block), hole(100, 2)].concat();
    change(&mut udf.image, at, |entry| {
        entry[56..64].copy_from_slice(&(2 * BLOCK as u64 + 100).to_le_bytes());
        entry[212] = 24;
        entry[216..240].copy_from_slice(&list);
    });
    let reading = read_image(udf.finish(root));
    // What is left of the file's old blocks holds no entry.
    assert_eq!(reading.not_read, []);
    let expected = [vec![0; BLOCK], vec![7; BLOCK], vec![0; 100]].concat();
    assert!(reading.files(0)["FILE"] == expected);
}

#[test]
fn descriptors_behind_their_end() {
    let (mut udf, root, icb) = one_file();
    let at = udf.structure_at(icb);
    let first = udf.image[at + 216..at + 224].to_vec();
    change(&mut udf.image, at, |entry| {
        entry[212] = 24;
        entry[224..232].fill(0);
        entry[232..240].copy_from_slice(&first);
    });
    let reading = read_image(udf.finish(root));
    assert!(reading.says(&Cause::Corrupt(Corruption::Allocation)));
}

#[test]
fn files_that_overlap_and_files_that_share() {
    let (mut udf, root, icb) = one_file();
    let at = udf.structure_at(icb);
    let first = u32::from_le_bytes(udf.image[at + 220..at + 224].try_into().unwrap());
    let mut second = udf.content(b"", &[]);
    second.size = 2 * BLOCK as u64;
    second.descriptors = [(2 * BLOCK as u32).to_le_bytes(), (first + 1).to_le_bytes()].concat();
    second.allocation = 0;
    let (crossed, same) = (udf.structure(1), udf.structure(1));
    udf.entry(crossed, &second);
    second.size = 3 * BLOCK as u64;
    second.descriptors = [(3 * BLOCK as u32).to_le_bytes(), first.to_le_bytes()].concat();
    udf.entry(same, &second);
    let list = [Fid::file("A", icb), Fid::file("B", same), Fid::file("C", icb), Fid::file("D", crossed)];
    udf.folder(root, root, 4, &list);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.notes("D"), [(0, 2 * BLOCK as u64, CROSS_LINKED)]);
    assert_eq!(reading.not_read.len(), 1);
    let first = Some(reading.find("A"));
    for name in ["B", "C"] {
        assert_eq!(reading.entries[reading.find(name) as usize].same_as, first, "{name}");
    }
}

#[test]
fn folders_in_a_circle() {
    let (mut udf, root) = start();
    let folder = udf.structure(1);
    let icb = udf.file(MARKER);
    let below = [Fid::folder("UP", root), Fid::folder("SELF", folder), Fid::file("FILE", icb)];
    udf.folder(folder, root, 4, &below);
    udf.folder(root, root, 4, &[Fid::folder("A", folder)]);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.notes("A/UP"), [(0, 0, DIRECTORY)]);
    assert_eq!(reading.notes("A/SELF"), [(0, 0, DIRECTORY)]);
    assert!(hands_over(&reading) && reading.entries.len() == 4);
}

#[test]
fn names_that_are_none() {
    let (mut udf, root) = start();
    let mut list = Vec::new();
    let names: [Vec<u8>; 6] =
        [vec![], vec![8], vec![7, b'A'], vec![16, 0, b'B', 0], vec![254, b'C'], vec![255, 0, b'D']];
    for name in names {
        let icb = udf.file(MARKER);
        list.push(Fid { name, characteristics: 0, icb });
    }
    udf.folder(root, root, 4, &list);
    let reading = read_image(udf.finish(root));
    assert_eq!((reading.entries.len(), reading.contents.len()), (6, 6));
    let subjects: Vec<_> = reading.not_read.iter().map(|note| (note.subject, &note.cause)).collect();
    let expected: Vec<_> = (0..6).map(|number| (Subject::Entry(number), &DIRECTORY)).collect();
    assert_eq!(subjects, expected);
}

#[test]
fn long_names_and_lone_surrogates() {
    let (mut udf, root) = start();
    let icb = udf.file(MARKER);
    let wide: Vec<u8> = std::iter::once(16).chain([0xd8, 0x00].repeat(127)).collect();
    let narrow: Vec<u8> = std::iter::once(8).chain([0xe9].repeat(254)).collect();
    let list = [wide, narrow].map(|name| Fid { name, characteristics: 1, icb });
    udf.folder(root, root, 4, &list);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.entries[0].name, [0xed, 0xa0, 0x80].repeat(127));
    assert_eq!(reading.entries[1].name, "é".repeat(254).as_bytes());
    assert!(reading.entries[0].attributes.hidden);
    assert_eq!(reading.entries[1].same_as, Some(0));
}

#[test]
fn names_that_windows_cannot_tell_apart() {
    let (mut udf, root) = start();
    let (one, two) = (udf.file(b"one"), udf.file(MARKER));
    udf.folder(root, root, 4, &[Fid::file("Été", one), Fid::file("ÉTÉ", two)]);
    let reading = read_image(udf.finish(root));
    assert_eq!(causes(&reading), [&Cause::AmbiguousNames]);
    assert!(hands_over(&reading));
}

#[test]
fn a_deleted_entry_whose_file_is_still_there() {
    let (mut udf, root) = start();
    let icb = udf.file(MARKER);
    udf.folder(root, root, 4, &[Fid { name: compress("GONE"), characteristics: 4, icb }]);
    let reading = read_image(udf.finish(root));
    assert_eq!((reading.entries.len(), causes(&reading)), (0, vec![&UNREACHABLE]));
}

#[test]
fn an_entry_that_no_folder_names() {
    for style in [Style::plain(), Style { metadata: true, blocks: 6000, revision: 0x0250, ..Style::plain() }] {
        for bitmap in [true, false] {
            let mut udf = Udf::new(style);
            let root = udf.structure(1);
            let icb = udf.file(MARKER);
            let position = udf.structure_at(icb) as u64;
            udf.folder(root, root, 4, &[]);
            udf.bitmap = bitmap;
            let reading = read_image(udf.finish(root));
            let found: Vec<_> = reading.not_read.iter().map(|note| (note.offset, &note.cause)).collect();
            assert_eq!(found, [(position, &UNREACHABLE)], "{style:?} {bitmap}");
        }
    }
}

#[test]
fn a_second_parent_hides_nothing() {
    let (mut udf, root) = start();
    let icb = udf.file(MARKER);
    udf.folder(root, root, 4, &[Fid { name: compress("X"), characteristics: 8, icb }]);
    let reading = read_image(udf.finish(root));
    assert!(reading.says(&DIRECTORY) && reading.says(&UNREACHABLE));
}

#[test]
fn streams_and_embedded_files_are_handed_over() {
    for kind in [Kind::Short, Kind::Embedded] {
        let mut udf = Udf::new(Style { kind, ..Style::plain() });
        let root = udf.structure(1);
        let (icb, streams, stream) = (udf.structure(1), udf.structure(1), udf.structure(1));
        let content = udf.content(MARKER, &[]);
        udf.entry(stream, &content);
        udf.folder(streams, icb, 13, &[Fid::file("zone é", stream)]);
        let mut owner = udf.content(b"owner", &[]);
        owner.streams = Some(streams);
        udf.entry(icb, &owner);
        let folder = udf.structure(1);
        let mut empty = udf.folder(folder, root, 4, &[]);
        let (again, list) = (udf.file(MARKER), udf.structure(1));
        udf.folder(list, folder, 13, &[Fid::file("of folder", again)]);
        empty.streams = Some(list);
        udf.entry(folder, &empty);
        udf.folder(root, root, 4, &[Fid::file("FILE", icb), Fid::folder("FOLDER", folder)]);
        let reading = read_image(udf.finish(root));
        assert_eq!(reading.not_read, [], "{kind:?}");
        let files = reading.files(0);
        assert_eq!(files.keys().collect::<Vec<_>>(), ["FILE", "FILE:zone é", "FOLDER:of folder"]);
        assert_eq!((files["FILE:zone é"].as_slice(), files["FOLDER:of folder"].as_slice()), (MARKER, MARKER));
        assert_eq!(reading.entries[reading.find("FILE:zone é") as usize].kind, EntryKind::Stream);
    }
}

#[test]
fn streams_of_the_root_and_of_the_volume() {
    let (mut udf, root) = start();
    let mut entry = udf.folder(root, root, 4, &[]);
    for (name, of_root) in [("of root", true), ("of volume", false)] {
        let (list, stream) = (udf.structure(1), udf.file(MARKER));
        udf.folder(list, root, 13, &[Fid { name: compress(name), characteristics: 16, icb: stream }]);
        if of_root {
            entry.streams = Some(list);
        } else {
            udf.system_streams = Some(list);
        }
    }
    udf.entry(root, &entry);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0).into_keys().collect::<Vec<_>>(), ["of root", "of volume"]);
}

#[test]
fn a_stream_folder_that_is_none() {
    let (mut udf, root, icb) = one_file();
    let mut entry = udf.content(b"owner", &[]);
    entry.streams = Some(icb);
    let owner = udf.structure(1);
    udf.entry(owner, &entry);
    udf.folder(root, root, 4, &[Fid::file("OWNER", owner), Fid::file("FILE", icb)]);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.notes("OWNER"), [(0, 0, FILE_RECORD)]);
}

/// The space of extended attributes with one for implementation use.
fn attributes(data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0u8; 24 + 48];
    bytes[24..28].copy_from_slice(&2048u32.to_le_bytes());
    bytes[28] = 1;
    bytes[32..36].copy_from_slice(&(48 + data.len() as u32).to_le_bytes());
    bytes[36..40].copy_from_slice(&(data.len() as u32).to_le_bytes());
    bytes[41..53].copy_from_slice(b"*UDF OS/2 EA");
    bytes.extend(data);
    bytes[16] = 24;
    let end = bytes.len() as u32;
    bytes[20..24].copy_from_slice(&end.to_le_bytes());
    tagged(&mut bytes, 262, 3, 0, 24);
    bytes
}

#[test]
fn large_attributes_are_handed_over() {
    let (mut udf, root) = start();
    let (icb, small) = (udf.structure(1), udf.structure(1));
    let data = [MARKER, MARKER].concat();
    let entry = udf.content(b"content", &attributes(&data));
    udf.entry(icb, &entry);
    let entry = udf.content(b"content", &attributes(&[1; 32]));
    udf.entry(small, &entry);
    udf.folder(root, root, 4, &[Fid::file("FILE", icb), Fid::file("SMALL", small)]);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0)["FILE:attribute *UDF OS/2 EA"], data);
    assert_eq!(reading.entries.len(), 3);
}

#[test]
fn a_file_of_attributes_is_handed_over() {
    let (mut udf, root, icb) = one_file();
    let other = udf.structure(1);
    let mut entry = udf.content(MARKER, &[]);
    entry.file_type = 8;
    udf.entry(other, &entry);
    let at = udf.structure_at(icb);
    change(&mut udf.image, at, |entry| entry[136..152].copy_from_slice(&long(BLOCK as u32, other, 0)));
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0)["FILE:attributes"], MARKER);
}

#[test]
fn a_chain_of_versions_is_named() {
    let (mut udf, root, icb) = one_file();
    let mut entry = udf.content(MARKER, &[]);
    entry.strategy = 4096;
    udf.entry(icb, &entry);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.notes("FILE"), [(0, 0, FLAG)]);
    assert!(hands_over(&reading));
}

#[test]
fn a_second_file_set() {
    let (mut udf, root, icb) = one_file();
    let other = udf.structure(1);
    udf.folder(other, other, 4, &[Fid::file("EVIL", icb)]);
    udf.file_sets.push((other, None));
    let reading = read_image(udf.finish(root));
    assert!(reading.says(&SECOND));
    assert!(reading.files(0).contains_key("FILE"));
}

#[test]
fn checksums_that_do_not_hold() {
    let (mut udf, root, icb) = one_file();
    let at = udf.structure_at(icb);
    udf.image[at + 90] ^= 1;
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.notes("FILE"), [(0, 3 * BLOCK as u64, CHECKSUM)]);
    assert!(reading.files(0)["FILE"] == vec![7; 3 * BLOCK]);
    // An identifier, which is a part of the embedded folder: the folder is named, and what it says still believed.
    let (mut udf, root, _) = one_file();
    let at = udf.structure_at(root) + 216 + 40;
    assert_eq!(&udf.image[at + 39..at + 43], b"FILE");
    udf.image[at + 39] = b'P';
    let reading = read_image(udf.finish(root));
    assert_eq!(causes(&reading), [&CHECKSUM, &DIRECTORY]);
    assert!(reading.files(0).contains_key("PILE"));
}

#[test]
fn entries_that_are_none() {
    let (mut udf, root) = start();
    let (empty, file) = (udf.structure(1), udf.file(MARKER));
    let mut moved = udf.content(MARKER, &[]);
    moved.file_type = 11;
    let odd = udf.structure(1);
    udf.entry(odd, &moved);
    let list =
        [Fid::file("EMPTY", empty), Fid::folder("NO FOLDER", file), Fid::file("ODD", odd), Fid::file("FAR", 5_000_000)];
    udf.folder(root, root, 4, &list);
    let reading = read_image(udf.finish(root));
    for name in ["EMPTY", "NO FOLDER", "ODD", "FAR"] {
        assert_eq!(reading.notes(name), [(0, 0, FILE_RECORD)], "{name}");
    }
    assert_eq!(reading.files(0)["NO FOLDER"], MARKER);
    assert_eq!(reading.files(0)["ODD"], MARKER);
}

#[test]
fn what_is_no_file_is_listed() {
    let (mut udf, root) = start();
    let mut list = Vec::new();
    for (file_type, name) in [(6, "BLOCK"), (7, "CHARACTER"), (9, "PIPE"), (10, "SOCKET"), (12, "LINK"), (249, "FILM")]
    {
        let icb = udf.structure(1);
        let mut entry = udf.content(MARKER, &[]);
        entry.file_type = file_type;
        udf.entry(icb, &entry);
        list.push(Fid::file(name, icb));
    }
    udf.folder(root, root, 4, &list);
    let reading = read_image(udf.finish(root));
    for name in ["BLOCK", "CHARACTER", "PIPE", "SOCKET"] {
        assert_eq!(reading.notes(name), [(0, 0, Cause::NotRegularFile)], "{name}");
    }
    assert_eq!(reading.links(0), BTreeMap::from([("LINK".to_owned(), MARKER.to_vec())]));
    assert_eq!(reading.files(0)["FILM"], MARKER);
    assert_eq!(reading.not_read.len(), 4);
}

/// A symbolic link; returns its entry.
fn link(udf: &mut Udf, components: &[u8], links: u16) -> u32 {
    let icb = udf.structure(1);
    let mut entry = udf.content(components, &[]);
    (entry.file_type, entry.links) = (12, links);
    udf.entry(icb, &entry);
    icb
}

#[test]
fn the_target_of_a_link_are_its_path_components() {
    // "/", "..", "a" and a name of two blocks (4/14.16.1): type, length, version of the component file, identifier.
    let name = compress(&"n".repeat(200));
    let mut components = [&[2, 0, 0, 0][..], &[3, 0, 0, 0], &[5, 2, 0, 0, 8, b'a']].concat();
    for _ in 0..20 {
        components.extend([&[5, name.len() as u8, 0, 0], &name[..]].concat());
    }
    for kind in [Kind::Short, Kind::Long, Kind::Embedded] {
        let mut udf = Udf::new(Style { kind, ..Style::plain() });
        let root = udf.structure(1);
        let (short, long) = (link(&mut udf, &components[..14], 1), link(&mut udf, &components, 2));
        let file = udf.file(MARKER);
        let list =
            [Fid::file("FILE", file), Fid::file("SHORT", short), Fid::file("LONG", long), Fid::file("AGAIN", long)];
        udf.folder(root, root, 4, &list);
        let reading = read_image(udf.finish(root));
        assert_eq!(reading.not_read, [], "{kind:?}");
        let expected = [("AGAIN", &components[..]), ("LONG", &components), ("SHORT", &components[..14])];
        assert_eq!(reading.links(0), expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).into());
        let again = &reading.entries[reading.find("AGAIN") as usize];
        assert_eq!(again.same_as, Some(reading.find("LONG")), "{kind:?}");
    }
    let (mut udf, root) = start();
    let empty = link(&mut udf, b"", 1);
    udf.folder(root, root, 4, &[Fid::file("EMPTY", empty)]);
    assert_eq!(read_image(udf.finish(root)).notes("EMPTY"), [(0, 0, FILE_RECORD)]);
}

#[test]
fn a_link_and_a_file_in_one_place_are_two_contents() {
    let (mut udf, root) = start();
    let file = udf.structure(1);
    let entry = udf.content(MARKER, &[]);
    udf.entry(file, &entry);
    let other = udf.structure(1);
    udf.entry(other, &super::build::Entry { file_type: 12, ..entry });
    udf.folder(root, root, 4, &[Fid::file("FILE", file), Fid::file("LINK", other)]);
    let reading = read_image(udf.finish(root));
    assert_eq!(reading.contents.values().filter(|content| *content == MARKER).count(), 2);
    assert_eq!(reading.links(0)["LINK"], MARKER);
}

#[test]
fn a_mirror_that_says_something_else() {
    let mut udf = Udf::new(Style { metadata: true, blocks: 6000, revision: 0x0250, ..Style::plain() });
    let root = udf.structure(1);
    let icb = udf.file(MARKER);
    udf.folder(root, root, 4, &[Fid::file("FILE", icb)]);
    let at = udf.structure_at(root);
    let mut image = udf.finish(root);
    let entry = image[at..at + BLOCK].to_vec();
    let copy = (at + BLOCK..image.len()).step_by(BLOCK).find(|place| image[*place..place + BLOCK] == entry).unwrap();
    change(&mut image, copy, |entry| entry[100] ^= 1);
    assert_eq!(causes(&read_image(image)), [&SECOND]);
}

#[test]
fn a_broken_metadata_file_leaves_its_mirror() {
    let mut udf = Udf::new(Style { metadata: true, blocks: 6000, revision: 0x0250, ..Style::plain() });
    let tree = BTreeMap::from([("A/FILE".to_owned(), MARKER.to_vec())]);
    let root = udf.tree(&tree);
    let first = udf.at(0);
    let mut image = udf.finish(root);
    image[first + 60] ^= 1;
    let reading = read_image(image);
    assert_eq!(causes(&reading), [&FILE_RECORD]);
    assert_eq!(reading.files(0), tree);
}

#[test]
fn a_partition_map_of_an_unknown_kind() {
    let mut udf = Udf::new(Style { metadata: true, blocks: 6000, revision: 0x0250, ..Style::plain() });
    let root = udf.tree(&BTreeMap::from([("FILE".to_owned(), MARKER.to_vec())]));
    let mut image = udf.finish(root);
    for first in [MAIN, RESERVE] {
        change(&mut image, (first as usize + 1) * BLOCK, |volume| volume[460] = b'X');
    }
    let reading = read_image(image);
    assert!(reading.says(&Cause::FeatureUnsupported(Feature::PartitionMap)));
    assert_eq!(reading.entries.len(), 0);
}

#[test]
fn a_domain_that_is_not_osta() {
    let (udf, root, _) = one_file();
    let mut image = udf.finish(root);
    for first in [MAIN, RESERVE] {
        change(&mut image, (first as usize + 1) * BLOCK, |volume| volume[220] = b'X');
    }
    let reading = read_image(image);
    assert_eq!(causes(&reading), [&FLAG]);
    assert!(reading.files(0).contains_key("FILE"));
}

#[test]
fn an_unreadable_entry_costs_itself_only() {
    let (mut udf, root) = start();
    let list: Vec<Fid> = (0..20).map(|number| Fid::file(&format!("F{number}"), udf.file(MARKER))).collect();
    udf.folder(root, root, 4, &list);
    let bad = udf.structure_at(list[7].icb) as u64;
    let mut source = MemorySource::new(udf.finish(root));
    source.unreadable = vec![bad..bad + 512];
    let reading = read_with(&source, ReadLimits::default());
    assert_eq!(reading.notes("F7"), [(0, 0, Cause::Unreadable)]);
    assert_eq!((reading.not_read.len(), reading.entries.len()), (1, 20));
}

#[test]
fn a_hole_in_the_middle_of_a_folder() {
    let (mut udf, root) = start();
    let list: Vec<Fid> = (0..200).map(|number| Fid::file(&format!("file number {number}"), udf.file(MARKER))).collect();
    udf.folder(root, root, 4, &list);
    let at = udf.structure_at(root);
    let start = u32::from_le_bytes(udf.image[at + 220..at + 224].try_into().unwrap());
    let middle = udf.at(start + 2);
    udf.image[middle + 300..middle + 500].fill(0xff);
    let reading = read_image(udf.finish(root));
    assert!(reading.says(&DIRECTORY));
    assert!((190..200).contains(&reading.entries.len()), "{}", reading.entries.len());
}

#[test]
fn folders_that_share_their_extents_do_not_multiply_the_medium() {
    let style = Style { blocks: 20_000, ..Style::plain() };
    let mut udf = Udf::new(style);
    let root = udf.structure(1);
    let (large, icb) = (udf.structure(1), udf.file(MARKER));
    let many: Vec<Fid> = (0..200_000).map(|_| Fid { name: compress("GONE"), characteristics: 4, icb }).collect();
    let entry = udf.folder(large, root, 4, &many);
    let mut list = vec![Fid::folder("LARGE", large)];
    for number in 0..2000 {
        let icb = udf.structure(1);
        udf.entry(icb, &entry);
        list.push(Fid::folder(&format!("D{number}"), icb));
    }
    udf.folder(root, root, 4, &list);
    let source = MemorySource::new(udf.finish(root));
    let reading = read_with(&source, ReadLimits::default());
    assert!(reading.says(&CROSS_LINKED));
    let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
    assert!(read < 4 * source.bytes.len() as u64 + (80 << 20), "{read}");
}

#[test]
fn files_that_share_their_streams_do_not_multiply_the_medium() {
    let (mut udf, root) = start();
    let (icb, streams) = (udf.structure(1), udf.structure(1));
    let list: Vec<Fid> = (0..30).map(|number| Fid::file(&format!("s{number}"), udf.file(MARKER))).collect();
    udf.folder(streams, icb, 13, &list);
    let mut owner = udf.content(b"owner", &[]);
    owner.streams = Some(streams);
    udf.entry(icb, &owner);
    let names: Vec<Fid> = (0..10_000).map(|number| Fid::file(&format!("f{number}"), icb)).collect();
    udf.folder(root, root, 4, &names);
    let source = MemorySource::new(udf.finish(root));
    let reading = read_with(&source, ReadLimits::default());
    assert!(reading.says(&CROSS_LINKED));
    let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
    assert!(read < 8 * source.bytes.len() as u64 + (80 << 20), "{read}");
}

/// A host with larger sectors looks for its anchor where this volume keeps the content of a file.
#[test]
fn a_volume_of_another_block_size_within_a_file() {
    let (mut inner, inner_root) = start();
    let icb = inner.file(MARKER);
    inner.folder(inner_root, inner_root, 4, &[Fid::file("HIDDEN", icb)]);
    let inner = inner.finish(inner_root);
    let mut outer = Udf::new(Style { block: 512, blocks: 16_384, ..Style::plain() });
    // The first content begins behind the anchor; everything of the inner volume lies behind that.
    let (from, to) = (outer.at(0), inner.len());
    let mut content = vec![0; 5 << 20];
    content[..to - from].copy_from_slice(&inner[from..]);
    let entry = outer.content(&content, &[]);
    let icb = outer.structure(1);
    outer.entry(icb, &entry);
    let root = outer.structure(1);
    outer.folder(root, root, 4, &[Fid::file("FILE", icb)]);
    let reading = read_image(outer.finish(root));
    assert!(reading.files(0)["FILE"] == content);
    let anchor = 256 * BLOCK as u64;
    assert!(
        reading.not_read.iter().any(|note| note.cause == SECOND && note.offset == anchor),
        "{:?}",
        reading.not_read
    );
}
