//! Large trees on every filesystem that makes them easily: deep paths, many entries in a folder, huge sparse files.
//! [`crate::many`] holds a hundred thousand files and the memory that they take.

use crate::images::{fat, run};
use crate::reading::{read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{Cause, ReadLimit, ReadLimits};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const MIB: u64 = 1 << 20;
const LEVELS: usize = 300;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An ext4 volume that holds `files`.
fn ext4(folder: &Path, files: &Path, bytes: u64) -> Vec<u8> {
    let image = folder.join("ext4.img");
    fs::File::create(&image).unwrap().set_len(bytes).unwrap();
    run("mke2fs", &["-q", "-F", "-t", "ext4", "-N", "80000", "-d", text(files), text(&image)], "");
    fs::read(image).unwrap()
}

#[test]
fn paths_of_300_folders_are_read_to_their_end() {
    let path = (0..LEVELS).map(|level| format!("d{level}")).collect::<Vec<_>>().join("/");
    let bottom = format!("{path}/fond.txt");
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir_all(files.join(&path)).unwrap();
    fs::write(files.join(&bottom), b"au fond").unwrap();
    let iso = folder.path().join("disc.iso");
    run("xorriso", &["-as", "mkisofs", "-quiet", "-r", "-D", "-o", text(&iso), text(&files)], "");
    let media = [
        ("ext4", ext4(folder.path(), &files, 32 * MIB)),
        ("ISO 9660", fs::read(&iso).unwrap()),
        ("FAT32", fat(32, 40 * MIB, &[], &BTreeMap::from([(bottom.clone(), b"au fond".to_vec())]))),
    ];
    for (name, image) in media {
        let reading = read_image(image);
        let volumes = 0..u16::try_from(reading.layout().volumes.len()).unwrap();
        let found =
            volumes.filter(|volume| reading.files(*volume).get(&bottom).is_some_and(|bytes| bytes == b"au fond"));
        assert_eq!((found.count(), &reading.not_read[..]), (1, &[][..]), "{name}");
    }
}

/// One folder with more entries than 16 bits can count, from the tool that makes them fastest.
#[test]
fn a_folder_of_66_000_entries_is_listed_to_its_end() {
    const COUNT: usize = 66_000;
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    (0..COUNT).for_each(|number| drop(fs::File::create(files.join(format!("f{number}"))).unwrap()));
    let iso = folder.path().join("disc.iso");
    run("xorriso", &["-as", "mkisofs", "-quiet", "-r", "-o", text(&iso), text(&files)], "");
    let reading = read_image(fs::read(&iso).unwrap());
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(1).len(), COUNT, "Rock Ridge");
}

/// A file of 100 GB on a volume of a few MB: named as beyond the budget, without reading 100 GB of zeros.
#[test]
fn a_sparse_file_of_100_gigabytes_takes_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    fs::File::create(files.join("vide.bin")).unwrap().set_len(100_000_000_000).unwrap();
    fs::write(files.join("lettre.txt"), b"Bonjour.").unwrap();
    let source = MemorySource::new(ext4(folder.path(), &files, 32 * MIB));
    let reading = read_with(&source, ReadLimits::default());
    assert_eq!(reading.notes("vide.bin"), [(0, 100_000_000_000, Cause::ReadLimit(ReadLimit::Bytes))]);
    assert_eq!(reading.files(0)["lettre.txt"], b"Bonjour.");
    let read: u64 = source.log.borrow().iter().map(|range| range.end - range.start).sum();
    assert!(read < 64 * MIB, "{read} bytes were read");
}
