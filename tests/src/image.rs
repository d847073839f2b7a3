//! A medium: a filesystem in a partition table, in a sparse file.

use crate::tools::{run, run_with_input};
use crate::tree::Tree;
use crate::{exfat, ext, fat, ntfs};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;
/// First sector of the first partition: what every current tool does.
const FIRST: u64 = MIB / SECTOR;

/// A filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
    Ntfs,
    Ext2,
    Ext3,
    Ext4,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Fat12, Self::Fat16, Self::Fat32, Self::ExFat, Self::Ntfs, Self::Ext2, Self::Ext3, Self::Ext4];

    /// Bytes of a volume that is large enough to be of this kind and hold a few small files.
    fn volume_bytes(self) -> u64 {
        match self {
            Self::Fat12 | Self::Ext2 => 4 * MIB,
            // ext3 and ext4 need room for a journal of 1024 blocks.
            Self::ExFat | Self::Ntfs | Self::Ext3 => 8 * MIB,
            Self::Fat16 | Self::Ext4 => 16 * MIB,
            Self::Fat32 => 64 * MIB,
        }
    }

    /// The type byte of an MBR partition.
    fn mbr_type(self) -> &'static str {
        match self {
            Self::Fat12 => "1",
            Self::Fat16 => "e",
            Self::Fat32 => "c",
            Self::ExFat | Self::Ntfs => "7",
            Self::Ext2 | Self::Ext3 | Self::Ext4 => "83",
        }
    }

    /// The hidden type: of ext there is none, and 1b stands for it.
    fn hidden_mbr_type(self) -> &'static str {
        if self == Self::Ntfs { "17" } else { "1b" }
    }

    /// The type GUID of a GPT partition: Microsoft basic data, or Linux filesystem.
    fn gpt_type(self) -> &'static str {
        match self {
            Self::Ext2 | Self::Ext3 | Self::Ext4 => "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
            _ => "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
        }
    }
}

/// Where the filesystem stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The whole medium, without a table.
    Superfloppy,
    /// The only partition of an MBR.
    MbrPrimary,
    /// The second partition of an MBR, behind a FAT12 with one harmless file.
    MbrSecond,
    /// An MBR partition of a hidden type.
    MbrHidden,
    /// A logical partition in an extended one.
    MbrLogical,
    /// A GPT partition.
    Gpt,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Superfloppy, Self::MbrPrimary, Self::MbrSecond, Self::MbrHidden, Self::MbrLogical, Self::Gpt];
}

/// A medium with one content in an unusual place.
#[derive(Clone, Debug)]
pub struct Unusual {
    /// The image.
    pub disk: PathBuf,
    /// Every name of the content, sorted: "/" between folders, ":" before a stream.
    pub names: &'static [&'static str],
}

/// Makes a medium under `folder` that holds `tree` and returns its path. The file is sparse.
///
/// # Panics
/// When a tool is missing or fails, or the tree does not fit.
#[must_use]
pub fn image(folder: &Path, format: Format, layout: Layout, tree: &Tree) -> PathBuf {
    let content: u64 = tree.files().iter().map(|file| file.bytes.len() as u64 + 64 * 1024).sum();
    let bytes = (format.volume_bytes().max(2 * content)).next_multiple_of(MIB);
    let disk = folder.join(format!("{format:?}-{layout:?}.img").to_lowercase());
    if layout == Layout::Superfloppy {
        sparse(&disk, bytes);
        volume(folder, &disk, format, 0, tree);
        return disk;
    }
    let before = if layout == Layout::MbrSecond { Format::Fat12.volume_bytes() } else { 0 };
    let start = FIRST + (before / SECTOR) + if layout == Layout::MbrLogical { FIRST } else { 0 };
    let part = disk.with_extension("part");
    sparse(&part, bytes);
    volume(folder, &part, format, start, tree);
    sparse(&disk, start * SECTOR + bytes + MIB);
    partition(folder, &disk, &table(format, layout, start, bytes));
    if before > 0 {
        let first = disk.with_extension("first");
        sparse(&first, before);
        volume(folder, &first, Format::Fat12, FIRST, &Tree::new().with("lisez-moi.txt", "Rien ici.\r\n"));
        place(&first, &disk, FIRST * SECTOR);
    }
    place(&part, &disk, start * SECTOR);
    disk
}

