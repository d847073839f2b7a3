//! Thousands of files on FAT and exFAT, fresh and aged: removed, renamed, moved, overwritten and written anew in a
//! fixed random order. What the reader hands over is what independent programs show.

use crate::images::{Numbers, empty_exfat, empty_fat, run, with_exfat, with_mtools, write_tree};
use crate::reading::read_image;
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

const MIB: u64 = 1 << 20;
const ROUNDS: usize = 4;

/// Contents by path.
type Files = BTreeMap<String, Vec<u8>>;
/// SHA-256 by path.
type Digests = BTreeMap<String, [u8; 32]>;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Half of the folders lie in the other half.
fn folders() -> Vec<String> {
    let pair = |number| [format!("d{number}"), format!("d{number}/Été à la mer, dossier n° {number}")];
    (0..25).flat_map(pair).collect()
}

/// The files of a volume, and the changes that they go through.
struct Life {
    numbers: Numbers,
    folders: Vec<String>,
    files: Files,
    serial: usize,
    count: usize,
    cluster: usize,
    /// Clusters of the largest file.
    largest: usize,
    /// Clusters for the content of all files: when they are used up, files are empty.
    room: usize,
}

/// What one round does to a volume, in this order.
#[derive(Default)]
struct Round {
    removed: Vec<String>,
    renamed: Vec<(String, String)>,
    /// New files, and others that are replaced.
    written: Files,
}

impl Life {
    fn new(seed: u64, count: usize, cluster: usize, largest: usize) -> Life {
        let (numbers, files) = (Numbers(seed), Files::new());
        Life { numbers, folders: folders(), files, serial: 0, count, cluster, largest, room: usize::MAX }
    }

    /// A path that no file has or had, in any case of its letters.
    fn new_path(&mut self) -> String {
        self.serial += 1;
        let (numbers, serial) = (&mut self.numbers, self.serial);
        // mtools finds no room for a name that takes more than a cluster once the folder has aged.
        let longest = (self.cluster / 50).min(24);
        let folder = &self.folders[numbers.below(self.folders.len())];
        let name = match numbers.below(7) {
            0 => format!("FILE{serial:04}.BIN"),
            1 => format!("file{serial:04}.bin"),
            2 => format!("FILE{serial:04}.bin"),
            3 => format!("Mixed Case {serial}.Txt"),
            4 => format!("été à l'œuvre {serial}.dat"),
            5 => format!("a long name{} {serial}.document", " and more".repeat(numbers.below(longest))),
            _ => format!("ÀÉÎÕÜ ñ ß Ж 漢 {serial}"),
        };
        format!("{folder}/{name}")
    }

    /// Nothing, whole clusters, little, or more.
    fn content(&mut self) -> Vec<u8> {
        let numbers = &mut self.numbers;
        let size = match numbers.below(8) {
            0 => 0,
            1 => self.cluster * numbers.below(3),
            2..=5 => numbers.below(self.cluster * 2),
            _ => numbers.below(self.cluster * self.largest),
        };
        let clusters = |size: usize| size.div_ceil(self.cluster);
        let used: usize = self.files.values().map(|content| clusters(content.len())).sum();
        let size = if clusters(size) > self.room.saturating_sub(used) { 0 } else { size };
        numbers.bytes(size)
    }

    fn any_path(&mut self) -> String {
        let chosen = self.numbers.below(self.files.len());
        self.files.keys().nth(chosen).unwrap().clone()
    }

    /// Writes new files until the volume has as many as it shall have.
    fn fill(&mut self, round: &mut Round) {
        while self.files.len() < self.count {
            let (path, content) = (self.new_path(), self.content());
            round.written.insert(path.clone(), content.clone());
            self.files.insert(path, content);
        }
    }

    /// The first files; each folder has a README whose name is written in one of three ways.
    fn birth(&mut self) -> Round {
        let mut round = Round::default();
        for (number, folder) in folders().into_iter().enumerate() {
            let path = format!("{folder}/{}", ["README.TXT", "readme.txt", "ReadMe.txt"][number % 3]);
            let content = self.content();
            round.written.insert(path.clone(), content.clone());
            self.files.insert(path, content);
        }
        self.fill(&mut round);
        round
    }

