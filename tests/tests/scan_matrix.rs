//! EICAR is found on every filesystem, in every place and behind every partition table, on every kind of disc in each of
//! its trees, and is named by its path; the same media without it are *Clean*; what a password
//! protects is *Incomplete*, with its cause.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::samples::{
    eicar, nested, password_7z, password_7z_names, password_zip, password_zip_aes, plain_zip,
};
use blanche_tests::tree::deep;
use blanche_tests::{Disc, Format, Layout, Scan, Station, Tree, Unusual, disc, ext, image, iso, ntfs};
use std::collections::BTreeMap;
use std::path::Path;

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

/// The same for discs that know fewer letters.
fn infected_on(kind: Disc) -> Tree {
    let places = infected();
    let renamed = |rename: &dyn Fn(&str) -> String| {
        let files = places.files().iter();
        files.fold(Tree::new(), |tree, file| {
            let path = rename(&file.path);
            if file.hidden { tree.with_hidden(path, &*file.bytes) } else { tree.with(path, &*file.bytes) }
        })
    };
    match kind {
        Disc::Joliet | Disc::RockRidge | Disc::JolietRockRidge => places,
        Disc::UdfBridge => renamed(&|path| path.replace(['🔑', '🦠'], "€")),
        // Folders and names of eight letters and three, so that nobody has to shorten them.
        Disc::Plain => renamed(&|path| {
            let plain = match path {
                "documents/lettre.txt" => "TEXTES/LETTRE.TXT",
                "fichiers système/caché masqué.com" => "SYSTEME/MASQUE.COM",
                "Été à Orléans/clé n°1 🔑 naïve.com" => "ETE/CLE_N_1.COM",
                "🦠.com" => "MICROBE.COM",
                path => path,
            };
            plain.to_uppercase()
        }),
    }
}

/// The same tree without EICAR.
fn harmless(tree: &Tree) -> Tree {
    let extensions = [(".com", ".txt"), (".zip", ".csv"), (".7z", ".md")];
    tree.files().iter().fold(Tree::new(), |tree, file| {
        let path = extensions.iter().fold(file.path.clone(), |path, (old, new)| {
            path.replace(old, new).replace(&old.to_uppercase(), &new.to_uppercase())
        });
        let text = "Rien à signaler.\n";
        if file.hidden { tree.with_hidden(path, text) } else { tree.with(path, text) }
    })
}

/// Paths of the files with EICAR, sorted.
fn infected_paths(tree: &Tree) -> Vec<String> {
    let letter = |path: &str| path.to_lowercase().ends_with("/lettre.txt");
    let mut paths: Vec<String> =
        tree.files().iter().filter(|file| !letter(&file.path)).map(|file| file.path.clone()).collect();
    paths.sort();
    paths
}

fn assert_clean(scan: &Scan, context: &str) {
    assert_eq!((scan.verdict(), scan.code), ("clean", CLEAN), "{context}: {:#}", scan.report);
}

fn assert_infected(scan: &Scan, context: &str) {
    assert_eq!((scan.verdict(), scan.code), ("infected", INFECTED), "{context}: {:#}", scan.report);
    assert_eq!(scan.not_checked(), [], "{context}: {:#}", scan.report);
}

/// Scans a medium, which stays as it is, and deletes it.
fn scan(station: &Station, disk: &Path) -> Scan {
    let before = std::fs::read(disk).unwrap();
    let scan = station.scan(disk);
    assert!(std::fs::read(disk).unwrap() == before, "{}: the medium was changed", disk.display());
    std::fs::remove_file(disk).unwrap();
    scan
}

/// One image per filesystem and partition table; all places on each. The same image without EICAR is clean: what is
/// found is the sample, not the medium.
fn every_place_is_found_on(format: Format) {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    for layout in Layout::ALL {
        let context = format!("{format:?} {layout:?}");
        let infection = scan(&station, &image(folder.path(), format, layout, &infected()));
        assert_eq!(infection.found(), infected_paths(&infected()), "{context}: {:#}", infection.report);
        assert_infected(&infection, &context);
        assert_clean(&scan(&station, &image(folder.path(), format, layout, &harmless(&infected()))), &context);
    }
}

