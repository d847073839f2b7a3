//! What is refused: the attacks on tag and medium, each with its code, its exit code and its names.

use crate::media::{Files, Kind, Made, content, files, write_tree};
use crate::program::Answer;
use crate::sealed::{seal_on, tag};
use crate::world::World;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// An image and a folder that hold the same, both sealed.
struct Pair {
    world: World,
    made: Made,
    folder: PathBuf,
}

impl Pair {
    fn new(kind: Kind) -> Self {
        let world = World::new();
        let made = Made::new(kind, &files());
        let tag = seal_on(&world, &made, &files());
        let folder = world.path("mounted");
        write_tree(&folder, &files());
        fs::write(folder.join("blanche.tag"), tag).unwrap();
        Self { world, made, folder }
    }

    /// Both answers.
    fn answers(&self, more: &[&str]) -> [Answer; 2] {
        [self.world.verify(&self.made.image(), more), self.world.verify(&self.folder, more)]
    }

    fn expect(&self, code: &str, exit: i32, differences: &[(&str, &str)]) {
        for answer in self.answers(&[]) {
            assert_eq!((answer.verdict().as_str(), answer.code), (code, exit), "{answer:?}");
            let expected: Vec<_> =
                differences.iter().map(|(kind, path)| ((*kind).to_owned(), (*path).to_owned())).collect();
            assert_eq!(answer.differences(), expected, "{answer:?}");
        }
    }

    /// Writes the same on both.
    fn write(&self, path: &str, bytes: &[u8]) {
        self.made.write(path, bytes);
        write_tree(&self.folder, &Files::from([(path.to_owned(), bytes.to_vec())]));
    }
}

#[test]
fn one_changed_byte_is_named() {
    for kind in [Kind::Fat12, Kind::Fat32, Kind::ExFat] {
        let pair = Pair::new(kind);
        let mut long = files()["long.bin"].clone();
        long[1_500_000] ^= 1;
        pair.write("long.bin", &long);
        pair.expect("E-CHANGED", 42, &[("altered", "long.bin")]);
        for answer in pair.answers(&["--level", "inventory"]) {
            assert_eq!(answer.verdict(), "accepted", "no byte is read at this level: {answer:?}");
        }
    }
}

#[test]
fn a_longer_file_is_named_at_level_inventory() {
    let pair = Pair::new(Kind::Fat16);
    pair.write("notes.txt", &content(1, 1701));
    for answer in pair.answers(&["--level", "inventory"]) {
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-CHANGED", 42));
        assert_eq!(answer.differences(), [("changed".to_owned(), "notes.txt".to_owned())]);
    }
}

#[test]
fn an_added_file_is_named() {
    let pair = Pair::new(Kind::Fat16);
    pair.write("Dossier/setup.exe", b"MZ");
    pair.expect("E-ADDED", 42, &[("added", "Dossier/setup.exe")]);
}

#[test]
fn a_removed_file_is_named() {
    let pair = Pair::new(Kind::Fat16);
    pair.made.mtools("mdel", &["::/notes.txt"]);
    fs::remove_file(pair.folder.join("notes.txt")).unwrap();
    pair.expect("E-REMOVED", 42, &[("removed", "notes.txt")]);
}

#[test]
fn a_renamed_file_is_one_removed_and_one_added() {
    let pair = Pair::new(Kind::Fat16);
    pair.made.mtools("mren", &["::/notes.txt", "a new name.txt"]);
    fs::rename(pair.folder.join("notes.txt"), pair.folder.join("a new name.txt")).unwrap();
    pair.expect("E-ADDED", 42, &[("added", "a new name.txt"), ("removed", "notes.txt")]);
}

#[test]
fn a_change_of_case_is_a_change() {
    let pair = Pair::new(Kind::Fat16);
    // mren takes the new name for the old one.
    pair.made.mtools("mren", &["::/notes.txt", "between.txt"]);
    pair.made.mtools("mren", &["::/between.txt", "nOtes.txt"]);
    fs::rename(pair.folder.join("notes.txt"), pair.folder.join("nOtes.txt")).unwrap();
    pair.expect("E-ADDED", 42, &[("added", "nOtes.txt"), ("removed", "notes.txt")]);
}

#[test]
fn a_payload_in_the_place_of_an_artefact_is_an_addition() {
    let pair = Pair::new(Kind::Fat32);
    let folder = pair.world.path("source");
    let all = Files::from([("System Volume Information/WPSettings.dat".to_owned(), b"MZ\0\0aaaaaaaa".to_vec())]);
    write_tree(&folder, &all);
    write_tree(&pair.folder, &all);
    pair.made.put(&folder.join("System Volume Information"), "");
    pair.expect("E-ADDED", 42, &[("added", "System Volume Information/WPSettings.dat")]);
}

