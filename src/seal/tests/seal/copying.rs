//! A medium made anew: other people's programs find nothing to complain about and the same trees, and a medium that is
//! pulled out at any moment shows no file or every file.

use crate::media::{Files, content, looped, mounted, read_files};
use crate::oracles::{findings, may_stay, run};
use crate::recorder::Event;
use blanche_media::{ReadAt, ReadError};
use blanche_sandbox::wire::{CopyEntry, CopyFilesystem, CopyKind, CopyObstacle, CopyOrder, CopyPart, LocalTime};
use blanche_seal::format::{CopyError, Copying, Tree};
use blanche_seal::{Device, FileDevice, Stamp, UncachedFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;

const MIB: u64 = 1 << 20;
/// So long that all of it is overwritten.
const LONG: Duration = Duration::from_secs(600);

/// An image file that remembers what is written, and can be pulled out.
pub(crate) struct Logged {
    file: FileDevice,
    events: Vec<Event>,
    fails_after: usize,
}

impl ReadAt for Logged {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_at(offset, buffer)
    }

    fn capacity(&self) -> u64 {
        self.file.capacity()
    }
}

impl Device for Logged {
    fn block(&self) -> u32 {
        self.file.block()
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let block = u64::from(self.block());
        assert_eq!((offset % block, bytes.len() as u64 % block), (0, 0), "whole blocks only");
        assert!(offset + bytes.len() as u64 <= self.capacity(), "beyond the end");
        if self.events.len() >= self.fails_after {
            return Err(io::Error::other("the medium was pulled out"));
        }
        self.events.push(Event::Block(offset, bytes.to_vec()));
        self.file.write_at(offset, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.events.push(Event::Flush);
        self.file.flush()
    }
}

/// Files as a tree, with their numbers in the order of `files`.
fn tree(files: &Files) -> (Tree, BTreeMap<u32, Vec<u8>>) {
    let (mut tree, mut numbers, mut folders, mut next) = (Tree::default(), BTreeMap::new(), BTreeMap::new(), 0u32);
    for (path, bytes) in files {
        let (mut parent, mut so_far) = (None, String::new());
        let names: Vec<&str> = path.split('/').collect();
        for name in &names[..names.len() - 1] {
            so_far = format!("{so_far}/{name}");
            parent = Some(*folders.entry(so_far.clone()).or_insert_with(|| {
                let name = name.encode_utf16().collect();
                tree.push(CopyEntry { parent, name, kind: CopyKind::Folder, modified: None }).unwrap();
                next += 1;
                next - 1
            }));
        }
        let name = names[names.len() - 1].encode_utf16().collect();
        let kind = CopyKind::File { size: bytes.len() as u64, sha256: Sha256::digest(bytes).into() };
        tree.push(CopyEntry { parent, name, kind, modified: None }).unwrap();
        numbers.insert(next, bytes.clone());
        next += 1;
    }
    (tree, numbers)
}

/// Names and sizes of every kind: empty, a cluster and one byte more, deep, long, in other scripts, many in one folder.
fn files() -> Files {
    let mut files: Files = [
        ("README.TXT", 100),
        ("readme2.txt", 4096),
        ("vide", 0),
        ("Rapport annuel 2026 — version définitive, relue et corrigée.odt", 70_001),
        ("dossier/sous-dossier/日本語のファイル名.txt", 513),
        ("dossier/long.bin", 1_300_000),
        ("dossier/✓.bin", 9_000),
        ("dossier/vide aussi.txt", 0),
        ("thirteen.long", 1),
    ]
    .into_iter()
    .zip(1..)
    .map(|((path, length), seed)| (path.to_owned(), content(seed, length)))
    .collect();
    for number in 0..300 {
        files.insert(format!("beaucoup/fichier numéro {number:03}.dat"), content(number, number as usize * 7));
    }
    files
}

pub(crate) struct Medium {
    folder: tempfile::TempDir,
    path: PathBuf,
    block: u32,
}

pub(crate) type Copier = Copying<Logged, UncachedFile>;

impl Medium {
    pub(crate) fn new(bytes: u64, block: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("medium.img");
        File::create(&path).unwrap().set_len(bytes).unwrap();
        Self { folder, path, block }
    }

