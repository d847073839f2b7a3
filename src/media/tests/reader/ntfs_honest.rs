//! Honest volumes: trees, streams, links, compression, holes; without a single fault.

use super::volume::{Image, MIB, make, mounted, ntfs, set};
use crate::images::{Numbers, tree, write_tree};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, FilesystemKind, ReadLimits};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, symlink};

fn check(name: &str, reading: &Reading, expected: &BTreeMap<String, Vec<u8>>) {
    let line = &reading.layout().volumes[0];
    assert_eq!((line.filesystem, line.label.as_deref()), (FilesystemKind::Ntfs, Some(&b"BLANCHE"[..])), "{name}");
    assert_eq!(reading.not_read, [], "{name}");
    let found = reading.files(0);
    let paths = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(expected), "{name}");
    assert!(found == *expected, "{name}: contents differ");
}

#[test]
fn trees_in_clusters_of_every_size() {
    for cluster in ["512", "1024", "4096", "65536", "131072", "2097152"] {
        let bytes = if cluster.len() > 6 { 192 * MIB } else { 24 * MIB };
        let volume = ntfs(bytes, &["-c", cluster], |mount| write_tree(mount, &tree()));
        let reading = read_image(volume);
        check(cluster, &reading, &tree());
        let sums = reading.area.as_ref().unwrap();
        let sum =
            |class| sums.sums.iter().find(|sum| sum.class == class).map_or((0, 0), |sum| (sum.bytes, sum.looked_at));
        // Small files lie in their records.
        let (file, read) = sum(AreaClass::File);
        let all: u64 = tree().values().map(|content| content.len() as u64).sum();
        assert!(file == read && file <= all && file > all / 2, "{cluster}: {file} of {all}");
        assert_eq!(sum(AreaClass::Boot), (8192 + 512, 8192 + 512), "{cluster}");
        assert_eq!(sum(AreaClass::Unknown), (0, 0), "{cluster}");
    }
}

#[test]
fn sectors_of_4_kib_and_records_of_4_kib() {
    let volume = ntfs(32 * MIB, &["-s", "4096", "-c", "4096"], |mount| write_tree(mount, &tree()));
    check("4096", &read_image(volume), &tree());
}

#[test]
fn a_fresh_volume_is_empty_and_clean() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    for more in [&[][..], &["-c", "512"], &["-c", "65536"]] {
        make(&image, 8 * MIB, more);
        let bytes = fs::read(&image).unwrap();
        let serial = format!("{:016x}", u64::from_le_bytes(bytes[72..80].try_into().unwrap()));
        let reading = read_image(bytes);
        assert_eq!((reading.entries.len(), reading.not_read.len()), (0, 0), "{:?}", reading.not_read);
        assert_eq!(reading.layout().volumes[0].identifier, Some(serial));
    }
}

#[test]
fn no_byte_of_a_file_is_read_twice() {
    let small =
        ReadLimits { max_memory_object: 100_000, chunk_bytes: 40_000, batch_bytes: 10_000, ..Default::default() };
    let volume = ntfs(16 * MIB, &["-c", "4096"], |mount| write_tree(mount, &tree()));
    for limits in [ReadLimits::default(), small] {
        let source = MemorySource::new(volume.clone());
        let reading = read_with(&source, limits);
        assert_eq!(reading.not_read, []);
        let mut reads = vec![0u8; source.bytes.len()];
        for range in source.log.borrow().iter() {
            reads[range.start as usize..range.end as usize]
                .iter_mut()
                .for_each(|count| *count = count.saturating_add(1));
        }
        for (path, content) in tree().iter().filter(|(_, content)| content.len() >= 1000) {
            let found = source.bytes.windows(300).position(|window| window == &content[..300]);
            let start = found.unwrap_or_else(|| panic!("{path} is not on the medium"));
            assert_eq!(source.bytes[start..start + content.len()], content[..], "{path} lies in one piece");
            assert!(reads[start..start + content.len()].iter().all(|count| *count == 1), "{path}");
        }
    }
}

