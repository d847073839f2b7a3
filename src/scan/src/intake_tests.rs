//! A reader that lies in every way that its messages allow, and is caught each time.

use super::*;
use blanche_sandbox::content;
use blanche_sandbox::wire::{AreaClass, AreaSum, Attributes, Cause, FilesystemKind, NameEncoding, Volume, VolumeRole};
use std::os::unix::fs::FileExt;

const CAPACITY: u64 = 4096;
const DIGESTS: Digests = Digests { sha256: [0; 32], blake3: [0; 32] };

fn layout() -> MediumLayout {
    let volume = Volume {
        start: 0,
        length: CAPACITY,
        role: VolumeRole::Superfloppy,
        partition_type: None,
        hidden: false,
        efi: false,
        filesystem: FilesystemKind::Fat12,
        label: None,
        identifier: None,
        encoding: NameEncoding::Wtf8,
        view: None,
    };
    MediumLayout { capacity: CAPACITY, logical_block: 512, tables: Vec::new(), volumes: vec![volume] }
}

fn file(size: u64) -> Entry {
    let attributes = Attributes::default();
    let (name, kind) = (b"f".to_vec(), EntryKind::File);
    Entry { volume: Some(0), parent: None, name, kind, size, attributes, same_as: None, modified: None }
}

fn object(bytes: &[u8]) -> OwnedFd {
    let file = content::writable().expect("memfd");
    file.write_all_at(bytes, 0).expect("write");
    content::seal(file).expect("seal")
}

fn piece(entry: EntryId, offset: u64, length: u64) -> Piece {
    Piece { entry, offset, length, digests: DIGESTS, subtrees: Vec::new() }
}

fn pieces(pieces: &[Piece]) -> FromReader {
    FromReader::Content(Content { pieces: pieces.to_vec() })
}

fn chunk(offset: u64, length: u64, last: bool) -> FromReader {
    FromReader::Chunk(Chunk { entry: 0, offset, length, last: last.then_some(DIGESTS), subtrees: Vec::new() })
}

fn area(bytes: u64) -> FromReader {
    let sum = AreaSum { volume: Some(0), class: AreaClass::Free, bytes, looked_at: 0 };
    FromReader::Area(AreaReport { sums: vec![sum], ..AreaReport::default() })
}

/// An intake that has accepted a medium with files of these sizes, and their plan.
fn planned(sizes: &[u64]) -> Intake {
    let source = Source::Medium { capacity: CAPACITY, logical_block: 512 };
    let mut intake = Intake::new(source, ReadLimits { chunk_bytes: 8, ..ReadLimits::default() });
    intake.accept(FromReader::Medium(layout()), Vec::new()).expect("layout");
    let entries = sizes.iter().map(|size| file(*size)).collect();
    intake.accept(FromReader::Entries(entries), Vec::new()).expect("entries");
    let files = u32::try_from(sizes.len()).expect("few");
    intake.accept(FromReader::Planned { files, bytes: sizes.iter().sum() }, Vec::new()).expect("plan");
    intake
}

#[test]
fn an_honest_reader_is_believed() {
    let mut intake = planned(&[4, 16]);
    intake.accept(pieces(&[piece(0, 0, 4)]), vec![object(b"abcd")]).expect("object");
    let second = |offset, last| FromReader::Chunk(Chunk { entry: 1, offset, length: 8, last, subtrees: Vec::new() });
    intake.accept(second(0, None), vec![object(&[0; 8])]).expect("chunk");
    intake.accept(second(8, Some(DIGESTS)), vec![object(&[0; 8])]).expect("chunk");
    intake.accept(area(CAPACITY), Vec::new()).expect("area");
    assert!(!intake.is_done());
    let totals = ReadTotals { entries: 2, contents: 2, bytes: 20 };
    intake.accept(FromReader::Done(totals), Vec::new()).expect("done");
    assert!(intake.is_done());
}

#[test]
fn a_link_is_planned_and_handed_over_like_a_file() {
    let source = Source::Medium { capacity: CAPACITY, logical_block: 512 };
    let mut intake = Intake::new(source, ReadLimits::default());
    intake.accept(FromReader::Medium(layout()), Vec::new()).expect("layout");
    let link = Entry { kind: EntryKind::Link, ..file(6) };
    let second = Entry { same_as: Some(0), ..link.clone() };
    intake.accept(FromReader::Entries(vec![link, second]), Vec::new()).expect("entries");
    assert_eq!(intake.found(), (1, 6));
    assert!(intake.accept(FromReader::Planned { files: 0, bytes: 0 }, Vec::new()).is_err(), "the link is left out");
    intake.accept(FromReader::Planned { files: 1, bytes: 6 }, Vec::new()).expect("plan");
    intake.accept(pieces(&[piece(0, 0, 6)]), vec![object(b"target")]).expect("target");
    intake.accept(area(CAPACITY), Vec::new()).expect("area");
    intake.accept(FromReader::Done(ReadTotals { entries: 2, contents: 1, bytes: 6 }), Vec::new()).expect("done");
}

