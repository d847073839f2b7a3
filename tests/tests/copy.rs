//! The files of a clean medium are copied to a medium of the station, all of them or none, and what was copied is what was
//! checked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::tools::{run, try_run};
use blanche_tests::{Ceremony, Disc, Format, Layout, Station, Tree, disc, exfat, ext, image, ntfs, program, samples};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const MIB: u64 = 1 << 20;

/// Short and long names, accents, an empty file, and one that comes in several chunks.
fn tree() -> Tree {
    let long: Vec<u8> =
        (0..9_000_000u32).map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    Tree::new()
        .with("LETTRE.TXT", "Bonjour\r\n")
        .with("Dossier/Été 2026/naïve clé.txt", "accents\r\n")
        .with("Dossier/vide.dat", "")
        .with("long.bin", long)
}

fn small() -> Tree {
    Tree::new().with("LETTRE.TXT", "Bonjour\r\n").with("dossier/note.txt", "une note\n")
}

/// A station that copies, in a folder that lives as long as it.
struct Copier {
    folder: tempfile::TempDir,
    station: Station,
}

/// What a copy gave.
struct Copied {
    code: i32,
    report: Value,
    messages: String,
}

impl Copied {
    fn copy(&self) -> &Value {
        &self.report["copy"]
    }

    /// Code, what is on the output medium, and why.
    fn outcome(&self) -> (i32, &str, &str) {
        let copy = self.copy();
        (
            self.code,
            copy["outcome"].as_str().unwrap_or_else(|| panic!("{}\n{}", self.messages, self.report)),
            copy["cause"]["cause"].as_str().unwrap_or_default(),
        )
    }

    fn list(&self, name: &str) -> Vec<(String, Value)> {
        let lines = self.copy()[name].as_array().unwrap().iter();
        let mut pairs: Vec<_> =
            lines.map(|line| (line["path"].as_str().unwrap().to_owned(), line["because"].clone())).collect();
        pairs.sort_by(|one, two| one.0.cmp(&two.0));
        pairs
    }
}

impl Copier {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ceremony = Ceremony::new(&folder.path().join("keys"));
        let mut station = Station::new(folder.path());
        ceremony.equip(&mut station, "accueil-1", "paris");
        Self { folder, station }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An output medium of zeros.
    fn blank(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.path().join(name);
        File::create(&path).unwrap().set_len(bytes).unwrap();
        path
    }

    fn command(&self, source: &Path, output: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(program("blanche"));
        command.arg("--config").arg(self.station.configuration()).args(["--lang", "en", "copy", "--json"]);
        command.args(options).arg(source).arg(output);
        command
    }

