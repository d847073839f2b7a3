//! Volumes that lie: what they hide is handed over or named as a fault.

use super::edit::{Edit, MARKER, MIB, PLAIN};
use super::{Mount, ext, notes, text};
use crate::images::run;
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, Feature, ReadLimit, ReadLimits, Subject};
use std::collections::BTreeMap;
use std::fs;

const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const RECORD: Cause = Cause::Corrupt(Corruption::FileRecord);
const CHECKSUM: Cause = Cause::Corrupt(Corruption::Checksum);
const CROSS_LINKED: Cause = Cause::Corrupt(Corruption::CrossLinked);
const UNREACHABLE: Cause = Cause::Corrupt(Corruption::Unreachable);

fn causes(reading: &Reading) -> Vec<Cause> {
    reading.not_read.iter().map(|note| note.cause.clone()).collect()
}

/// Whether some content holds the marker.
fn marked(reading: &Reading) -> Vec<String> {
    let files = reading.files(0);
    let holds = |content: &[u8]| content.windows(MARKER.len()).any(|window| window == MARKER);
    files.into_iter().filter(|(_, content)| holds(content)).map(|(path, _)| path).collect()
}

/// The first words of i_block: a header with so many entries, and these entries.
fn tree(volume: Edit, file: &str, depth: u32, entries: &[[u32; 3]]) -> Edit {
    let mut words = vec![0xf30a | (entries.len() as u32) << 16, 4 | depth << 16, 0];
    words.extend(entries.iter().flatten());
    let set = |(number, word): (usize, &u32)| format!("sif {file} block[{number}] {word}\n");
    volume.debugfs(&words.iter().enumerate().map(set).collect::<String>())
}

#[test]
fn an_extent_tree_that_is_its_own_child() {
    let volume = Edit::new(PLAIN, &[("f", 3000), ("node", 1024)]);
    let block = volume.block("/node", 0);
    // An index of depth 1 whose only entry is itself.
    let node = [0xf30au16 as u32 | 1 << 16, 84 | 1 << 16, 0, 0, block as u32, 0];
    let bytes: Vec<u8> = node.iter().flat_map(|word| word.to_le_bytes()).collect();
    let place = volume.place("/node", 0);
    for depth in [1, 2, 5] {
        let volume = tree(Edit::of(volume.bytes.clone()).put(place, &bytes), "/f", depth, &[[0, block as u32, 0]]);
        let reading = volume.read();
        assert!(reading.notes("f").contains(&(0, 3000, CHAIN)), "{depth}: {:?}", notes(&reading));
        assert!(reading.notes("node").contains(&(0, 1024, CROSS_LINKED)) || reading.says(&CROSS_LINKED), "{depth}");
    }
}

#[test]
fn extents_outside_of_the_volume_or_in_each_other() {
    let volume = Edit::new(PLAIN, &[("f", 3000), ("other", 3000)]);
    let block = volume.block("/f", 0) as u32;
    let with = |entries: &[[u32; 3]], depth| tree(Edit::of(volume.bytes.clone()), "/f", depth, entries).read();
    assert_eq!(with(&[[0, 3, 0xffff_ff00]], 0).notes("f"), [(0, 3000, CHAIN)]);
    assert_eq!(with(&[[0, 3, 6143]], 0).notes("f"), [(0, 3000, CHAIN)]);
    assert_eq!(with(&[[0, 3, 0]], 0).notes("f"), [(0, 3000, CHAIN)]);
    assert_eq!(with(&[[0, 3, block]], 60_000).notes("f"), [(0, 3000, CHAIN)]);
    assert_eq!(with(&[[0, 3, block]], 6).notes("f"), [(0, 3000, CHAIN)]);
    let twice = with(&[[0, 2, block], [1, 2, block + 1]], 0);
    assert_eq!(twice.notes("f"), [(1024, 1976, CHAIN)]);
    assert_eq!(twice.files(0)["f"].len(), 2048);
    let third = volume.block("/f", 2) as u32;
    let backwards = with(&[[2, 1, third], [0, 2, block]], 0);
    assert_eq!(backwards.notes("f"), [(0, 2048, CHAIN)]);
    let other = volume.block("/other", 0) as u32;
    let crossed = with(&[[0, 3, other]], 0);
    assert!(crossed.says(&CROSS_LINKED));
    assert_eq!(crossed.files(0)["f"], crossed.files(0)["other"]);
}