/// Hosts open it by its short name as well, here as a program.
#[test]
fn an_artefact_with_the_short_name_of_a_program_is_an_addition() {
    let world = World::new();
    let made = Made::new(Kind::Fat32, &files());
    seal_on(&world, &made, &files());
    made.write(".DS_Store", &[&b"\0\0\0\x01Bud1\r\nstart harm\r\n"[..], &[0; 6140]].concat());
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "accepted");
    let mut volume = fs::read(made.partition()).unwrap();
    let at = volume.windows(11).position(|bytes| bytes == b"DS_STO~1   ").unwrap();
    let short = *b"START   CMD";
    volume[at..at + 11].copy_from_slice(&short);
    // The entry of the long name, in front of it, has a sum over the short one (FAT specification 1.03, "ChkSum").
    volume[at - 32 + 13] = short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    fs::write(made.partition(), volume).unwrap();
    for level in ["inventory", "full"] {
        let answer = world.verify(&made.image(), &["--level", level]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-ADDED", 42), "{answer:?}");
        assert_eq!(answer.differences(), [("added".to_owned(), ".DS_Store".to_owned())]);
    }
}

#[test]
fn without_a_tag_there_is_no_answer_but_no() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let folder = world.path("bare");
    write_tree(&folder, &files());
    for target in [made.image(), folder] {
        let answer = world.verify(&target, &[]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-NO-TAG", 40), "{answer:?}");
    }
    // A name in another case is not the tag, neither as a file nor as a folder.
    made.write("Blanche.TAG", b"");
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "E-NO-TAG");
}

#[test]
fn a_cut_or_altered_tag_is_refused() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let whole = tag(&world, &made, &files(), |_| {});
    let folder = world.path("mounted");
    write_tree(&folder, &files());
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    for (bytes, code) in [
        (&whole[..whole.len() - 1], "E-FORMAT"),
        (&whole[..20], "E-FORMAT"),
        (&altered, "E-MANIFEST"),
        (&[], "E-FORMAT"),
    ] {
        made.write("blanche.tag", bytes);
        fs::write(folder.join("blanche.tag"), bytes).unwrap();
        for target in [&made.image(), &folder] {
            let answer = world.verify(target, &[]);
            assert_eq!((answer.verdict().as_str(), answer.code), (code, 41), "{answer:?}");
        }
    }
}

#[test]
fn a_tag_of_another_medium_is_refused() {
    let world = World::new();
    let sealed = Made::new(Kind::Fat32, &files());
    let tag = tag(&world, &sealed, &files(), |_| {});
    let other = Made::new(Kind::Fat16, &files());
    other.write("blanche.tag", &tag);
    let answer = world.verify(&other.image(), &["--level", "identity"]);
    assert_eq!((answer.verdict().as_str(), answer.code), ("E-MEDIUM", 42), "{answer:?}");
}

/// A folder shows nothing that level identity compares, and an authentic tag says nothing about the medium it lies on.
#[test]
fn level_identity_of_a_folder_is_not_taken_for_a_verification() {
    let pair = Pair::new(Kind::Fat16);
    pair.write("notes.txt", b"changed");
    let policy = pair.world.path("identity.toml");
    fs::write(&policy, "level = \"identity\"\n").unwrap();
    for more in [["--level", "identity"], ["--policy", policy.to_str().unwrap()]] {
        let [image, folder] = pair.answers(&more);
        assert_eq!(image.verdict(), "accepted", "an image shows which medium it is: {image:?}");
        assert_eq!((folder.verdict().as_str(), folder.code), ("E-NOT-AVAILABLE", 43), "{folder:?}");
        assert_eq!((&folder.json()["refusal"]["step"], &folder.json()["tag"]), (&18.into(), &Value::Null));
    }
}