    fn copy(&self, source: &Path, output: &Path, options: &[&str]) -> Copied {
        let answer = self.command(source, output, options).output().unwrap();
        let messages = String::from_utf8_lossy(&answer.stderr).replace('\u{a0}', " ");
        let report = serde_json::from_slice(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {messages}"));
        Copied { code: answer.status.code().unwrap(), report, messages }
    }

    /// Exit code of `blanche-verify` at level full, and its answer.
    fn verify(&self, medium: &Path) -> (i32, Value) {
        let trust = self.path().join("keys/trust");
        let arguments = ["--json", "--no-memory", "--level", "full", "--trust"].map(Path::new);
        let arguments = arguments.into_iter().chain([trust.as_path(), medium]);
        let answer = try_run(self.path(), program("blanche-verify").to_str().unwrap(), arguments);
        (answer.status.code().unwrap(), serde_json::from_slice(&answer.stdout).unwrap_or_default())
    }

    /// Everything on an output medium as fsck and mtools or exfat-fuse see it, the tag left out; nothing when it has no
    /// partition.
    fn seen(&self, medium: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
        self.seen_by(medium, |part| drop(run(self.path(), "fsck.vfat", ["-n".as_ref(), part.as_os_str()])))
    }

    /// As [`Self::seen`], on a medium whose writer may have died between the last file and the end: FAT may say so.
    fn seen_after_a_death(&self, medium: &Path) -> Option<BTreeMap<String, Vec<u8>>> {
        self.seen_by(medium, |part| {
            let answer = try_run(self.path(), "fsck.vfat", ["-n".as_ref(), part.as_os_str()]);
            let said = String::from_utf8_lossy(&answer.stdout).into_owned();
            // What a cut may leave, as with a seal: clusters of contents whose folders were not written yet, a free count and a second
            // table that are not written yet.
            let allowed = [
                "fsck.fat ",
                "Dirty bit is set.",
                "Automatically removing dirty bit.",
                "Reclaimed ",
                "FATs differ but appear to be intact.",
                "Using first FAT.",
                "Free cluster summary",
                "Auto-correcting.",
                "Leaving filesystem unchanged.",
            ];
            let known = |line: &str| {
                line.is_empty() || line.ends_with(" clusters") || allowed.iter().any(|one| line.starts_with(one))
            };
            assert!(said.lines().map(str::trim).all(known), "{said}");
        })
    }

    fn seen_by(&self, medium: &Path, check_fat: impl Fn(&Path)) -> Option<BTreeMap<String, Vec<u8>>> {
        let bytes = fs::read(medium).unwrap();
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize * 512;
        let (kind, start, length) = (bytes[450], number(454), number(458));
        if length == 0 {
            return None;
        }
        let part = self.path().join("partition.img");
        fs::write(&part, &bytes[start..start + length]).unwrap();
        let mut seen = BTreeMap::new();
        if kind == 7 {
            run(self.path(), "fsck.exfat", ["-n".as_ref(), part.as_os_str()]);
            exfat::with_mounted(self.path(), &part, |point| walk(point, "", &mut seen));
        } else {
            check_fat(&part);
            let target = tempfile::tempdir().unwrap();
            // mcopy fails on a medium without files.
            let all = ["-s".as_ref(), "-n".as_ref(), "-Q".as_ref(), "-i".as_ref(), part.as_os_str(), "::/*".as_ref()];
            try_run(self.path(), "mcopy", all.into_iter().chain([target.path().as_os_str()]));
            walk(target.path(), "", &mut seen);
        }
        seen.remove("blanche.tag");
        Some(seen)
    }
}

fn walk(folder: &Path, prefix: &str, seen: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path(), &format!("{name}/"), seen),
            false => drop(seen.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

fn files(tree: &Tree) -> BTreeMap<String, Vec<u8>> {
    tree.files().iter().map(|file| (file.path.clone(), file.bytes.clone())).collect()
}

fn digest(medium: &Path) -> blake3::Hash {
    blake3::hash(&fs::read(medium).unwrap())
}

#[test]
fn every_file_of_every_filesystem_arrives_and_the_copy_is_sealed() {
    let copier = Copier::new();
    let mut sources: Vec<PathBuf> = [Format::Fat32, Format::ExFat, Format::Ntfs, Format::Ext4]
        .into_iter()
        .map(|format| image(copier.path(), format, Layout::MbrPrimary, &tree()))
        .collect();
    sources.push(disc(copier.path(), Disc::UdfBridge, &tree()));
    // FAT32 needs some 34 MiB; below, and above 32 GiB, it is exFAT.
    for (source, (size, filesystem)) in sources.iter().zip([(64, "fat32"), (20, "exfat")].iter().cycle()) {
        let output = copier.blank("output.img", size * MIB);
        let copied = copier.copy(source, &output, &[]);
        assert_eq!(copied.outcome(), (0, "copied", ""), "{}: {:#}", source.display(), copied.report);
        let copy = copied.copy();
        assert_eq!(copy["filesystem"], *filesystem);
        assert_eq!(copy["files"], 4, "{copy:#}");
        assert_eq!((&copy["mode"], &copy["outside_profile"]), (&json!("all-or-nothing"), &json!(false)));
        assert_eq!(copy["seal"]["outcome"], "on_medium", "{copy:#}");
        let (code, answer) = copier.verify(&output);
        assert_eq!((code, &answer["verdict"]), (0, &json!("accepted")), "{}: {answer:#}", source.display());
        assert!(copier.seen(&output).unwrap() == files(&tree()), "{}: other files", source.display());
    }
}

/// A medium of 40 GiB, in a file with holes: what Windows gives exFAT gets exFAT.
#[test]
fn a_large_medium_is_formatted_with_exfat() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::Fat16, Layout::Superfloppy, &small());
    let output = copier.blank("output.img", 40 << 30);
    let copied = copier.copy(&source, &output, &[]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    assert_eq!(copied.copy()["filesystem"], "exfat");
    assert_eq!(copier.verify(&output).0, 0);
}

#[test]
fn of_a_medium_that_is_not_clean_nothing_is_copied_unless_an_administrator_allows_it() {
    let mut copier = Copier::new();
    let tree = tree().with("virus.com", samples::eicar()).with("Dossier/secret.zip", samples::password_zip());
    let source = image(copier.path(), Format::ExFat, Layout::MbrPrimary, &tree);
    let output = copier.blank("output.img", 64 * MIB);
    let before = digest(&output);
    let copied = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (20, "untouched", "not_clean"), "{:#}", copied.report);
    assert_eq!(digest(&output), before);

