//! EICAR is found on every filesystem, in every place and behind every partition table, and is named by its path; what
//! a password protects is *Incomplete*, with its cause.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::samples::{
    eicar, nested, password_7z, password_7z_names, password_zip, password_zip_aes, plain_zip,
};
use blanche_tests::tree::deep;
use blanche_tests::{Format, Layout, Station, Tree, image};

/// Exit codes of `blanche scan`.
const CLEAN: i32 = 0;
const INFECTED: i32 = 20;
const INCOMPLETE: i32 = 10;

/// EICAR in every place where a person or an attacker may have put it.
fn infected() -> Tree {
    Tree::new()
        .with("eicar.com", eicar())
        .with("documents/lettre.txt", "Bonjour.\r\n")
        .with(deep(30, "profond.com"), eicar())
        .with_hidden("fichiers système/caché masqué.com", eicar())
        .with("Été à Orléans/clé n°1 🔑 naïve.com", eicar())
        .with("🦠.com", eicar())
        .with("archives/simple.zip", plain_zip())
        .with("archives/nested.7z", nested())
}

fn infected_paths() -> Vec<String> {
    let mut paths: Vec<String> = infected()
        .files()
        .iter()
        .filter(|file| file.path != "documents/lettre.txt")
        .map(|file| file.path.clone())
        .collect();
    paths.sort();
    paths
}

/// One image per filesystem and partition table; all places on each.
fn every_place_is_found_on(format: Format) {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    for layout in Layout::ALL {
        let disk = image(folder.path(), format, layout, &infected());
        let before = std::fs::read(&disk).unwrap();
        let scan = station.scan(&disk);
        let context = format!("{format:?} {layout:?}: {:#}", scan.report);
        assert_eq!(scan.found(), infected_paths(), "{context}");
        assert_eq!((scan.verdict(), scan.code), ("infected", INFECTED), "{context}");
        assert_eq!(scan.not_checked(), [], "{context}");
        assert!(std::fs::read(&disk).unwrap() == before, "{format:?} {layout:?}: the medium was changed");
        std::fs::remove_file(disk).unwrap();
    }
}

#[test]
fn eicar_is_found_everywhere_on_fat12() {
    every_place_is_found_on(Format::Fat12);
}

#[test]
fn eicar_is_found_everywhere_on_fat16() {
    every_place_is_found_on(Format::Fat16);
}

#[test]
fn eicar_is_found_everywhere_on_fat32() {
    every_place_is_found_on(Format::Fat32);
}

#[test]
fn eicar_is_found_everywhere_on_exfat() {
    every_place_is_found_on(Format::ExFat);
}

/// The same media without EICAR are clean: what the tests above find is the sample, not the medium.
#[test]
fn harmless_media_are_clean() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    let tree = infected().files().iter().fold(Tree::new(), |tree, file| {
        let path = file.path.replace(".com", ".txt").replace(".zip", ".csv").replace(".7z", ".md");
        let text = "Rien à signaler.\n";
        if file.hidden { tree.with_hidden(path, text) } else { tree.with(path, text) }
    });
    for format in Format::ALL {
        for layout in Layout::ALL {
            let disk = image(folder.path(), format, layout, &tree);
            let scan = station.scan(&disk);
            assert_eq!((scan.verdict(), scan.code), ("clean", CLEAN), "{format:?} {layout:?}: {:#}", scan.report);
            std::fs::remove_file(disk).unwrap();
        }
    }
}

#[test]
fn what_a_password_protects_is_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    let archives = [
        ("zip", password_zip()),
        ("aes.zip", password_zip_aes()),
        ("content.7z", password_7z()),
        ("names.7z", password_7z_names()),
    ];
    for (name, archive) in archives {
        let tree = Tree::new().with(name, archive).with("lettre.txt", "Bonjour.\r\n");
        let disk = image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree);
        let scan = station.scan(&disk);
        let context = format!("{name}: {:#}", scan.report);
        assert_eq!((scan.verdict(), scan.code), ("incomplete", INCOMPLETE), "{context}");
        assert!(scan.not_checked().contains(&(name.to_owned(), "encrypted".to_owned())), "{context}");
        assert_eq!(scan.found(), [""; 0], "{context}");
    }
}