    fn plan(&self, filesystem: CopyFilesystem, tree: Tree) -> Result<Copier, CopyObstacle> {
        self.plan_until(usize::MAX, filesystem, tree)
    }

    /// On a medium that fails after so many writes and flushes.
    fn plan_until(&self, fails_after: usize, filesystem: CopyFilesystem, tree: Tree) -> Result<Copier, CopyObstacle> {
        let stamp = Stamp::new(OffsetDateTime::from_unix_timestamp(1_795_535_005).unwrap());
        self.plan_at(stamp, fails_after, filesystem, tree)
    }

    /// At another moment, or in another place.
    pub(crate) fn plan_at(
        &self,
        stamp: Stamp,
        fails_after: usize,
        filesystem: CopyFilesystem,
        tree: Tree,
    ) -> Result<Copier, CopyObstacle> {
        let file = FileDevice::open(&self.path).unwrap().with_block(self.block);
        let device = Logged { file, events: Vec::new(), fails_after };
        let time = LocalTime { seconds: 0, offset: 0 };
        let order = CopyOrder { logical_block: self.block, filesystem, serial: 0x1234_abcd, time, reserve: 0 };
        Copying::plan(device, UncachedFile::open(&self.path).unwrap(), order, stamp, tree)
    }

    /// The partition in a file of its own, when the table names one.
    pub(crate) fn partition(&self) -> Option<PathBuf> {
        let bytes = std::fs::read(&self.path).unwrap();
        let field = |at: usize| u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
        let (start, length) = (field(454) * u64::from(self.block), field(458) * u64::from(self.block));
        let partition = self.folder.path().join("partition.img");
        let range = start as usize..(start + length) as usize;
        (length > 0).then(|| std::fs::write(&partition, &bytes[range]).unwrap()).map(|()| partition)
    }
}

/// Hands over every file in pieces of odd lengths, two files in one object.
pub(crate) fn fill(copying: &mut Copier, numbers: &BTreeMap<u32, Vec<u8>>) -> Result<(), CopyError> {
    let numbers: Vec<_> = numbers.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    for pair in numbers.chunks(2) {
        let mut object = tempfile::tempfile().unwrap();
        let (mut parts, mut offset) = (Vec::new(), 0u64);
        for (file, bytes) in pair {
            let mut at = 0u64;
            for piece in bytes.chunks(33_333) {
                object.write_all(piece).unwrap();
                let length = piece.len() as u64;
                parts.push(CopyPart { file: **file, offset, at, length });
                (offset, at) = (offset + length, at + length);
            }
        }
        copying.take(&parts, &object, offset)?;
    }
    Ok(())
}

fn copy(medium: &Medium, filesystem: CopyFilesystem, files: &Files) -> Vec<Event> {
    let (tree, numbers) = tree(files);
    let mut copying = medium.plan(filesystem, tree).unwrap();
    copying.format().unwrap();
    fill(&mut copying, &numbers).unwrap();
    copying.finish(&mut |_| {}).unwrap();
    copying.into_device().events
}

fn is_exfat(filesystem: CopyFilesystem) -> bool {
    filesystem == CopyFilesystem::ExFat
}

#[test]
fn checkers_find_nothing_and_other_programs_read_the_same_trees() {
    for filesystem in [CopyFilesystem::Fat32, CopyFilesystem::ExFat] {
        for size in [36 * MIB + 12_345 / 512 * 512, 70 * MIB, 600 * MIB] {
            let medium = Medium::new(size, 512);
            copy(&medium, filesystem, &files());
            let partition = medium.partition().unwrap();
            let found = findings(&partition, is_exfat(filesystem));
            assert!(found.is_empty(), "{filesystem:?} {size}: {found:?}");
            let found = read_files(&partition, is_exfat(filesystem));
            assert_eq!(found.keys().collect::<Vec<_>>(), files().keys().collect::<Vec<_>>());
            assert!(found == files(), "{filesystem:?} {size}: other files");
            let table = run("sfdisk", &["--verify".as_ref(), medium.path.as_os_str()]);
            let table = String::from_utf8(table).unwrap();
            assert!(table.contains("No errors detected"), "{table}");
        }
    }
}

/// 7-Zip reads FAT by its own code, and knows names beyond the basic plane, which mtools does not.
#[test]
fn a_third_program_reads_fat32() {
    let medium = Medium::new(40 * MIB, 512);
    let mut files = files();
    files.insert("dossier/😀.bin".into(), content(9, 5_000));
    copy(&medium, CopyFilesystem::Fat32, &files);
    let partition = medium.partition().unwrap();
    let out = tempfile::tempdir().unwrap();
    let target = format!("-o{}", out.path().display());
    run("7z", &["x", "-tFAT", &target, partition.to_str().unwrap()]);
    for (path, bytes) in files {
        assert!(std::fs::read(out.path().join(&path)).unwrap() == bytes, "{path}");
    }
}

#[test]
fn blocks_of_4096_bytes_are_formatted_too() {
    let medium = Medium::new(300 * MIB, 4096);
    copy(&medium, CopyFilesystem::Fat32, &files());
    assert!(findings(&medium.partition().unwrap(), false).is_empty());
    copy(&medium, CopyFilesystem::ExFat, &files());
    let partition = medium.partition().unwrap();
    looped(&partition, "4096", |device| {
        assert!(findings(device, true).iter().all(|line| line.contains("clean")), "{:?}", findings(device, true));
    });
}

#[test]
fn an_empty_tree_is_an_empty_medium() {
    for filesystem in [CopyFilesystem::Fat32, CopyFilesystem::ExFat] {
        let medium = Medium::new(40 * MIB, 512);
        copy(&medium, filesystem, &Files::new());
        let partition = medium.partition().unwrap();
        assert!(findings(&partition, is_exfat(filesystem)).is_empty());
        assert!(read_files(&partition, is_exfat(filesystem)).is_empty());
    }
}

#[test]
fn what_was_there_leaves_no_table_and_no_signature() {
    let medium = Medium::new(64 * MIB, 512);
    run("mkntfs", &["-Q", "-F", "-q", medium.path.to_str().unwrap()]);
    // The backup of a GUID partition table, at the end.
    let file = File::options().write(true).open(&medium.path).unwrap();
    file.write_all_at(b"EFI PART", 64 * MIB - 512).unwrap();
    let before = std::fs::read(&medium.path).unwrap();
    assert!(before.windows(4).any(|window| window == b"NTFS"));
    copy(&medium, CopyFilesystem::ExFat, &files());
    let after = std::fs::read(&medium.path).unwrap();
    let edge = MIB as usize;
    assert!(after[512..edge].iter().all(|byte| *byte == 0), "the gap before the partition");
    let end = after.len() - edge;
    assert!(after[end..].windows(4).all(|window| window != b"NTFS" && window != b"EFI "), "the end of the medium");
}

/// Everything that cannot be done is told before the first write.
#[test]
fn too_little_room_is_found_before_anything_is_erased() {
    let large: Files = [("large.bin".to_owned(), content(1, 5 << 20))].into();
    for (size, filesystem) in [(4 * MIB, CopyFilesystem::ExFat), (37 * MIB, CopyFilesystem::Fat32)] {
        let medium = Medium::new(size, 512);
        std::fs::OpenOptions::new().write(true).open(&medium.path).unwrap().write_all_at(b"precious", 0).unwrap();
        let times = if is_exfat(filesystem) { 1 } else { 8 };
        let many: Files =
            (0..times).flat_map(|n| large.values().map(move |bytes| (n.to_string(), bytes.clone()))).collect();
        let refused = medium.plan(filesystem, tree(&many).0).err();
        assert!(matches!(refused, Some(CopyObstacle::NoRoom { needed, room }) if needed > room), "{refused:?}");
        assert_eq!(&std::fs::read(&medium.path).unwrap()[..8], b"precious");
    }
    let tiny = Medium::new(MIB, 512);
    assert_eq!(tiny.plan(CopyFilesystem::ExFat, Tree::default()).err(), Some(CopyObstacle::Unfit));
}

#[test]
fn a_content_that_is_not_the_one_that_was_checked_leaves_an_empty_medium() {
    for filesystem in [CopyFilesystem::Fat32, CopyFilesystem::ExFat] {
        let medium = Medium::new(40 * MIB, 512);
        let (tree, mut numbers) = tree(&files());
        let mut copying = medium.plan(filesystem, tree).unwrap();
        copying.format().unwrap();
        let (victim, bytes) = numbers.iter_mut().find(|(_, bytes)| bytes.len() == 70_001).unwrap();
        let victim = *victim;
        bytes[69_000] ^= 1;
        let marker = bytes[..4096].to_vec();
        assert!(matches!(fill(&mut copying, &numbers), Err(CopyError::Differs(file)) if file == victim));
        copying.abandon(LONG).unwrap();
        let partition = medium.partition().unwrap();
        assert!(findings(&partition, is_exfat(filesystem)).is_empty());
        assert!(read_files(&partition, is_exfat(filesystem)).is_empty());
        let raw = std::fs::read(&medium.path).unwrap();
        assert!(!raw.chunks(4096).any(|chunk| chunk == marker), "what was written is wiped again");
    }
}

/// What is done to a medium when a copy of one file of 4 MiB is given up after so many of its bytes: bytes that are written.
fn given_up_after(came: u64, wiping: Duration) -> u64 {
    let medium = Medium::new(40 * MIB, 512);
    let bytes = content(1, 4 << 20);
    let (tree, _) = tree(&[("long.bin".to_owned(), bytes.clone())].into());
    let mut copying = medium.plan(CopyFilesystem::Fat32, tree).unwrap();
    copying.format().unwrap();
    let mut object = tempfile::tempfile().unwrap();
    object.write_all(&bytes).unwrap();
    if came > 0 {
        copying.take(&[CopyPart { file: 0, offset: 0, at: 0, length: came }], &object, 4 * MIB).unwrap();
    }
    let written = |events: &[Event]| {
        let length = |event: &Event| if let Event::Block(_, bytes) = event { bytes.len() as u64 } else { 0 };
        events.iter().map(length).sum::<u64>()
    };
    copying.abandon(wiping).unwrap();
    let found = read_files(&medium.partition().unwrap(), false);
    assert!(found.is_empty(), "{found:?}");
    written(&copying.into_device().events) - came / 512 * 512
}

/// The whole run of a file of many GiB would take longer than anybody waits.
#[test]
fn a_copy_that_is_given_up_is_empty_at_once_and_overwrites_what_came_and_only_while_there_is_time() {
    let nothing = given_up_after(0, LONG);
    assert_eq!(given_up_after(40_000, LONG), nothing + 40_448, "whole blocks of what came");
    assert_eq!(given_up_after(4 * MIB, LONG), nothing + 4 * MIB);
    assert_eq!(given_up_after(40_000, Duration::ZERO), nothing);
}

/// Otherwise the kernel may owe the medium as much as there is memory when somebody stops the copy.
#[test]
fn what_was_taken_is_on_the_medium_a_few_mebibytes_later() {
    let medium = Medium::new(120 * MIB, 512);
    let files: Files = [("long.bin".to_owned(), content(1, 70 << 20))].into();
    let (tree, numbers) = tree(&files);
    let mut copying = medium.plan(CopyFilesystem::Fat32, tree).unwrap();
    copying.format().unwrap();
    fill(&mut copying, &numbers).unwrap();
    let (mut owed, mut most) = (0, 0);
    for event in copying.into_device().events {
        owed = if let Event::Block(_, bytes) = event { owed + bytes.len() as u64 } else { 0 };
        most = most.max(owed);
    }
    assert!(most <= 33 * MIB, "{most}");
}

#[test]
fn a_file_that_does_not_come_makes_no_file_visible() {
    let medium = Medium::new(40 * MIB, 512);
    let (tree, mut numbers) = tree(&files());
    let mut copying = medium.plan(CopyFilesystem::Fat32, tree).unwrap();
    copying.format().unwrap();
    let missing = numbers.iter().find(|(_, bytes)| bytes.len() == 4096).map(|(file, _)| *file).unwrap();
    numbers.remove(&missing);
    fill(&mut copying, &numbers).unwrap();
    assert!(matches!(copying.finish(&mut |_| {}), Err(CopyError::Missing(file)) if file == missing));
    assert!(read_files(&medium.partition().unwrap(), false).is_empty());
}

/// A medium that keeps something else than it was given.
#[test]
fn a_medium_that_lies_is_found_by_reading_it_again() {
    let medium = Medium::new(40 * MIB, 512);
    let (tree, numbers) = tree(&files());
    let mut copying = medium.plan(CopyFilesystem::Fat32, tree).unwrap();
    copying.format().unwrap();
    fill(&mut copying, &numbers).unwrap();
    let raw = std::fs::read(&medium.path).unwrap();
    let (victim, bytes) = numbers.iter().find(|(_, bytes)| bytes.len() == 1_300_000).unwrap();
    let place = raw.chunks(512).position(|block| block == &bytes[..512]).unwrap() as u64 * 512;
    let file = File::options().write(true).open(&medium.path).unwrap();
    file.write_all_at(&[bytes[1_000_000] ^ 1], place + 1_000_000).unwrap();
    file.sync_all().unwrap();
    assert!(matches!(copying.finish(&mut |_| {}), Err(CopyError::ReadBack(Some(file))) if file == *victim));
    copying.abandon(LONG).unwrap();
    assert!(read_files(&medium.partition().unwrap(), false).is_empty());
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// A state in which a power cut may leave the medium: everything up to a flush, and any part of what follows it, because a
/// device may reorder what it has not flushed.
type Cut<'e> = Vec<(u64, &'e [u8])>;

/// Some of these states: `count` at random, and every prefix around the switch.
fn sampled<'e>(events: &'e [Event], count: u64, random: &mut fastrand::Rng) -> Vec<Cut<'e>> {
    let mut epochs: Vec<Cut<'e>> = vec![Vec::new()];
    for event in events {
        match event {
            Event::Block(at, bytes) => epochs.last_mut().unwrap().push((*at, bytes)),
            Event::Flush => epochs.push(Vec::new()),
        }
    }
    let prefix = |count: usize| epochs.iter().flatten().copied().take(count).collect::<Cut<'e>>();
    let total = epochs.iter().map(Vec::len).sum::<usize>();
    let mut all: Vec<Cut<'e>> = (total.saturating_sub(6)..=total).map(prefix).collect();
    for number in 0..count {
        let epoch = random.usize(..epochs.len());
        let before = epochs.iter().take(epoch).flatten().copied();
        let keep: Vec<bool> = match number % 2 {
            0 => epochs[epoch].iter().map(|_| random.bool()).collect(),
            _ => (0..epochs[epoch].len()).map(|at| at < epochs[epoch].len() / 2).collect(),
        };
        let kept = epochs[epoch].iter().zip(keep).filter(|(_, keep)| *keep).map(|(write, _)| *write);
        all.push(before.chain(kept).collect());
    }
    all
}