/// One test for each filesystem.
macro_rules! filesystems {
    ($($test:ident: $format:ident;)*) => { $(#[test] fn $test() { every_place_is_found_on(Format::$format); })* };
}

filesystems!(
    eicar_is_found_everywhere_on_fat12: Fat12;
    eicar_is_found_everywhere_on_fat16: Fat16;
    eicar_is_found_everywhere_on_fat32: Fat32;
    eicar_is_found_everywhere_on_exfat: ExFat;
    eicar_is_found_everywhere_on_ntfs: Ntfs;
    eicar_is_found_everywhere_on_ext2: Ext2;
    eicar_is_found_everywhere_on_ext3: Ext3;
    eicar_is_found_everywhere_on_ext4: Ext4;
);

/// Findings by tree, without the ";1" behind names of ISO 9660: hosts do not show it.
fn found_by_tree(scan: &Scan) -> BTreeMap<String, Vec<String>> {
    let bare = |paths: Vec<String>| {
        let mut paths: Vec<_> = paths.iter().map(|path| path.strip_suffix(";1").unwrap_or(path).to_owned()).collect();
        paths.sort();
        paths
    };
    scan.found_by_view().into_iter().map(|(view, paths)| (view, bare(paths))).collect()
}

/// All places on one disc, in each of its trees, and in the plain one under the names that it has there. The same disc
/// without EICAR is clean.
fn every_place_is_found_on_disc(kind: Disc) {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    let (tree, context) = (infected_on(kind), format!("{kind:?}"));
    let disk = disc(folder.path(), kind, &tree);
    let plain = iso::plain_names(&disk).into_iter().filter(|name| !name.ends_with("/LETTRE.TXT"));
    let mut expected = BTreeMap::from([("iso9660".to_owned(), plain.collect::<Vec<_>>())]);
    expected.extend(kind.trees().iter().map(|name| ((*name).to_owned(), infected_paths(&tree))));
    let infection = scan(&station, &disk);
    let mut found = found_by_tree(&infection);
    // A volume with one view does not name it.
    if let Some(paths) = found.remove("") {
        found.insert("iso9660".to_owned(), paths);
    }
    assert_eq!(found, expected, "{context}: {:#}", infection.report);
    assert_infected(&infection, &context);
    assert_clean(&scan(&station, &disc(folder.path(), kind, &harmless(&tree))), &context);
}

/// One test for each kind of disc.
macro_rules! discs {
    ($($test:ident: $kind:ident;)*) => { $(#[test] fn $test() { every_place_is_found_on_disc(Disc::$kind); })* };
}

discs!(
    eicar_is_found_everywhere_on_plain_discs: Plain;
    eicar_is_found_everywhere_on_joliet_discs: Joliet;
    eicar_is_found_everywhere_on_rock_ridge_discs: RockRidge;
    eicar_is_found_everywhere_on_joliet_and_rock_ridge_discs: JolietRockRidge;
    eicar_is_found_everywhere_on_udf_bridges: UdfBridge;
);

/// EICAR in an unusual place is found and named; harmless bytes there are clean.
fn unusual_place(make: fn(&Path, &[u8]) -> Unusual) {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    let place = make(folder.path(), &eicar());
    let infection = scan(&station, &place.disk);
    assert_eq!(infection.found(), place.names, "{:#}", infection.report);
    assert_infected(&infection, "");
    assert_clean(&scan(&station, &make(folder.path(), &[b'-'; 68]).disk), "");
}

/// One test for each unusual place.
macro_rules! unusual_places {
    ($($test:ident: $make:path;)*) => { $(#[test] fn $test() { unusual_place($make); })* };
}

unusual_places!(
    eicar_is_found_in_a_stream_of_a_file: ntfs::stream_of_a_file;
    eicar_is_found_in_a_long_stream_of_a_file: ntfs::long_stream_of_a_file;
    eicar_is_found_in_a_stream_of_a_folder: ntfs::stream_of_a_folder;
    eicar_is_found_in_a_long_stream_of_a_folder: ntfs::long_stream_of_a_folder;
    eicar_is_found_in_a_compressed_file: ntfs::compressed_file;
    eicar_is_found_under_both_names_on_ntfs: ntfs::hard_link;
    eicar_is_found_in_an_attribute: ext::attribute;
    eicar_is_found_in_a_long_attribute: ext::long_attribute;
    eicar_is_found_in_an_attribute_of_a_folder: ext::attribute_of_a_folder;
    eicar_is_found_in_an_inline_file: ext::inline_file;
    eicar_is_found_under_both_names_on_ext4: ext::hard_link;
    eicar_is_found_in_the_target_of_a_link: ext::symbolic_link;
);

/// What a name promises is judged for each name of a content; some containers show in nothing but it.
#[test]
fn a_second_name_of_another_type_is_judged_like_the_first() {
    let program = [b"MZ".to_vec(), vec![0; 126]].concat();
    let cases = [
        (&["photo.jpg", "outil.exe"], program, "incomplete"),
        (&["a.gpg", "a"], [vec![0x85], b"Bonjour. ".repeat(9)].concat(), "incomplete"),
        (&["index.html", "INDEX.HTM"], b"<html><body>Bonjour.</body></html>".to_vec(), "clean"),
    ];
    for (names, bytes, verdict) in cases {
        for make in [ntfs::linked, ext::linked] {
            let folder = tempfile::tempdir().unwrap();
            let scan = scan(&Station::new(folder.path()), &make(folder.path(), names, &bytes).disk);
            assert_eq!(scan.verdict(), verdict, "{names:?}: {:#}", scan.report);
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
