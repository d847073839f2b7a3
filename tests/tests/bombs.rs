//! What is huge, deep or endless is bounded and *Incomplete*; what is only large is scanned to its end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::bombs::{bombs, zeros_gz_gz};
use blanche_tests::containers::pdf_with_late_attachment;
use blanche_tests::image::image_with_long_file;
use blanche_tests::samples::{eicar, eicar_padded};
use blanche_tests::{Format, Layout, Station, Tree, image};

const GIB: u64 = 1 << 30;

/// Each bomb alone: the scan ends, nothing of it is called checked, and the engines go on with the next file.
#[test]
fn bombs_are_bounded_and_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::new(folder.path());
    for bomb in bombs() {
        let tree = Tree::new().with(bomb.file_name, bomb.bytes).with("z-apres.txt", "Bonjour.\r\n");
        let disk = image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree);
        let scan = station.scan(&disk);
        let context = format!("{}: {:#}", bomb.file_name, scan.report);
        assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{context}");
        let not_checked = scan.not_checked();
        let limits = ["engine_limit", "engine_timeout", "matcher_memory"];
        assert!(not_checked.iter().any(|(_, cause)| limits.contains(&cause.as_str())), "{context}");
        assert!(not_checked.iter().all(|(path, _)| path == bomb.file_name), "{context}");
        std::fs::remove_file(disk).unwrap();
    }
}

/// One file on which an engine comes to its time limit, among thousands, on one matcher and on several: it alone is not
/// checked. It is small, so its answer could have waited for company: the second matcher, asked to be prompt, says so.
#[test]
fn a_slow_file_among_thousands_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = zeros_gz_gz();
    assert!(bytes.len() < 64 << 10, "small enough to be answered together with others");
    let slow = Tree::new().with("0500-lent.gz.gz", bytes);
    let tree = (0..3000).fold(slow, |tree, number| tree.with(format!("{number:04}.txt"), format!("Texte {number}.\n")));
    let disk = image(folder.path(), Format::Fat32, Layout::Superfloppy, &tree);
    for matchers in ["1", "4"] {
        let mut station = Station::new(folder.path());
        station.set("matchers", "count", matchers).set("engines", "max_scan_time", "\"8 s\"");
        let scan = station.scan(&disk);
        assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{:#}", scan.report);
        let not_checked = scan.not_checked();
        assert!(not_checked.iter().all(|(path, _)| path == "0500-lent.gz.gz"), "{not_checked:?}");
        let causes: Vec<&str> = not_checked.iter().map(|(_, cause)| cause.as_str()).collect();
        // On a fast machine there is no more room for what is unpacked before the time is over.
        let limits = ["engine_limit", "engine_timeout", "matcher_memory"];
        assert!(causes.iter().all(|cause| limits.contains(cause)), "{causes:?}");
        assert_eq!(scan.report["content"]["files_checked"], 3000);
    }
}

/// libclamav alone, with its limits left as they are, calls this file clean; without limits it goes in circles in it.
#[test]
fn eicar_at_the_end_of_five_gibibytes_is_found_or_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let disk = image_with_long_file(folder.path(), "long.bin", 5 * GIB, [b"", &eicar()]);
    let mut station = Station::new(folder.path());
    for limit in ["max_file_size", "max_scan_size"] {
        station.set("engines", limit, "\"none\"");
    }
    let scan = station.scan(&disk);
    assert_eq!(scan.found(), ["long.bin"], "{:#}", scan.report);
    assert_eq!((scan.verdict(), scan.code), ("infected", 20), "{:#}", scan.report);
    let findings = scan.report["findings"][0]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["engine"] == "clamav"), "{:#}", scan.report);

    station.set("engines", "max_file_size", "\"1 GiB\"");
    let scan = station.scan(&disk);
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{:#}", scan.report);
    assert_eq!(scan.not_checked(), [("long.bin".to_owned(), "engine_limit".to_owned())], "{:#}", scan.report);
}

/// A document, in the long runs one of more than 4 GiB (`GIBIBYTES=4`): libclamav sees that in windows only, of which none
/// holds it from its first byte to the attachment.
#[test]
fn an_attachment_far_behind_in_a_pdf_is_found_or_incomplete() {
    let gibibytes: u64 = std::env::var("GIBIBYTES").map_or(0, |number| number.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut station = Station::new(folder.path());
    for limit in ["max_file_size", "max_scan_size"] {
        station.set("engines", limit, "\"none\"");
    }
    let at = gibibytes * GIB + 4096;
    let [before, there] = pdf_with_late_attachment(&eicar_padded(), at);
    let disk = image_with_long_file(folder.path(), "long.pdf", at + there.len() as u64, [&before, &there]);
    let scan = station.scan(&disk);
    if gibibytes < 4 {
        assert_eq!((scan.verdict(), scan.found()), ("infected", vec!["long.pdf".to_owned()]), "{:#}", scan.report);
    } else {
        assert_eq!(scan.verdict(), "incomplete", "{:#}", scan.report);
        assert_eq!(scan.not_checked(), [("long.pdf".to_owned(), "engine_limit".to_owned())]);
    }
}