    copier.station.set("copy", "mode", "\"clean-files\"");
    let copied = copier.copy(&source, &output, &[]);
    assert_eq!(copied.outcome(), (20, "copied", ""), "{:#}", copied.report["copy"]);
    assert_eq!(copied.copy()["outside_profile"], true);
    let left_out = ["Dossier/secret.zip", "virus.com"].map(|path| (path.to_owned(), json!("not_clean")));
    assert_eq!(copied.list("left_out"), left_out);
    let mut expected = files(&tree);
    expected.retain(|path, _| !left_out.iter().any(|(left, _)| left == path));
    assert!(copier.seen(&output).unwrap() == expected);
    let (code, answer) = copier.verify(&output);
    assert_eq!(code, 0, "{answer:#}");
    let configuration = copier.station.configuration();
    let shown = Command::new(program("blanche"))
        .arg("--config")
        .arg(configuration)
        .args(["tag", "show", "--json", "--trust"])
        .arg(copier.path().join("keys/trust"))
        .arg(&output)
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("\"default+clean-files\""), "the tag says so: {shown}");

    // Of a clean medium the copy is whole, and inside the profile, also on such a station.
    let clean = image(copier.path(), Format::Fat16, Layout::Superfloppy, &small());
    let copied = copier.copy(&clean, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report["copy"]);
    assert_eq!(copied.copy()["outside_profile"], false);
}

#[test]
fn a_medium_that_is_not_empty_is_erased_only_on_order_and_then_entirely() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::Fat16, Layout::Superfloppy, &small());
    let old = Tree::new().with("precious.txt", "THE ONLY COPY OF A THESIS\n");
    let output = image(copier.path(), Format::Fat32, Layout::Gpt, &old);
    let before = digest(&output);
    let refused = copier.copy(&source, &output, &[]);
    assert_eq!((refused.code, &refused.report["error"]), (7, &json!("not_blank")), "{:#}", refused.report);
    assert!(refused.messages.contains("1 file") && refused.messages.contains("erased"), "{}", refused.messages);
    assert_eq!(digest(&output), before, "nothing was written");
    let copied = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    assert!(copied.messages.contains("1 file"), "what is erased is told all the same: {}", copied.messages);
    assert!(copier.seen(&output).unwrap() == files(&small()));
    assert_eq!(copier.verify(&output).0, 0);
}

/// A copy is a medium like any other, and can be the source of the next one; its tag is a file like any other there.
#[test]
fn a_copy_can_be_copied() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::Ext4, Layout::Superfloppy, &small());
    let [first, second] = ["first.img", "second.img"].map(|name| copier.blank(name, 40 * MIB));
    assert_eq!(copier.copy(&source, &first, &[]).code, 0);
    let copied = copier.copy(&first, &second, &[]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    assert_eq!(copied.list("renamed"), [("blanche.tag".to_owned(), json!(["tag"]))]);
    let mut seen = copier.seen(&second).unwrap();
    assert!(seen.remove("_blanche.tag").is_some_and(|tag| !tag.is_empty()));
    assert!(seen == files(&small()));
}