#[test]
fn records_are_read_in_large_pieces() {
    let volume = ntfs(32 * MIB, &["-c", "4096"], |mount| {
        for number in 0..2000 {
            fs::write(mount.join(format!("file {number}")), [7; 50]).unwrap();
        }
    });
    let source = MemorySource::new(volume);
    let reading = read_with(&source, ReadLimits::default());
    assert_eq!((reading.not_read.len(), reading.contents.len()), (0, 2000));
    let reads = source.log.borrow().len();
    assert!(reads < 400, "{reads} reads for 2 MB of records");
}

#[test]
fn streams_links_and_symbolic_links() {
    let volume = ntfs(16 * MIB, &[], |mount| {
        fs::write(mount.join("a.txt"), b"main").unwrap();
        fs::write(mount.join("a.txt:small"), b"resident").unwrap();
        fs::write(mount.join("a.txt:large"), vec![3; 100_000]).unwrap();
        fs::create_dir(mount.join("folder")).unwrap();
        fs::write(mount.join("folder:of it"), b"of a folder").unwrap();
        fs::write(mount.join(".:of the root"), b"of the root").unwrap();
        fs::hard_link(mount.join("a.txt"), mount.join("folder/b.txt")).unwrap();
        symlink("a.txt", mount.join("symbolic")).unwrap();
    });
    let reading = read_image(volume);
    assert_eq!(reading.not_read, []);
    let mut expected = BTreeMap::from([
        (":of the root".to_owned(), b"of the root".to_vec()),
        ("folder:of it".to_owned(), b"of a folder".to_vec()),
    ]);
    for name in ["a.txt", "folder/b.txt"] {
        expected.insert(name.to_owned(), b"main".to_vec());
        expected.insert(format!("{name}:small"), b"resident".to_vec());
        expected.insert(format!("{name}:large"), vec![3; 100_000]);
    }
    let mut found = reading.files(0);
    // For Windows a link of Interix is a file that says where it leads.
    assert!(found.remove("symbolic").unwrap().starts_with(b"IntxLNK\x01"));
    assert!(found == expected, "{:?}", found.keys());
    let again = |path: &str| reading.entries[reading.find(path) as usize].same_as;
    for suffix in ["", ":small", ":large"] {
        assert_eq!(again(&format!("folder/b.txt{suffix}")), Some(reading.find(&format!("a.txt{suffix}"))));
    }
}

#[test]
fn reparse_points_of_links() {
    // Buffers of a symbolic link and of a junction to C:\x…, as Windows makes them: "\??\" stands before one name only.
    let buffer = |tag: u32, flags: &[u8], name: &str| {
        let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let (full, shown) = (units(&format!(r"\??\{name}")), units(name));
        let head = [0, full.len(), full.len(), shown.len()].map(|number| (number as u16).to_le_bytes()).concat();
        let body = [&head, flags, &full, &shown].concat();
        [&tag.to_le_bytes()[..], &(body.len() as u32).to_le_bytes(), &body].concat()
    };
    let long = format!(r"C:\{}", "x".repeat(1500));
    let expected = BTreeMap::from([
        ("junction".to_owned(), buffer(0xa000_0003, &[], r"C:\x")),
        ("link".to_owned(), buffer(0xa000_000c, &[0; 4], r"C:\x")),
        ("long".to_owned(), buffer(0xa000_000c, &[0; 4], &long)),
    ]);
    let volume = ntfs(8 * MIB, &["-c", "4096"], |mount| {
        for (name, bytes) in &expected {
            if name == "junction" {
                fs::create_dir(mount.join(name)).unwrap();
            } else {
                fs::write(mount.join(name), b"").unwrap();
            }
            if name == "long" {
                fs::hard_link(mount.join(name), mount.join("long again")).unwrap();
            }
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            set(&mount.join(name), "system.ntfs_reparse_data", &format!("0x{digits}"));
        }
    });
    let image = Image::of(volume);
    let record = image.record(image.find("long"));
    assert_eq!(image.runs(&record, 0xc0, "").len(), 1, "it lies outside of its record");
    let reading = image.read();
    assert_eq!(reading.not_read, []);
    let mut expected = expected;
    expected.insert("long again".to_owned(), expected["long"].clone());
    assert_eq!(reading.files(0), expected);
    assert_eq!(reading.links(0), expected);
    assert_eq!(reading.entries[reading.find("long again") as usize].same_as, Some(reading.find("long")));
}

