//! A clean medium is sealed, and everybody who reads the tag says the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::ceremony::in_der;
use blanche_tests::tools::{run, try_run};
use blanche_tests::{Ceremony, Disc, Format, Layout, Scan, Station, Tree, disc, exfat, image, program};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Short and long names, accents, an empty file, and one with BLAKE3 subtrees.
fn tree() -> Tree {
    let long: Vec<u8> =
        (0..1_400_000u32).map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    Tree::new()
        .with("LETTRE.TXT", "Bonjour\r\n")
        .with("Dossier/Été 2026/naïve clé.txt", "accents\r\n")
        .with("Dossier/vide.dat", "")
        .with("long.bin", long)
}

/// A station that seals, in a folder that lives as long as it.
struct Sealer {
    folder: tempfile::TempDir,
    ceremony: Ceremony,
    station: Station,
}

impl Sealer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ceremony = Ceremony::new(&folder.path().join("keys"));
        let mut station = Station::new(folder.path());
        ceremony.equip(&mut station, "accueil-1", "paris");
        Self { folder, ceremony, station }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn trust(&self) -> PathBuf {
        self.path().join("keys/trust")
    }

    /// What `blanche-verify` says at level full: exit code, and the JSON document.
    fn verify(&self, target: &Path, options: &[&str]) -> (i32, Value) {
        let mut arguments: Vec<&str> = vec!["--json", "--no-memory", "--level", "full", "--trust"];
        let trust = self.trust();
        arguments.push(trust.to_str().unwrap());
        arguments.extend(options);
        arguments.push(target.to_str().unwrap());
        let verifier = program("blanche-verify");
        let output = try_run(self.path(), verifier.to_str().unwrap(), arguments);
        let answer = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), answer)
    }

    /// The station's own program: exit code, and what it printed.
    fn blanche(&self, words: &[&str]) -> (i32, String) {
        let configuration = self.station.configuration();
        let arguments = ["--config", configuration.to_str().unwrap()].into_iter().chain(words.iter().copied());
        let output = try_run(self.path(), program("blanche").to_str().unwrap(), arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// The sealing of a medium, to be started.
    fn sealing(&self, disk: &Path) -> Command {
        let mut command = Command::new(program("blanche"));
        command.arg("--config").arg(self.station.configuration()).args(["--lang", "en", "scan", "--seal"]).arg(disk);
        command
    }

    /// What the second verifier says at level full of a tag file and a medium, with a folder that shows its volume where it does
    /// not read that itself.
    fn second_verifier(&self, tag: &Path, medium: &Path, folder: Option<&Path>) -> Value {
        let (authority, crls) = in_der(&self.trust(), &self.path().join("der"));
        let verifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("tag/verify.py");
        let mut python = program("blanche").parent().unwrap().join("../venv-tag/bin/python");
        if !python.exists() {
            python = PathBuf::from("python3");
        }
        let shown = folder.map(|folder| format!("--folder=0={}", folder.display()));
        let arguments: [&Path; 10] = [
            &verifier,
            Path::new("--authority"),
            &authority,
            Path::new("--crl"),
            &crls,
            Path::new("--level"),
            Path::new("full"),
            Path::new("--block=512"),
            tag,
            medium,
        ];
        let arguments = arguments.into_iter().chain(shown.as_deref().map(Path::new));
        let output = try_run(self.path(), python.to_str().unwrap(), arguments);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn outcome(scan: &Scan) -> (&str, i32) {
    (scan.report["seal"]["outcome"].as_str().unwrap_or_else(|| panic!("{}", scan.messages)), scan.code)
}

fn assert_accepted((code, answer): &(i32, Value)) {
    assert_eq!((*code, &answer["verdict"]), (0, &Value::from("accepted")), "{answer:#}");
}

/// Free bytes of a FAT volume, as the second verifier's tools count them.
fn free(folder: &Path, disk: &Path, format: Format) -> u64 {
    if format == Format::ExFat {
        return exfat::with_mounted(folder, disk, |point| {
            let answer = run(folder, "stat", ["--file-system".as_ref(), "--format=%S %f".as_ref(), point.as_os_str()]);
            let text = String::from_utf8(answer).unwrap();
            text.split_whitespace().map(|number| number.parse::<u64>().unwrap()).product()
        });
    }
    let listing = String::from_utf8(run(folder, "mdir", ["-i".as_ref(), disk.as_os_str()])).unwrap();
    let line = listing.lines().find(|line| line.contains("bytes free")).unwrap();
    line.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// The tag, and every user file as it was, as other people's programs see the medium. Returns the tag.
fn look(folder: &Path, disk: &Path, format: Format) -> PathBuf {
    let seen = folder.join("seen");
    let _ = fs::remove_dir_all(&seen);
    fs::create_dir(&seen).unwrap();
    if format == Format::ExFat {
        exfat::with_mounted(folder, disk, |point| {
            let source = point.join(".");
            run(folder, "cp", ["-r".as_ref(), source.as_os_str(), seen.as_os_str()]);
        });
    } else {
        let arguments =
            ["-s".as_ref(), "-n".as_ref(), "-i".as_ref(), disk.as_os_str(), "::/".as_ref(), seen.as_os_str()];
        run(folder, "mcopy", arguments);
    }
    for file in tree().files() {
        assert!(fs::read(seen.join(&file.path)).unwrap() == file.bytes, "{format:?}: {}", file.path);
    }
    let tag = folder.join("copy.blanche.tag");
    fs::rename(seen.join("blanche.tag"), &tag).unwrap();
    assert_eq!(count(&seen), 6, "four files in two folders, and nothing else");
    tag
}

fn count(folder: &Path) -> usize {
    let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
    let inside = entries.iter().filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| count(&entry.path()));
    entries.len() + inside.sum::<usize>()
}

#[test]
fn a_sealed_medium_is_sound_unchanged_and_accepted_by_all() {
    let sealer = Sealer::new();
    for format in [Format::Fat12, Format::Fat16, Format::Fat32, Format::ExFat] {
        let disk = image(sealer.path(), format, Layout::Superfloppy, &tree());
        let before = free(sealer.path(), &disk, format);
        let sealed = sealer.station.seal(&disk);
        assert_eq!(outcome(&sealed), ("on_medium", 0), "{format:?}: {}", sealed.messages);
        let checker = if format == Format::ExFat { "fsck.exfat" } else { "fsck.vfat" };
        run(sealer.path(), checker, ["-n".as_ref(), disk.as_os_str()]);
        let verified = sealer.verify(&disk, &[]);
        assert_accepted(&verified);
        let copy = disk.with_extension("copy");
        fs::copy(&disk, &copy).unwrap();
        let tag = look(sealer.path(), &copy, format);
        let after = free(sealer.path(), &copy, format);
        let length = fs::metadata(&tag).unwrap().len();
        assert!(before - after >= length && before - after < length + 65_536, "{format:?}: {before} {after} {length}");
        let second = match format {
            Format::ExFat => {
                exfat::with_mounted(sealer.path(), &copy, |point| sealer.second_verifier(&tag, &disk, Some(point)))
            }
            _ => sealer.second_verifier(&tag, &disk, None),
        };
        assert_eq!(second["accepted"], true, "{format:?}: {second:#}");
    }
}

#[test]
fn a_tag_is_found_behind_every_partition_table() {
    let sealer = Sealer::new();
    for layout in [Layout::MbrPrimary, Layout::MbrSecond, Layout::MbrLogical, Layout::Gpt] {
        for format in [Format::Fat32, Format::ExFat] {
            let disk = image(sealer.path(), format, layout, &tree());
            let sealed = sealer.station.seal(&disk);
            assert_eq!(outcome(&sealed), ("on_medium", 0), "{format:?} {layout:?}: {}", sealed.messages);
            assert_accepted(&sealer.verify(&disk, &[]));
        }
    }
}

#[test]
fn what_cannot_carry_a_tag_gets_a_detached_one() {
    let sealer = Sealer::new();
    let hidden = image(sealer.path(), Format::Fat16, Layout::MbrHidden, &tree());
    let media = [
        (image(sealer.path(), Format::Ntfs, Layout::Superfloppy, &tree()), "no_volume", false),
        (image(sealer.path(), Format::Ext4, Layout::Gpt, &tree()), "no_volume", false),
        // debugfs shows the second verifier what is on this one; NTFS is in tests/evil.
        (image(sealer.path(), Format::Ext4, Layout::Superfloppy, &tree()), "no_volume", true),
        (disc(sealer.path(), Disc::JolietRockRidge, &tree()), "no_volume", false),
        (hidden, "no_volume", false),
        (full(sealer.path()), "no_space", false),
    ];
    for (disk, because, is_extracted) in media {
        let digest = blake3::hash(&fs::read(&disk).unwrap());
        let sealed = sealer.station.seal(&disk);
        assert_eq!(
            outcome(&sealed),
            ("detached", 0),
            "{}: {} {:#}",
            disk.display(),
            sealed.messages,
            sealed.report["seal"]
        );
        assert_eq!(sealed.report["seal"]["because"]["obstacle"], because, "{}", disk.display());
        assert_eq!(blake3::hash(&fs::read(&disk).unwrap()), digest, "{}: nothing was written", disk.display());
        let tag = sealed.report["seal"]["file"].as_str().unwrap().to_owned();
        assert_accepted(&sealer.verify(&disk, &["--tag", &tag]));
        if is_extracted {
            let second = sealer.second_verifier(Path::new(&tag), &disk, Some(&extracted(sealer.path(), &disk)));
            assert_eq!(second["accepted"], true, "{second:#}");
        }
        let exported = disk.with_extension("exported");
        assert_eq!(sealer.blanche(&["tag", "export", disk.to_str().unwrap(), exported.to_str().unwrap()]).0, 0);
        assert_eq!(fs::read(&exported).unwrap(), fs::read(&tag).unwrap());
        let listed = sealer.blanche(&["tag", "list"]);
        assert!(listed.0 == 0 && listed.1.contains(&tag), "{listed:?}");
        // One byte of a file, somewhere else than in the boot areas.
        change(&disk, b"Bonjour", b"bonjour");
        let (code, answer) = sealer.verify(&disk, &["--tag", &tag]);
        assert_eq!((code, &answer["refusal"]["code"]), (42, &Value::from("E-CHANGED")), "{answer:#}");
    }
    let other = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let nowhere = sealer.path().join("nowhere");
    assert_eq!(sealer.blanche(&["tag", "export", other.to_str().unwrap(), nowhere.to_str().unwrap()]).0, 40);
    assert!(!nowhere.exists());
}

/// What is on an ext4, as debugfs copies it into a folder.
fn extracted(folder: &Path, disk: &Path) -> PathBuf {
    let shown = folder.join("extracted");
    fs::create_dir(&shown).unwrap();
    let copy = format!("rdump / {}", shown.display());
    run(folder, "debugfs", ["-R".as_ref(), copy.as_ref(), disk.as_os_str()]);
    shown
}

/// A FAT16 without a free cluster.
fn full(folder: &Path) -> PathBuf {
    let disk = image(folder, Format::Fat16, Layout::Superfloppy, &tree());
    let free = free(folder, &disk, Format::Fat16);
    let filler = folder.join("filler.bin");
    fs::write(&filler, vec![b'x'; usize::try_from(free).unwrap()]).unwrap();
    run(folder, "mcopy", ["-i".as_ref(), disk.as_os_str(), filler.as_os_str(), "::".as_ref()]);
    disk
}

/// Replaces the first occurrence of `from` on the medium.
fn change(disk: &Path, from: &[u8], to: &[u8]) {
    let bytes = fs::read(disk).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the bytes are on the medium");
    OpenOptions::new().write(true).open(disk).unwrap().write_all_at(to, at as u64).unwrap();
}

/// ext4 with a symbolic link: its target is its content, in the manifest and for the verifiers.
#[test]
fn the_target_of_a_link_is_bound_by_the_tag() {
    let sealer = Sealer::new();
    let (files, disk) = (sealer.path().join("files"), sealer.path().join("links.img"));
    fs::create_dir(&files).unwrap();
    fs::write(files.join("lettre.txt"), "Bonjour\r\n").unwrap();
    std::os::unix::fs::symlink("lettre.txt", files.join("lien")).unwrap();
    fs::File::create(&disk).unwrap().set_len(16 << 20).unwrap();
    let make = ["-q".as_ref(), "-F".as_ref(), "-t".as_ref(), "ext4".as_ref(), "-d".as_ref(), files.as_os_str()];
    run(sealer.path(), "mke2fs", make.into_iter().chain([disk.as_os_str()]));
    let sealed = sealer.station.seal(&disk);
    assert_eq!(outcome(&sealed), ("detached", 0), "{} {:#}", sealed.messages, sealed.report["seal"]);
    let tag = sealed.report["seal"]["file"].as_str().unwrap().to_owned();
    assert_accepted(&sealer.verify(&disk, &["--tag", &tag]));
    let commands = sealer.path().join("commands");
    fs::write(&commands, "rm lien\nsymlink lien autre.txt\n").unwrap();
    run(sealer.path(), "debugfs", ["-w".as_ref(), "-f".as_ref(), commands.as_os_str(), disk.as_os_str()]);
    let (code, answer) = sealer.verify(&disk, &["--tag", &tag]);
    assert_eq!((code, &answer["refusal"]["code"]), (42, &Value::from("E-CHANGED")), "{answer:#}");
    assert_eq!(answer["differences"]["listed"][0]["path"], "lien", "{answer:#}");
}

#[test]
fn an_older_tag_is_replaced_and_anything_else_of_its_name_is_kept() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat32, Layout::MbrPrimary, &tree());
    let first = sealer.station.seal(&disk);
    let second = sealer.station.seal(&disk);
    assert_eq!((outcome(&first), outcome(&second)), (("on_medium", 0), ("on_medium", 0)), "{}", second.messages);
    let counters = [&first, &second].map(|scan| scan.report["seal"]["counter"].as_u64().unwrap());
    assert!(counters[0] < counters[1], "{counters:?}");
    assert_accepted(&sealer.verify(&disk, &[]));
    let taken = image(sealer.path(), Format::Fat16, Layout::Superfloppy, &tree().with("blanche.tag", "my own notes"));
    let sealed = sealer.station.seal(&taken);
    assert_eq!(outcome(&sealed), ("detached", 0), "{}", sealed.messages);
    assert_eq!(sealed.report["seal"]["because"]["obstacle"], "name_taken");
    let kept = run(sealer.path(), "mtype", ["-i".as_ref(), taken.as_os_str(), "::/blanche.tag".as_ref()]);
    assert_eq!(kept, b"my own notes");
}

/// Three sealings with one key folder: each signs in its turn, and no number is used twice.
#[test]
fn media_are_sealed_side_by_side_with_the_same_keys() {
    let sealer = Sealer::new();
    let sealings: Vec<_> = (0..3)
        .map(|number| {
            let folder = sealer.path().join(number.to_string());
            fs::create_dir(&folder).unwrap();
            let disk = image(&folder, Format::Fat16, Layout::Superfloppy, &tree());
            let report = folder.join("report.json");
            let mut command = sealer.sealing(&disk);
            (command.arg(format!("--json={}", report.display())).spawn().unwrap(), report)
        })
        .collect();
    let mut counters = std::collections::BTreeSet::new();
    for (mut sealing, report) in sealings {
        let code = sealing.wait().unwrap().code();
        let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        assert_eq!((&report["seal"]["outcome"], code), (&"on_medium".into(), Some(0)), "{report:#}");
        counters.insert(report["seal"]["counter"].as_u64().unwrap());
    }
    assert_eq!(counters.len(), 3, "{counters:?}");
}

/// Somebody else holds the counter: the person hears that the station waits, and gets the tag.
#[test]
fn a_sealing_waits_for_its_turn_and_says_so() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let counter = fs::File::open(sealer.path().join("keys/keys-accueil-1/counter")).unwrap();
    rustix::fs::flock(&counter, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut sealing = sealer.sealing(&disk).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(sealing.stderr.take().unwrap()).lines();
    let said =
        lines.map(Result::unwrap).any(|line| line == "Another tag is being signed; this one waits for its turn…");
    drop(counter);
    assert!(said);
    assert_eq!(sealing.wait().unwrap().code(), Some(0));
    assert_accepted(&sealer.verify(&disk, &[]));
}

/// 64 KiB were reckoned for the envelope; certificates and claims take about half of that.
#[test]
fn a_nearly_full_medium_carries_the_tag_that_fits() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let room = free(sealer.path(), &disk, Format::Fat12);
    let filling = sealer.path().join("filling.bin");
    fs::write(&filling, vec![b'x'; usize::try_from(room - (48 << 10)).unwrap()]).unwrap();
    run(sealer.path(), "mcopy", ["-i".as_ref(), disk.as_os_str(), filling.as_os_str(), "::/filling.bin".as_ref()]);
    let sealed = sealer.station.seal(&disk);
    assert_eq!(outcome(&sealed), ("on_medium", 0), "{}", sealed.messages);
    assert_accepted(&sealer.verify(&disk, &[]));
    let tag = run(sealer.path(), "mtype", ["-i".as_ref(), disk.as_os_str(), "::/blanche.tag".as_ref()]);
    assert!((1..48 << 10).contains(&tag.len()), "{}", tag.len());
}

