//! ISO 9660 images made by xorriso and genisoimage: what goes in comes out, in every tree of every session.

#[path = "iso_aged.rs"]
mod aged;
#[path = "iso_boot.rs"]
mod boot;
#[path = "iso_hybrid.rs"]
mod hybrid;
#[path = "iso_lies.rs"]
mod lies;
#[path = "iso_patch.rs"]
mod patch;
#[path = "iso_sessions.rs"]
mod sessions;
#[path = "iso_tricks.rs"]
mod tricks;

use crate::images::{Numbers, run, tree, write_tree};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, Cause, Entry, EntryKind, Feature, FilesystemKind, ReadLimits, Tree, View};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

type Files = BTreeMap<String, Vec<u8>>;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An image that a program in the manner of mkisofs makes of a tree.
fn made(program: &[&str], options: &[&str], tree: &Files) -> Vec<u8> {
    made_of(program, options, |folder| write_tree(folder, tree))
}

fn made_of(program: &[&str], options: &[&str], fill: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (files, image) = (folder.path().join("files"), folder.path().join("volume.iso"));
    fs::create_dir(&files).unwrap();
    fill(&files);
    let mut arguments = program[1..].to_vec();
    arguments.extend(["-quiet", "-V", "BLANCHE"]);
    arguments.extend_from_slice(options);
    arguments.extend(["-o", text(&image), text(&files)]);
    run(program[0], &arguments, "");
    fs::read(&image).unwrap()
}

const GENISOIMAGE: &[&str] = &["genisoimage"];
const XORRISO: &[&str] = &["xorriso", "-as", "mkisofs"];

/// The number of the volume that is this view.
fn volume(reading: &Reading, tree: Tree, session: u16) -> u16 {
    let view = Some(View { tree, session });
    let position = reading.layout().volumes.iter().position(|volume| volume.view == view);
    position.unwrap_or_else(|| panic!("no {view:?} in {:#?}", reading.layout().volumes)) as u16
}

fn files(reading: &Reading, tree: Tree, session: u16) -> Files {
    reading.files(volume(reading, tree, session))
}

fn trees(reading: &Reading) -> Vec<Tree> {
    reading.layout().volumes.iter().map(|volume| volume.view.unwrap().tree).collect()
}

/// Contents without their names, but for empty ones.
fn contents(files: &Files) -> Vec<&[u8]> {
    let mut contents: Vec<&[u8]> = files.values().filter(|bytes| !bytes.is_empty()).map(Vec::as_slice).collect();
    contents.sort_unstable();
    contents
}

/// The tree without names that genisoimage cannot write as UCS-2.
fn plain_tree() -> Files {
    tree().into_iter().filter(|(path, _)| path.chars().all(|letter| letter as u32 <= 0xffff)).collect()
}

/// Whether an entry is of this volume.
fn is_of(entry: &Entry, volume: u16) -> bool {
    Some(volume) == entry.volume
}

fn area(reading: &Reading, class: AreaClass) -> (u64, u64) {
    let sums = reading.area.as_ref().unwrap().sums.iter().filter(|sum| sum.class == class);
    sums.fold((0, 0), |(bytes, looked_at), sum| (bytes + sum.bytes, looked_at + sum.looked_at))
}

/// A tree of small files with these contents.
fn small(list: &[(&str, usize)]) -> Files {
    list.iter().map(|(path, size)| ((*path).to_owned(), Numbers(*size as u64).bytes(*size))).collect()
}