#[test]
fn blocks_of_the_filesystem_itself_are_no_content() {
    let volume = Edit::new(PLAIN, &[("f", 3000)]);
    // The superblock of a volume with blocks of 1 KiB.
    let reading = tree(volume, "/f", 0, &[[0, 1, 1]]).read();
    assert!(reading.notes("f").contains(&(0, 1024, CROSS_LINKED)), "{:?}", notes(&reading));
}

#[test]
fn an_indirect_block_that_is_its_own_child() {
    let volume = Edit::new("-t ext2 -b 1024", &[("f", 40 * 1024), ("node", 1024)]);
    let (block, place) = (volume.block("/node", 0), volume.place("/node", 0));
    for pointer in ["IND", "DIND", "TIND"] {
        let mut changed = Edit::of(volume.bytes.clone()).debugfs(&format!("sif /f block[{pointer}] {block}\n"));
        for entry in changed.bytes[place..place + 1024].chunks_mut(4) {
            entry.copy_from_slice(&(block as u32).to_le_bytes());
        }
        let reading = changed.read();
        let said: Vec<_> = reading.notes("f").into_iter().map(|(_, _, cause)| cause).collect();
        assert!(said.contains(&CROSS_LINKED) || said.contains(&CHAIN), "{pointer}: {said:?}");
        assert!(reading.messages < 1000 && reading.not_read.len() < 200);
    }
}

#[test]
fn sizes_that_cannot_be() {
    let volume = Edit::new(PLAIN, &[("f", 3000), ("other", 10)]);
    for size in [1u64 << 63, u64::MAX, 1 << 62] {
        let reading = Edit::of(volume.bytes.clone()).debugfs(&format!("sif /f size {size}\n")).read();
        assert_eq!(reading.notes("f"), [(3072, size - 3072, RECORD)]);
        assert_eq!(reading.files(0)["f"].len(), 3072);
        assert_eq!(reading.files(0)["other"].len(), 10);
    }
    let size = 100u64 << 30;
    let reading = Edit::of(volume.bytes.clone()).debugfs(&format!("sif /f size {size}\n")).read();
    assert_eq!(reading.notes("f"), [(0, size, Cause::ReadLimit(ReadLimit::Bytes))]);
    let old = Edit::new("-t ext2", &[("f", 3000)]).debugfs(&format!("sif /f size {size}\n")).read();
    assert_eq!(old.notes("f"), [(0, size, Cause::ReadLimit(ReadLimit::Bytes))]);
}

#[test]
fn a_sparse_file_is_read_as_what_it_shows() {
    let volume = Edit::new(PLAIN, &[("f", 3000)]).debugfs("sif /f size 5000000\n");
    let reading = volume.read();
    assert_eq!(notes(&reading), [""; 0]);
    let content = &reading.files(0)["f"];
    assert_eq!((content.len(), content[3071], content[3072..].iter().any(|byte| *byte != 0)), (5_000_000, 0, false));
}

#[test]
fn record_lengths_that_lie() {
    let volume = Edit::new(PLAIN, &[("d/first", 10), ("d/second", 20), ("d/third", 30)]);
    let place = volume.entry("/d", "second");
    for length in [0u8, 4, 8, 11, 13] {
        let reading = Edit::of(volume.bytes.clone()).put(place + 4, &[length, 0]).read();
        assert_eq!(reading.notes("d"), [(0, 0, DIRECTORY)]);
        assert!(reading.says(&UNREACHABLE), "what stood behind is named");
    }
    let reading = Edit::of(volume.bytes.clone()).put(place + 4, &[0, 8]).read();
    assert_eq!(reading.notes("d"), [(0, 0, DIRECTORY)]);
    // A record that swallows the next one hides its file.
    let reading = Edit::of(volume.bytes.clone()).put(place + 4, &[32, 0]).read();
    assert_eq!(causes(&reading).iter().filter(|cause| **cause == UNREACHABLE).count(), 1);
}