/// Every byte that is bound and not masked counts: boot record, gap, boot sector, its copy.
#[test]
fn boot_code_that_appeared_is_refused() {
    let world = World::new();
    let made = Made::new(Kind::Fat32, &files());
    seal_on(&world, &made, &files());
    let whole = fs::read(made.image()).unwrap();
    let image = world.path("changed.img");
    for at in [0, 100, 450 + 16, 512, 4096, (1 << 20) - 1, (1 << 20) + 90, (1 << 20) + 6 * 512 + 90] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&image, bytes).unwrap();
        let answer = world.verify(&image, &["--level", "identity"]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-BOOT", 42), "byte {at}: {answer:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    seal_on(&world, &made, &files());
    let mut bytes = fs::read(made.partition()).unwrap();
    // The folder's first entry is itself, ".": its cluster chain is made to point behind the end.
    let name = bytes.windows(11).position(|window| window == b"DOSSIER    ").unwrap();
    bytes[name + 26..name + 28].copy_from_slice(&0xfff0u16.to_le_bytes());
    fs::write(made.partition(), bytes).unwrap();
    for level in ["inventory", "full"] {
        let answer = world.verify(&made.image(), &["--level", level]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-UNREADABLE", 43), "{answer:?}");
        assert!(answer.differences().contains(&("unreadable".to_owned(), "Dossier".to_owned())), "{answer:?}");
    }
}

/// Names and contents are as they were sealed, but a host that opens `NOTES.TXT` may get the other file.
#[test]
fn a_short_name_that_leads_to_another_file_is_not_passed_over() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    seal_on(&world, &made, &files());
    let mut bytes = fs::read(made.partition()).unwrap();
    let at = bytes.windows(11).position(|window| window == b"RAPPOR~1ODT").unwrap();
    let short = b"NOTES   TXT";
    bytes[at..at + short.len()].copy_from_slice(short);
    // The two entries of the long name, in front, have a sum over the short one (FAT specification 1.03, "ChkSum").
    let sum = short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    (bytes[at - 32 + 13], bytes[at - 64 + 13]) = (sum, sum);
    fs::write(made.partition(), bytes).unwrap();
    for level in ["inventory", "full"] {
        let answer = world.verify(&made.image(), &["--level", level]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-UNREADABLE", 43), "{answer:?}");
        assert!(answer.out.contains("ambiguous_names"), "{answer:?}");
    }
}

/// As root, who may read everything, and as nobody.
#[test]
fn a_file_without_the_right_to_read_it_is_unreadable_and_not_passed_over() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let pair = Pair::new(Kind::Fat16);
    // What the kernel refuses to everybody, the verifier without capabilities included: a link in the place of a file.
    fs::remove_file(pair.folder.join("notes.txt")).unwrap();
    symlink("long.bin", pair.folder.join("notes.txt")).unwrap();
    let answer = pair.world.verify(&pair.folder, &[]);
    assert_eq!(answer.verdict(), "E-CHANGED", "a link is another kind of entry: {answer:?}");
    fs::remove_file(pair.folder.join("notes.txt")).unwrap();
    fs::write(pair.folder.join("notes.txt"), &files()["notes.txt"]).unwrap();
    let owner = if is_root() { "nobody" } else { "" };
    if !owner.is_empty() {
        crate::oracles::run("chown", &[owner.as_ref(), pair.folder.join("notes.txt").as_os_str()]);
    }
    fs::set_permissions(pair.folder.join("notes.txt"), fs::Permissions::from_mode(0o000)).unwrap();
    if crate::program::is_native() {
        let answer = pair.world.verify(&pair.folder, &[]);
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-UNREADABLE", 43), "{answer:?}");
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn what_is_no_target_says_so() {
    let world = World::new();
    for target in ["/nowhere", "/dev/null"] {
        if target == "/dev/null" && !crate::program::is_native() {
            continue;
        }
        let answer = world.verify(Path::new(target), &[]);
        assert_eq!(answer.code, 4, "{answer:?}");
        assert_eq!(
            (answer.json()["schema"].as_str(), answer.json()["exit_code"].as_u64()),
            (Some("blanche-failure/1"), Some(4))
        );
        assert!(answer.err.starts_with("blanche-verify: "), "{answer:?}");
    }
}

#[test]
fn hostile_names_are_shown_and_never_obeyed() {
    let pair = Pair::new(Kind::Fat16);
    let name = "invoice\u{202e}fdp.exe";
    let added = pair.world.path("source");
    write_tree(&added, &Files::from([(name.to_owned(), b"MZ".to_vec())]));
    pair.made.put(&added.join(name), "");
    fs::copy(added.join(name), pair.folder.join(name)).unwrap();
    fs::write(pair.folder.join("esc\u{1b}[2J"), b"").unwrap();
    for answer in pair.answers(&[]) {
        assert_eq!(answer.verdict(), "E-ADDED");
        assert!(answer.differences().contains(&("added".into(), "invoice\\u{202E}fdp.exe".into())), "{answer:?}");
        let listed = answer.json()["differences"]["listed"].clone();
        let exact =
            listed.as_array().unwrap().iter().find(|line| line["path"].as_str().unwrap().contains("202E")).unwrap();
        assert_eq!(exact["path_bytes"], "696e766f696365e280ae6664702e657865");
    }
    for target in [pair.made.image(), pair.folder.clone()] {
        let text = pair.world.run(&[target.as_os_str()]);
        assert!(text.out.contains("added: invoice\\u{202E}fdp.exe"), "{text:?}");
        assert!(!text.out.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
}