fn check(name: &str, reading: &Reading, expected: &Files) {
    assert_eq!(reading.not_read, [], "{name}");
    for volume in &reading.layout().volumes {
        let label = volume.label.as_deref();
        assert_eq!((volume.filesystem, label), (FilesystemKind::Iso9660, Some(&b"BLANCHE"[..])), "{name}");
        assert_eq!(volume.identifier.as_ref().unwrap().len(), 16, "{name}");
    }
    for (number, tree) in trees(reading).into_iter().enumerate() {
        let found = reading.files(number as u16);
        match tree {
            Tree::RockRidge | Tree::Joliet => {
                assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}: {tree:?}");
                assert!(found == *expected, "{name}: {tree:?}");
            }
            // Names differ, and the place of a folder that was moved looks like an empty file.
            _ => assert_eq!(contents(&found), contents(expected), "{name}: {tree:?}"),
        }
    }
    let bytes: u64 = expected.values().map(|content| content.len() as u64).sum();
    let (file, looked_at) = area(reading, AreaClass::File);
    assert_eq!((file, looked_at), (bytes, bytes), "{name}");
    let (free, looked_at) = area(reading, AreaClass::Free);
    assert_eq!(free, looked_at, "{name}: everything free was looked at");
    assert_eq!(area(reading, AreaClass::Unknown), (0, 0), "{name}");
}

/// Which trees an image has by its options.
fn expected_trees(program: &[&str], options: &[&str]) -> Vec<Tree> {
    let has = |option: &str| options.contains(&option);
    let mut trees = vec![Tree::Iso9660];
    // xorriso always writes Rock Ridge.
    if has("-r") || has("-R") || program == XORRISO {
        trees.push(Tree::RockRidge);
    }
    let (joliet, enhanced) = (has("-J").then_some(Tree::Joliet), has("4").then_some(Tree::Enhanced));
    match program == XORRISO {
        true => trees.extend(joliet.into_iter().chain(enhanced)),
        false => trees.extend(enhanced.into_iter().chain(joliet)),
    }
    trees
}

#[test]
fn trees_by_all_options() {
    let all = tree();
    let common: &[&[&str]] = &[
        &[],
        &["-J", "-joliet-long"],
        &["-r"],
        &["-R"],
        &["-r", "-J", "-joliet-long"],
        &["-r", "-iso-level", "1"],
        &["-r", "-iso-level", "2"],
        &["-r", "-iso-level", "3"],
        &["-r", "-iso-level", "4"],
        &["-r", "-J", "-joliet-long", "-iso-level", "4"],
        &["-r", "-D"],
        &["-r", "-U"],
        &["-r", "-no-pad"],
        &["-r", "-T"],
    ];
    for program in [GENISOIMAGE, XORRISO] {
        for options in common {
            let joliet = options.contains(&"-J");
            let of_ucs2 = plain_tree();
            let name = format!("{program:?} {options:?}");
            let mut tree = if joliet { of_ucs2 } else { all.clone() };
            if program == GENISOIMAGE && options.contains(&"4") && joliet {
                // It takes names as Latin 1 then.
                tree.retain(|path, _| path.is_ascii());
            }
            let reading = read_image(made(program, options, &tree));
            let mut found = trees(&reading);
            let mut expected = expected_trees(program, options);
            found.sort_unstable_by_key(|tree| format!("{tree:?}"));
            expected.sort_unstable_by_key(|tree| format!("{tree:?}"));
            assert_eq!(found, expected, "{name}");
            if options.contains(&"-T") && program == GENISOIMAGE {
                // Tables of translations are files of their own.
                assert_eq!(reading.not_read, [], "{name}");
                continue;
            }
            let relocated = expected.contains(&Tree::RockRidge);
            if program == GENISOIMAGE && !relocated {
                // It leaves out what lies deeper than eight folders, in every tree.
                tree.retain(|path, _| !path.ends_with("bottom.txt"));
            }
            check(&name, &reading, &tree);
        }
    }
}