#[test]
fn names_that_no_host_can_use() {
    let volume = Edit::new(PLAIN, &[("d/name1", 10), ("d/name2", 20), ("d/x", 5)]);
    let name = volume.entry("/d", "name1") + 8;
    for odd in [b"na/me", b"na\0me"] {
        let reading = Edit::of(volume.bytes.clone()).put(name, odd).read();
        assert_eq!(causes(&reading), [DIRECTORY]);
        assert_eq!(reading.contents.len(), 3);
    }
    let reading = Edit::of(volume.bytes.clone()).put(name, b"name2").read();
    assert_eq!(causes(&reading), [Cause::AmbiguousNames]);
    assert_eq!(reading.contents.len(), 3, "both are handed over");
    let dot = volume.entry("/d", "x");
    let reading = Edit::of(volume.bytes.clone()).put(dot + 8, b".").read();
    assert_eq!(reading.notes("d"), [(0, 0, DIRECTORY)]);
    assert!(reading.says(&UNREACHABLE), "its file is named");
    let empty = Edit::of(volume.bytes.clone()).put(dot + 6, &[0]).read();
    assert!(empty.says(&DIRECTORY) && empty.says(&UNREACHABLE));
}

#[test]
fn names_that_differ_in_case_are_one_in_a_folder_that_folds() {
    let options = "-t ext4 -b 1024 -O ^metadata_csum,casefold -E encoding=utf8";
    let volume = Edit::new(options, &[("d/Name", 10), ("d/nAME", 20)]);
    assert_eq!(notes(&Edit::of(volume.bytes.clone()).read()), [""; 0]);
    let reading = volume.debugfs("sif /d flags 0x40080000\n").read();
    assert_eq!(causes(&reading), [Cause::AmbiguousNames]);
    assert_eq!(reading.contents.len(), 2);
}

#[test]
fn folders_in_circles() {
    let volume = Edit::new(PLAIN, &[("a/b/f", 10)]);
    let (root, a) = (2, volume.inode("/a"));
    for target in [root, a] {
        let reading = Edit::of(volume.bytes.clone()).debugfs(&format!("ln <{target}> /a/b/loop\n")).read();
        assert_eq!(reading.notes("a/b/loop"), [(0, 0, DIRECTORY)]);
        assert_eq!(reading.entries.len(), 5);
    }
}

#[test]
fn entries_of_inodes_that_are_not_there() {
    let volume = Edit::new(PLAIN, &[("one.bin", 10), ("g", 20)]);
    let place = volume.entry("/", "one.bin");
    let far = Edit::of(volume.bytes.clone()).put_u32(place, 4_000_000).read();
    assert!(far.notes("one.bin").contains(&(0, 0, RECORD)));
    // Free, and never used; then one in a table that is free again.
    let free = Edit::of(volume.bytes.clone()).put_u32(place, 500).read();
    assert!(free.notes("one.bin").contains(&(0, 0, DIRECTORY)), "{:?}", notes(&free));
    let freed = Edit::of(volume.bytes.clone()).debugfs("freei /one.bin\n").read();
    assert_eq!(freed.notes("one.bin"), [(0, 10, DIRECTORY)]);
    let unlinked = Edit::of(volume.bytes.clone()).debugfs("sif /one.bin links_count 0\n").read();
    assert_eq!(unlinked.notes("one.bin"), [(0, 10, DIRECTORY)]);
    let typed = Edit::of(volume.bytes.clone()).put(place + 7, &[2]).read();
    assert_eq!(typed.notes("one.bin"), [(0, 10, DIRECTORY)]);
    let twice = Edit::of(volume.bytes.clone()).debugfs(&format!("ln <{}> /h\n", volume.inode("/one.bin"))).read();
    assert_eq!(causes(&twice), [DIRECTORY]);
    assert_eq!(twice.files(0)["h"], twice.files(0)["one.bin"]);
    let mode = Edit::of(volume.bytes.clone()).debugfs("sif /one.bin mode 0\n").read();
    assert!(mode.notes("one.bin").contains(&(0, 10, RECORD)));
    assert_eq!(mode.files(0)["one.bin"].len(), 10, "its bytes are handed over all the same");
}

#[test]
fn hard_links_are_handed_over_once() {
    let volume = Edit::new(PLAIN, &[("f", 5000), ("d/g", 10)]);
    let volume = volume.attribute("/f", "user.note", MARKER);
    let inode = volume.inode("/f");
    let reading = volume.debugfs(&format!("ln <{inode}> /d/second\nsif /f links_count 2\n")).read();
    assert_eq!(notes(&reading), [""; 0]);
    assert_eq!(reading.contents.len(), 3);
    assert_eq!(reading.entries[reading.find("d/second") as usize].same_as, Some(reading.find("f")));
    assert_eq!(marked(&reading), ["d/second:user.note", "f:user.note"]);
}

