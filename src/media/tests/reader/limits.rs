//! Every budget has a named cause, and content arrives in the sizes that were asked for.

use crate::images::{Numbers, fat};
use crate::reading::{Reading, read_with};
use blanche_media::MemorySource;
use blanche_sandbox::wire::{Cause, ReadLimit, ReadLimits, Subject};
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;

fn files(list: &[(&str, usize)]) -> BTreeMap<String, Vec<u8>> {
    list.iter().map(|(path, size)| ((*path).to_owned(), Numbers(*size as u64).bytes(*size))).collect()
}

fn read(tree: &BTreeMap<String, Vec<u8>>, limits: ReadLimits) -> Reading {
    read_with(&MemorySource::new(fat(16, 16 * MIB, &[], tree)), limits)
}

#[test]
fn entries() {
    let tree = files(&[("A", 1), ("B", 2), ("C", 3), ("D", 4)]);
    let reading = read(&tree, ReadLimits { max_entries: 3, ..Default::default() });
    assert_eq!((reading.entries.len(), reading.contents.len()), (3, 3));
    assert!(reading.says(&Cause::ReadLimit(ReadLimit::Entries)));
    assert!(read(&tree, ReadLimits { max_entries: 4, ..Default::default() }).not_read.is_empty());
}

#[test]
fn depth() {
    let tree = files(&[("A/B/C/F", 10)]);
    let reading = read(&tree, ReadLimits { max_depth: 2, ..Default::default() });
    assert_eq!(reading.notes("A/B/C"), [(0, 0, Cause::ReadLimit(ReadLimit::Depth))]);
    assert!(read(&tree, ReadLimits { max_depth: 3, ..Default::default() }).not_read.is_empty());
}

#[test]
fn path_length() {
    let tree = files(&[("A/LONG.BIN", 10), ("A/F", 10)]);
    let reading = read(&tree, ReadLimits { max_path: 9, ..Default::default() });
    assert_eq!(reading.notes("A"), [(0, 0, Cause::ReadLimit(ReadLimit::PathLength))]);
    assert_eq!(reading.contents.len(), 1);
    assert!(read(&tree, ReadLimits { max_path: 10, ..Default::default() }).not_read.is_empty());
}

#[test]
fn bytes() {
    let tree = files(&[("A", 1000), ("B", 2000), ("C", 10)]);
    let reading = read(&tree, ReadLimits { max_bytes: 1500, ..Default::default() });
    assert_eq!(reading.notes("B"), [(0, 2000, Cause::ReadLimit(ReadLimit::Bytes))]);
    assert_eq!(reading.contents.len(), 2);
}

#[test]
fn volumes() {
    let script = "label: dos\n2048,2048,c\n4096,2048,c\n6144,2048,c\n";
    let source = MemorySource::new(crate::images::disk(8 * MIB, script, &[]));
    let reading = read_with(&source, ReadLimits { max_volumes: 2, ..Default::default() });
    assert_eq!(reading.layout().volumes.len(), 2);
    assert_eq!(reading.not_read[0].cause, Cause::ReadLimit(ReadLimit::Volumes));
    assert_eq!((reading.not_read[0].subject, reading.not_read[0].length), (Subject::Medium, MIB));
}

#[test]
fn objects() {
    let tree = files(&[("A", 100), ("B", 200), ("C", 300), ("D", 5000), ("E", 100_000), ("F", 0)]);
    let limits = ReadLimits {
        batch_bytes: 600,
        batch_files: 3,
        max_memory_object: 10_000,
        chunk_bytes: 30_000,
        ..Default::default()
    };
    let reading = read(&tree, limits);
    assert!(reading.files(0) == tree);
    // The boot area; F, A, B together; C; D alone; E in four chunks.
    assert_eq!(reading.objects, 1 + 1 + 1 + 1 + 4);
    let names: Vec<String> = reading.order.iter().map(|id| reading.path(*id)).collect();
    assert_eq!(names, ["F", "A", "B", "C", "D", "E"], "in the order of their position");
}

#[test]
fn a_receiver_that_stops_ends_the_reading() {
    let source = MemorySource::new(fat(16, 16 * MIB, &[], &files(&[("A", 100)])));
    let job = blanche_sandbox::wire::ReadJob {
        source: blanche_sandbox::wire::Source::Medium { capacity: 16 * MIB, logical_block: 512 },
        limits: ReadLimits::default(),
    };
    let mut messages = 0;
    let outcome = blanche_media::read(&job, &blanche_media::Input::Medium(&source), &mut |_, _| {
        messages += 1;
        if messages == 3 { Err(blanche_media::Stop) } else { Ok(()) }
    });
    assert!(matches!(outcome, Err(blanche_media::ReadFailure::Stopped(_))));
    assert_eq!(messages, 3);
}
