//! Random damage to metadata: nothing panics, everything ends, and the ledgers still add up. `SEED` and `COUNT` change
//! what is tried.

use super::volume::{Image, MIB, RECORD, ntfs, set};
use crate::images::{Numbers, tree, write_tree};
use crate::reading::{read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::ReadLimits;
use std::fs;
use std::path::Path;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn fill(mount: &Path) {
    fs::create_dir(mount.join("packed")).unwrap();
    set(&mount.join("packed"), "system.ntfs_attrib", "0x00080000");
    fs::write(mount.join("packed/text"), "to be packed ".repeat(20_000)).unwrap();
    write_tree(mount, &tree());
    for number in 0..60 {
        fs::write(mount.join(format!("README.TXT:{number}")), vec![number; 200]).unwrap();
    }
    fs::hard_link(mount.join("README.TXT"), mount.join("again")).unwrap();
}

/// Places of metadata: records in use, blocks of folders, the boot sector, the log.
fn structures(image: &Image) -> Vec<(usize, usize)> {
    let mut places = vec![(0, 512)];
    let records = (0..image.records()).map(|number| (image.place(number), RECORD));
    places.extend(records.filter(|(at, _)| image.bytes[*at..at + 4] == *b"FILE" && image.bytes[at + 22] & 1 != 0));
    let blocks = (0..image.bytes.len()).step_by(4096).filter(|at| image.bytes[*at..].starts_with(b"INDX"));
    places.extend(blocks.map(|at| (at, 4096)));
    places
}

fn damage(bytes: &mut Vec<u8>, places: &[(usize, usize)], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(12) {
        let (start, length) = places[numbers.below(places.len())];
        // The first half of a record holds most of it.
        let within = if numbers.below(2) == 0 { numbers.below(length.min(200)) } else { numbers.below(length - 8) };
        match numbers.below(4) {
            0 => bytes[start + within] = numbers.next() as u8,
            1 => bytes[start + within] ^= 1 << numbers.below(8),
            2 => bytes[start + within..start + within + 2].copy_from_slice(&(numbers.below(2000) as u16).to_le_bytes()),
            _ => {
                let values =
                    [0, 1, u64::MAX, 1 << 63, i64::MAX as u64, 0x1_0000_0000, numbers.next(), numbers.next() % 4096];
                let value = values[numbers.below(values.len())];
                bytes[start + within..start + within + 8].copy_from_slice(&value.to_le_bytes());
            }
        }
    }
    if numbers.below(10) == 0 {
        let length = numbers.below(bytes.len());
        bytes.truncate(length);
    }
}

#[test]
fn damaged_volumes() {
    let (seed, count) = (setting("SEED", 1), setting("COUNT", 200));
    let image = Image::of(ntfs(8 * MIB, &["-c", "1024"], fill));
    let places = structures(&image);
    let (mut faulty, mut most_bytes, mut most_reads) = (0, 0, 0);
    for number in 0..count {
        let mut numbers = Numbers(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut damaged = image.bytes.clone();
        damage(&mut damaged, &places, &mut numbers);
        let length = damaged.len() as u64;
        let source = MemorySource::new(damaged);
        // `read_with` holds the reader to the whole contract.
        let reading = read_with(&source, ReadLimits::default());
        let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
        let reads = source.log.borrow().len();
        assert!(reading.messages < 20_000, "{seed}/{number}: {} messages", reading.messages);
        assert!(read <= length * 6 + (8 << 20), "{seed}/{number}: {read} bytes read");
        assert!(reads < 60_000, "{seed}/{number}: {reads} reads");
        faulty += usize::from(!reading.not_read.is_empty());
        most_bytes = most_bytes.max(read);
        most_reads = most_reads.max(reads);
    }
    eprintln!(
        "{count} images from seed {seed}: {faulty} with faults, at most {most_bytes} bytes in {most_reads} reads"
    );
    assert!(faulty * 2 > count as usize, "damage is seen");
}

/// Every byte of a record, one after the other: what is still read is what was there, or there is a fault.
#[test]
fn damage_never_changes_a_file_in_silence() {
    let image = Image::of(ntfs(8 * MIB, &["-c", "1024"], |mount| {
        fs::write(mount.join("resident"), [b'r'; 300]).unwrap();
        fs::write(mount.join("resident:stream"), [b's'; 50]).unwrap();
        fs::write(mount.join("runs"), [b'n'; 5000]).unwrap();
    }));
    let whole = read_image(image.bytes.clone());
    assert_eq!(whole.not_read, []);
    let expected = whole.files(0);
    for name in ["resident", "runs"] {
        let number = image.find(name);
        let record = image.record(number);
        let used = super::volume::u32_at(&record, 24);
        for at in (0..used).filter(|at| !matches!(at, 48..56)) {
            let mut damaged = Image::of(image.bytes.clone());
            if (4..8).contains(&at) {
                // Where the fixups are.
                let place = damaged.place(number);
                damaged.bytes[place + at] ^= 0x55;
            } else {
                damaged.change(number, |record| record[at] ^= 0x55);
            }
            let reading = damaged.read();
            let found = reading.files(0);
            // Names, bytes and ends of contents may change, and a content may become a stream; none may go.
            let complete = found.values().filter(|content| !content.is_empty()).count() >= expected.len();
            assert!(complete || !reading.not_read.is_empty(), "byte {at} of {name} hides something");
        }
    }
}

#[test]
fn truncated_volumes() {
    let bytes = ntfs(8 * MIB, &["-c", "4096"], fill);
    for length in [
        0,
        1,
        511,
        512,
        513,
        8191,
        8192,
        16_384,
        20_000,
        100_000,
        1 << 20,
        3 << 20,
        bytes.len() - 4096,
        bytes.len() - 513,
    ] {
        let reading = read_image(bytes[..length].to_vec());
        assert!(length == 0 || !reading.not_read.is_empty(), "{length} bytes");
    }
}

#[test]
fn a_medium_that_is_pulled_out_ends_in_order() {
    let bytes = ntfs(8 * MIB, &["-c", "4096"], fill);
    for reads in 0..80 {
        let mut source = MemorySource::new(bytes.clone());
        source.removed_after = Some(reads);
        let reading = read_with(&source, ReadLimits::default());
        let removed = reading.says(&blanche_sandbox::wire::Cause::MediumRemoved);
        assert!(removed || reading.not_read.is_empty(), "after {reads} reads");
    }
}

#[test]
fn a_bad_sector_in_the_table_costs_its_own_records_only() {
    let image = Image::new(fill);
    let whole = read_image(image.bytes.clone()).files(0);
    let place = image.place(image.find("large.bin")) as u64;
    let mut source = MemorySource::new(image.bytes);
    source.unreadable = vec![place..place + 512];
    let reading = read_with(&source, ReadLimits::default());
    let found = reading.files(0);
    assert!(reading.says(&blanche_sandbox::wire::Cause::Unreadable));
    let lost: Vec<_> = whole.keys().filter(|path| found.get(*path).is_none_or(Vec::is_empty)).collect();
    assert!(lost.len() <= 3 && lost.contains(&&"large.bin".to_owned()), "{lost:?}");
}