#[test]
fn attributes_are_handed_over_wherever_they_are() {
    let large = [MARKER, &vec![b'.'; 900]].concat();
    let volume = Edit::new("-t ext4 -b 4096 -O ea_inode", &[("f", 10), ("d/g", 10)]);
    let volume = volume.attribute("/f", "user.in_inode", MARKER).attribute("/f", "trusted.in_block", &large);
    let volume = volume.attribute("/d", "user.of_a_folder", &large);
    let volume = volume.attribute("/", "user.of_the_root", MARKER).attribute("/d/g", "security.selinux", MARKER);
    let reading = volume.read();
    assert_eq!(notes(&reading), [""; 0]);
    let expected =
        ["d/g:security.selinux", "d:user.of_a_folder", "f:trusted.in_block", "f:user.in_inode", "user.of_the_root"];
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(marked(&reading), expected);
}

#[test]
fn attributes_with_inodes_of_their_own() {
    let huge = [vec![b'.'; 20_000], MARKER.to_vec()].concat();
    let volume = pulled_out("-t ext4 -O ea_inode,^has_journal", |mount| {
        for name in ["f", "g"] {
            fs::write(mount.join(name), b"content").unwrap();
            rustix::fs::setxattr(mount.join(name), "user.huge", &huge, rustix::fs::XattrFlags::empty()).unwrap();
        }
    });
    let volume = Edit::of(volume).debugfs("ssv state 1\n");
    let reading = Edit::of(volume.bytes.clone()).read();
    assert_eq!(notes(&reading), [""; 0]);
    assert_eq!(marked(&reading), ["f:user.huge", "g:user.huge"], "one value for both");
    assert_eq!(reading.contents.len(), 3);
    // Without its owners, the value is an inode that nothing names.
    let alone = volume.debugfs("ea_rm /f user.huge\nunlink /g\n").read();
    assert!(
        causes(&alone).iter().all(|cause| *cause == UNREACHABLE) && alone.not_read.len() == 2,
        "{:?}",
        notes(&alone)
    );
}

#[test]
fn attributes_that_lie() {
    let volume = Edit::new(PLAIN, &[("f", 10)]).attribute("/f", "user.note", &[7; 600]);
    let place = volume.inode_place("/f");
    let block = u32::from_le_bytes(volume.bytes[place + 0x68..place + 0x6c].try_into().unwrap()) as usize * 1024;
    let size = Edit::of(volume.bytes.clone()).put_u32(block + 32 + 8, 60_000).read();
    assert_eq!(size.notes("f"), [(0, 10, RECORD)]);
    let offset = Edit::of(volume.bytes.clone()).put(block + 32 + 2, &[0xff, 0xff]).read();
    assert_eq!(offset.notes("f"), [(0, 10, RECORD)]);
    let inode = Edit::of(volume.bytes.clone()).put_u32(block + 32 + 4, 9_999_999).read();
    assert_eq!(inode.notes("f:user.note"), [(0, 600, RECORD)]);
    let own = Edit::of(volume.bytes.clone()).put_u32(block + 32 + 4, volume.inode("/f")).read();
    assert!(own.notes("f:user.note").contains(&(0, 600, RECORD)));
    let magic = Edit::of(volume.bytes.clone()).put_u32(block, 7).read();
    assert_eq!(magic.notes("f"), [(0, 10, RECORD)]);
    let outside = Edit::of(volume.bytes.clone()).put_u32(place + 0x68, 77_777_777).read();
    assert_eq!(outside.notes("f"), [(0, 10, RECORD)]);
    let extra = Edit::of(volume.bytes.clone()).put(place + 0x80, &[0xf0, 0]).read();
    assert_eq!(extra.notes("f"), [(0, 10, RECORD)]);
}