#[test]
fn no_byte_of_a_file_is_read_twice() {
    let small =
        ReadLimits { max_memory_object: 100_000, chunk_bytes: 40_000, batch_bytes: 10_000, ..Default::default() };
    let tree = plain_tree();
    for (program, limits) in [(GENISOIMAGE, ReadLimits::default()), (XORRISO, small)] {
        let source = MemorySource::new(made(program, &["-r", "-J", "-joliet-long"], &tree));
        assert_eq!(read_with(&source, limits).not_read, []);
        let mut reads = vec![0u8; source.bytes.len()];
        for range in source.log.borrow().iter() {
            for count in &mut reads[range.start as usize..range.end as usize] {
                *count = count.saturating_add(1);
            }
        }
        for (path, content) in tree.iter().filter(|(_, content)| content.len() >= 300) {
            let start = source.bytes.windows(300).position(|window| window == &content[..300]).unwrap();
            assert_eq!(source.bytes[start..start + content.len()], content[..], "{path} lies in one piece");
            let counts = reads.iter().enumerate().skip(start).take(content.len());
            for (at, count) in counts {
                // One sector in 32 is looked at for the descriptors of another session.
                let probed = at / 2048 % 32 == 16;
                assert!(*count == 1 || (probed && *count == 2), "{path}: {count} times");
            }
        }
    }
}

#[test]
fn links_and_equal_files_are_one_content() {
    let image = made_of(XORRISO, &["-r"], |folder| {
        fs::write(folder.join("first"), vec![1; 5000]).unwrap();
        fs::hard_link(folder.join("first"), folder.join("second")).unwrap();
        std::os::unix::fs::symlink("first", folder.join("link")).unwrap();
    });
    let reading = read_image(image);
    assert_eq!(reading.not_read, []);
    let mut found: Vec<&Vec<u8>> = reading.contents.values().filter(|content| !content.is_empty()).collect();
    found.sort_unstable();
    assert_eq!(found, [&component(0, b"first"), &vec![1; 5000]]);
    let found = files(&reading, Tree::RockRidge, 0);
    assert_eq!((found["first"].len(), found["second"].len()), (5000, 5000));
}

/// A component record (RRIP 4.1.3.1).
fn component(flags: u8, name: &[u8]) -> Vec<u8> {
    [&[flags, name.len() as u8], name].concat()
}

/// The path that component records stand for.
fn path_of(mut records: &[u8]) -> String {
    let (mut path, mut goes_on) = (String::new(), true);
    while let [flags, length, rest @ ..] = records {
        let (name, behind) = rest.split_at(usize::from(*length));
        if !goes_on && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str(match flags & !1 {
            0 => std::str::from_utf8(name).unwrap(),
            2 => ".",
            4 => "..",
            8 => "/",
            other => panic!("a component with flags {other}"),
        });
        goes_on = flags & 1 != 0;
        records = behind;
    }
    path
}

#[test]
fn the_target_of_a_link_are_its_component_records() {
    // More than fit into one SL entry, and into one system use area; a longer one makes genisoimage write nonsense.
    let letters = "y".repeat(255);
    let longest = format!("{letters}/{}", "name of a folder/".repeat(30) + "end");
    for (program, long) in [(GENISOIMAGE, "n/".repeat(100) + "end"), (XORRISO, longest)] {
        let image = made_of(program, &["-R"], |folder| {
            for (name, target) in [("short", "../a/./b"), ("root", "/etc/passwd"), ("long", &long)] {
                std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
            }
        });
        let reading = read_image(image);
        assert_eq!(reading.not_read, [], "{program:?}");
        let rock = volume(&reading, Tree::RockRidge, 0);
        let links = reading.links(rock);
        let up = [component(4, b""), component(0, b"a"), component(2, b""), component(0, b"b")].concat();
        assert_eq!(links["short"], up, "{program:?}");
        assert_eq!(links["root"], [component(8, b""), component(0, b"etc"), component(0, b"passwd")].concat());
        assert_eq!(path_of(&links["long"]), long, "{program:?}");
        assert_eq!((links.len(), reading.files(rock).len()), (3, 3), "{program:?}");
        // The plain tree has empty files instead.
        assert!(files(&reading, Tree::Iso9660, 0).values().all(Vec::is_empty), "{program:?}");
    }
}

