//! ext2, ext3 and ext4 volumes made by mke2fs and debugfs, and aged by the kernel on a loop device.

#[path = "ext_aged.rs"]
mod aged;
#[path = "ext_attacks.rs"]
mod attacks;
#[path = "ext_edit.rs"]
mod edit;
#[path = "ext_noise.rs"]
mod noise;

use crate::images::{run, tree, write_tree};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, EntryKind, FilesystemKind, NameEncoding, ReadLimits};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const MIB: u64 = 1 << 20;

/// Every way to make a volume that these tools have and that matters to a reader.
pub(crate) const VARIANTS: [(&str, &str); 19] = [
    ("ext2, 1 KiB", "-t ext2 -b 1024"),
    ("ext2, 2 KiB, 128-byte inodes", "-t ext2 -b 2048 -I 128"),
    ("ext2, revision 0", "-t ext2 -r 0 -b 1024"),
    ("ext2, no backups, no types", "-t ext2 -b 4096 -O ^sparse_super,^filetype,^resize_inode"),
    ("ext3, 4 KiB", "-t ext3 -b 4096"),
    ("ext3, 1 KiB, no index", "-t ext3 -b 1024 -O ^dir_index"),
    ("ext4", "-t ext4"),
    ("ext4, 1 KiB", "-t ext4 -b 1024"),
    ("ext4, 32 bit, CRC-16", "-t ext4 -b 4096 -O ^metadata_csum,^64bit,uninit_bg"),
    ("ext4, 32 bit, CRC-32C", "-t ext4 -b 4096 -O ^64bit"),
    ("ext4, no flexible groups, no journal", "-t ext4 -b 1024 -O ^flex_bg,^has_journal"),
    ("ext4, inline data", "-t ext4 -b 4096 -O inline_data -I 512"),
    ("ext4, inline data, casefold", "-t ext4 -O inline_data,64bit,metadata_csum,casefold -E encoding=utf8"),
    ("ext4, bigalloc", "-t ext4 -b 4096 -O bigalloc -C 16384"),
    ("ext4, bigalloc, 1 KiB", "-t ext4 -b 1024 -O bigalloc -C 8192"),
    ("ext4, meta groups", "-t ext4 -b 1024 -O meta_bg,^resize_inode"),
    (
        "ext4, large inodes and attributes",
        "-t ext4 -b 4096 -I 1024 -O ea_inode,large_dir,metadata_csum_seed,sparse_super2",
    ),
    ("ext4, quota, project, verity, mmp", "-t ext4 -b 4096 -O quota,project,verity,mmp,encrypt,orphan_file"),
    ("ext4, unwritten tables", "-t ext4 -b 4096 -E lazy_itable_init=1,lazy_journal_init=1 -N 40000"),
];

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A volume that mke2fs makes with these options and fills from a folder.
pub(crate) fn ext_from(bytes: u64, options: &str, folder: &Path) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let image = place.path().join("volume.img");
    fs::File::create(&image).unwrap().set_len(bytes).unwrap();
    let mut arguments = vec!["-q", "-F", "-L", "BLANCHE", "-d", text(folder)];
    arguments.extend(options.split(' '));
    arguments.push(text(&image));
    run("mke2fs", &arguments, "");
    fs::read(&image).unwrap()
}

/// A volume that holds a tree.
pub(crate) fn ext(bytes: u64, options: &str, tree: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), tree);
    ext_from(bytes, options, folder.path())
}

/// Lets debugfs work on a volume.
pub(crate) fn debugfs(volume: &[u8], commands: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    fs::write(&image, volume).unwrap();
    run("debugfs", &["-w", "-f", "-", text(&image)], commands);
    fs::read(&image).unwrap()
}

/// An image that is mounted; a test that fails leaves nothing behind.
pub(crate) struct Mount(tempfile::TempDir);

