//! Fields that lie: both byte orders, extents, loops, records that do not fit, descriptors.

use super::patch::{Iso, PRIMARY, SECTOR};
use super::{GENISOIMAGE, XORRISO, area, files, made, small};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, Cause, Corruption, Feature, ReadLimits, Subject, Tree};

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const BOOT_SECTOR: Cause = Cause::Corrupt(Corruption::BootSector);
const SECOND: Cause = Cause::Corrupt(Corruption::SecondFilesystem);

/// `A.BIN` (3000 bytes), `B.BIN` (4096 bytes) and `SUB/C.BIN` (5000 bytes), in one tree.
fn plain() -> Iso {
    Iso(made(GENISOIMAGE, &[], &small(&[("A.BIN", 3000), ("B.BIN", 4096), ("SUB/C.BIN", 5000)])))
}

fn after(change: impl FnOnce(&mut Iso)) -> Reading {
    let mut image = plain();
    change(&mut image);
    read_image(image.0)
}

/// What is said about volumes.
fn said(reading: &Reading) -> Vec<(u64, Cause)> {
    let of_volumes = reading.not_read.iter().filter(|note| matches!(note.subject, Subject::Volume(_)));
    of_volumes.map(|note| (note.offset, note.cause.clone())).collect()
}

#[test]
fn nothing_is_said_about_the_image_itself() {
    let reading = after(|_| {});
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0).into_keys().collect::<Vec<_>>(), ["A.BIN", "B.BIN", "SUB/C.BIN"]);
}

#[test]
fn byte_orders_that_disagree() {
    for (field, size) in [(6, 3000), (14, 3000), (30, 3000)] {
        let reading = after(|image| {
            let record = image.record("A.BIN;1");
            image.0[record + field] ^= 1;
        });
        assert_eq!(reading.notes("A.BIN"), [(0, size, DIRECTORY)], "{field}");
        assert_eq!(reading.files(0)["A.BIN"].len(), 3000, "the little-endian place is read");
    }
    for field in [84, 122, 126, 130, 136, 156 + 6, 156 + 14] {
        let reading = after(|image| image.0[PRIMARY + field] ^= 1);
        assert!(said(&reading).contains(&(PRIMARY as u64, BOOT_SECTOR)), "{field}: {:?}", reading.not_read);
        assert_eq!(reading.files(0).len(), 3, "{field}");
    }
}

#[test]
fn extents_outside_of_the_volume() {
    let reading = after(|image| {
        let record = image.record("A.BIN;1");
        image.set32(record + 2, 5_000_000);
    });
    assert_eq!(reading.notes("A.BIN"), [(0, 3000, CHAIN)]);
    let mut end = 0;
    let reading = after(|image| {
        let record = image.record("A.BIN;1");
        image.set32(record + 10, u32::MAX);
        end = (image.0.len() - image.start(record)) as u64;
    });
    assert_eq!(reading.notes("A.BIN"), [(end, u64::from(u32::MAX) - end, CHAIN)]);
    assert_eq!(reading.files(0)["A.BIN"].len() as u64, end);
    let reading = after(|image| {
        let record = image.record("SUB");
        image.set32(record + 2, u32::MAX);
    });
    assert_eq!(reading.notes("SUB"), [(0, 0, CHAIN)]);
}

#[test]
fn a_truncated_image() {
    let mut image = plain();
    let length = image.0.len() as u64;
    image.0.truncate(image.start(image.record("SUB/C.BIN;1")) + 100);
    let short = image.0.len() as u64;
    let reading = read_image(image.0);
    assert_eq!(reading.notes("SUB/C.BIN"), [(100, 4900, CHAIN)]);
    assert!(said(&reading).contains(&(short, BOOT_SECTOR)), "{length}: {:?}", reading.not_read);
}

#[test]
fn folders_that_hold_themselves_or_lie_in_others() {
    let reading = after(|image| {
        let (record, root) = (image.record("SUB"), image.u32(PRIMARY + 156 + 2));
        image.set32(record + 2, root as u32);
    });
    assert!(reading.notes("SUB").contains(&(0, 0, DIRECTORY)), "{:?}", reading.not_read);
    let reading = after(|image| {
        let record = image.record("SUB");
        let size = image.u32(record + 10) as u32;
        image.set32(record + 2, image.u32(PRIMARY + 158) as u32 - 1);
        image.set32(record + 10, size * 2);
    });
    assert!(reading.notes("SUB").contains(&(0, 0, Cause::Corrupt(Corruption::CrossLinked))), "{:?}", reading.not_read);
    for size in [0, 100, 2049] {
        let reading = after(|image| {
            let record = image.record("SUB");
            image.set32(record + 10, size);
        });
        assert!(reading.notes("SUB").contains(&(0, 0, DIRECTORY)), "{size}: {:?}", reading.not_read);
    }
    let huge = after(|image| {
        let record = image.record("SUB");
        image.set32(record + 10, u32::MAX - 2047);
    });
    assert!(huge.notes("SUB").contains(&(0, 0, CHAIN)));
    assert!(huge.files(0).contains_key("SUB/C.BIN"));
}

