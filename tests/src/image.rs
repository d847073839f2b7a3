//! A medium: a filesystem in a partition table, in a sparse file.

use crate::tools::{run, run_with_input};
use crate::tree::Tree;
use crate::{exfat, fat};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
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
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fat12, Self::Fat16, Self::Fat32, Self::ExFat];

    /// Bytes of a volume that is large enough to be of this kind and hold a few small files.
    fn volume_bytes(self) -> u64 {
        match self {
            Self::Fat12 => 4 * MIB,
            Self::Fat16 => 16 * MIB,
            Self::Fat32 => 64 * MIB,
            Self::ExFat => 8 * MIB,
        }
    }

    /// The type byte of an MBR partition.
    fn mbr_type(self) -> &'static str {
        match self {
            Self::Fat12 => "1",
            Self::Fat16 => "e",
            Self::Fat32 => "c",
            Self::ExFat => "7",
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
    /// An MBR partition of the hidden type 0x1b.
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
    run_with_input(
        folder,
        "sfdisk",
        ["--quiet".as_ref(), disk.as_os_str()],
        table(format, layout, start, bytes).as_bytes(),
    );
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
    }
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
        Layout::MbrHidden => format!("label: dos\nstart={start}, size={size}, type=1b\n"),
        Layout::MbrLogical => {
            let extended = size + FIRST;
            format!(
                "label: dos\n1: start={FIRST}, size={extended}, type=5\n5: start={start}, size={size}, type={kind}\n"
            )
        }
        Layout::Gpt => {
            format!("label: gpt\nstart={start}, size={size}, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n")
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

/// A FAT32 superfloppy with one file of `bytes` bytes, all zero but for `tail` at its very end. The image is sparse.
///
/// # Panics
/// When a tool is missing or fails, or `bytes` does not fit into FAT32.
#[must_use]
pub fn image_with_long_file(folder: &Path, name: &str, bytes: u64, tail: &[u8]) -> PathBuf {
    let (source, disk) = (folder.join(name), folder.join("long.img"));
    sparse(&source, bytes);
    let mut file = File::options().write(true).open(&source).expect("just made");
    file.seek(SeekFrom::Start(bytes - tail.len() as u64)).and_then(|_| file.write_all(tail)).expect("room");
    sparse(&disk, (bytes + bytes / 64 + 64 * MIB).next_multiple_of(MIB));
    let image = disk.to_str().expect("a path in UTF-8");
    run(folder, "mkfs.vfat", ["--invariant", "-i", "b1a2c3d4", "-F", "32", "-s", "8", image]);
    run(folder, "mcopy", ["-Q", "-i", image, name, "::/"]);
    run(folder, "fallocate", ["--dig-holes", image]);
    std::fs::remove_file(source).expect("just made");
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
            let checker = if format == Format::ExFat { "fsck.exfat" } else { "fsck.vfat" };
            let answer = try_run(folder.path(), checker, ["-n".as_ref(), disk.as_os_str()]);
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
        for format in Format::ALL {
            let disk = std::fs::read(image(folder.path(), format, Layout::Superfloppy, &tree())).unwrap();
            let units: Vec<u8> = "🦠".encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(disk.windows(4).any(|window| window == units), "{format:?}");
        }
    }

    #[test]
    fn a_long_file_takes_no_room() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = image_with_long_file(folder.path(), "long.bin", 200 * MIB, b"the end");
        let metadata = std::fs::metadata(&disk).unwrap();
        assert!(metadata.len() > 200 * MIB && metadata.blocks() * 512 < 8 * MIB);
        let bytes = std::fs::read(&disk).unwrap();
        assert!(bytes.windows(7).any(|window| window == b"the end"));
    }
}