/// Makes a filesystem in the file `part`.
fn volume(folder: &Path, part: &Path, format: Format, start: u64, tree: &Tree) {
    match format {
        Format::ExFat => exfat::make(folder, part, tree),
        Format::Fat12 | Format::Fat16 | Format::Fat32 => fat::make(folder, part, format, start, tree),
        Format::Ntfs => ntfs::make(folder, part, start, tree),
        Format::Ext2 | Format::Ext3 | Format::Ext4 => ext::make(folder, part, format, tree),
    }
}

/// Writes a partition table by a script of sfdisk(8). Without `--no-tell-kernel` it ends with sync(2), which waits for
/// every filesystem of the machine.
pub(crate) fn partition(folder: &Path, disk: &Path, script: &str) {
    let arguments = ["--quiet".as_ref(), "--no-tell-kernel".as_ref(), disk.as_os_str()];
    run_with_input(folder, "sfdisk", arguments, script.as_bytes());
}

/// A script for sfdisk(8); sizes in sectors.
fn table(format: Format, layout: Layout, start: u64, bytes: u64) -> String {
    let size = bytes / SECTOR;
    let kind = format.mbr_type();
    match layout {
        Layout::Superfloppy => String::new(),
        Layout::MbrPrimary => format!("label: dos\nstart={start}, size={size}, type={kind}\n"),
        Layout::MbrSecond => {
            let first = Format::Fat12.volume_bytes() / SECTOR;
            format!("label: dos\nstart={FIRST}, size={first}, type=1\nstart={start}, size={size}, type={kind}\n")
        }
        Layout::MbrHidden => {
            format!("label: dos\nstart={start}, size={size}, type={}\n", format.hidden_mbr_type())
        }
        Layout::MbrLogical => {
            let extended = size + FIRST;
            format!(
                "label: dos\n1: start={FIRST}, size={extended}, type=5\n5: start={start}, size={size}, type={kind}\n"
            )
        }
        Layout::Gpt => {
            format!("label: gpt\nstart={start}, size={size}, type={}\n", format.gpt_type())
        }
    }
}

/// A file of zeros that takes no room.
pub(crate) fn sparse(path: &Path, bytes: u64) {
    File::create(path).and_then(|file| file.set_len(bytes)).expect("a writable folder");
}

/// Copies `part` into `disk` at byte `offset` and deletes it; blocks of zeros stay holes.
fn place(part: &Path, disk: &Path, offset: u64) {
    let mut source = File::open(part).expect("just made");
    let mut target = File::options().write(true).open(disk).expect("just made");
    let mut block = vec![0; 64 * 1024];
    let mut at = offset;
    loop {
        let read = source.read(&mut block).expect("readable");
        if read == 0 {
            break;
        }
        if block[..read].iter().any(|byte| *byte != 0) {
            target.seek(SeekFrom::Start(at)).and_then(|_| target.write_all(&block[..read])).expect("room");
        }
        at += read as u64;
    }
    std::fs::remove_file(part).expect("just made");
}