impl Mount {
    pub(crate) fn new(image: &Path, options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run("mount", &["-t", "ext4", "-o", options, text(image), text(folder.path())], "");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Between fork and exec, a child of another test has all open files of this one.
        for _ in 0..3000 {
            let status = std::process::Command::new("umount").arg("-q").arg(self.path()).status();
            if status.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        eprintln!("{} stays mounted", self.path().display());
    }
}

/// What is not read, in words.
pub(crate) fn notes(reading: &Reading) -> Vec<String> {
    reading.not_read.iter().map(|note| format!("{note:?}")).collect()
}

/// Files without the streams that belong to them, and without links.
pub(crate) fn plain_files(reading: &Reading) -> BTreeMap<String, Vec<u8>> {
    let mut files = reading.files(0);
    for (number, entry) in reading.entries.iter().enumerate() {
        if entry.kind != EntryKind::File {
            files.remove(&reading.path(number as u32));
        }
    }
    files
}

#[test]
fn what_goes_in_comes_out() {
    let expected = tree();
    for (name, options) in VARIANTS {
        let reading = read_image(ext(24 * MIB, options, &expected));
        let line = &reading.layout().volumes[0];
        assert_eq!((line.filesystem, line.label.as_deref()), (FilesystemKind::Ext, Some(&b"BLANCHE"[..])), "{name}");
        assert_eq!((line.encoding, line.identifier.as_ref().unwrap().len()), (NameEncoding::Bytes, 32), "{name}");
        assert_eq!(notes(&reading), [""; 0], "{name}");
        let found = reading.files(0);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
        assert!(found == expected, "{name}: contents differ");
        let area = reading.area.as_ref().unwrap();
        let sum =
            |class| area.sums.iter().find(|sum| sum.class == class).map_or((0, 0), |sum| (sum.bytes, sum.looked_at));
        let inline = options.contains("inline_data");
        let bytes: u64 = expected.values().map(|content| content.len() as u64).sum();
        assert!(inline || sum(AreaClass::File) == (bytes, bytes), "{name}: {:?}", area.sums);
        assert_eq!((sum(AreaClass::Boot), sum(AreaClass::Unknown)), ((1024, 1024), (0, 0)), "{name}");
    }
}

#[test]
fn the_target_of_a_link_is_its_content() {
    let folder = tempfile::tempdir().unwrap();
    // i_block has room for 59 bytes and the zero behind them.
    let targets: BTreeMap<String, Vec<u8>> =
        [7, 59, 60, 61, 900].map(|length| (format!("link {length}"), vec![b'x'; length])).into();
    for (name, target) in &targets {
        symlink(std::str::from_utf8(target).unwrap(), folder.path().join(name)).unwrap();
    }
    for (name, options) in VARIANTS {
        let reading = read_image(ext_from(24 * MIB, options, folder.path()));
        assert_eq!(notes(&reading), [""; 0], "{name}");
        assert_eq!(reading.links(0), targets, "{name}");
        assert_eq!(reading.files(0), targets, "{name}: and nothing besides");
        let sizes = reading.entries.iter().filter(|entry| entry.kind == EntryKind::Link).map(|entry| entry.size);
        assert_eq!(sizes.sum::<u64>(), 7 + 59 + 60 + 61 + 900, "{name}");
    }
}

#[test]
fn two_names_of_a_link_are_one_content() {
    let folder = tempfile::tempdir().unwrap();
    let targets = [("fast", "x".repeat(59)), ("slow", "x".repeat(60))];
    for (name, target) in &targets {
        symlink(target, folder.path().join(name)).unwrap();
    }
    let commands = ["fast", "slow"].map(|name| format!("ln /{name} /z{name}\nsif /{name} links_count 2\n")).concat();
    let reading = read_image(debugfs(&ext_from(24 * MIB, "-t ext4", folder.path()), &commands));
    assert_eq!(notes(&reading), [""; 0]);
    for (name, target) in &targets {
        let second = format!("z{name}");
        assert_eq!(reading.links(0)[&second], target.as_bytes());
        assert_eq!(reading.entries[reading.find(&second) as usize].same_as, Some(reading.find(name)));
    }
    assert_eq!(reading.contents.len(), 2);
}

#[test]
fn the_ledger_agrees_with_the_bitmap() {
    // What is neither free nor a file's slack is what the filesystem itself counts as used.
    for (name, options) in VARIANTS {
        let volume = ext(24 * MIB, options, &tree());
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("volume.img");
        fs::write(&image, &volume).unwrap();
        let stats = run("dumpe2fs", &["-h", text(&image)], "");
        let field = |name: &str| -> u64 {
            let line = stats.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let free = field("Free blocks:") * field("Block size:");
        let reading = read_image(volume);
        let area = reading.area.as_ref().unwrap();
        let found = area.sums.iter().find(|sum| sum.class == AreaClass::Free).unwrap().bytes;
        // Metadata of a volume with clusters fills whole ones.
        let room = if options.contains("bigalloc") { MIB } else { 0 };
        assert!(found >= free && found <= free + room, "{name}: {found} free instead of {free}: {:?}", area.sums);
    }
}

#[test]
fn no_byte_of_a_file_is_read_twice() {
    let small =
        ReadLimits { max_memory_object: 100_000, chunk_bytes: 40_000, batch_bytes: 10_000, ..Default::default() };
    for (name, options) in VARIANTS {
        let source = MemorySource::new(ext(24 * MIB, options, &tree()));
        let reading = read_with(&source, small);
        assert_eq!(notes(&reading), [""; 0], "{name}");
        let mut reads = vec![0u8; source.bytes.len()];
        for range in source.log.borrow().iter() {
            reads[range.start as usize..range.end as usize]
                .iter_mut()
                .for_each(|count| *count = count.saturating_add(1));
        }
        for (path, content) in tree().iter().filter(|(_, content)| content.len() >= 600) {
            // Contents are random, so each of their blocks has one place on the medium.
            for part in content.chunks(1024).filter(|part| part.len() >= 200) {
                let start = source.bytes.chunks(1024).position(|block| block.starts_with(part));
                let start = start.unwrap_or_else(|| panic!("{name}: {path} is not there")) * 1024;
                assert!(reads[start..start + part.len()].iter().all(|count| *count == 1), "{name}: {path}");
            }
        }
    }
}