#[test]
fn inodes_that_no_folder_names() {
    let volume = Edit::new(PLAIN, &[("f", 10), ("g", 10)]).write("hidden", MARKER);
    let inode = volume.inode("/hidden");
    let named = |commands: &str| {
        let reading = Edit::of(volume.bytes.clone()).debugfs(commands).read();
        assert_eq!(causes(&reading), [UNREACHABLE], "{commands}");
        assert_eq!(reading.not_read[0].subject, Subject::Volume(0));
        let place = reading.not_read[0].offset as usize;
        assert_eq!(place, volume.inode_place("/hidden"), "{commands}");
    };
    named("unlink /hidden\n");
    named(&format!("unlink /hidden\nsif <{inode}> links_count 0\n"));
    named(&format!("unlink /hidden\nfreei <{inode}>\n"));
    // Deleted as it should be.
    let reading = Edit::of(volume.bytes.clone()).debugfs("rm /hidden\n").read();
    assert_eq!(notes(&reading), [""; 0]);
}

#[test]
fn inodes_behind_those_that_were_ever_used() {
    // With checksums, the end of a table is skipped, unless the bitmap or the descriptor say otherwise.
    let volume = Edit::new("-t ext4 -b 1024 -O ^has_journal", &[("f", 10)]);
    assert_eq!(notes(&Edit::of(volume.bytes.clone()).read()), [""; 0]);
    let used = Edit::of(volume.bytes.clone()).debugfs("seti <900>\n").read();
    assert!(causes(&used).contains(&UNREACHABLE), "{:?}", notes(&used));
    let place = volume.inode_place("<900>");
    let hidden = Edit::of(volume.bytes.clone()).put(place + 0x1a, &[1, 0]);
    // The checksum of the descriptor does not hold any more, so its words do not count.
    let reading = Edit::of(hidden.bytes).put(2048 + 0xc, &[9, 9]).read();
    assert!(causes(&reading).contains(&UNREACHABLE) && causes(&reading).contains(&CHECKSUM), "{:?}", notes(&reading));
}

#[test]
fn content_in_reserved_inodes() {
    let volume = Edit::new("-t ext4 -b 1024 -O ^metadata_csum,quota", &[("f", 10)]).write("hidden", MARKER);
    let listed = Edit::of(volume.bytes.clone()).debugfs("ln <8> /journal\n").read();
    assert_eq!(listed.notes("journal").first().map(|note| note.2.clone()), Some(DIRECTORY));
    assert!(listed.contents.contains_key(&listed.find("journal")), "its content is handed over");
    let loader = Edit::of(volume.bytes.clone()).debugfs("copy_inode <12> <5>\n").read();
    assert!(causes(&loader).contains(&UNREACHABLE), "{:?}", notes(&loader));
    for number in [3, 4, 7, 8] {
        // A file in the place of a structure.
        let hidden = volume.inode("/hidden");
        let copy = format!("copy_inode <{hidden}> <{number}>\n");
        let reading = Edit::of(volume.bytes.clone()).debugfs(&copy).read();
        assert!(causes(&reading).contains(&UNREACHABLE), "{number}: {:?}", notes(&reading));
    }
}

#[test]
fn links_and_inline_content() {
    let slow = "/long".repeat(20) + std::str::from_utf8(MARKER).unwrap();
    let options = "-t ext4 -b 1024 -O inline_data -I 512";
    for (options, inline) in [(PLAIN, false), ("-t ext2 -b 1024 -I 128", false), (options, true)] {
        let volume = Edit::new(options, &[("f", 10)]).write("small", &[MARKER, &[b'x'; 100]].concat());
        let commands = format!("symlink fast {}\nsymlink slow {slow}\n", std::str::from_utf8(MARKER).unwrap());
        let reading = volume.debugfs(&commands).read();
        assert_eq!(notes(&reading), [""; 0], "{options}");
        assert_eq!(marked(&reading), ["fast", "slow", "small"], "{options}");
        let targets = [("fast", MARKER), ("slow", slow.as_bytes())];
        assert_eq!(reading.links(0), targets.map(|(name, target)| (name.to_owned(), target.to_vec())).into());
        let area = reading.area.as_ref().unwrap();
        let file = area.sums.iter().find(|sum| sum.class == blanche_sandbox::wire::AreaClass::File);
        assert_eq!(file.is_some(), !inline, "{options}");
    }
    // A short target whose inode says that it has a block: hosts do not agree about it.
    let volume = Edit::new(PLAIN, &[("f", 10)]).debugfs("symlink fast abc\nsif /fast blocks 2\n").read();
    assert_eq!(volume.notes("fast"), [(0, 3, RECORD)]);
    // None at all, and one that reaches into what is not there.
    let volume = Edit::new(PLAIN, &[("f", 10)]).debugfs("symlink fast abc\nsif /fast size 0\n").read();
    assert_eq!(volume.notes("fast"), [(0, 0, RECORD)]);
    let commands =
        format!("symlink slow {slow}\nsif /slow block[3] 0\nsif /slow block[4] 0\nsif /slow block[5] 9999999\n");
    let volume = Edit::new(PLAIN, &[("f", 10)]).debugfs(&commands).read();
    assert_eq!(volume.notes("slow"), [(0, slow.len() as u64, CHAIN)]);
}

