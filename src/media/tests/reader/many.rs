//! Many files on every filesystem: all of them come, once; the area ledger adds up; and ten times as many take ten times
//! as long, within bounded memory. A hundred thousand every day, `FILES=1000000` in the long runs.

use crate::images::{empty_exfat_with, run, with_exfat};
use crate::ntfs::volume::{make, mounted};
use crate::program::{PATIENCE, spawn};
use blanche_sandbox::wire::{
    AreaReport, Cause, Entry, EntryKind, FilesystemKind, FromReader, ReadJob, ReadLimits, Source,
};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of each file.
const SIZE: u64 = 100;
/// Files in a folder.
const FOLDER: u32 = 1000;
/// How much longer one of ten times as many files may take: sorting and colder caches cost a little, a list that is
/// searched for each file would cost ten times.
const MOST_SLOPE: f64 = 3.0;

/// Most bytes of memory that a reader may take.
#[derive(Clone, Copy)]
struct Memory {
    base: u64,
    /// For each file.
    each: u64,
}

/// What is kept of a file until its turn comes: its number, size and place.
const ONE_TREE: Memory = Memory { base: 10 << 20, each: 100 };
/// Its names in several trees must lead to the same content.
const SEVERAL_TREES: Memory = Memory { base: 10 << 20, each: 200 };
/// Contents inside records are handed over at once and nothing is kept; windows of the file table are.
const WINDOWS: Memory = Memory { base: 48 << 20, each: 10 };

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How many files, and a tenth of them to compare with.
fn counts() -> [u32; 2] {
    let count = std::env::var("FILES").map_or(100_000, |count| count.parse().unwrap());
    [count / 10, count]
}

/// Fills a folder with this many files, a thousand in each folder.
fn fill(folder: &Path, count: u32) {
    for number in 0..count {
        let above = folder.join(format!("d{:03}", number / FOLDER));
        if number % FOLDER == 0 {
            fs::create_dir_all(&above).unwrap();
        }
        fs::write(above.join(format!("F{number:07}.BIN")), [0; SIZE as usize]).unwrap();
    }
}

/// What reading took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
    /// Most bytes in memory.
    memory: u64,
}

/// What the reader said, counted.
#[derive(Default)]
struct Account {
    /// For each entry, whether it is one of our files under its first name.
    ours: Vec<bool>,
    handed_over: u32,
    bytes: u64,
    area: Option<AreaReport>,
}

impl Account {
    fn announce(&mut self, entries: &[Entry]) {
        let ours = |entry: &Entry| {
            // A name of ISO 9660 may have its version behind it.
            let name = entry.name.split(|byte| *byte == b';').next().unwrap_or_default();
            entry.kind == EntryKind::File
                && entry.same_as.is_none()
                && name.ends_with(b".BIN")
                && name.starts_with(b"F")
        };
        self.ours.extend(entries.iter().map(ours));
    }

    fn take(&mut self, message: FromReader) {
        match message {
            FromReader::Entries(entries) => self.announce(&entries),
            FromReader::Content(content) => {
                for piece in content.pieces.iter().filter(|piece| self.ours[piece.entry as usize]) {
                    assert_eq!(piece.digests.blake3, *blake3::hash(&[0; SIZE as usize]).as_bytes());
                    self.handed_over += 1;
                    self.bytes += piece.length;
                }
            }
            FromReader::Area(area) => self.area = Some(area),
            // The other filesystem on the same bytes, where the test took its descriptors away.
            FromReader::NotRead(note) if note.cause == Cause::FilesystemUnsupported(FilesystemKind::Iso9660) => {}
            FromReader::NotRead(note) => panic!("{note:?}"),
            _ => {}
        }
    }

    fn check(&self, count: u32, capacity: u64) {
        let announced = self.ours.iter().filter(|ours| **ours).count();
        assert_eq!((announced, self.handed_over), (count as usize, count), "every file comes once");
        assert_eq!(self.bytes, u64::from(count) * SIZE);
        let area = self.area.as_ref().expect("an area ledger");
        assert_eq!(area.sums.iter().map(|sum| sum.bytes).sum::<u64>(), capacity, "{:#?}", area.sums);
    }
}