/// An ext4 superfloppy with one file of `bytes` bytes, all holes but for `head` at its start and `tail` at its very end. The
/// image is sparse.
///
/// # Panics
/// When a tool is missing or fails.
#[must_use]
pub fn image_with_long_file(folder: &Path, name: &str, bytes: u64, [head, tail]: [&[u8]; 2]) -> PathBuf {
    let (files, disk) = (folder.join("long"), folder.join("long.img"));
    std::fs::create_dir(&files).expect("a writable folder");
    let source = files.join(name);
    sparse(&source, bytes);
    let file = File::options().write(true).open(&source).expect("just made");
    for (place, part) in [(0, head), (bytes - tail.len() as u64, tail)] {
        file.write_all_at(part, place).expect("room");
    }
    sparse(&disk, (bytes + bytes / 64 + 64 * MIB).next_multiple_of(MIB));
    let image = disk.to_str().expect("a path in UTF-8");
    run(folder, "mke2fs", ["-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1", "-d", "long", image]);
    std::fs::remove_dir_all(files).expect("just made");
    disk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::try_run;
    use crate::tree::deep;

    fn tree() -> Tree {
        Tree::new()
            .with("racine.txt", "racine")
            .with(deep(30, "fond.txt"), "fond")
            .with("été/naïve 🦠 clé.txt", "accents")
            .with_hidden("caché.sys", "caché")
    }

    /// The filesystem checkers of Debian accept every volume, on a superfloppy where they can see it.
    #[test]
    fn the_checkers_accept_what_was_made() {
        let folder = tempfile::tempdir().unwrap();
        for format in Format::ALL {
            let disk = image(folder.path(), format, Layout::Superfloppy, &tree());
            let (checker, option) = match format {
                Format::Fat12 | Format::Fat16 | Format::Fat32 => ("fsck.vfat", "-n"),
                Format::ExFat => ("fsck.exfat", "-n"),
                Format::Ntfs => ("ntfsfix", "-n"),
                Format::Ext2 | Format::Ext3 | Format::Ext4 => ("e2fsck", "-fn"),
            };
            let answer = try_run(folder.path(), checker, [option.as_ref(), disk.as_os_str()]);
            assert!(answer.status.success(), "{format:?}: {answer:?}");
        }
    }

    #[test]
    fn every_layout_holds_the_filesystem_where_the_table_says() {
        let folder = tempfile::tempdir().unwrap();
        for layout in Layout::ALL.into_iter().filter(|layout| *layout != Layout::Superfloppy) {
            let disk = image(folder.path(), Format::Fat12, layout, &tree());
            let answer = run(folder.path(), "sfdisk", ["--dump".as_ref(), disk.as_os_str()]);
            let dump = String::from_utf8(answer).unwrap();
            let last = dump.lines().rfind(|line| line.contains("start=")).unwrap();
            let start = last.split("start=").nth(1).unwrap().split(',').next().unwrap().trim();
            let start: u64 = start.parse().unwrap();
            let part = format!("{}@@{}", disk.display(), start * SECTOR);
            let listing = run(folder.path(), "mdir", ["-/", "-b", "-i", &part, "::"]);
            let listing = String::from_utf8(listing).unwrap();
            assert!(listing.contains("::/f01/f02/f03") && listing.contains("fond.txt"), "{layout:?}: {listing}");
        }
    }

    #[test]
    fn the_table_states_the_type_of_the_filesystem() {
        let folder = tempfile::tempdir().unwrap();
        let (linux, windows) = (Format::Ext4.gpt_type(), Format::Ntfs.gpt_type());
        for (format, plain, hidden, guid) in [(Format::Ntfs, "7", "17", windows), (Format::Ext4, "83", "1b", linux)] {
            for (layout, kind) in [(Layout::MbrLogical, plain), (Layout::MbrHidden, hidden), (Layout::Gpt, guid)] {
                let disk = image(folder.path(), format, layout, &tree());
                let answer = run(folder.path(), "sfdisk", ["--dump".as_ref(), disk.as_os_str()]);
                let dump = String::from_utf8(answer).unwrap();
                let last = dump.lines().rfind(|line| line.contains("start=")).unwrap();
                assert!(last.contains(&format!("type={kind}")), "{format:?} {layout:?}: {dump}");
            }
        }
    }

    #[test]
    fn hidden_files_carry_both_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let disk = image(folder.path(), Format::Fat16, Layout::Superfloppy, &tree());
        let answer = run(folder.path(), "mattrib", ["-i", disk.to_str().unwrap(), "::/caché.sys"]);
        let line = String::from_utf8(answer).unwrap();
        assert!(line.contains('S') && line.contains('H'), "{line}");
    }

    #[test]
    fn emoji_are_surrogate_pairs_on_the_medium() {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Fat12, Format::Fat16, Format::Fat32, Format::ExFat, Format::Ntfs] {
            let disk = std::fs::read(image(folder.path(), format, Layout::Superfloppy, &tree())).unwrap();
            let units: Vec<u8> = "🦠".encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(disk.windows(4).any(|window| window == units), "{format:?}");
        }
    }

    #[test]
    fn a_long_file_takes_no_room() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = image_with_long_file(folder.path(), "long.bin", 200 * MIB, [b"the start", b"the end"]);
        let metadata = std::fs::metadata(&disk).unwrap();
        assert!(metadata.len() > 200 * MIB && metadata.blocks() * 512 < 40 * MIB);
        let bytes = std::fs::read(&disk).unwrap();
        assert!(bytes.windows(7).any(|window| window == b"the end"));
    }
}