#[test]
fn inline_content_that_lies() {
    let options = "-t ext4 -b 1024 -O inline_data,^metadata_csum -I 512";
    let volume = Edit::new(options, &[("f", 100), ("d/g", 1)]);
    let long = Edit::of(volume.bytes.clone()).debugfs("sif /f size 900\n").read();
    assert_eq!(long.notes("f"), [(100, 800, RECORD)]);
    assert_eq!(long.files(0)["f"].len(), 100);
    let mut bare = Edit::of(volume.bytes.clone());
    bare.bytes[1024 + 0x61] &= !0x80;
    let reading = bare.read();
    assert!(reading.notes("f").contains(&(0, 100, RECORD)), "the feature is not announced");
    let cut = Edit::of(volume.bytes.clone());
    let place = cut.inode_place("/d") + 0x28 + 4 + 4;
    let reading = cut.put(place, &[0, 0]).read();
    assert_eq!(reading.notes("d"), [(0, 0, DIRECTORY)]);
    assert!(reading.says(&UNREACHABLE));
}

#[test]
fn encryption_is_named() {
    let options = "-t ext4 -b 1024 -O encrypt,^metadata_csum";
    let volume = Edit::new(options, &[("f", 100), ("d/g", 10), ("empty", 0)]);
    let cause = Cause::FeatureUnsupported(Feature::Encryption);
    let reading = Edit::of(volume.bytes.clone()).debugfs("sif /f flags 0x80800\nsif /empty flags 0x80800\n").read();
    assert_eq!(reading.notes("f"), [(0, 100, cause.clone())]);
    assert_eq!(reading.notes("empty"), [(0, 0, cause.clone())]);
    assert!(!reading.contents.contains_key(&reading.find("f")));
    let slow = "/long".repeat(20);
    let commands = format!("symlink fast abc\nsif /fast flags 0x800\nsymlink slow {slow}\nsif /slow flags 0x80800\n");
    let reading = Edit::of(volume.bytes.clone()).debugfs(&commands).read();
    for (name, size) in [("fast", 3), ("slow", slow.len() as u64)] {
        assert_eq!(reading.notes(name), [(0, size, cause.clone())], "the target is ciphertext");
        assert!(!reading.contents.contains_key(&reading.find(name)));
    }
    let folder = Edit::of(volume.bytes.clone()).debugfs("sif /d flags 0x80800\n");
    let name = folder.entry("/d", "g") + 8;
    let reading = folder.put(name, b"/").read();
    assert_eq!(reading.notes("d"), [(0, 0, cause.clone())]);
    assert!(reading.entries.iter().any(|entry| entry.name == b"/"), "ciphertext may have any byte");
}

#[test]
fn features_that_are_not_known() {
    let volume = Edit::new("-t ext2 -b 1024", &[("f", 10)]);
    let with = |place: usize, bit: u8| {
        let mut changed = Edit::of(volume.bytes.clone());
        changed.bytes[1024 + place] |= bit;
        changed.read()
    };
    let cases = [
        (0x60, 0x01, Feature::Compression),
        (0x60, 0x08, Feature::UnknownFlag),
        (0x60, 0x20, Feature::UnknownFlag),
        (0x61, 0x10, Feature::UnknownFlag),
        (0x62, 0x04, Feature::UnknownFlag),
    ];
    for (place, bit, feature) in cases {
        let reading = with(place, bit);
        assert_eq!(causes(&reading), [Cause::FeatureUnsupported(feature)], "{place:x} {bit:x}");
        assert!(reading.entries.is_empty());
    }
    let reading = with(0x66, 0x80);
    assert_eq!(causes(&reading), [Cause::FeatureUnsupported(Feature::UnknownFlag)]);
    assert_eq!(reading.contents.len(), 1, "a feature that only forbids writing");
    let state = Edit::of(volume.bytes.clone()).put(1024 + 0x3a, &[3, 0]).read();
    assert_eq!(causes(&state), [Cause::Corrupt(Corruption::Allocation)]);
}

