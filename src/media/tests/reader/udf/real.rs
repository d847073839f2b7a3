//! Honest volumes: everything that goes in comes out, without a fault.

use super::build::{Kind, Style, Udf, seal};
use super::{notes, volume};
use crate::images::{Numbers, run, tree, write_tree};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{AreaClass, FilesystemKind, ReadLimits};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

type Tree = BTreeMap<String, Vec<u8>>;

/// A bridge of ISO 9660 and UDF by genisoimage, which writes no characters beyond 16 bits.
pub(crate) fn bridge(tree: &Tree, more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (files, image) = (folder.path().join("files"), folder.path().join("image.iso"));
    write_tree(&files, tree);
    let paths = [image.to_str().unwrap(), files.to_str().unwrap()];
    let mut arguments = vec!["-quiet", "-udf", "-V", "BLANCHE"];
    if !more.contains(&"4") {
        // Not with the version 2 of ISO 9660.
        arguments.extend(["-input-charset", "utf-8"]);
    }
    arguments.extend_from_slice(more);
    arguments.extend(["-o", paths[0], paths[1]]);
    run("genisoimage", &arguments, "");
    fs::read(&image).unwrap()
}

/// Moves the UDF part of the volume recognition sequence to its beginning, so that only UDF is left.
pub(crate) fn without_iso(mut image: Vec<u8>) -> Vec<u8> {
    let start = (32768..).step_by(2048).find(|at| image[at + 1..at + 6] == *b"BEA01").unwrap();
    let kept = image[start..start + 3 * 2048].to_vec();
    image[32768..start + 3 * 2048].fill(0);
    image[32768..32768 + kept.len()].copy_from_slice(&kept);
    image
}

/// The tree without what genisoimage cannot name: more than 64 letters, and letters beyond 16 bits.
pub(crate) fn narrow_tree() -> Tree {
    let narrow = |path: &String| path.chars().all(|letter| u32::from(letter) < 0x1_0000);
    let short = |path: &String| path.split('/').all(|name| name.chars().count() <= 64);
    tree().into_iter().filter(|(path, _)| narrow(path) && short(path)).collect()
}

/// The tree with names in ASCII.
fn ascii_tree() -> Tree {
    narrow_tree().into_iter().filter(|(path, _)| path.is_ascii()).collect()
}

fn styles() -> Vec<Style> {
    let mut styles = Vec::new();
    for (block, blocks) in [(512, 8192), (1024, 6000), (2048, 4000), (4096, 2600)] {
        for kind in [Kind::Short, Kind::Long, Kind::Embedded] {
            for revision in [0x0102, 0x0201] {
                styles.push(Style { block, blocks, kind, revision, ..Style::plain() });
            }
        }
        let metadata = Style { block, blocks: blocks * 2, revision: 0x0250, metadata: true, ..Style::plain() };
        styles.extend([metadata, Style { kind: Kind::Embedded, revision: 0x0260, ..metadata }]);
        styles.push(Style { block, blocks: blocks * 3, piece: Some(1), ..Style::plain() });
    }
    styles
}

fn check(name: &str, reading: &Reading, expected: &Tree) {
    let number = volume(reading);
    let line = &reading.layout().volumes[usize::from(number)];
    assert_eq!(line.label.as_deref(), Some(&b"BLANCHE"[..]), "{name}");
    assert_eq!(notes(reading), [], "{name}");
    let found = reading.files(number);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
    assert!(found == *expected, "{name}: contents differ");
}

fn built(style: Style, tree: &Tree) -> Vec<u8> {
    let mut udf = Udf::new(style);
    let root = udf.tree(tree);
    udf.finish(root)
}