#[test]
fn an_object_that_can_still_change_is_refused() {
    let open = content::writable().expect("memfd");
    open.write_all_at(b"abcd", 0).expect("write");
    let refused = planned(&[4]).accept(pieces(&[piece(0, 0, 4)]), vec![OwnedFd::from(open)]);
    assert!(matches!(refused, Err(Distrust::Object(Refused::NotSealed))), "{refused:?}");
}

#[test]
fn a_short_object_is_refused() {
    let refused = planned(&[4]).accept(pieces(&[piece(0, 0, 4)]), vec![object(b"abc")]);
    assert!(matches!(refused, Err(Distrust::Object(Refused::WrongLength { found: 3, announced: 4 }))), "{refused:?}");
}

#[test]
fn every_lie_about_content_is_a_violation() {
    for (what, message, fds) in [
        ("no object", pieces(&[piece(0, 0, 4)]), Vec::new()),
        ("two objects", pieces(&[piece(0, 0, 4)]), vec![object(b"abcd"), object(b"abcd")]),
        ("no piece", pieces(&[]), vec![object(b"")]),
        ("unknown entry", pieces(&[piece(9, 0, 4)]), vec![object(b"abcd")]),
        ("more than announced", pieces(&[piece(0, 0, 17)]), vec![object(&[0; 17])]),
        ("twice in one object", pieces(&[piece(0, 0, 2), piece(0, 2, 2)]), vec![object(b"abcd")]),
        ("overlap", pieces(&[piece(0, 0, 4), piece(1, 2, 4)]), vec![object(&[0; 6])]),
        ("beyond all bounds", pieces(&[piece(0, u64::MAX, 4)]), vec![object(b"")]),
        ("chunk out of order", chunk(4, 4, false), vec![object(b"abcd")]),
        ("chunk too long", chunk(0, 9, false), vec![object(&[0; 9])]),
        ("empty chunk", chunk(0, 0, false), vec![object(b"")]),
        ("area too small", area(CAPACITY - 1), Vec::new()),
        ("done before the area", FromReader::Done(ReadTotals::default()), Vec::new()),
        ("entries after the plan", FromReader::Entries(vec![file(1)]), Vec::new()),
        ("a second medium", FromReader::Medium(layout()), Vec::new()),
    ] {
        let answer = planned(&[16, 16]).accept(message, fds);
        assert!(matches!(answer, Err(Distrust::Violation(_))), "{what}: {answer:?}");
    }
}

/// A matcher is told of all pieces of an object at once.
#[test]
fn an_object_holds_as_many_contents_as_the_limit_allows_and_no_more() {
    let all = |count: u32| (0..count).map(|entry| piece(entry, u64::from(entry), 1)).collect::<Vec<_>>();
    let most = ReadLimits::default().batch_files;
    let length = usize::try_from(most).expect("few");
    planned(&vec![1; length]).accept(pieces(&all(most)), vec![object(&vec![0; length])]).expect("as many as may be");
    let refused = planned(&vec![1; length + 1]).accept(pieces(&all(most + 1)), vec![object(&vec![0; length + 1])]);
    assert!(matches!(refused, Err(Distrust::Violation(_))), "{refused:?}");
}

#[test]
fn contents_cannot_be_mixed_into_a_long_one_or_handed_over_twice() {
    let mut intake = planned(&[16, 4]);
    intake.accept(chunk(0, 8, false), vec![object(&[0; 8])]).expect("first chunk");
    assert!(intake.accept(pieces(&[piece(1, 0, 4)]), vec![object(b"abcd")]).is_err());
    let mut intake = planned(&[4]);
    intake.accept(pieces(&[piece(0, 0, 4)]), vec![object(b"abcd")]).expect("once");
    assert!(intake.accept(pieces(&[piece(0, 0, 4)]), vec![object(b"abcd")]).is_err());
}

#[test]
fn the_end_must_match_what_was_handed_over() {
    let mut intake = planned(&[4]);
    intake.accept(area(CAPACITY), Vec::new()).expect("area");
    let totals = ReadTotals { entries: 1, contents: 1, bytes: 4 };
    assert!(intake.accept(FromReader::Done(totals), Vec::new()).is_err());
}

#[test]
fn a_reader_cannot_speak_for_the_engines_or_the_station() {
    for cause in [Cause::Cancelled, Cause::EngineFailed("x".repeat(4 << 20)), Cause::NeverRead, Cause::DigestsDiffer] {
        let gap = NotRead { subject: Subject::Medium, offset: 0, length: 0, cause };
        assert!(planned(&[4]).accept(FromReader::NotRead(gap), Vec::new()).is_err());
    }
}

#[test]
fn gaps_must_be_about_something_announced() {
    let mut intake = planned(&[4]);
    for subject in [Subject::Volume(1), Subject::Entry(1)] {
        let gap = NotRead { subject, offset: 0, length: 0, cause: Cause::Unreadable };
        assert!(intake.accept(FromReader::NotRead(gap), Vec::new()).is_err());
    }
}