/// What a state shows: nothing at all, no file, or every file.
fn judge(medium: &Medium, filesystem: CopyFilesystem, files: &Files) -> &'static str {
    let Some(partition) = medium.partition() else { return "unformatted" };
    let exfat = is_exfat(filesystem);
    for finding in findings(&partition, exfat) {
        let dirty = finding.contains("irty")
            || finding.contains("not properly unmounted")
            || finding.contains("Automatically removing");
        assert!(may_stay(&finding, exfat) || dirty, "{finding}");
    }
    let found = read_files(&partition, exfat);
    if found.is_empty() {
        return "empty";
    }
    assert!(found == *files, "some files, and not every file");
    "complete"
}

fn cut(filesystem: CopyFilesystem, count: u64) {
    let few: Files =
        files().into_iter().filter(|(path, _)| !path.starts_with("beaucoup") || path.ends_with("7.dat")).collect();
    let medium = Medium::new(36 * MIB, 512);
    let events = copy(&medium, filesystem, &few);
    let mut random = fastrand::Rng::with_seed(setting("BLANCHE_SEED", 1));
    let mut seen = BTreeMap::new();
    for state in sampled(&events, setting("BLANCHE_CUTS", count), &mut random) {
        let file = File::create(&medium.path).unwrap();
        file.set_len(36 * MIB).unwrap();
        state.iter().for_each(|(at, bytes)| file.write_all_at(bytes, *at).unwrap());
        *seen.entry(judge(&medium, filesystem, &few)).or_insert(0) += 1;
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), ["complete", "empty", "unformatted"], "{seen:?}");
}