    fn next_round(&mut self) -> Round {
        let mut round = Round::default();
        for _ in 0..self.count / 5 {
            let path = self.any_path();
            self.files.remove(&path);
            round.removed.push(path);
        }
        for number in 0..30 {
            let old = self.any_path();
            let content = self.files.remove(&old).unwrap();
            let new = self.new_path();
            let (folder, name) = new.rsplit_once('/').unwrap();
            // Half of them stay where they are. All get long names: mtools forgets the case of short ones here.
            let folder = if number % 2 == 0 { old.rsplit_once('/').unwrap().0 } else { folder };
            let new = format!("{folder}/renamed {name}");
            self.files.insert(new.clone(), content);
            round.renamed.push((old, new));
        }
        for _ in 0..self.count / 10 {
            let (path, content) = (self.any_path(), self.content());
            self.files.insert(path.clone(), content.clone());
            round.written.insert(path, content);
        }
        self.fill(&mut round);
        round
    }
}

fn digests(files: &Files) -> Digests {
    files.iter().map(|(path, content)| (path.clone(), sha2::Sha256::digest(content).into())).collect()
}

/// The files below a folder.
fn shown_in(root: &Path) -> Digests {
    let (mut shown, mut open) = (Digests::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = text(path.strip_prefix(root).unwrap()).to_owned();
                shown.insert(name, sha2::Sha256::digest(fs::read(&path).unwrap()).into());
            }
        }
    }
    shown
}

/// The reader has nothing to complain about and hands over what the life left and what every program shows.
fn compare(name: &str, image: Vec<u8>, life: &Life, shown: &[(&str, Digests)]) {
    let reading = read_image(image);
    assert_eq!(reading.not_read, [], "{name}");
    let found = digests(&reading.files(0));
    assert_eq!(found.len(), life.count, "{name}");
    for (program, shown) in shown.iter().chain([&("what was written", digests(&life.files))]) {
        let only = |these: &Digests, others: &Digests| -> Vec<String> {
            these
                .iter()
                .filter(|(path, digest)| others.get(*path) != Some(digest))
                .map(|(path, _)| path.clone())
                .collect()
        };
        let (more, fewer) = (only(&found, shown), only(shown, &found));
        assert!(more.is_empty() && fewer.is_empty(), "{name}: found {more:?}, but {program} has {fewer:?}");
    }
}

/// Paths as mtools takes them.
fn on_image<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    paths.map(|path| format!("::/{path}")).collect()
}

fn mtools(program: &str, image: &str, options: &[&str], paths: &[String]) -> String {
    let paths = paths.iter().map(String::as_str);
    let arguments: Vec<&str> = options.iter().copied().chain(["-i", image]).chain(paths).collect();
    run(program, &arguments, "")
}

/// Does a round with mtools: one call for the removals, one for each new name, one for each folder written to.
fn apply_with_mtools(round: &Round, image: &str) {
    if !round.removed.is_empty() {
        mtools("mdel", image, &[], &on_image(round.removed.iter()));
    }
    for (old, new) in &round.renamed {
        mtools("mmove", image, &[], &on_image([old, new].into_iter()));
    }
    let stage = tempfile::tempdir().unwrap();
    write_tree(stage.path(), &round.written);
    let mut by_folder = BTreeMap::<&str, Vec<String>>::new();
    for path in round.written.keys() {
        let folder = path.rsplit_once('/').unwrap().0;
        by_folder.entry(folder).or_default().push(text(&stage.path().join(path)).to_owned());
    }
    for (folder, mut paths) in by_folder {
        paths.push(format!("::/{folder}"));
        mtools("mcopy", image, &["-o", "-Q"], &paths);
    }
}

fn shown_by_mtools(image: &str) -> Digests {
    let folder = tempfile::tempdir().unwrap();
    run("mcopy", &["-s", "-n", "-Q", "-i", image, "::*", text(folder.path())], "");
    shown_in(folder.path())
}

fn shown_by_7z(image: &str) -> Digests {
    let folder = tempfile::tempdir().unwrap();
    run("7z", &["x", "-y", "-tFAT", &format!("-o{}", text(folder.path())), image], "");
    shown_in(folder.path())
}

/// Files in more than one run of clusters: mshowfat gives each run in angle brackets.
fn fragmented_on_fat(image: &str, files: &Files) -> usize {
    let runs = mtools("mshowfat", image, &[], &on_image(files.keys()));
    runs.lines().filter(|line| line.matches('<').count() > 1).count()
}

