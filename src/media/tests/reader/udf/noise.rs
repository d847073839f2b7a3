//! Random damage to structures: nothing panics, everything ends, the ledgers still add up. `SEED` and `COUNT` change
//! the images.

use super::build::{Fid, Kind, Style, Udf};
use super::real::{bridge, narrow_tree, without_iso};
use crate::images::{Numbers, tree};
use crate::reading::read_with;
use blanche_media::MemorySource;
use blanche_sandbox::wire::ReadLimits;
use std::collections::BTreeMap;
use std::time::Instant;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Places of structures: blocks that begin with a tag.
fn structures(image: &[u8], block: usize) -> Vec<usize> {
    let tagged = |bytes: &[u8]| {
        let sum = bytes[..16].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)).wrapping_sub(bytes[4]);
        matches!(bytes[2], 2 | 3) && sum == bytes[4]
    };
    let blocks = image.chunks(block).enumerate();
    blocks.filter(|(_, bytes)| tagged(bytes)).map(|(number, _)| number * block).collect()
}

/// Flips bytes and words of structures; mostly makes their checksums hold again, so that what they say is believed.
fn damage(image: &mut Vec<u8>, structures: &[usize], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(12) {
        let at = structures[numbers.below(structures.len())];
        let field = at + 16 + numbers.below(120) * 4;
        match numbers.below(3) {
            0 => image[field + numbers.below(4)] = numbers.next() as u8,
            1 => image[field..field + 4].copy_from_slice(&(numbers.below(400) as u32).to_le_bytes()),
            _ => image[at + numbers.below(500)] ^= 1 << numbers.below(8),
        }
        let covered = usize::from(u16::from_le_bytes([image[at + 10], image[at + 11]]));
        if numbers.below(4) != 0 && at + 16 + covered <= image.len() {
            super::build::seal(&mut image[at..]);
        }
    }
    for _ in 0..numbers.below(3) {
        let at = numbers.below(image.len());
        image[at] = numbers.next() as u8;
    }
    if numbers.below(10) == 0 {
        let length = numbers.below(image.len());
        image.truncate(length);
    }
}

fn noise(name: &str, image: &[u8], block: usize) {
    let (seed, count) = (setting("SEED", 1), setting("COUNT", 200));
    let structures = structures(image, block);
    assert!(structures.len() > 20, "{name}");
    let (start, mut most) = (Instant::now(), 0);
    for number in 0..count {
        let mut numbers = Numbers(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut damaged = image.to_vec();
        damage(&mut damaged, &structures, &mut numbers);
        let source = MemorySource::new(damaged);
        let reading = read_with(&source, ReadLimits::default());
        let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
        let bound = 12 * source.bytes.len() as u64 + (8 << 20);
        assert!(read < bound, "{name} {seed}/{number}: {read} bytes read");
        assert!(reading.messages < 20_000, "{name} {seed}/{number}: {} messages", reading.messages);
        most = most.max(read);
    }
    eprintln!("{name}: {count} images from seed {seed} in {:?}, at most {most} bytes read", start.elapsed());
}

/// A volume with everything that the reader knows, in small.
fn rich(style: Style) -> Vec<u8> {
    let mut udf = Udf::new(style);
    let root = udf.structure(1);
    let small: BTreeMap<String, Vec<u8>> =
        tree().into_iter().filter(|(path, content)| content.len() < 6000 && !path.starts_with("d0/")).collect();
    let folder = udf.tree(&small);
    let icb = udf.structure(1);
    let mut entry = udf.content(b"owner", &[]);
    if style.revision >= 0x0200 {
        let (streams, stream) = (udf.structure(1), udf.file(&[9; 700]));
        udf.folder(streams, icb, 13, &[Fid::file("stream", stream)]);
        entry.streams = Some(streams);
    }
    udf.entry(icb, &entry);
    udf.folder(root, root, 4, &[Fid::folder("tree", folder), Fid::file("owner", icb)]);
    udf.finish(root)
}

#[test]
fn damaged_plain_volumes() {
    noise("512", &rich(Style { block: 512, blocks: 3000, piece: Some(1), ..Style::plain() }), 512);
    noise("2048", &rich(Style { kind: Kind::Long, blocks: 1200, revision: 0x0102, ..Style::plain() }), 2048);
    noise("embedded", &rich(Style { kind: Kind::Embedded, blocks: 1000, ..Style::plain() }), 2048);
}

#[test]
fn damaged_metadata_partitions() {
    noise("metadata", &rich(Style { blocks: 2500, metadata: true, revision: 0x0250, ..Style::plain() }), 2048);
}

#[test]
fn damaged_bridges() {
    noise("bridge", &without_iso(bridge(&narrow_tree(), &["-J", "-R"])), 2048);
}