#[test]
fn a_cut_while_fat32_is_filled_shows_no_file_or_every_file() {
    cut(CopyFilesystem::Fat32, 40);
}

#[test]
fn a_cut_while_exfat_is_filled_shows_no_file_or_every_file() {
    cut(CopyFilesystem::ExFat, 12);
}

/// A medium that is pulled out: the step fails, and what is there is no file or every file.
#[test]
fn a_medium_that_is_pulled_out_while_it_is_filled_is_never_half_full() {
    let few: Files = files().into_iter().filter(|(path, _)| !path.starts_with("beaucoup")).collect();
    let all = copy(&Medium::new(36 * MIB, 512), CopyFilesystem::Fat32, &few).len();
    let mut random = fastrand::Rng::with_seed(setting("BLANCHE_SEED", 1));
    for _ in 0..12 {
        let medium = Medium::new(36 * MIB, 512);
        let (tree, numbers) = tree(&few);
        let limit = random.usize(..all);
        let mut copying = medium.plan_until(limit, CopyFilesystem::Fat32, tree).unwrap();
        let done =
            copying.format().and_then(|()| fill(&mut copying, &numbers)).and_then(|()| copying.finish(&mut |_| {}));
        assert!(matches!(done, Err(CopyError::Device(_))), "{done:?}");
        assert!(matches!(copying.abandon(LONG), Err(CopyError::Device(_) | CopyError::Order(_))));
        judge(&medium, CopyFilesystem::Fat32, &few);
    }
}

#[test]
fn a_blank_medium_is_told_from_a_used_one() {
    let medium = Medium::new(8 * MIB, 512);
    let blank = |medium: &Medium| medium.plan(CopyFilesystem::ExFat, Tree::default()).unwrap().is_blank().unwrap();
    assert!(blank(&medium));
    File::options().write(true).open(&medium.path).unwrap().write_all_at(&[1], 8 * MIB - 1).unwrap();
    assert!(!blank(&medium));
}

/// The whole tree is visible through a mounted exFAT too, and can be written to afterwards.
#[test]
fn a_filled_exfat_takes_one_more_file() {
    let medium = Medium::new(40 * MIB, 512);
    copy(&medium, CopyFilesystem::ExFat, &files());
    let partition = medium.partition().unwrap();
    mounted(&partition, |point: &Path| std::fs::write(point.join("new.txt"), "new").unwrap());
    let mut after = files();
    after.insert("new.txt".into(), b"new".to_vec());
    assert!(read_files(&partition, true) == after);
    assert!(findings(&partition, true).is_empty());
}