#[test]
fn what_is_not_clean_is_never_sealed() {
    let sealer = Sealer::new();
    let infected = tree().with("virus.com", blanche_tests::samples::eicar());
    let disk = image(sealer.path(), Format::Fat32, Layout::Superfloppy, &infected);
    let digest = blake3::hash(&fs::read(&disk).unwrap());
    let scan = sealer.station.seal(&disk);
    assert_eq!((scan.verdict(), scan.code), ("infected", 20));
    assert_eq!(scan.report["seal"], serde_json::json!({"outcome": "no_tag", "reason": "obstacles"}));
    assert_eq!(blake3::hash(&fs::read(&disk).unwrap()), digest);
    let (code, answer) = sealer.verify(&disk, &[]);
    assert_eq!((code, &answer["refusal"]["code"]), (40, &Value::from("E-NO-TAG")));
}

#[test]
fn without_keys_or_trust_a_clean_medium_gets_no_tag_and_the_shell_hears_it() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat16, Layout::Superfloppy, &tree());
    let mut without = sealer.station.clone();
    let empty = sealer.path().join("empty");
    fs::create_dir(&empty).unwrap();
    without.set("seal", "keys", &format!("{:?}", empty.to_str().unwrap()));
    let scan = without.seal(&disk);
    assert_eq!((scan.verdict(), outcome(&scan)), ("clean", ("no_tag", 6)), "{}", scan.messages);
    assert_eq!(scan.report["seal"]["reason"], "signer");
    let mut distrusting = sealer.station.clone();
    let other = Ceremony::new(&sealer.path().join("other"));
    distrusting.set("seal", "trust", &format!("{:?}", other.trust("trust").to_str().unwrap()));
    let scan = distrusting.seal(&disk);
    assert_eq!(outcome(&scan), ("no_tag", 6), "{}", scan.messages);
    assert_eq!(
        scan.report["seal"],
        serde_json::json!({"outcome": "no_tag", "reason": "verifier", "detail": "E-CHAIN"})
    );
}

/// The trust folder is the workstations': what they may not ask less than, the station does not either.
#[test]
fn a_policy_that_demands_level_full_does_not_keep_a_station_from_sealing() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat16, Layout::Superfloppy, &tree());
    let policy = sealer.trust().join("policy.toml");
    fs::write(&policy, "level = \"full\"\n").unwrap();
    let sealed = sealer.station.seal(&disk);
    assert_eq!(outcome(&sealed), ("on_medium", 0), "{} {:#}", sealed.messages, sealed.report["seal"]);
    assert_accepted(&sealer.verify(&disk, &[]));
}

#[test]
fn a_revoked_station_is_refused_and_another_one_is_not() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat16, Layout::Superfloppy, &tree());
    assert_eq!(outcome(&sealer.station.seal(&disk)), ("on_medium", 0));
    let authority = sealer.ceremony.authority();
    sealer.ceremony.keys(&["revoke", "--station", "accueil-1", "--site", "paris"], &[("--authority", &authority)]);
    let _ = sealer.ceremony.trust("trust");
    let (code, answer) = sealer.verify(&disk, &[]);
    assert_eq!((code, &answer["refusal"]["code"]), (41, &Value::from("E-REVOKED-STATION")), "{answer:#}");
}