fn fat_ages(width: u8, bytes: u64, sectors: usize, mut life: Life) {
    with_mtools(empty_fat(width, bytes, &["-s", &sectors.to_string()]), |image| {
        mtools("mmd", image, &[], &on_image(life.folders.iter()));
        apply_with_mtools(&life.birth(), image);
        let check = |age: &str, life: &Life| {
            let shown = [("mtools", shown_by_mtools(image)), ("7z", shown_by_7z(image))];
            compare(&format!("{age} FAT{width}"), fs::read(image).unwrap(), life, &shown);
        };
        check("fresh", &life);
        for _ in 0..ROUNDS {
            apply_with_mtools(&life.next_round(), image);
        }
        let fragmented = fragmented_on_fat(image, &life.files);
        eprintln!("FAT{width}: {fragmented} of {} files are fragmented", life.count);
        assert!(fragmented * 20 > life.count, "FAT{width}: {fragmented} fragmented files");
        check("aged", &life);
    });
}

#[test]
fn fat12_fresh_and_aged() {
    // FAT12 has at most 4 084 clusters, and the folders take some of them.
    fat_ages(12, 8 * MIB, 4, Life { room: 3200, ..Life::new(12, 5000, 2048, 4) });
}

#[test]
fn fat16_fresh_and_aged() {
    fat_ages(16, 24 * MIB, 2, Life::new(16, 5000, 1024, 12));
}

#[test]
fn fat32_fresh_and_aged() {
    // Nearly full, so that mtools, which goes on from the last cluster given, comes round to the gaps.
    fat_ages(32, 34 * MIB, 1, Life::new(32, 5000, 512, 70));
}

/// Does a round in a mounted folder. Files are written in two halves with other files between them, those that are
/// replaced keep their clusters and grow or shrink.
fn apply_in_folder(round: &Round, root: &Path) {
    for path in &round.removed {
        fs::remove_file(root.join(path)).unwrap();
    }
    for (old, new) in &round.renamed {
        fs::rename(root.join(old), root.join(new)).unwrap();
    }
    for (path, content) in &round.written {
        let path = root.join(path);
        let mut file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path).unwrap();
        file.write_all(&content[..content.len() / 2]).unwrap();
        file.set_len(content.len() as u64 / 2).unwrap();
    }
    for (path, content) in &round.written {
        let mut file = fs::OpenOptions::new().append(true).open(root.join(path)).unwrap();
        file.write_all(&content[content.len() / 2..]).unwrap();
    }
}

/// Files in more than one run of clusters, by the entry sets and the table of an image (exFAT specification, sections
/// 3.1, 4.1 and 7.6).
fn fragmented_on_exfat(image: &[u8]) -> usize {
    let word = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize;
    let table = word(80) << image[108];
    let clusters = 2..word(92) + 2;
    let records: Vec<&[u8]> = image.chunks_exact(32).collect();
    let mut fragmented = 0;
    for set in records.windows(3) {
        // A file, not a folder, whose clusters are chained by the table.
        let types = [set[0][0], set[1][0], set[2][0]];
        if types != [0x85, 0xc0, 0xc1] || set[0][4] & 0x10 != 0 || set[1][1] & 2 != 0 {
            continue;
        }
        let mut cluster = u32::from_le_bytes(set[1][20..24].try_into().unwrap()) as usize;
        while clusters.contains(&cluster) && word(table + cluster * 4) == cluster + 1 {
            cluster += 1;
        }
        fragmented += usize::from(clusters.contains(&cluster) && clusters.contains(&word(table + cluster * 4)));
    }
    fragmented
}

/// What exfat-fuse shows of an image in a mount of its own, where it may not write.
fn shown_by_exfat(image: &Path) -> Digests {
    let mut shown = Digests::new();
    with_exfat(image, &["-o", "ro"], |mount| shown = shown_in(mount));
    shown
}

#[test]
fn exfat_fresh_and_aged() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    empty_exfat(&image, 80 * MIB);
    let mut life = Life::new(64, 5000, 4096, 8);
    let birth = life.birth();
    with_exfat(&image, &[], |mount| {
        for folder in folders() {
            fs::create_dir(mount.join(folder)).unwrap();
        }
        apply_in_folder(&birth, mount);
    });
    compare("fresh exFAT", fs::read(&image).unwrap(), &life, &[("exfat-fuse", shown_by_exfat(&image))]);
    with_exfat(&image, &[], |mount| {
        for _ in 0..ROUNDS {
            apply_in_folder(&life.next_round(), mount);
        }
    });
    let bytes = fs::read(&image).unwrap();
    let fragmented = fragmented_on_exfat(&bytes);
    eprintln!("exFAT: {fragmented} of {} files are fragmented", life.count);
    assert!(fragmented * 20 > life.count, "{fragmented} fragmented files");
    compare("aged exFAT", bytes, &life, &[("exfat-fuse", shown_by_exfat(&image))]);
}
