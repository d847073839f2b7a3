//! What a computer starts from by the boot catalogue is read as a whole, wherever files end: each byte of it is in the
//! content of a file.

use super::patch::{Iso, SECTOR};
use super::{XORRISO, made, small};
use crate::images::{disk, fat};
use crate::reading::{Reading, read_image};
use std::collections::BTreeMap;

const BOOT: &[&str] = &["-r", "-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size"];

/// A disc whose boot image is a file of this size, of which this many sectors of 512 bytes are loaded.
fn disc(size: usize, sectors: &str) -> Iso {
    Iso(made(XORRISO, &[BOOT, &[sectors]].concat(), &small(&[("boot.bin", size), ("file.bin", 90_000)])))
}

impl Iso {
    fn catalogue(&self) -> usize {
        self.u32(self.descriptor(0) + 71) * SECTOR
    }
}

fn boot(reading: &Reading) -> BTreeMap<String, Vec<u8>> {
    reading.files(0).into_iter().filter(|(path, _)| path.starts_with("[boot]")).collect()
}

/// The boot files of an image without faults.
fn sound(image: &Iso) -> BTreeMap<String, Vec<u8>> {
    let reading = read_image(image.0.clone());
    assert_eq!(reading.not_read, []);
    boot(&reading)
}

#[test]
fn code_behind_the_end_of_a_listed_file_is_read_with_its_image() {
    for (size, sectors, loaded) in [(100, "4", 2048), (100, "1", 2048), (20_000, "40", 20_480)] {
        let mut image = disc(size, sectors);
        let start = image.start(image.record("BOOT.BIN;1"));
        image.0[start + loaded - 1] = 0xcc;
        assert_eq!(sound(&image)["[boot]/image 1"], image.0[start..start + loaded], "{size}");
    }
    for (size, sectors) in [(2048, "4"), (20_000, "4"), (20_480, "40")] {
        assert_eq!(sound(&disc(size, sectors)), BTreeMap::new(), "the file holds all of it: {size}");
    }
}

/// The file lists its first sector, and its own boot sector or partition table leads computers on.
#[test]
fn an_image_that_goes_on_behind_a_listed_file_is_read_up_to_its_own_end() {
    let volume = fat(12, 1 << 20, &[], &small(&[("BOOTX64.EFI", 3000)]));
    let hard_disk = disk(3 << 20, "label: dos\n2048,2048,c\n", &[]);
    for (emulation, bytes, length) in [(0u8, &volume, 1 << 20), (4, &hard_disk, 2 << 20)] {
        let mut image = disc(SECTOR, "4");
        let block = image.append(bytes);
        let (record, entry) = (image.record("BOOT.BIN;1"), image.catalogue() + 32);
        image.set32(record + 2, block);
        image.0[entry + 1] = emulation;
        image.0[entry + 8..entry + 12].copy_from_slice(&block.to_le_bytes());
        assert!(sound(&image)["[boot]/image 1"] == bytes[..length], "{emulation}");
    }
}

#[test]
fn a_boot_catalogue_that_no_file_and_no_boot_area_holds_is_a_file() {
    let mut image = disc(SECTOR, "4");
    let catalogue = image.catalogue();
    let sector = image.0[catalogue..catalogue + SECTOR].to_vec();
    let block = image.append(&sector);
    assert!(block > 32, "behind the first 64 KiB, which a tag binds");
    let place = image.descriptor(0) + 71;
    image.0[place..place + 4].copy_from_slice(&block.to_le_bytes());
    for last in [0, 0xcc] {
        let end = image.0.len();
        image.0[end - 1] = last;
        let found = BTreeMap::from([("[boot]/catalogue 1".to_owned(), image.0[end - SECTOR..].to_vec())]);
        assert_eq!(sound(&image), found);
    }
}
