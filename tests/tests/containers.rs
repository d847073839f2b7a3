//! Whatever a container is, its content is found or the medium is *Incomplete*; never *Clean* (security rule 1).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::containers::{ContainerSample, containers};
use blanche_tests::station::Base;
use blanche_tests::{Format, Layout, Station, Tree, image};
use std::path::Path;

/// What may stand against a container that was not opened.
const CAUSES: [&str; 4] = ["container_unsupported", "container_broken", "encrypted", "engine_limit"];

/// All samples on one medium: each file has its own line in the report.
#[test]
fn no_container_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let samples = containers();
    let scan = Station::with_base(folder.path(), Base::EicarAndClamExe).scan(&medium(folder.path(), &samples));
    let (found, not_checked) = (scan.found(), scan.not_checked());
    let silent: Vec<&str> = samples
        .iter()
        .filter(|sample| !found.contains(&sample.file_name))
        .filter(|sample| {
            !CAUSES.iter().any(|cause| not_checked.contains(&(sample.file_name.clone(), (*cause).to_owned())))
        })
        .map(|sample| sample.name)
        .collect();
    assert_eq!(silent, [""; 0], "neither found nor incomplete; found {found:?}; not checked {not_checked:?}");
}

/// Alone on a medium: nothing else can make it *Infected* or *Incomplete* in its place.
#[test]
fn each_container_alone_decides_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let station = Station::with_base(folder.path(), Base::EicarAndClamExe);
    for sample in containers() {
        let disk = medium(folder.path(), std::slice::from_ref(&sample));
        let scan = station.scan(&disk);
        let expected = if scan.found().is_empty() { ("incomplete", 10) } else { ("infected", 20) };
        assert_eq!((scan.verdict(), scan.code), expected, "{}: {:#}", sample.name, scan.report);
        std::fs::remove_file(disk).unwrap();
    }
}

fn medium(folder: &Path, samples: &[ContainerSample]) -> std::path::PathBuf {
    let tree = samples.iter().fold(Tree::new(), |tree, sample| tree.with(&sample.file_name, sample.bytes.clone()));
    image(folder, Format::Fat32, Layout::MbrPrimary, &tree)
}
