//! Random damage: nothing panics, everything ends, and the ledgers still add up. Seeds are fixed; `SEED` and `COUNT`
//! change them for longer runs.

use crate::images::{Numbers, exfat, fat, tree};
use crate::reading::read_image;
use std::time::Instant;

const MIB: u64 = 1 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Sectors that hold structures: neither empty nor full of a file's random bytes.
fn structures(image: &[u8]) -> Vec<usize> {
    let zeros = |sector: &[u8]| sector.iter().filter(|byte| **byte == 0).count();
    let sectors = image.chunks(512).enumerate();
    sectors.filter(|(_, sector)| (32..512).contains(&zeros(sector))).map(|(number, _)| number * 512).collect()
}

/// Flips bytes and whole words, mostly in structures; cuts some images short.
fn damage(image: &mut Vec<u8>, structures: &[usize], numbers: &mut Numbers) {
    let place = |numbers: &mut Numbers, length: usize| match numbers.below(8) {
        0 => numbers.below(length - 4),
        _ => structures[numbers.below(structures.len())] + numbers.below(127) * 4,
    };
    for _ in 0..=numbers.below(30) {
        let at = place(numbers, image.len()) + numbers.below(4);
        image[at] = numbers.next() as u8;
    }
    for _ in 0..numbers.below(20) {
        // A small whole word, as a wrong cluster or length would be.
        let at = place(numbers, image.len());
        let value = numbers.below(300) as u32;
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    if numbers.below(8) == 0 {
        let length = numbers.below(image.len());
        image.truncate(length);
    }
}

fn run(name: &str, image: &[u8]) {
    let (seed, count) = (setting("SEED", 1), setting("COUNT", 200));
    let entries = read_image(image.to_vec()).entries.len();
    let structures = structures(image);
    let start = Instant::now();
    for number in 0..count {
        let mut numbers = Numbers(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut damaged = image.to_vec();
        damage(&mut damaged, &structures, &mut numbers);
        let length = damaged.len() as u64;
        // `read_image` holds the reader to the whole contract.
        let reading = read_image(damaged);
        let bound = 200_000 + entries * 20;
        assert!(reading.messages < bound, "{name} {seed}/{number}: {} messages", reading.messages);
        assert!(reading.done.unwrap().bytes <= length * 4, "{name} {seed}/{number}");
    }
    eprintln!("{name}: {count} images from seed {seed} in {:?}", start.elapsed());
}

#[test]
fn damaged_fat12() {
    run("FAT12", &fat(12, 2 * MIB, &[], &tree()));
}

#[test]
fn damaged_fat16() {
    run("FAT16", &fat(16, 5 * MIB, &["-s", "1"], &tree()));
}

#[test]
fn damaged_fat32() {
    run("FAT32", &fat(32, 36 * MIB, &["-s", "1"], &tree()));
}

#[test]
fn damaged_exfat() {
    run("exFAT", &exfat(4 * MIB, &tree()));
}

#[test]
fn damaged_tables() {
    let volume = fat(12, MIB, &[], &std::collections::BTreeMap::from([("F".to_owned(), vec![1; 999])]));
    let script = "label: dos\n2048,2048,1\n4096,,5\n6144,2048,1\n";
    let mbr = crate::images::disk(6 * MIB, script, &[(2048, &volume), (6144, &volume)]);
    run("MBR", &mbr);
    run("GPT", &crate::images::disk(3 * MIB, "label: gpt\n2048,2048\n", &[(2048, &volume)]));
}
