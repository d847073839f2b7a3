//! Attacks on the promise that nothing is called clean which was not checked: a workstation would find EICAR on each of
//! these media. *Infected* and *Incomplete* both keep the promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::evil::{disks, files};
use blanche_tests::samples::eicar;
use blanche_tests::{Station, program};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Exit codes of `blanche scan` that may stand for a medium with EICAR.
const HONEST: [i32; 2] = [10, 20];

/// Scans one medium image.
fn medium(make: fn(&Path) -> Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("medium.img");
    std::fs::write(&disk, make(folder.path())).unwrap();
    let scan = Station::new(folder.path()).scan(&disk);
    assert!(HONEST.contains(&scan.code), "exit code {}: {:#}", scan.code, scan.report);
}

/// Scans one file in a folder of its own.
fn file(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join(name), bytes).unwrap();
    let scan = Station::new(folder.path()).scan(&target);
    assert!(HONEST.contains(&scan.code), "{name}: exit code {}: {:#}", scan.code, scan.report);
}

/// One test for each medium.
macro_rules! media {
    ($($name:ident),* $(,)?) => { $(#[test] fn $name() { medium(disks::$name); })* };
}

media!(
    primary_of_type_0,
    logical_of_type_0,
    superfloppy_with_a_partition_of_type_0,
    bsd_slice,
    apple_map_beside_mbr,
    ext_behind_a_fat_boot_sector,
    ext_behind_a_fat_boot_sector_in_a_partition,
    ext_over_an_early_partition,
    iso_over_an_early_partition,
    fat32_with_root_entries,
    fat32_that_says_fat16,
    exfat_without_valid_data,
    fat_record_behind_the_end,
    fat_file_called_dot,
    fat_file_without_cluster,
    wrong_boot_indicator,
    protection_of_nothing,
);

/// One test for each file: name of the test, name of the file, content.
macro_rules! contents {
    ($($name:ident: $file:literal = $bytes:expr),* $(,)?) => { $(#[test] fn $name() { file($file, &$bytes); })* };
}

contents!(
    zip_that_counts_one: "a.zip" = files::zip_that_counts_one(),
    zip_that_counts_none: "a.zip" = files::zip_that_counts_none(),
    zip_before_a_long_tail: "a.zip" = files::zip_before_a_long_tail(),
    zip_between_junk: "a.bin" = files::zip_between_junk(),
    zip_member_without_listing: "a.zip" = files::zip_member_without_listing(),
    zip_with_an_empty_local_header: "a.zip" = files::zip_with_an_empty_local_header(),
    zip_that_lists_no_bytes: "a.zip" = files::zip_that_lists_no_bytes(),
    zip_whose_members_cover_each_other: "a.zip" = files::zip_whose_members_cover_each_other(),
    zip_that_lists_a_member_twice: "a.zip" = files::zip_that_lists_a_member_twice(),
    zip_whose_members_are_masked: "a.zip" = files::zip_whose_members_are_masked(),
    zip_without_directory: "a.zip" = files::zip_without_directory(),
    zip_with_an_end_record_of_nothing: "a.zip" = files::end_record_of_nothing(),
    picture_with_zip: "a.gif" = files::picture_with_zip(),
    gzip_of_two: "a.gz" = files::gzip_of_two(),
    tar_member_of_unknown_type: "a.tar" = files::tar_member_of_type(b'A'),
    tar_member_of_type_n: "a.tar" = files::tar_member_of_type(b'N'),
    tar_volume_label_with_content: "a.tar" = files::tar_member_of_type(b'V'),
    tar_contiguous_member: "a.tar" = files::tar_member_of_type(b'7'),
    mail_with_one_header_field: "a.eml" = files::mail(files::PARTS, "\n"),
    mail_with_unknown_header_fields:
        "a.eml" = files::mail(&format!("X-A: 1\nX-B: 2\n{}", files::PARTS), "\n"),
    mail_with_lines_that_end_in_cr:
        "a.eml" = files::mail(&format!("From: a@b.c\nTo: d@e.f\nMIME-Version: 1.0\n{}", files::PARTS), "\r"),
    mail_with_a_split_boundary: "a.eml" = files::mail(
        "From: a@b.c\nTo: d@e.f\nContent-Type: multipart/mixed; boundary*0=\"B\"; boundary*1=\"B\"\n", "\n"),
    mail_with_two_content_types: "a.eml" = files::mail(
        &format!("From: a@b.c\nTo: d@e.f\nContent-Type: text/plain\n{}", files::PARTS), "\n"),
    signed_pem: "a.p7m" = files::signed_pem(),
    calendar: "a.ics" = files::calendar(),
    pdf_with_an_indirect_filter: "a.pdf" = files::pdf_with_an_indirect_filter(),
    pdf_with_a_predictor: "a.pdf" = files::pdf_with_a_predictor(),
    pdf_with_an_escaped_filter: "a.pdf" = files::pdf_with_an_escaped_filter(),
    pdf_with_a_nul_before_an_object: "a.pdf" = files::pdf_with_a_nul_before_an_object(),
    pdf_with_a_letter_before_an_object: "a.pdf" = files::pdf_with_a_letter_before_an_object(),
    pdf_with_a_comment_in_a_dictionary: "a.pdf" = files::pdf_with_a_comment_in_a_dictionary(),
    pdf_with_a_string_in_a_dictionary: "a.pdf" = files::pdf_with_a_string_in_a_dictionary(),
);

/// What is wrong with one file must not keep the others from being read.
#[test]
fn file_without_cluster_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("medium.img");
    std::fs::write(&disk, disks::fat_file_without_cluster_beside_eicar(folder.path())).unwrap();
    let scan = Station::new(folder.path()).scan(&disk);
    assert_eq!(scan.found(), ["autre.com"], "{:#}", scan.report);
}

/// Each on a line of the report of its own.
#[test]
fn foreign_containers() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    let samples = files::foreign_containers();
    for (name, bytes) in &samples {
        std::fs::write(target.join(name), bytes).unwrap();
    }
    let not_checked = Station::new(folder.path()).scan(&target).not_checked();
    let silent: Vec<&str> = samples
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !not_checked.iter().any(|(path, _)| path == name))
        .collect();
    assert_eq!(silent, [""; 0], "not checked {not_checked:?}");
}

/// A folder with what must never be opened, waited for or followed.
#[test]
fn folder_with_pipe_socket_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("a\nb\u{1b}[31m"), "Bonjour.\r\n").unwrap();
    std::os::unix::fs::symlink(".", target.join("loop")).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", target.join("memory")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(target.join("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(target.join("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink(std::str::from_utf8(&eicar()).unwrap(), target.join("sample")).unwrap();
    let scan = Station::new(folder.path()).scan(&target);
    assert_eq!(scan.found(), ["sample"], "the target of a link is matched: {:#}", scan.report);
    let cause = "not_regular_file".to_owned();
    assert_eq!(scan.not_checked(), [("pipe".to_owned(), cause.clone()), ("socket".to_owned(), cause)]);
    assert!(!scan.messages.contains('\u{1b}'), "{:?}", scan.messages);
}

/// Too little memory for a thread: an error in bounded time, and one SIGTERM would be enough.
#[test]
fn no_memory_for_threads() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("medium.img");
    std::fs::write(&disk, disks::wrong_boot_indicator(folder.path())).unwrap();
    let configuration = Station::new(folder.path()).configuration();
    let mut child = Command::new("bash")
        .args(["-c", "ulimit -d 1000; exec \"$@\"", "bash"])
        .arg(program("blanche"))
        .arg("--config")
        .arg(configuration)
        .arg("scan")
        .arg(&disk)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if started.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let status = ended.expect("it ended by itself");
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
}
