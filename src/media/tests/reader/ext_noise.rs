//! Random damage in structures: see [`crate::noise`].

use super::{VARIANTS, ext};
use crate::images::{Numbers, tree};
use crate::reading::read_with;
use blanche_media::MemorySource;
use blanche_sandbox::wire::ReadLimits;
use std::time::Instant;

const MIB: u64 = 1 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Sectors that hold structures, and the first of them more often.
fn structures(image: &[u8]) -> Vec<usize> {
    let zeros = |sector: &[u8]| sector.iter().filter(|byte| **byte == 0).count();
    let sectors = image.chunks(512).enumerate();
    let mut found: Vec<usize> =
        sectors.filter(|(_, sector)| (32..512).contains(&zeros(sector))).map(|(number, _)| number * 512).collect();
    found.extend([1024; 3]);
    found.extend([1536, 2048, 4096]);
    found
}

fn damage(image: &mut Vec<u8>, structures: &[usize], numbers: &mut Numbers) {
    let place = |numbers: &mut Numbers| structures[numbers.below(structures.len())] + numbers.below(127) * 4;
    for _ in 0..=numbers.below(20) {
        let at = place(numbers) + numbers.below(4);
        image[at] = numbers.next() as u8;
    }
    for _ in 0..numbers.below(20) {
        // A number that could be a block, an inode or a length.
        let at = place(numbers);
        let value = numbers.below(3000) as u32;
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    if numbers.below(8) == 0 {
        let length = numbers.below(image.len());
        image.truncate(length);
    }
}

#[test]
fn damaged_volumes_end_and_add_up() {
    let (seed, count) = (setting("SEED", 1), setting("COUNT", 200));
    for wanted in ["ext2, 1 KiB", "ext4", "ext4, inline data, casefold", "ext4, bigalloc, 1 KiB"] {
        let (name, options) = VARIANTS.into_iter().find(|(name, _)| *name == wanted).unwrap();
        let image = ext(6 * MIB, options, &tree());
        let structures = structures(&image);
        let (start, mut said, mut slowest) = (Instant::now(), 0, std::time::Duration::ZERO);
        for number in 0..count / 4 {
            let mut numbers = Numbers(seed.wrapping_mul(1_000_003).wrapping_add(number));
            let mut damaged = image.clone();
            damage(&mut damaged, &structures, &mut numbers);
            let (length, begun) = (damaged.len() as u64, Instant::now());
            // The helper holds the reader to the whole contract.
            let source = MemorySource::new(damaged);
            let reading = read_with(&source, ReadLimits::default());
            slowest = slowest.max(begun.elapsed());
            said += usize::from(!reading.not_read.is_empty());
            assert!(reading.messages < 20_000, "{name} {seed}/{number}: {} messages", reading.messages);
            assert!(reading.done.unwrap().bytes <= length * 4 + MIB, "{name} {seed}/{number}");
            let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
            assert!(read <= length * 16, "{name} {seed}/{number}: {read} bytes read");
        }
        eprintln!("{name}: {} images, {said} with faults, slowest {slowest:?}, {:?}", count / 4, start.elapsed());
    }
}
