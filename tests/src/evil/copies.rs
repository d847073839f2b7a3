//! FAT volumes whose two allocation tables say different things. A folder goes on behind its first cluster in one of
//! them only, and EICAR stands there: the file exists for hosts that follow this table, and for no other.

use super::disks::{number, put, take};
use crate::samples::eicar;
use crate::{Format, Tree};
use std::path::Path;

/// Which table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copy {
    First,
    Second,
}

/// BPB_ExtFlags of FAT32 (FAT specification 1.03): no mirroring, and only the second table is active.
const SECOND_IS_ACTIVE: u16 = 0x80 | 1;
/// Where BPB_ExtFlags stands, in the boot sector and in its copy in sector 6.
const EXT_FLAGS: [usize; 2] = [40, 6 * 512 + 40];
/// In the folder of the FAT16 media.
const FOLDER: &str = "DOSSIER";

/// A FAT16 or FAT32 volume with two tables, as its boot sector describes it.
struct Volume {
    bytes: Vec<u8>,
    /// Bytes of a table entry.
    width: usize,
    first_table: usize,
    table_bytes: usize,
    heap: usize,
    cluster_bytes: usize,
}

impl Volume {
    fn new(bytes: Vec<u8>, format: Format) -> Self {
        let sector = number(&bytes, 11, 2);
        let first_table = number(&bytes, 14, 2) * sector;
        let (width, length) =
            if format == Format::Fat32 { (4, number(&bytes, 36, 4)) } else { (2, number(&bytes, 22, 2)) };
        let table_bytes = length * sector;
        let heap = first_table + 2 * table_bytes + number(&bytes, 17, 2) * 32;
        let cluster_bytes = number(&bytes, 13, 1) * sector;
        Self { bytes, width, first_table, table_bytes, heap, cluster_bytes }
    }

    fn place(&self, copy: Copy, cluster: usize) -> usize {
        let table = if copy == Copy::First { self.first_table } else { self.first_table + self.table_bytes };
        table + cluster * self.width
    }

    fn next(&self, copy: Copy, cluster: usize) -> usize {
        number(&self.bytes, self.place(copy, cluster), self.width)
    }

    fn set_next(&mut self, copy: Copy, cluster: usize, next: u32) {
        let (place, width) = (self.place(copy, cluster), self.width);
        put(&mut self.bytes, place, &next.to_le_bytes()[..width]);
    }

    fn offset(&self, cluster: usize) -> usize {
        self.heap + (cluster - 2) * self.cluster_bytes
    }

    fn records(&self, cluster: usize) -> impl Iterator<Item = &[u8]> {
        let start = self.offset(cluster);
        self.bytes[start..start + self.cluster_bytes].chunks_exact(32).take_while(|record| record[0] != 0)
    }

    /// Lets EICAR change places with the first file behind the cut: mcopy takes the files of a folder in any order.
    fn move_eicar(&mut self, cluster: usize, behind: usize) {
        let (start, target) = (self.offset(cluster), self.offset(behind));
        let found = |record: &[u8]| record.starts_with(b"EICAR   COM");
        let number = self.records(cluster).position(found);
        if let Some(place) = number.map(|number| start + number * 32) {
            let moved = self.bytes[target..target + 32].to_vec();
            self.bytes.copy_within(place..place + 32, target);
            put(&mut self.bytes, place, &moved);
        }
        assert!(self.records(behind).any(found), "EICAR is behind the cut");
    }

    /// Ends the folder that begins in `cluster` there, in one table, and frees in it what came behind.
    fn cut(&mut self, copy: Copy, cluster: usize) {
        let behind = self.next(copy, cluster);
        self.move_eicar(cluster, behind);
        let files: Vec<usize> = self.records(behind).map(|record| number(record, 26, 2)).collect();
        self.set_next(copy, cluster, 0x0fff_ffff);
        for free in [behind].iter().chain(&files) {
            self.set_next(copy, *free, 0);
        }
    }
}

/// `count` harmless files of one cluster, and EICAR behind them.
fn files(folder: &str, count: usize) -> Tree {
    let names = (0..count).map(|number| format!("{folder}A{number:02}.TXT"));
    names.fold(Tree::new(), |tree, name| tree.with(name, "Bonjour.\r\n")).with(format!("{folder}EICAR.COM"), eicar())
}

