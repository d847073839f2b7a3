//! Media of which two hosts see different things: the reader shows everything that either of them
//! sees. EICAR stands where only one reading of the medium leads.
//!
//! "found" is the strong expectation: EICAR is found and named with its volume. "not clean" is the weak one, for places
//! to which no host leads by itself: there it is enough that the report does not call the medium clean.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::evil::{copies, tables};
use blanche_tests::samples::eicar;
use blanche_tests::{Format, Layout, Scan, Station, Tree, image, iso, udf};
use std::path::{Path, PathBuf};

/// Exit codes of `blanche scan`.
const CLEAN: i32 = 0;
const INCOMPLETE: i32 = 10;
const INFECTED: i32 = 20;

fn scan(folder: &Path, medium: &[u8]) -> Scan {
    let disk = folder.join("medium.img");
    std::fs::write(&disk, medium).unwrap();
    Station::new(folder).scan(&disk)
}

/// Strong: EICAR has this path on the volume that starts at this byte.
fn found(make: fn(&Path) -> Vec<u8>, start: u64, path: &str) {
    let folder = tempfile::tempdir().unwrap();
    let scan = scan(folder.path(), &make(folder.path()));
    assert_eq!((scan.verdict(), scan.code), ("infected", INFECTED), "{:#}", scan.report);
    assert_eq!(scan.found_at(), [(start, path.to_owned())], "{:#}", scan.report);
}

/// Weak: whatever is found, the medium is not called clean.
fn not_clean(make: fn(&Path) -> Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let scan = scan(folder.path(), &make(folder.path()));
    assert!([INCOMPLETE, INFECTED].contains(&scan.code), "exit code {}: {:#}", scan.code, scan.report);
}