#[test]
fn records_that_do_not_fit() {
    for length in (1..34).chain([35, 36, 38, 200, 255]) {
        let reading = after(|image| {
            let record = image.record("B.BIN;1");
            image.0[record] = length;
        });
        // 200 bytes and more hold the record that follows: no host sees it, but the path tables name its folder.
        let expected = if length >= 200 { Cause::Corrupt(Corruption::Unreachable) } else { DIRECTORY };
        assert!(said(&reading).iter().any(|(_, cause)| *cause == expected), "{length}: {:?}", reading.not_read);
        assert!(reading.files(0).contains_key("A.BIN"), "{length}");
    }
    let reading = after(|image| {
        let record = image.record("A.BIN;1");
        image.0[record] = 0;
    });
    assert!(said(&reading).iter().any(|(_, cause)| *cause == DIRECTORY), "an end in the middle of a sector");
    for identifier in [0, 200] {
        let reading = after(|image| {
            let record = image.record("A.BIN;1");
            image.0[record + 32] = identifier;
        });
        assert!(said(&reading).iter().any(|(_, cause)| *cause == DIRECTORY), "{identifier}");
    }
}

#[test]
fn dots_where_none_should_be() {
    for record in [0, 1] {
        let reading = after(|image| {
            let at = image.records(PRIMARY + 156)[record];
            image.0[at + 33] = b'X';
        });
        assert!(said(&reading).iter().any(|(_, cause)| *cause == DIRECTORY), "{:?}", reading.not_read);
    }
    let reading = after(|image| {
        let record = image.record("A.BIN;1");
        image.0[record + 32] = 1;
        image.0[record + 33] = 0;
    });
    assert!(said(&reading).iter().any(|(_, cause)| *cause == DIRECTORY));
    let reading = after(|image| {
        let at = image.records(PRIMARY + 156)[0];
        image.set32(at + 2, 99);
    });
    assert!(said(&reading).iter().any(|(_, cause)| *cause == DIRECTORY));
}

#[test]
fn equal_names() {
    for name in [b"A.BIN;1", b"a.bin;1", b"A.BIN;2"] {
        let reading = after(|image| {
            let record = image.record("B.BIN;1");
            image.0[record + 33..record + 40].copy_from_slice(name);
        });
        assert_eq!(reading.not_read.len(), 1);
        assert_eq!(reading.not_read[0].cause, Cause::AmbiguousNames);
        assert_eq!(reading.contents.len(), 3);
    }
}

#[test]
fn files_on_another_volume_and_in_pieces() {
    for field in [26, 27] {
        let reading = after(|image| {
            let record = image.record("A.BIN;1");
            image.0[record + field] = 1;
        });
        assert_eq!(reading.notes("A.BIN"), [(0, 3000, Cause::FeatureUnsupported(Feature::Interleaved))]);
        assert!(!reading.files(0).contains_key("A.BIN"));
    }
    let elsewhere = Cause::FeatureUnsupported(Feature::StoredElsewhere);
    let reading = after(|image| {
        let record = image.record("A.BIN;1");
        image.0[record + 28..record + 32].copy_from_slice(&[2, 0, 0, 2]);
    });
    assert_eq!(reading.notes("A.BIN"), [(0, 3000, elsewhere.clone())]);
    let reading = after(|image| image.0[PRIMARY + 120..PRIMARY + 124].copy_from_slice(&[2, 0, 0, 2]));
    assert_eq!(said(&reading), [(PRIMARY as u64, elsewhere)]);
}

#[test]
fn descriptors_that_contradict_each_other() {
    // A second primary descriptor whose root is another folder.
    let reading = after(|image| {
        let sub = image.record("SUB");
        let (start, mut second) = (image.u32(sub + 2) as u32, Iso(image.0[PRIMARY..PRIMARY + SECTOR].to_vec()));
        second.set32(158, start);
        let end = image.descriptor(255);
        image.0.copy_within(end..end + SECTOR, end + SECTOR);
        image.0[end..end + SECTOR].copy_from_slice(&second.0);
    });
    assert!(said(&reading).contains(&((PRIMARY + SECTOR) as u64, SECOND)));
    assert_eq!(reading.files(1).into_keys().collect::<Vec<_>>(), ["C.BIN"]);
    // The same behind the terminator, where no host looks.
    let reading = after(|image| {
        let end = image.descriptor(255);
        image.0.copy_within(PRIMARY..PRIMARY + SECTOR, end + SECTOR);
    });
    assert!(said(&reading).contains(&((PRIMARY + 2 * SECTOR) as u64, SECOND)), "{:?}", reading.not_read);
    // An equal copy is what the standard allows.
    let reading = after(|image| {
        let end = image.descriptor(255);
        image.0.copy_within(end..end + SECTOR, end + SECTOR);
        image.0.copy_within(PRIMARY..PRIMARY + SECTOR, end);
    });
    assert_eq!((reading.not_read.len(), reading.layout().volumes.len()), (0, 1));
}