/// FAT32 with a root of two clusters of 16 records, of which this table knows the first only. The other is said to be
/// active, or the same.
fn fat32(folder: &Path, cut: Copy) -> Vec<u8> {
    let mut volume = Volume::new(take(folder, Format::Fat32, &files("", 20)), Format::Fat32);
    let root = number(&volume.bytes, 44, 4);
    volume.cut(cut, root);
    for place in EXT_FLAGS {
        put(&mut volume.bytes, place, &SECOND_IS_ACTIVE.to_le_bytes());
    }
    volume.bytes
}

/// FAT32 whose second table is the active one; the file exists through it alone. Windows follows the flag.
#[must_use]
pub fn fat32_with_a_file_in_the_active_second_table(folder: &Path) -> Vec<u8> {
    fat32(folder, Copy::First)
}

/// FAT32 whose second table is the active one; the file exists through the first. Linux does not know the flag.
#[must_use]
pub fn fat32_with_a_file_in_the_inactive_first_table(folder: &Path) -> Vec<u8> {
    fat32(folder, Copy::Second)
}

/// Path of EICAR on the FAT32 media.
pub const IN_THE_ROOT: &str = "EICAR.COM";

/// FAT16 with a folder of two clusters of 64 records, of which this table knows the first only.
fn fat16(folder: &Path, cut: Copy) -> Vec<u8> {
    let mut volume = Volume::new(take(folder, Format::Fat16, &files(&format!("{FOLDER}/"), 70)), Format::Fat16);
    let name = format!("{FOLDER:<11}");
    let record = volume.bytes.windows(11).position(|window| window == name.as_bytes()).expect("the folder is listed");
    let cluster = number(&volume.bytes, record + 26, 2);
    volume.cut(cut, cluster);
    volume.bytes
}

/// FAT16 with a file that exists through the second table alone: hosts take that one when the first cannot be read.
#[must_use]
pub fn fat16_with_a_file_in_the_second_table(folder: &Path) -> Vec<u8> {
    fat16(folder, Copy::First)
}

/// FAT16 with a file that exists through the first table alone.
#[must_use]
pub fn fat16_with_a_file_in_the_first_table(folder: &Path) -> Vec<u8> {
    fat16(folder, Copy::Second)
}

/// Path of EICAR on the FAT16 media.
pub const IN_A_FOLDER: &str = "DOSSIER/EICAR.COM";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{run, try_run};

    /// Whether mtools lists EICAR. It reads the first table, and of FAT32 the active one.
    fn listed(folder: &Path, bytes: &[u8]) -> bool {
        let disk = folder.join("disk.img");
        std::fs::write(&disk, bytes).unwrap();
        let listing = run(folder, "mdir", ["-/", "-b", "-i", disk.to_str().unwrap(), "::"]);
        String::from_utf8(listing).unwrap().contains("EICAR.COM")
    }

    /// The same volume with its tables the other way round.
    fn exchanged(bytes: Vec<u8>, format: Format) -> Vec<u8> {
        let mut volume = Volume::new(bytes, format);
        let (table, length) = (volume.first_table, volume.table_bytes);
        volume.bytes[table..table + 2 * length].rotate_left(length);
        volume.bytes
    }

    #[test]
    fn mdir_lists_eicar_through_one_table_only() {
        let folder = tempfile::tempdir().unwrap();
        type Make = fn(&Path) -> Vec<u8>;
        let makers: [(Make, Format, bool); 4] = [
            (fat32_with_a_file_in_the_active_second_table, Format::Fat32, true),
            (fat32_with_a_file_in_the_inactive_first_table, Format::Fat32, false),
            (fat16_with_a_file_in_the_second_table, Format::Fat16, false),
            (fat16_with_a_file_in_the_first_table, Format::Fat16, true),
        ];
        for (make, format, shown) in makers {
            let bytes = make(folder.path());
            assert_eq!(listed(folder.path(), &bytes), shown, "{format:?}");
            assert_eq!(listed(folder.path(), &exchanged(bytes, format)), !shown, "{format:?}");
        }
    }

    #[test]
    fn fsck_says_that_the_tables_differ() {
        let folder = tempfile::tempdir().unwrap();
        for make in [fat16_with_a_file_in_the_first_table, fat16_with_a_file_in_the_second_table] {
            std::fs::write(folder.path().join("disk.img"), make(folder.path())).unwrap();
            let said = String::from_utf8(try_run(folder.path(), "fsck.vfat", ["-n", "disk.img"]).stdout).unwrap();
            assert!(said.contains("FATs differ"), "{said}");
        }
    }
}