#[test]
fn a_copy_that_shows_another_volume() {
    for options in ["-t ext2 -b 1024", "-t ext4 -b 1024 -O meta_bg,^resize_inode,^metadata_csum"] {
        let tree = BTreeMap::from([("f".to_owned(), vec![1; 10])]);
        let volume = ext(24 * MIB, options, &tree);
        let copy = 8193 * 1024;
        assert_eq!(volume[copy + 0x38..copy + 0x3a], [0x53, 0xef]);
        let boot = Cause::Corrupt(Corruption::BootSector);
        let shifted = Edit::of(volume.clone()).put(copy + 0x28, &[0x10]).read();
        assert_eq!(causes(&shifted), std::slice::from_ref(&boot));
        let table = Edit::of(volume.clone()).put(copy + 1024 + 8, &[0x77, 0x01]).read();
        assert_eq!(causes(&table), std::slice::from_ref(&boot), "{options}");
        // A copy that is no superblock is of no use.
        assert_eq!(notes(&Edit::of(volume).put(copy + 0x38, &[0, 0]).read()), [""; 0]);
    }
}

/// A volume as it is when it is pulled out: `work` goes on while it is copied.
fn pulled_out<T>(options: &str, work: impl FnOnce(&std::path::Path) -> T) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    fs::File::create(&image).unwrap().set_len(24 * MIB).unwrap();
    let mut arguments = vec!["-q", "-F"];
    arguments.extend(options.split(' '));
    arguments.push(text(&image));
    run("mke2fs", &arguments, "");
    let mount = Mount::new(&image, "loop");
    let _held = work(mount.path());
    run("sync", &["-f", text(mount.path())], "");
    fs::read(&image).unwrap()
}

#[test]
fn a_journal_that_waits() {
    for options in ["-t ext3 -b 4096", "-t ext4", "-t ext4 -O orphan_file"] {
        let volume = pulled_out(options, |mount| {
            fs::write(mount.join("f"), MARKER).unwrap();
            fs::write(mount.join("deleted"), MARKER).unwrap();
            let open = fs::File::open(mount.join("deleted")).unwrap();
            fs::remove_file(mount.join("deleted")).unwrap();
            open
        });
        let reading = read_image(volume);
        assert!(reading.says(&Cause::FeatureUnsupported(Feature::PendingJournal)), "{options}");
        assert_eq!(marked(&reading), ["f"], "the volume is read all the same");
    }
}

#[test]
fn a_leaf_that_no_index_names() {
    let volume = pulled_out("-t ext2 -b 1024", |mount| {
        (0..400).for_each(|file| fs::write(mount.join(format!("a longer name of a file {file:05}")), b"x").unwrap());
    });
    let volume = Edit::of(volume).put(1024 + 0x3a, &[1, 0]);
    let place = volume.place("/", 0);
    let count = u16::from_le_bytes([volume.bytes[place + 0x22], volume.bytes[place + 0x23]]);
    assert!(count > 4, "a hash tree with {count} leaves");
    let reading = volume.put(place + 0x22, &[1, 0]).read();
    assert_eq!(notes(&reading), [""; 0]);
    assert_eq!(reading.contents.len(), 400);
}

#[test]
fn every_checksum_is_checked() {
    let long: String = (0..200).map(|number| format!("f{number:03} ")).collect();
    let files: Vec<String> = long.split_whitespace().map(|name| format!("d/{name}")).collect();
    let mut list: Vec<(&str, usize)> = files.iter().map(|name| (name.as_str(), 10)).collect();
    list.push(("f", 3000));
    let volume = Edit::new("-t ext4 -b 1024", &list).attribute("/f", "user.note", &[7; 600]);
    let clean = Edit::of(volume.bytes.clone()).read();
    assert_eq!(notes(&clean), [""; 0]);
    let inode = volume.inode_place("/f");
    let attributes = u32::from_le_bytes(volume.bytes[inode + 0x68..inode + 0x6c].try_into().unwrap()) as usize * 1024;
    let folder = volume.place("/d", 1);
    let bitmap = u32::from_le_bytes(volume.bytes[2052..2056].try_into().unwrap()) as usize * 1024;
    let places = [
        ("superblock", 1024 + 0x88),
        ("descriptor", 2048 + 0xc),
        ("inode bitmap", bitmap + 100),
        ("inode", inode + 8),
        ("folder", folder + 0x3e0),
        ("attributes", attributes + 1000),
    ];
    for (name, place) in places {
        let mut changed = Edit::of(volume.bytes.clone());
        changed.bytes[place] ^= 0x10;
        let reading = changed.read();
        assert!(causes(&reading).contains(&CHECKSUM), "{name}: {:?}", notes(&reading));
        assert!(reading.files(0)["f"] == clean.files(0)["f"], "{name}: content is handed over all the same");
    }
}