/// What 7z unpacks.
fn unpacked(image: &[u8]) -> Tree {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("image.udf"), folder.path().join("out"));
    fs::write(&path, image).unwrap();
    let target = format!("-o{}", out.to_str().unwrap());
    let arguments = ["x", "-y", "-tudf", "-bso0", "-bsp0", &target, path.to_str().unwrap()];
    let output = Command::new("7z").args(arguments).output().expect("7z; install it");
    // It misses an anchor right behind the last file, and says nothing else.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.lines().all(|line| matches!(line.trim(), "" | "ERRORS:" | "Headers Error")), "{said}");
    let mut files = Tree::new();
    collect(&out, "", &mut files);
    files
}

fn collect(folder: &Path, above: &str, files: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{above}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}

#[test]
fn every_block_size_and_allocation() {
    for style in styles() {
        let image = built(style, &tree());
        let reading = read_image(image);
        check(&format!("{style:?}"), &reading, &tree());
        if style.kind != Kind::Embedded {
            let sums = &reading.area.as_ref().unwrap().sums;
            let file = sums.iter().find(|sum| sum.class == AreaClass::File).unwrap();
            let bytes: u64 = tree().values().map(|content| content.len() as u64).sum();
            assert_eq!((file.bytes, file.looked_at), (bytes, bytes), "{style:?}");
        }
    }
}

/// The writer of these tests writes what others read.
#[test]
fn the_writer_is_understood_by_7z_and_udfinfo() {
    for style in styles() {
        let image = built(style, &tree());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.udf");
        fs::write(&path, &image).unwrap();
        let size = format!("--blocksize={}", style.block);
        let said = run("udfinfo", &[&size, path.to_str().unwrap()], "");
        let expected = ["label=BLANCHE".to_owned(), format!("blocksize={}", style.block)];
        for line in expected {
            assert!(said.lines().any(|said| said == line), "{style:?}: {line} in {said}");
        }
        // 7z knows blocks of 512 and 2048 bytes, no metadata partitions and no chained descriptors.
        if matches!(style.block, 512 | 2048) && !style.metadata && style.piece.is_none() {
            assert!(unpacked(&image) == tree(), "{style:?}");
        }
    }
}

#[test]
fn bridges_by_genisoimage() {
    for more in [&["-J", "-R"][..], &["-R"], &["-D"], &["-J", "-R", "-iso-level", "4", "-D"]] {
        let tree = if more.contains(&"4") { ascii_tree() } else { narrow_tree() };
        let image = bridge(&tree, more);
        check(&format!("{more:?}"), &read_image(image.clone()), &tree);
        let alone = read_image(without_iso(image));
        assert_eq!((alone.layout().volumes.len(), alone.not_read.len()), (1, 0), "{more:?}");
        check(&format!("{more:?}, UDF only"), &alone, &tree);
    }
}

/// Boot record, enhanced and Joliet descriptors push the UDF part far behind the first ones.
#[test]
fn a_bridge_with_many_descriptors_of_iso_9660() {
    let mut tree = ascii_tree();
    tree.insert("boot.img".to_owned(), vec![0x90; 2048]);
    let more = ["-J", "-R", "-D", "-iso-level", "4", "-b", "boot.img", "-no-emul-boot", "-c", "boot.cat"];
    let reading = read_image(bridge(&tree, &more));
    let number = volume(&reading);
    assert_eq!(notes(&reading), []);
    let mut found = reading.files(number);
    found.remove("boot.cat");
    assert!(found == tree);
}