#[test]
fn what_cannot_end_well_is_refused_before_anything_is_erased() {
    let mut copier = Copier::new();
    let source = image(copier.path(), Format::Fat16, Layout::Superfloppy, &tree());
    let output = copier.blank("output.img", 8 * MIB);
    let file = OpenOptions::new().write(true).open(&output).unwrap();
    file.write_all_at(b"something", 4096).unwrap();
    let before = digest(&output);
    let room = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(room.outcome(), (7, "untouched", "no_room"), "{:#}", room.report["copy"]);
    let detail = &room.copy()["cause"]["detail"];
    assert!(detail["needed"].as_u64() > detail["room"].as_u64(), "{detail}");
    let same = copier.copy(&source, &source, &["--yes"]);
    assert_eq!(same.outcome(), (7, "untouched", "same_medium"), "{:#}", same.report["copy"]);
    let link = copier.path().join("link.img");
    fs::hard_link(&source, &link).unwrap();
    assert_eq!(copier.copy(&source, &link, &["--yes"]).outcome(), (7, "untouched", "same_medium"));
    let empty = image(copier.path(), Format::Fat12, Layout::Superfloppy, &Tree::new());
    assert_eq!(copier.copy(&empty, &output, &["--yes"]).outcome(), (7, "untouched", "nothing"));
    let tiny = copier.blank("tiny.img", MIB);
    assert_eq!(copier.copy(&source, &tiny, &["--yes"]).outcome(), (7, "untouched", "unfit"));
    // What the station does not demand, and its signer does.
    let signer = copier.path().join("keys/keys-accueil-1/signer.toml");
    let demanding = fs::read_to_string(&signer).unwrap().replace("[\"daily\"]", "[\"daily\", \"main\"]");
    fs::write(&signer, demanding).unwrap();
    let unwilling = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(unwilling.outcome(), (7, "untouched", "signer"), "{:#}", unwilling.report["copy"]);
    assert_eq!(unwilling.copy()["cause"]["detail"], "no base \"main\"");
    let keys = copier.path().join("no-keys");
    fs::create_dir(&keys).unwrap();
    copier.station.set("seal", "keys", &format!("{:?}", keys.to_str().unwrap()));
    let unsigned = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(unsigned.outcome(), (7, "untouched", "signer"), "{:#}", unsigned.report["copy"]);
    copier.station.set("bases", "required", "[\"main\"]");
    let stale = copier.copy(&source, &output, &["--yes"]);
    assert_eq!(stale.outcome(), (7, "untouched", "obstacles"), "{:#}", stale.report["copy"]);
    assert_eq!(digest(&output), before, "nothing was written");
}

/// ext4 holds any name; each of these would be lost, hidden, or mistaken on some host.
#[test]
fn hostile_names_arrive_under_names_that_every_host_shows() {
    let copier = Copier::new();
    let names: [&[u8]; 14] = [
        b"CON",
        b"nul.txt",
        b"fin.",
        b"fin ",
        b" debut",
        b"a:b",
        b"a?b",
        b"Lettre.txt",
        b"LETTRE.TXT",
        b"lettre.txt",
        "facture\u{200b}.txt".as_bytes(),
        b"ligne\nsuivante",
        b"octets \xff\xfe",
        b"tr\xc3\xa8s bien.txt",
    ];
    let root = copier.path().join("names");
    fs::create_dir(&root).unwrap();
    for (number, name) in names.iter().enumerate() {
        fs::write(root.join(std::ffi::OsStr::from_bytes(name)), format!("content {number}\n")).unwrap();
    }
    fs::create_dir(root.join("aux")).unwrap();
    fs::write(root.join("aux/dedans.txt"), "inside\n").unwrap();
    let source = copier.blank("names.img", 8 * MIB);
    let make = ["-q".as_ref(), "-F".as_ref(), "-t".as_ref(), "ext2".as_ref(), "-d".as_ref(), root.as_os_str()];
    run(copier.path(), "mke2fs", make.into_iter().chain([source.as_os_str()]));
    for size in [64 * MIB, 20 * MIB] {
        let output = copier.blank("output.img", size);
        let copied = copier.copy(&source, &output, &[]);
        assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
        assert_eq!(copied.list("renamed").len(), 13, "{:#}", copied.copy()["renamed"]);
        let seen = copier.seen(&output).unwrap();
        let expected = [
            "_CON",
            "_nul.txt",
            "fin_",
            "fin_~1",
            "_debut",
            "a_b",
            "a_b~1",
            "LETTRE.TXT",
            "Lettre~1.txt",
            "lettre~2.txt",
            "facture_.txt",
            "ligne_suivante",
            "octets __",
            "très bien.txt",
            "_aux/dedans.txt",
        ];
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), expected);
        let mut contents: Vec<String> = seen.values().map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect();
        contents.sort_unstable();
        let mut wanted: Vec<String> = (0..names.len()).map(|number| format!("content {number}\n")).collect();
        wanted.push("inside\n".into());
        wanted.sort_unstable();
        assert_eq!(contents, wanted, "no content is lost");
        assert_eq!(copier.verify(&output).0, 0);
    }
}