#[test]
fn checksums_of_trees() {
    let volume = pulled_out("-t ext4 -b 1024 -O ^has_journal", |mount| {
        let file = fs::File::create(mount.join("f")).unwrap();
        (0..50).for_each(|piece| {
            std::os::unix::fs::FileExt::write_all_at(&file, b"piece", piece * 4096).unwrap();
        });
        (0..400).for_each(|file| fs::write(mount.join(format!("a longer name of a file {file:05}")), b"x").unwrap());
    });
    let volume = Edit::of(volume);
    let before = read_image(volume.bytes.clone());
    let state = |reading: &Reading| causes(reading).into_iter().filter(|cause| *cause == CHECKSUM).count();
    assert_eq!(state(&before), 0, "{:?}", notes(&before));
    let inode = volume.inode_place("/f");
    let node = u32::from_le_bytes(volume.bytes[inode + 0x38..inode + 0x3c].try_into().unwrap()) as usize * 1024;
    assert_eq!(volume.bytes[node..node + 2], [0x0a, 0xf3]);
    let mut changed = Edit::of(volume.bytes.clone());
    changed.bytes[node + 8] ^= 1;
    let reading = changed.read();
    assert!(reading.notes("f").iter().any(|note| note.2 == CHECKSUM));
    assert!(reading.files(0)["f"] == before.files(0)["f"]);
    let root = volume.place("/", 0);
    let mut changed = Edit::of(volume.bytes.clone());
    changed.bytes[root + 0x30] ^= 1;
    assert_eq!(state(&changed.read()), 1, "the root of a hash tree");
}

#[test]
fn what_is_no_file_is_named() {
    let volume = Edit::new(PLAIN, &[("f", 10)]).debugfs("mknod pipe p\nmknod block b 8 0\nmknod character c 1 3\n");
    let reading = volume.read();
    for name in ["pipe", "block", "character"] {
        assert_eq!(reading.entries[reading.find(name) as usize].kind, EntryKind::Other);
        assert_eq!(reading.notes(name), [(0, 0, Cause::NotRegularFile)]);
    }
}

#[test]
fn bad_sectors_cost_what_stands_in_them() {
    let volume = Edit::new(PLAIN, &[("d/f", 10), ("g", 3000), ("e/h", 10)]);
    let with = |start: usize, length: usize| {
        let mut source = MemorySource::new(volume.bytes.clone());
        source.unreadable = vec![start as u64..(start + length) as u64];
        read_with(&source, ReadLimits::default())
    };
    let table = with(volume.inode_place("/g") / 512 * 512, 512);
    assert!(table.notes("g").contains(&(0, 0, Cause::Unreadable)));
    assert!(table.files(0).contains_key("d/f"));
    let folder = with(volume.place("/d", 0), 1024);
    assert_eq!(folder.notes("d").first(), Some(&(0, 0, Cause::Unreadable)));
    assert_eq!(folder.files(0).len(), 2);
    let content = with(volume.place("/g", 1), 512);
    assert_eq!(content.notes("g"), [(1024, 512, Cause::Unreadable)]);
    let superblock = with(1024, 1024);
    assert_eq!(causes(&superblock), [Cause::Unreadable]);
    let descriptors = with(2048, 1024);
    assert!(descriptors.says(&Cause::Unreadable));
}

#[test]
fn a_medium_that_is_removed_while_its_structures_are_read() {
    let volume = Edit::new(PLAIN, &[("d/f", 10), ("g", 3000)]);
    for reads in 0..60 {
        let mut source = MemorySource::new(volume.bytes.clone());
        source.removed_after = Some(reads);
        let reading = read_with(&source, ReadLimits::default());
        assert!(reading.says(&Cause::MediumRemoved) || notes(&reading).is_empty(), "{reads}");
    }
}
