//! What clamscan, on its own, opens of our samples: shows that they are what they say, and keeps the list of formats
//! that libclamav does not open in one place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::containers::{containers, passed_over};
use blanche_tests::station::{Base, Station};
use blanche_tests::tools::try_run;
use std::collections::BTreeSet;

/// libclamav 1.4 of Debian 12 says OK to these, whatever the options: each has to be opened by somebody else or makes
/// the medium *Incomplete*.
const NOT_OPENED: [&str; 36] = [
    "ace",
    "ar",
    "brotli",
    "compress",
    "cramfs",
    "deb",
    "dmg",
    "encrypted key",
    "lrzip",
    "lz4",
    "lzip",
    "lzma",
    "lzop",
    "pgp message",
    "pst",
    "qcow2",
    "rar4",
    "rar4 behind a PE",
    "rar5",
    "rar5 behind a PE",
    "rar5 behind an ELF",
    "raw disk",
    "raw disk with a table",
    "rpm",
    "squashfs",
    "stuffit",
    "vdi",
    "vhd",
    "vhd, dynamic",
    "vhdx",
    "parallels",
    "vmdk",
    "wim",
    "zoo",
    "zpaq",
    "zstd",
];

#[test]
fn clamscan_opens_every_sample_but_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::with_base(&folder.path().join("station"), Base::EicarAndClamExe);
    let media = folder.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let samples = containers();
    for sample in &samples {
        std::fs::write(media.join(&sample.file_name), &sample.bytes).unwrap();
    }
    let base = station.own_base();
    let options = ["--no-summary", "--infected", "--alert-encrypted=yes", "-d"];
    let arguments = options.map(AsRef::as_ref).into_iter().chain([base.as_os_str(), media.as_os_str(), "-r".as_ref()]);
    let output = String::from_utf8(try_run(folder.path(), "clamscan", arguments).stdout).unwrap();
    let found = |name: &str| output.lines().any(|line| line.contains(&format!("/{name}: ")) && line.ends_with("FOUND"));
    let missed: BTreeSet<&str> =
        samples.iter().filter(|sample| !found(&sample.file_name)).map(|sample| sample.name).collect();
    let passed_over: BTreeSet<&str> = passed_over().into_iter().map(|sample| sample.name).collect();
    assert_eq!(missed, &BTreeSet::from(NOT_OPENED) | &passed_over, "{output}");
}