#[test]
fn compressed_and_sparse_files() {
    let mut numbers = Numbers(5);
    let lines = |numbers: &mut Numbers, count: usize| {
        (0..count).flat_map(|_| format!("line number {}\r\n", numbers.below(3000)).into_bytes()).collect::<Vec<u8>>()
    };
    let mut mixed = lines(&mut numbers, 9000);
    mixed.extend(numbers.bytes(150_000));
    mixed.extend(vec![0; 200_000]);
    mixed.extend(lines(&mut numbers, 777));
    let mut files = BTreeMap::from([
        ("packed/mixed.bin".to_owned(), mixed.clone()),
        ("packed/zeros.bin".to_owned(), vec![0; 300_001]),
        ("packed/noise.bin".to_owned(), numbers.bytes(200_000)),
        ("packed/small.bin".to_owned(), vec![b'x'; 5000]),
        ("packed/tiny.bin".to_owned(), vec![b'x'; 20]),
        ("packed/unit.bin".to_owned(), vec![b'y'; 65_536]),
    ]);
    for number in 0..40 {
        let count = numbers.below(4000);
        files.insert(format!("packed/text {number}.txt"), lines(&mut numbers, count));
    }
    for cluster in ["512", "2048", "4096"] {
        let volume = ntfs(32 * MIB, &["-c", cluster], |mount| {
            fs::create_dir(mount.join("packed")).unwrap();
            set(&mount.join("packed"), "system.ntfs_attrib", "0x00080000");
            write_tree(mount, &files);
            let sparse = fs::File::create(mount.join("sparse.bin")).unwrap();
            sparse.set_len(3_000_000).unwrap();
            sparse.write_all_at(&[5; 5000], 1_000_000).unwrap();
        });
        let mut expected = files.clone();
        let mut sparse = vec![0; 3_000_000];
        sparse[1_000_000..1_005_000].fill(5);
        expected.insert("sparse.bin".to_owned(), sparse);
        let image = Image::of(volume);
        let record = image.record(image.find("mixed.bin"));
        let stored: usize = image.runs(&record, super::volume::DATA, "").iter().map(|run| run.1).sum();
        assert!(stored < mixed.len() / 2 + 100_000, "{stored} bytes: it was compressed");
        check(cluster, &image.read(), &expected);
    }
}

/// As many streams as a file can have: its attribute list ends at 256 KiB.
#[test]
fn an_attribute_list_and_thousands_of_streams() {
    let mut streams = 0usize;
    let volume = ntfs(64 * MIB, &["-c", "4096"], |mount| {
        fs::write(mount.join("many"), b"main").unwrap();
        while streams < 10_000 && fs::write(mount.join(format!("many:{streams:x}")), streams.to_le_bytes()).is_ok() {
            streams += 1;
        }
        // The one that did not fit may be there without content.
        let _ = fs::remove_file(mount.join(format!("many:{streams:x}")));
    });
    assert!(streams > 6000, "{streams}");
    let reading = read_image(volume);
    assert_eq!(reading.not_read, []);
    let found = reading.files(0);
    assert_eq!(found.len(), streams + 1);
    assert!((0..streams).all(|number| found[&format!("many:{number:x}")] == number.to_le_bytes()));
}

#[test]
fn a_log_that_was_written_by_ntfs_3g_is_no_pending_one() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    make(&image, 8 * MIB, &[]);
    for _ in 0..3 {
        mounted(&image, "rw", |mount| fs::write(mount.join("file"), b"content").unwrap());
    }
    assert_eq!(read_image(fs::read(&image).unwrap()).not_read, []);
}
