//! Five thousand files that were written, renamed, replaced and deleted in several sessions, compared with what
//! independent programs show; and random damage.

use super::sessions::sessions;
use super::{Files, GENISOIMAGE, XORRISO, files, made, plain_tree, small, text};
use crate::images::{Numbers, run, tree, write_tree};
use crate::reading::read_image;
use blanche_sandbox::wire::Tree;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// New files of each session.
const NEW: usize = 950;

/// Adds the files below `folder` to `files`, by their paths from `root`.
fn collect(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(text(path.strip_prefix(root).unwrap()).to_owned(), fs::read(&path).unwrap());
        }
    }
}

fn extracted(program: &str, arguments: &[&str], folder: &Path) -> Files {
    run(program, arguments, "");
    run("chmod", &["-R", "u+rwX", text(folder)], "");
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files);
    files
}

/// Writes an image in six sessions; some files of each are removed or renamed in the next.
fn age(image: &Path, work: &Path) {
    let mut numbers = Numbers(9);
    let mut names: Vec<String> = Vec::new();
    for session in 0..6 {
        let mut script = String::new();
        for number in 0..150 {
            let Some(last) = names.len().checked_sub(1) else { break };
            let victim = names.swap_remove(numbers.below(last));
            if numbers.below(2) == 0 {
                script.push_str(&format!("-rm '/{victim}' --\n"));
            } else {
                let renamed = format!("d{}/moved {session} {number}.bin", numbers.below(40));
                script.push_str(&format!("-mv '/{victim}' '/{renamed}' --\n"));
                names.push(renamed);
            }
        }
        let (folder, options) = (work.join(format!("session {session}")), work.join("script"));
        fs::write(&options, script).unwrap();
        for number in 0..NEW {
            let name = format!("d{}/s{session} é {number}.bin", numbers.below(40));
            let size = [0, 1, 2047, 2048, 2049, 6000][numbers.below(6)] + numbers.below(9);
            write_tree(&folder, &BTreeMap::from([(name.clone(), numbers.bytes(size))]));
            names.push(name);
        }
        let before = ["-joliet", "on", "-compliance", "joliet_long_names", "-volid", "BLANCHE", "-dev", text(image)];
        let change = ["-options_from_file", text(&options), "-map", text(&folder), "/"];
        run("xorriso", &[&before[..], &change].concat(), "");
    }
}

#[test]
fn five_thousand_aged_files_as_other_programs_show_them() {
    let folder = tempfile::tempdir().unwrap();
    let (image, work) = (folder.path().join("volume.iso"), folder.path().join("work"));
    fs::create_dir(&work).unwrap();
    age(&image, &work);
    let reading = read_image(fs::read(&image).unwrap());
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.layout().volumes.len(), 18);
    let newest = folder.path().join("newest");
    let expected =
        extracted("xorriso", &["-osirrox", "on", "-indev", text(&image), "-extract", "/", text(&newest)], &newest);
    assert!(expected.len() >= 5000, "{}", expected.len());
    let found = files(&reading, Tree::RockRidge, 1);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected, "contents differ");
    let seven = folder.path().join("seven");
    let option = format!("-o{}", text(&seven));
    let of_joliet = extracted("7z", &["x", "-y", &option, text(&image)], &seven);
    let found = files(&reading, Tree::Joliet, 1);
    assert_eq!(found.keys().collect::<Vec<_>>(), of_joliet.keys().collect::<Vec<_>>());
    assert!(found == of_joliet, "contents differ");
    // The oldest session, as xorriso shows it.
    let oldest = folder.path().join("oldest");
    let load = ["-osirrox", "on", "-load", "session", "1", "-indev", text(&image), "-extract", "/", text(&oldest)];
    let expected = extracted("xorriso", &load, &oldest);
    assert_eq!(expected.len(), NEW);
    assert!(files(&reading, Tree::RockRidge, 2) == expected);
    // The plain tree, as isoinfo lists it.
    let listed = run("isoinfo", &["-f", "-i", text(&image)], "");
    let listed: Vec<String> = listed
        .lines()
        .map(|line| line.trim_start_matches('/').trim_end_matches(";1").trim_end_matches('.').to_owned())
        .collect();
    for path in files(&reading, Tree::Iso9660, 1).keys() {
        assert!(listed.contains(path), "{path}");
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Places of words that hold structures: everything but the content of files.
fn structures(image: &[u8]) -> Vec<usize> {
    let zeros = |sector: &[u8]| sector.iter().filter(|byte| **byte == 0).count();
    let sectors = image.chunks(256).enumerate();
    let sectors = sectors.filter(|(_, sector)| (8..256).contains(&zeros(sector)));
    sectors.map(|(number, _)| number * 256).collect()
}

fn damage(image: &mut Vec<u8>, structures: &[usize], numbers: &mut Numbers) {
    let place = |numbers: &mut Numbers| structures[numbers.below(structures.len())] + numbers.below(250);
    for _ in 0..=numbers.below(30) {
        let at = place(numbers);
        image[at] = numbers.next() as u8;
    }
    for _ in 0..numbers.below(20) {
        // A small number in both byte orders, as a wrong block or size would be.
        let (at, value) = (place(numbers), numbers.below(400) as u32);
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
        if at + 8 < image.len() && numbers.below(2) == 0 {
            image[at + 4..at + 8].copy_from_slice(&value.to_be_bytes());
        }
    }
    if numbers.below(8) == 0 {
        let length = numbers.below(image.len());
        image.truncate(length);
    }
}

fn damaged(name: &str, image: &[u8]) {
    let (seed, count) = (setting("SEED", 1), setting("COUNT", 200));
    let structures = structures(image);
    let start = Instant::now();
    let mut incomplete = 0;
    for number in 0..count {
        let mut numbers = Numbers(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let mut bytes = image.to_vec();
        damage(&mut bytes, &structures, &mut numbers);
        let length = bytes.len() as u64;
        // `read_image` holds the reader to the whole contract.
        let reading = read_image(bytes);
        assert!(reading.messages < 200_000, "{name} {seed}/{number}: {} messages", reading.messages);
        assert!(reading.done.unwrap().bytes <= length * 4, "{name} {seed}/{number}");
        incomplete += u64::from(!reading.not_read.is_empty());
    }
    assert!(incomplete * 2 > count, "{name}: damage is seen");
    eprintln!("{name}: {incomplete} of {count} images from seed {seed} incomplete, in {:?}", start.elapsed());
}

#[test]
fn damaged_trees() {
    damaged("xorriso", &made(XORRISO, &["-r", "-J", "-joliet-long"], &tree()));
    damaged("genisoimage", &made(GENISOIMAGE, &["-R", "-J", "-joliet-long", "-iso-level", "4"], &plain_tree()));
}

#[test]
fn damaged_sessions_and_boot_catalogues() {
    let steps: [&[&str]; 2] =
        [&["-map", "DISK/one.bin", "/one"], &["-map", "DISK/two.bin", "/two", "-rm", "/one", "--"]];
    damaged("sessions", &sessions(&steps, &small(&[("one.bin", 3000), ("two.bin", 40_000)])));
    let boot = ["-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-hide", "boot.bin"];
    let deep = small(&[("boot.bin", 30_000), ("a/b/c/d/e/f/g/h/i/deep.bin", 100)]);
    damaged("boot", &made(GENISOIMAGE, &[&["-R"][..], &boot].concat(), &deep));
}