#[test]
fn what_fat_cannot_hold_is_listed() {
    let copier = Copier::new();
    let output = copier.blank("output.img", 64 * MIB);
    let streamed = ntfs::stream_of_a_file(copier.path(), b"a harmless stream");
    let copied = copier.copy(&streamed.disk, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    let left_out = copied.list("left_out");
    assert!(left_out.iter().any(|(path, why)| path.contains(':') && *why == json!("stream")), "{left_out:?}");
    let linked = ext::symbolic_link(copier.path(), b"autre.txt");
    let copied = copier.copy(&linked.disk, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    assert!(copied.list("left_out").contains(&("lien".to_owned(), json!("link"))), "{:?}", copied.list("left_out"));
    let twice = ext::hard_link(copier.path(), b"one content, two names");
    let copied = copier.copy(&twice.disk, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    let seen = copier.seen(&output).unwrap();
    for name in ["premier.txt", "dossier/second.txt"] {
        assert_eq!(seen.get(name).map(Vec::as_slice), Some(&b"one content, two names"[..]), "{name}");
    }
    let not_carried = json!(["attributes", "ownership", "other_times", "hard_links"]);
    assert_eq!(copied.copy()["not_carried"], not_carried);
}

#[test]
fn each_of_several_volumes_gets_a_folder_and_hidden_ones_are_listed() {
    let copier = Copier::new();
    let output = copier.blank("output.img", 64 * MIB);
    let several = image(copier.path(), Format::Fat16, Layout::MbrSecond, &small());
    let copied = copier.copy(&several, &output, &[]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report);
    let seen = copier.seen(&output).unwrap();
    assert!(seen.keys().all(|path| path.starts_with("volume-1/") || path.starts_with("volume-2/")), "{seen:?}");
    assert_eq!(seen["volume-2/LETTRE.TXT"], b"Bonjour\r\n");
    let hidden = image(copier.path(), Format::Fat16, Layout::MbrHidden, &small());
    let copied = copier.copy(&hidden, &output, &["--yes"]);
    assert_eq!(copied.outcome(), (7, "untouched", "nothing"), "{:#}", copied.report["copy"]);
}

/// Waits until the program says that the output is being prepared: the source is scanned, and not yet read again.
fn until_formatting(child: &mut Child) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("Preparing the station") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    // Nobody reads its words any more, so somebody must.
    std::thread::spawn(move || lines.lines().for_each(drop));
    said
}

/// Copies a source in which a file becomes another one as soon as the output is being prepared. What was read again
/// before that is copied as it was checked.
fn copied_while_it_changes(copier: &Copier, source: &Path, output: &Path) -> Copied {
    let before = fs::read(source).unwrap();
    let at = before.windows(7).position(|window| window == b"Bonjour").unwrap() as u64;
    let file = OpenOptions::new().write(true).open(source).unwrap();
    let mut command = copier.command(source, output, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_formatting(&mut child);
    file.write_all_at(b"bonjour", at).unwrap();
    let answer = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let copied = Copied { code: answer.status.code().unwrap(), report, messages: String::new() };
    if copied.outcome() == (0, "copied", "") {
        assert_eq!(copier.seen(output).unwrap()["LETTRE.TXT"], b"Bonjour\r\n", "what was checked");
    }
    copied
}

#[test]
fn a_source_that_changes_after_its_check_leaves_an_empty_medium() {
    let copier = Copier::new();
    for format in [Format::Fat32, Format::ExFat] {
        // On a busy machine the file may have been read again before this program could change it: then once more.
        let copied = (0..10).find_map(|_| {
            let source = image(copier.path(), format, Layout::MbrPrimary, &tree());
            let copied = copied_while_it_changes(&copier, &source, &copier.blank("output.img", 64 * MIB));
            (copied.outcome().1 != "copied").then_some(copied)
        });
        let (copied, output) = (copied.expect("one of ten is in time"), copier.path().join("output.img"));
        assert_eq!(copied.outcome(), (7, "empty", "source_changed"), "{:#}", copied.report["copy"]);
        assert_eq!(copied.copy()["cause"]["detail"], "LETTRE.TXT");
        assert!(copied.copy().get("seal").is_none());
        assert_eq!(copier.seen(&output), Some(BTreeMap::new()));
        assert_eq!(copier.verify(&output).0, 40, "there is no tag");
        let raw = fs::read(&output).unwrap();
        assert!(!raw.windows(7).any(|window| window == b"bonjour"), "nothing of it stays in free clusters");
    }
}

#[test]
fn a_station_that_dies_while_it_copies_leaves_no_tag_and_no_half() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::ExFat, Layout::MbrPrimary, &tree());
    for wait in [0, 5, 20, 60, 150] {
        let output = copier.blank("output.img", 64 * MIB);
        let mut command = copier.command(&source, &output, &[]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until_formatting(&mut child);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        // The sealer dies with its parent, when it comes to it: until then it holds the lock of what it writes.
        let written = File::open(&output).unwrap();
        rustix::fs::flock(&written, rustix::fs::FlockOperation::LockExclusive).unwrap();
        rustix::fs::flock(&written, rustix::fs::FlockOperation::Unlock).unwrap();
        let seen = copier.seen_after_a_death(&output);
        let whole = seen.as_ref().is_none_or(|seen| seen.is_empty() || *seen == files(&tree()));
        assert!(whole, "after {wait} ms: {:?}", seen.map(|seen| seen.keys().cloned().collect::<Vec<_>>()));
        assert_ne!(copier.verify(&output).0, 0, "after {wait} ms");
    }
}

/// A loop device over a file, as long as it lives.
struct Loop<'a> {
    folder: &'a Path,
    device: PathBuf,
}

impl<'a> Loop<'a> {
    fn new(folder: &'a Path, file: &Path, sector: &str) -> Self {
        let words = ["--sector-size", sector, "--find", "--show"].map(std::ffi::OsStr::new);
        let answer = run(folder, "losetup", words.into_iter().chain([file.as_os_str()]));
        Self { folder, device: String::from_utf8(answer).unwrap().trim().into() }
    }
}

impl Drop for Loop<'_> {
    fn drop(&mut self) {
        try_run(self.folder, "losetup", ["--detach".as_ref(), self.device.as_os_str()]);
    }
}