/// One test for each medium with the strong expectation.
macro_rules! strong {
    ($($module:ident::$name:ident: $start:expr, $path:expr;)*) => {
        $(#[test] fn $name() { found($module::$name, $start, $path); })*
    };
}

/// One test for each medium with the weak one.
macro_rules! weak {
    ($($module:ident::$name:ident;)*) => { $(#[test] fn $name() { not_clean($module::$name); })* };
}

strong!(
    tables::hybrid_mbr_with_one_more: tables::INFECTED, "eicar.com";
    tables::gpt_with_one_more: tables::INFECTED, "eicar.com";
    tables::gpt_without_protection: tables::INFECTED, "eicar.com";
    tables::gpt_copies_that_differ: tables::INFECTED, "eicar.com";
    tables::gpt_with_a_broken_primary: tables::INFECTED, "eicar.com";
    tables::gpt_without_a_primary: tables::INFECTED, "eicar.com";
    tables::table_in_a_boot_sector: tables::BEHIND_THE_BOOT_SECTOR, "eicar.com";
    tables::boot_sector_under_a_table: 0, "eicar.com";
    tables::unknown_type_byte: tables::INFECTED, "eicar.com";
    tables::unknown_type_guid: tables::INFECTED, "eicar.com";
    tables::overlapping_partitions: tables::INFECTED, "eicar.com";
    // No table names these, and no host shows them unless somebody asks it to; they begin where partitions do.
    tables::volume_in_a_gap: tables::INFECTED, "eicar.com";
    tables::volume_in_a_gap_of_a_gpt: tables::INFECTED, "eicar.com";
    tables::volume_behind_the_last_partition: tables::INFECTED, "eicar.com";
    tables::gpt_that_counts_one: tables::INFECTED, "eicar.com";
    // Whole media without a table: the volume starts at 0, and the path is in one of its two views.
    copies::fat32_with_a_file_in_the_active_second_table: 0, copies::IN_THE_ROOT;
    copies::fat32_with_a_file_in_the_inactive_first_table: 0, copies::IN_THE_ROOT;
    copies::fat16_with_a_file_in_the_second_table: 0, copies::IN_A_FOLDER;
    copies::fat16_with_a_file_in_the_first_table: 0, copies::IN_A_FOLDER;
);

weak!(
    // Found only by looking at every sector.
    tables::volume_at_an_odd_place_in_a_gap;
);

/// What only the other allocation table shows is named by the view that shows it.
#[test]
fn a_file_of_the_second_table_is_in_the_view_of_the_second_table() {
    let folder = tempfile::tempdir().unwrap();
    let scan = scan(folder.path(), &copies::fat16_with_a_file_in_the_second_table(folder.path()));
    let expected = [("other_table".to_owned(), vec![copies::IN_A_FOLDER.to_owned()])];
    assert_eq!(scan.found_by_view(), expected.into(), "{:#}", scan.report);
}

/// A tree of one file.
fn one(name: &str, bytes: &[u8]) -> Tree {
    Tree::new().with(name, bytes)
}

/// Scans a disc with EICAR, after its clean twin.
fn disc(make: &dyn Fn(&Path, &[u8]) -> PathBuf) -> Scan {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    let twin = make(folder.path(), b"Rien a signaler.\n");
    let scan = station.scan(&twin);
    assert_eq!((scan.verdict(), scan.code), ("clean", CLEAN), "{:#}", scan.report);
    std::fs::remove_file(twin).unwrap();
    let scan = station.scan(&make(folder.path(), &eicar()));
    assert_eq!((scan.verdict(), scan.code), ("infected", INFECTED), "{:#}", scan.report);
    assert_eq!(scan.not_checked(), [], "{:#}", scan.report);
    scan
}

/// The paths with EICAR in views of this tree, whatever the session.
fn in_tree(scan: &Scan, tree: &str) -> Vec<String> {
    let views = scan.found_by_view().into_iter();
    views.filter(|(view, _)| view.split(' ').next() == Some(tree)).flat_map(|(_, paths)| paths).collect()
}

/// Strong: each file is found in its own tree, and not in the other.
#[test]
fn trees_of_a_disc_that_differ() {
    let make = |folder: &Path, bytes: &[u8]| iso::differing(folder, &one("joliet.txt", bytes), &one("rock.txt", bytes));
    let scan = disc(&make);
    assert_eq!(in_tree(&scan, "joliet"), ["joliet.txt"], "{:#}", scan.report);
    assert_eq!(in_tree(&scan, "rock_ridge"), ["rock.txt"], "{:#}", scan.report);
}

/// Strong: the file that only UDF has is found there and nowhere else.
#[test]
fn file_of_udf_alone() {
    let make = |folder: &Path, bytes: &[u8]| udf::only_in_udf(folder, &one("seul.txt", bytes));
    let scan = disc(&make);
    assert_eq!(in_tree(&scan, "udf"), ["seul.txt"], "{:#}", scan.report);
    assert_eq!(scan.found(), ["seul.txt"], "{:#}", scan.report);
}

/// The paths with EICAR in the Joliet tree of one session; the last session may also stand at the start of the medium,
/// without a number.
fn in_session(scan: &Scan, session: u16) -> Vec<String> {
    scan.found_by_view().remove(&format!("joliet {session}")).unwrap_or_default()
}

/// Strong: what the second session removed is found in the first, and what it added in the second.
#[test]
fn sessions_of_a_grown_disc() {
    let make = |folder: &Path, bytes: &[u8]| iso::grown(folder, &one("premier.txt", bytes), &one("second.txt", bytes));
    let scan = disc(&make);
    // In the order of their place: the set at the start of the medium leads to the newest session.
    assert_eq!(in_session(&scan, 1), ["second.txt"], "{:#}", scan.report);
    assert_eq!(in_session(&scan, 2), ["premier.txt"], "{:#}", scan.report);
}

/// Strong, and the harder one: nothing at the start of the medium leads to the second session.
#[test]
fn sessions_of_a_recorded_disc() {
    let make =
        |folder: &Path, bytes: &[u8]| iso::recorded(folder, &one("premier.txt", bytes), &one("second.txt", bytes));
    let scan = disc(&make);
    assert_eq!(in_session(&scan, 1), ["premier.txt"], "{:#}", scan.report);
    assert_eq!(in_session(&scan, 2), ["second.txt"], "{:#}", scan.report);
}

/// Strong: the program that the disc starts is checked although no tree names it.
#[test]
fn boot_image_without_a_name() {
    let scan = disc(&|folder, bytes| iso::bootable(folder, bytes));
    assert_ne!(scan.found(), [""; 0], "{:#}", scan.report);
}

/// The same with a FAT in the boot image, as EFI has it. Weak: nobody has to open it as a volume, but EICAR in it may
/// not pass for clean.
#[test]
fn boot_image_with_a_filesystem() {
    let folder = tempfile::tempdir().unwrap();
    let floppy = image(folder.path(), Format::Fat12, Layout::Superfloppy, &one("eicar.com", &eicar()));
    let disk = iso::bootable(folder.path(), &std::fs::read(floppy).unwrap());
    let scan = Station::new(folder.path()).scan(&disk);
    assert!([INCOMPLETE, INFECTED].contains(&scan.code), "exit code {}: {:#}", scan.code, scan.report);
}