/// mkudffs: every kind of medium and space description that it makes.
#[test]
fn empty_volumes_by_mkudffs() {
    let mut volumes = vec![];
    for block in ["512", "1024", "2048", "4096"] {
        for revision in ["1.02", "1.50", "2.00", "2.01"] {
            volumes.push(vec![
                "--media-type=hd".to_owned(),
                format!("--blocksize={block}"),
                format!("--udfrev={revision}"),
            ]);
        }
    }
    for space in ["freedbitmap", "freedtable", "unallocbitmap", "unalloctable"] {
        for descriptors in ["inicb", "short", "long"] {
            let options = ["--media-type=hd".to_owned(), format!("--space={space}"), format!("--ad={descriptors}")];
            volumes.push(options.to_vec());
        }
    }
    for medium in ["dvdram", "dvdrw", "cdrw", "dvd"] {
        for revision in ["1.50", "2.01"] {
            volumes.push(vec![format!("--media-type={medium}"), format!("--udfrev={revision}")]);
        }
    }
    for options in volumes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.udf");
        fs::File::create(&path).unwrap().set_len(12 << 20).unwrap();
        let mut arguments: Vec<&str> = vec!["--label=BLANCHE", "--uuid=0123456789abcdef"];
        arguments.extend(options.iter().map(String::as_str));
        arguments.push(path.to_str().unwrap());
        run("mkudffs", &arguments, "");
        let reading = read_image(fs::read(&path).unwrap());
        let line = &reading.layout().volumes[0];
        assert_eq!((line.filesystem, line.label.as_deref()), (FilesystemKind::Udf, Some(&b"BLANCHE"[..])));
        assert_eq!(line.identifier.as_deref(), Some("0123456789abcdef"));
        assert_eq!(reading.not_read, [], "{options:?}");
    }
}

/// Packets that were moved to the sparing area are read there.
#[test]
fn a_sparable_partition_with_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.udf");
    fs::File::create(&path).unwrap().set_len(12 << 20).unwrap();
    run("mkudffs", &["--label=BLANCHE", "--media-type=cdrw", "--udfrev=2.01", path.to_str().unwrap()], "");
    let mut image = fs::read(&path).unwrap();
    let word = |image: &[u8], at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize;
    let tables = (0..image.len()).step_by(2048).filter(|at| image[at + 17..at + 35] == *b"*UDF Sparing Table");
    let tables: Vec<usize> = tables.collect();
    assert_eq!(tables.len(), 2);
    let entry = |at: &usize| at + 56;
    let spare = word(&image, entry(&tables[0]) + 4) * 2048;
    let descriptor = (0..image.len()).step_by(2048).find(|at| image[at + 25..at + 31] == *b"+NSR03").unwrap();
    let partition = word(&image, descriptor + 188) * 2048;
    let expected = read_image(image.clone()).entries;
    // The packet with the root folder.
    let root = (partition..image.len()).step_by(2048).find(|at| image[*at..at + 2] == [10, 1] && image[at + 27] == 4);
    let packet = (root.unwrap() - partition) / 2048 / 32 * 32;
    let place = partition + packet * 2048;
    image.copy_within(place..place + 32 * 2048, spare);
    image[place..place + 32 * 2048].fill(0xff);
    for table in &tables {
        image[entry(table)..entry(table) + 4].copy_from_slice(&(packet as u32).to_le_bytes());
        seal(&mut image[*table..]);
    }
    let reading = read_image(image.clone());
    assert_eq!((&reading.entries, reading.not_read.as_slice()), (&expected, &[][..]));
    // Two tables of the same age that say different things.
    image[entry(&tables[1])] ^= 32;
    seal(&mut image[tables[1]..]);
    let reading = read_image(image);
    let allocation = blanche_sandbox::wire::Corruption::Allocation;
    assert!(reading.says(&blanche_sandbox::wire::Cause::Corrupt(allocation)));
}