/// Real block devices: of another block size, and one that somebody uses.
#[test]
fn a_device_of_4096_byte_blocks_is_filled_and_one_in_use_is_left_alone() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::Ntfs, Layout::Gpt, &small());
    let file = copier.blank("output.img", 64 * MIB);
    let from = Loop::new(copier.path(), &source, "512");
    let to = Loop::new(copier.path(), &file, "4096");
    let flags = i32::try_from(rustix::fs::OFlags::EXCL.bits()).unwrap();
    let used = OpenOptions::new().read(true).custom_flags(flags).open(&to.device).unwrap();
    let refused = copier.copy(&from.device, &to.device, &[]);
    assert_eq!(refused.outcome(), (7, "untouched", "output"), "{:#}", refused.report["copy"]);
    assert_eq!(refused.copy()["cause"]["detail"]["obstacle"], "in_use");
    drop(used);
    let copied = copier.copy(&from.device, &to.device, &[]);
    assert_eq!(copied.outcome(), (0, "copied", ""), "{:#}", copied.report["copy"]);
    assert_eq!(copied.copy()["filesystem"], "exfat", "FAT32 with blocks of 4096 bytes needs 256 MiB");
    let (code, answer) = copier.verify(&to.device);
    assert_eq!(code, 0, "{answer:#}");
}

/// A copier that was taken over and says that everything is done.
#[test]
fn a_copier_that_lies_gets_no_tag() {
    let mut copier = Copier::new();
    let children = copier.path().join("children");
    fs::create_dir(&children).unwrap();
    for name in ["blanche-reader", "blanche-matcher", "blanche-signer", "blanche-verify"] {
        fs::copy(program(name), children.join(name)).unwrap();
    }
    fs::copy(env!("CARGO_BIN_EXE_lying-copier"), children.join("blanche-sealer")).unwrap();
    copier.station.set("children", "directory", &format!("{children:?}"));
    let source = image(copier.path(), Format::Fat16, Layout::Superfloppy, &small());
    let output = copier.blank("output.img", 64 * MIB);
    let copied = copier.copy(&source, &output, &[]);
    assert_eq!((copied.outcome().0, copied.outcome().2), (7, "output_not_clean"), "{:#}", copied.report["copy"]);
    assert!(copied.copy().get("seal").is_none());
    assert_eq!(copier.verify(&output).0, 40);
}

#[test]
fn a_person_is_told_in_french() {
    let copier = Copier::new();
    let source = image(copier.path(), Format::Fat16, Layout::Superfloppy, &small().with("blanche.tag", "my notes"));
    let output = copier.blank("output.img", 64 * MIB);
    let configuration = copier.station.configuration();
    let words = ["--config".as_ref(), configuration.as_os_str(), "--lang".as_ref(), "fr".as_ref(), "copy".as_ref()];
    let words = words.into_iter().chain([source.as_os_str(), output.as_os_str()]);
    let answer = try_run(copier.path(), program("blanche").to_str().unwrap(), words);
    let said = String::from_utf8(answer.stdout).unwrap().replace('\u{a0}', " ");
    for part in ["Copié et relu : 3 fichiers", "porte maintenant une étiquette", "blanche.tag → _blanche.tag"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