/// What it costs to read an image: of two times the less, because other work on the machine costs some as well.
fn cost(image: &Path, count: u32) -> Cost {
    let [one, two] = [read(image, count), read(image, count)];
    Cost {
        wall: one.wall.min(two.wall),
        processor: one.processor.min(two.processor),
        memory: one.memory.max(two.memory),
    }
}

/// Lets the confined reader read an image, and checks both ledgers.
fn read(image: &Path, count: u32) -> Cost {
    let capacity = fs::metadata(image).unwrap().len();
    let child = spawn("medium", &fs::File::open(image).unwrap());
    let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits: ReadLimits::default() };
    let begin = Instant::now();
    child.channel().send(&job, &[]).unwrap();
    let (mut account, mut memory) = (Account::default(), 0);
    loop {
        match child.channel().receive::<FromReader>(PATIENCE).expect("a message").message {
            FromReader::Done(_) => break,
            message => account.take(message),
        }
        // After its last message it may be gone, and its memory with it.
        memory = memory.max(resident_peak(child.pid()));
    }
    let wall = begin.elapsed();
    account.check(count, capacity);
    Cost { wall, processor: processor(child.pid()), memory }
}

/// Processor time of a process: proc(5), `/proc/PID/schedstat`, in nanoseconds.
fn processor(pid: i32) -> Duration {
    let status = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    Duration::from_nanos(status.split(' ').next().unwrap().parse().unwrap())
}

/// Most bytes that a process has had in memory: proc(5), "VmHWM".
fn resident_peak(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10)
}

/// Prints what both counts cost, and judges it.
fn judge(name: &str, most: Memory, [few, all]: [Cost; 2]) {
    let [tenth, count] = counts();
    for (count, cost) in [(tenth, few), (count, all)] {
        let (wall, processor) = (cost.wall.as_secs_f64(), cost.processor.as_secs_f64());
        eprintln!("{name}, {count} files: {wall:.2} s, {processor:.2} s of processor, {} MiB", cost.memory >> 20);
    }
    let slope = all.processor.as_secs_f64() / few.processor.as_secs_f64() * f64::from(tenth) / f64::from(count);
    let grown = all.memory.saturating_sub(few.memory) / u64::from(count - tenth);
    eprintln!("{name}, {tenth} -> {count} files: {slope:.2} times the time for each, {grown} more bytes for each");
    assert!(slope < MOST_SLOPE, "{name}: {slope:.2} times the time for each file");
    let most = most.base + u64::from(count) * most.each;
    assert!(all.memory < most, "{name}: {} bytes for {count} files, {most} at most", all.memory);
}

/// Reads both counts of files from images that `image` makes.
fn measure(name: &str, most: Memory, make: impl Fn(&Path, u32)) {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let costs = counts().map(|count| {
        make(&image, count);
        let cost = cost(&image, count);
        fs::remove_file(&image).unwrap();
        cost
    });
    judge(name, most, costs);
}

#[test]
fn many_files_on_fat32() {
    measure("FAT32", ONE_TREE, fat32);
}

#[test]
fn many_files_on_exfat() {
    measure("exFAT", ONE_TREE, |image, count| {
        empty_exfat_with(image, (64 << 20) + u64::from(count) * 1200, &["-c", "1K"]);
        with_exfat(image, &[], |folder| fill(folder, count));
    });
}

#[test]
fn many_files_on_ntfs() {
    measure("NTFS", WINDOWS, |image, count| {
        // A record of 1 KiB holds the file, its index takes a tenth of that.
        make(image, (64 << 20) + u64::from(count) * 1300, &[]);
        mounted(image, "rw", |folder| fill(folder, count));
    });
}