#[test]
fn descriptor_sets_without_an_end_or_with_something_else_in_them() {
    let reading = after(|image| {
        let end = image.descriptor(255);
        image.0[end..end + SECTOR].fill(0);
    });
    assert!(said(&reading).iter().any(|(_, cause)| *cause == BOOT_SECTOR));
    assert_eq!(reading.files(0).len(), 3);
    for kind in [3, 4, 254] {
        let reading = after(|image| {
            let end = image.descriptor(255);
            image.0.copy_within(end..end + SECTOR, end + SECTOR);
            image.0[end] = kind;
        });
        assert_eq!(said(&reading).len(), 1, "{kind}");
        assert_eq!(said(&reading)[0].0, (PRIMARY + SECTOR) as u64);
    }
    // High Sierra, which Linux prefers where it comes first.
    let reading = after(|image| {
        let end = image.descriptor(255);
        image.0.copy_within(end..end + SECTOR, end + SECTOR);
        image.0[end..end + SECTOR].fill(0);
        image.0[end + 9..end + 14].copy_from_slice(b"CDROM");
    });
    assert!(said(&reading).iter().any(|(_, cause)| *cause == SECOND));
}

#[test]
fn an_unusable_primary_descriptor() {
    for (field, value) in [(128, 7), (156 + 25, 0), (156 + 10, 0), (156, 20)] {
        let mut image = plain();
        image.0[PRIMARY + field] = value;
        if field == 166 {
            image.set32(PRIMARY + field, 0);
        }
        let reading = read_image(image.0);
        assert_eq!(reading.entries.len(), 0, "{field}");
        assert!(reading.says(&BOOT_SECTOR), "{field}");
    }
    // With Joliet beside it, that tree is read.
    let mut image = Iso(made(XORRISO, &["-J"], &small(&[("A.BIN", 3000)])));
    image.0[PRIMARY + 128] = 7;
    let reading = read_image(image.0);
    assert_eq!(files(&reading, Tree::Joliet, 0).len(), 1);
    assert!(said(&reading).contains(&(PRIMARY as u64, BOOT_SECTOR)));
}

#[test]
fn blocks_of_512_bytes() {
    let mut image = plain();
    let folders = [PRIMARY + 156, image.record("SUB")];
    let mut records: Vec<usize> = folders.iter().flat_map(|folder| image.records(*folder)).collect();
    records.push(PRIMARY + 156);
    for record in records {
        let start = image.u32(record + 2) as u32;
        image.set32(record + 2, start * 4);
    }
    for (table, big) in [(140, false), (148, true)] {
        let block = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let stored = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let at = PRIMARY + table;
        let start = block(image.0[at..at + 4].try_into().unwrap());
        image.0[at..at + 4].copy_from_slice(&stored(start * 4));
        let mut line = start as usize * SECTOR;
        while image.0[line] > 0 {
            let value = block(image.0[line + 2..line + 6].try_into().unwrap());
            image.0[line + 2..line + 6].copy_from_slice(&stored(value * 4));
            line += 8 + usize::from(image.0[line]).next_multiple_of(2);
        }
    }
    let blocks = image.u32(PRIMARY + 80) as u32;
    image.set32(PRIMARY + 80, blocks * 4);
    image.0[PRIMARY + 128..PRIMARY + 132].copy_from_slice(&[0, 2, 2, 0]);
    let reading = read_image(image.0);
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0), small(&[("A.BIN", 3000), ("B.BIN", 4096), ("SUB/C.BIN", 5000)]));
}

#[test]
fn a_bad_sector_in_a_folder() {
    let image = plain();
    let folder = image.start(image.record("SUB")) as u64;
    let mut source = MemorySource::new(image.0);
    source.unreadable = vec![folder..folder + 512];
    let reading = read_with(&source, ReadLimits::default());
    assert_eq!(reading.notes("SUB"), [(0, 0, Cause::Unreadable)]);
    assert_eq!(reading.files(0).len(), 2);
}

#[test]
fn what_nobody_claims_is_looked_at() {
    let reading = after(|image| {
        let at = image.0.len() - 3 * SECTOR;
        image.0[at..at + 6].copy_from_slice(b"marker");
    });
    assert_eq!(reading.not_read, []);
    let (free, looked_at) = area(&reading, AreaClass::Free);
    assert!(free == looked_at && free >= 100 * SECTOR as u64);
    // A whole second filesystem, at any sector.
    for skip in [1, 7] {
        let second = made(XORRISO, &["-r"], &small(&[("hidden.bin", 3000)]));
        let mut place = 0;
        let reading = after(|image| {
            place = (image.append(&[&vec![0; skip * SECTOR][..], &second].concat()) as usize + skip + 16) * SECTOR;
        });
        assert_eq!(said(&reading), [(place as u64, SECOND)]);
    }
}