#[test]
fn a_deep_tree_is_shown_where_it_was() {
    let path = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/file.bin";
    let tree = small(&[(path, 3000)]);
    for (program, options) in [(GENISOIMAGE, &["-R"][..]), (XORRISO, &["-R", "-disallow_dir_id_ext"][..])] {
        let relocated = read_image(made(program, options, &tree));
        assert_eq!(relocated.not_read, []);
        assert_eq!(files(&relocated, Tree::RockRidge, 0), tree);
        assert_eq!(contents(&files(&relocated, Tree::Iso9660, 0)).len(), 1);
    }
    let hidden = read_image(made(XORRISO, &["-R", "-iso-level", "2", "-hide-rr-moved"], &tree));
    assert_eq!(hidden.not_read, []);
    assert_eq!(files(&hidden, Tree::RockRidge, 0), tree);
    assert!(files(&hidden, Tree::Iso9660, 0).keys().any(|path| path.contains("RR_MOVED") || path.contains("_RR_")));
}

#[test]
fn a_file_in_one_tree_only_is_read() {
    let tree = small(&[("seen.bin", 3000), ("joliet.bin", 4000), ("rock.bin", 5000)]);
    let pairs: [(&[&str], &[&str]); 2] = [
        (GENISOIMAGE, &["-hide", "joliet.bin", "-hide-joliet", "rock.bin"]),
        (XORRISO, &["-hide", "joliet.bin", "-hide-joliet", "rock.bin"]),
    ];
    for (program, hidden) in pairs {
        let reading = read_image(made(program, &[&["-r", "-J"], hidden].concat(), &tree));
        assert_eq!(reading.not_read, []);
        let names = |tree| files(&reading, tree, 0).into_keys().collect::<Vec<_>>();
        assert_eq!(names(Tree::RockRidge), ["rock.bin", "seen.bin"]);
        assert_eq!(names(Tree::Joliet), ["joliet.bin", "seen.bin"]);
        assert_eq!(reading.contents.len(), 3);
        assert_eq!(files(&reading, Tree::Joliet, 0)["joliet.bin"], tree["joliet.bin"]);
    }
}

#[test]
fn attributes_devices_and_compressed_files() {
    let folder = tempfile::tempdir().unwrap();
    let (files, image) = (folder.path().join("files"), folder.path().join("volume.iso"));
    write_tree(&files, &BTreeMap::from([("text.txt".to_owned(), vec![b'x'; 200_000]), ("a".to_owned(), vec![1; 10])]));
    run("mkfifo", &[text(&files.join("pipe"))], "");
    let value = "marker ".repeat(300);
    let arguments = [
        "-xattr",
        "on",
        "-outdev",
        text(&image),
        "-map",
        text(&files),
        "/",
        "-setfattr",
        "user.long",
        &value,
        "/a",
        "--",
        "-setfattr",
        "user.short",
        "x",
        "/text.txt",
        "--",
        "-set_filter",
        "--zisofs",
        "/text.txt",
        "--",
    ];
    run("xorriso", &arguments, "");
    let reading = read_image(fs::read(&image).unwrap());
    let rock = volume(&reading, Tree::RockRidge, 0);
    let find = |name: &str, kind: EntryKind| {
        let mut entries = reading.entries.iter().enumerate();
        let is = |entry: &Entry| is_of(entry, rock) && entry.kind == kind;
        entries.position(|(_, entry)| is(entry) && entry.name == name.as_bytes()).unwrap() as u32
    };
    let stream = find("AAIP", EntryKind::Stream);
    assert!(reading.contents[&stream].windows(value.len()).any(|window| window == value.as_bytes()));
    assert_eq!(reading.entries[reading.entries[stream as usize].parent.unwrap() as usize].name, b"a");
    let notes: Vec<_> = reading.not_read.iter().map(|note| (note.subject, note.cause.clone())).collect();
    let entry = blanche_sandbox::wire::Subject::Entry;
    let compressed = Cause::FeatureUnsupported(Feature::Compression);
    let mut expected = [
        (entry(find("pipe", EntryKind::Other)), Cause::NotRegularFile),
        (entry(find("text.txt", EntryKind::File)), compressed),
    ];
    expected.sort_by_key(|(subject, _)| format!("{subject:?}").len());
    assert_eq!(notes.len(), 2);
    assert!(expected.iter().all(|one| notes.contains(one)), "{notes:?}");
}