/// One folder on the disk, as long as it takes to make, serves all that are made of one.
#[test]
fn many_files_on_ext4_iso_9660_and_udf() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let (files, path) = (folder.path().join("files"), text(&image));
    let kinds: [(&str, Memory, Maker); 4] = [
        ("ext4", ONE_TREE, ext4),
        ("ISO 9660", SEVERAL_TREES, iso),
        ("ISO 9660 and UDF", SEVERAL_TREES, bridge),
        ("UDF", SEVERAL_TREES, udf),
    ];
    let mut costs = kinds.map(|_| Vec::new());
    for count in counts() {
        fill(&files, count);
        for ((_, _, make), costs) in kinds.iter().zip(&mut costs) {
            make(text(&files), path, count);
            costs.push(cost(&image, count));
            fs::remove_file(&image).unwrap();
        }
    }
    for ((name, most, _), costs) in kinds.iter().zip(costs) {
        judge(name, *most, costs.try_into().unwrap_or_else(|_| panic!("two counts")));
    }
}

/// Makes an image of a folder with so many files.
type Maker = fn(&str, &str, u32);

fn ext4(files: &str, image: &str, count: u32) {
    let blocks = ((64 << 10) + count * 3 / 2).to_string();
    let inodes = (count + count / FOLDER + 1000).to_string();
    run("mke2fs", &["-q", "-t", "ext4", "-b", "1024", "-N", &inodes, "-d", files, image, &blocks], "");
}

/// All three trees of a disc.
fn iso(files: &str, image: &str, _: u32) {
    run("xorriso", &["-as", "mkisofs", "-quiet", "-J", "-r", "-o", image, files], "");
}

/// A disc with two filesystems over the same contents.
fn bridge(files: &str, image: &str, _: u32) {
    run("genisoimage", &["-quiet", "-udf", "-o", image, files], "");
}

/// A bridge whose volume recognition sequence (ECMA-167, 2/8) begins with UDF, so that only that is left.
fn udf(files: &str, image: &str, count: u32) {
    bridge(files, image, count);
    let file = fs::OpenOptions::new().read(true).write(true).open(image).unwrap();
    let mut sequence = vec![0; 64 << 10];
    file.read_exact_at(&mut sequence, 32 << 10).unwrap();
    let start = (0..sequence.len()).step_by(2048).find(|at| sequence[at + 1..at + 6] == *b"BEA01").unwrap();
    let end = start + 3 * 2048;
    let kept = sequence[start..end].to_vec();
    sequence[..end].fill(0);
    sequence[..kept.len()].copy_from_slice(&kept);
    file.write_all_at(&sequence, 32 << 10).unwrap();
}

/// A volume in a sparse file, with all files in the root, one cluster apiece.
fn fat32(image: &Path, count: u32) {
    const SECTOR: usize = 512;
    let root_clusters = count.div_ceil(16) + 1;
    let bytes = (u64::from(count) + u64::from(root_clusters) + 70_000) * 520;
    fs::File::create(image).unwrap().set_len(bytes).unwrap();
    run("mkfs.vfat", &["--invariant", "-F", "32", "-s", "1", text(image)], "");
    let mut boot = [0u8; SECTOR];
    let file = fs::OpenOptions::new().read(true).write(true).open(image).unwrap();
    file.read_exact_at(&mut boot, 0).unwrap();
    let table = u64::from(u16::from_le_bytes([boot[14], boot[15]])) * 512;
    let table_length = u64::from(u32::from_le_bytes(boot[36..40].try_into().unwrap())) * 512;
    let heap = table + 2 * table_length;
    // The root takes clusters 2 and up, the files those behind it.
    let first = 2 + root_clusters;
    let mut links = vec![0x0fff_fff8u32, 0x0fff_ffff];
    links.extend((3..first).chain([0x0fff_ffff]));
    links.extend((0..count).map(|_| 0x0fff_ffff));
    let links: Vec<u8> = links.into_iter().flat_map(u32::to_le_bytes).collect();
    for copy in 0..2 {
        file.write_all_at(&links, table + copy * table_length).unwrap();
    }
    let mut records = Vec::with_capacity(count as usize * 32);
    for number in 0..count {
        let cluster = (first + number).to_le_bytes();
        records.extend_from_slice(format!("F{number:07}BIN").as_bytes());
        records.extend_from_slice(&[0x20, 0, 0, 0, 0, 0, 0, 0, 0, cluster[2], cluster[3], 0, 0, 0, 0]);
        records.extend_from_slice(&[cluster[0], cluster[1], SIZE as u8, 0, 0, 0]);
    }
    file.write_all_at(&records, heap).unwrap();
}