/// A volume that does not begin at the first byte of the medium.
#[test]
fn a_volume_in_a_partition() {
    let image = built(Style { block: 512, blocks: 8192, ..Style::plain() }, &tree());
    let mut disk = vec![0u8; 8 << 20];
    disk[1 << 20..][..image.len()].copy_from_slice(&image);
    // One primary partition from sector 2048 on.
    disk[446 + 4] = 7;
    disk[446 + 8..446 + 12].copy_from_slice(&2048u32.to_le_bytes());
    disk[446 + 12..446 + 16].copy_from_slice(&(image.len() as u32 / 512).to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let reading = read_image(disk);
    assert_eq!(reading.layout().volumes[0].start, 1 << 20);
    check("MBR", &reading, &tree());
}

/// A table of virtual blocks at the end of the recorded part.
#[test]
fn virtual_partitions_by_mkudffs() {
    for (medium, revision) in [("cdr", "1.50"), ("dvdr", "2.01"), ("bdr", "2.50"), ("bdr", "2.60")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.udf");
        fs::File::create(&path).unwrap().set_len(12 << 20).unwrap();
        let options = [format!("--media-type={medium}"), format!("--udfrev={revision}")];
        let name = path.to_str().unwrap();
        let said = run("mkudffs", &["--label=BLANCHE", &options[0], &options[1], name], "");
        let block = said.lines().find_map(|line| line.strip_prefix("vatblock=")).unwrap();
        let end = (block.parse::<usize>().unwrap() + 1) * 2048;
        let reading = read_image(fs::read(&path).unwrap()[..end].to_vec());
        let faults: Vec<_> = reading.not_read.iter().map(|note| &note.cause).collect();
        // The image is cut behind the table, so the partition seems to go on.
        let cut = blanche_sandbox::wire::Cause::Corrupt(blanche_sandbox::wire::Corruption::BootSector);
        assert_eq!(faults, [&cut], "{options:?}");
        assert_eq!(reading.layout().volumes[0].label.as_deref(), Some(&b"BLANCHE"[..]));
        let whole = read_image(fs::read(&path).unwrap());
        let feature = blanche_sandbox::wire::Feature::PartitionMap;
        assert!(whole.says(&blanche_sandbox::wire::Cause::FeatureUnsupported(feature)), "{options:?}");
    }
}

/// No byte of a file is read twice.
#[test]
fn every_byte_is_read_once() {
    let wanted = narrow_tree();
    let kept = |style: Style| built(style, &wanted);
    let images = [
        ("genisoimage", without_iso(bridge(&wanted, &["-J", "-R"]))),
        ("512", kept(Style { block: 512, blocks: 8192, ..Style::plain() })),
        ("long", kept(Style { kind: Kind::Long, ..Style::plain() })),
        ("4096", kept(Style { block: 4096, ..Style::plain() })),
        ("metadata", kept(Style { metadata: true, blocks: 6000, revision: 0x0250, ..Style::plain() })),
    ];
    for (name, image) in images {
        let source = MemorySource::new(image);
        let reading = read_with(&source, ReadLimits::default());
        assert_eq!(reading.not_read, [], "{name}");
        let mut reads = vec![0u8; source.bytes.len()];
        for range in source.log.borrow().iter() {
            for count in &mut reads[range.start as usize..range.end as usize] {
                *count = count.saturating_add(1);
            }
        }
        for (path, content) in wanted.iter().filter(|(_, content)| content.len() >= 300) {
            let start = source.bytes.windows(300).position(|window| window == &content[..300]);
            let start = start.unwrap_or_else(|| panic!("{name}: {path} is not in one piece"));
            assert_eq!(source.bytes[start..start + content.len()], content[..]);
            assert!(reads[start..start + content.len()].iter().all(|count| *count == 1), "{name}: {path}");
        }
    }
}

fn digests(tree: &Tree) -> BTreeMap<&String, [u8; 32]> {
    tree.iter().map(|(path, content)| (path, sha2::Sha256::digest(content).into())).collect()
}

/// 5 000 files in one volume, made, lengthened, shortened, renamed and deleted at random.
#[test]
fn aged_volumes_are_what_7z_reads() {
    for (style, seed) in [
        (Style { block: 512, blocks: 300_000, ..Style::plain() }, 1),
        (Style { blocks: 80_000, kind: Kind::Long, revision: 0x0150, ..Style::plain() }, 2),
        (Style { blocks: 80_000, kind: Kind::Embedded, ..Style::plain() }, 3),
    ] {
        let image = aged(style, seed);
        let reading = read_image(image.clone());
        assert_eq!(reading.not_read, [], "{style:?}");
        let (found, other) = (reading.files(0), unpacked(&image));
        assert!(found.len() >= 5000, "{}", found.len());
        assert_eq!(found.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        assert!(digests(&found) == digests(&other), "{style:?}");
    }
}

/// The same from genisoimage.
#[test]
fn a_bridge_of_5000_files_is_what_7z_reads() {
    let mut numbers = Numbers(11);
    let mut wanted = Tree::new();
    for number in 0..5000 {
        let size = numbers.below(4) * numbers.below(4000);
        let path = format!("folder {}/sub é {}/file {number}.bin", number % 37, number % 5);
        wanted.insert(path, numbers.bytes(size));
    }
    let image = without_iso(bridge(&wanted, &["-J", "-R"]));
    let reading = read_image(image.clone());
    assert_eq!(reading.not_read, []);
    let found = reading.files(0);
    assert!(digests(&found) == digests(&wanted));
    assert!(digests(&found) == digests(&unpacked(&image)));
}

/// A file of an aged volume.
struct Aged {
    name: String,
    icb: u32,
    content: Vec<u8>,
    extents: Vec<(u32, u32)>,
}

fn aged(style: Style, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut udf = Udf::new(style);
    let size = style.block;
    let mut files: Vec<Aged> = Vec::new();
    let root = udf.structure(1);
    let mut made = 0;
    while files.len() < 5000 {
        match numbers.below(10) {
            0..6 => {
                let length = numbers.below(6) * numbers.below(3 * size);
                let content = numbers.bytes(length);
                let icb = udf.structure(1);
                let extents = udf.data(&content);
                made += 1;
                files.push(Aged { name: format!("file {made} é.bin"), icb, content, extents });
            }
            6 if !files.is_empty() => {
                // Deleted: the entry stays where it was, in a block that is free now.
                let at = numbers.below(files.len());
                let file = files.swap_remove(at);
                write(&mut udf, &file);
                for (block, length) in &file.extents {
                    udf.free(*block..block + length.div_ceil(size as u32));
                }
                if !style.metadata {
                    udf.free(file.icb..file.icb + 1);
                }
            }
            7 if !files.is_empty() => {
                let at = numbers.below(files.len());
                files[at].name = format!("renamed {made} ж.bin");
                made += 1;
            }
            8 if !files.is_empty() => {
                // Longer, where the last block was full.
                let at = numbers.below(files.len());
                if files[at].content.len().is_multiple_of(size) {
                    let length = numbers.below(2 * size) + 1;
                    let more = numbers.bytes(length);
                    files[at].extents.extend(udf.data(&more));
                    files[at].content.extend(more);
                } else {
                    let kept = files[at].content.len() / size * size;
                    truncate(&mut udf, &mut files[at], kept);
                }
            }
            _ => {}
        }
    }
    let mut folders: BTreeMap<usize, Vec<super::build::Fid>> = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        write(&mut udf, file);
        folders.entry(number % 23).or_default().push(super::build::Fid::file(&file.name, file.icb));
    }
    let mut list = Vec::new();
    for (number, below) in folders {
        let icb = udf.structure(1);
        udf.folder(icb, root, 4, &below);
        list.push(super::build::Fid::folder(&format!("folder {number}"), icb));
    }
    udf.folder(root, root, 4, &list);
    udf.finish(root)
}

/// Cuts a file at a border of blocks.
fn truncate(udf: &mut Udf, file: &mut Aged, kept: usize) {
    let size = udf.style.block as u32;
    file.content.truncate(kept);
    let mut left = kept as u32;
    let mut extents = Vec::new();
    for (block, length) in std::mem::take(&mut file.extents) {
        let here = length.min(left);
        left -= here;
        udf.free(block + here.div_ceil(size)..block + length.div_ceil(size));
        if here > 0 {
            extents.push((block, here));
        }
    }
    file.extents = extents;
}

fn write(udf: &mut Udf, file: &Aged) {
    let (allocation, descriptors) = udf.describe(&file.extents, udf.style.block - 216);
    let mut entry = udf.content(&[], &[]);
    entry.size = file.content.len() as u64;
    entry.allocation = allocation;
    entry.descriptors = descriptors;
    udf.entry(file.icb, &entry);
}
