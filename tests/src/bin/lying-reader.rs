//! A reader that is born, confined and spoken to like the real one, and lies as the medium tells it to: the first line of
//! the medium names the lie. Every lie must end in *Incomplete*, never in *Clean*.
//!
//! The tests install it under the name `blanche-reader` in a folder of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: when it fails, the test that started it fails"
)]

use blanche_sandbox::birth::Inherited;
use blanche_sandbox::confine::{Profile, confine};
use blanche_sandbox::wire::{
    AreaClass, AreaReport, AreaSum, Attributes, Content, Digests, Entry, EntryKind, FilesystemKind, FromReader,
    MediumLayout, NameEncoding, Piece, ReadJob, ReadTotals, Source, Volume, VolumeRole,
};
use blanche_sandbox::{Channel, content};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

const CONTENT: &[u8] = b"What the reader says it read.\n";

fn main() {
    let born = confine(Profile::MediumReader).expect("confinement");
    let medium = File::from(Inherited::Medium.take().expect("the medium"));
    let channel = Channel::from_fd(Inherited::Channel.take().expect("a channel"));
    channel.send(&born, &[]).expect("born");
    let job: ReadJob = channel.receive(None).expect("a job").message;
    let mut line = [0u8; 64];
    medium.read_exact_at(&mut line, 0).expect("the first line");
    let lie = String::from_utf8_lossy(&line).lines().next().unwrap_or_default().to_owned();
    // Whatever the parent does on the way (it may hang up at any moment) is its right.
    let _ = lie_about(&lie, &job, &channel);
}

fn say(channel: &Channel, message: &FromReader, fds: &[BorrowedFd<'_>]) -> Result<(), ()> {
    channel.send(message, fds).map_err(|_| ())
}

fn digests(bytes: &[u8]) -> Digests {
    use sha2::Digest;
    Digests { sha256: sha2::Sha256::digest(bytes).into(), blake3: blake3::hash(bytes).into() }
}

fn object(bytes: &[u8], sealed: bool) -> OwnedFd {
    let file = content::writable().expect("memory file");
    file.write_all_at(bytes, 0).expect("room");
    if sealed { content::seal(file).expect("seal") } else { file.into() }
}

fn lie_about(lie: &str, job: &ReadJob, channel: &Channel) -> Result<(), ()> {
    let Source::Medium { capacity, logical_block } = job.source else { return Err(()) };
    let volume = Volume {
        start: 0,
        length: capacity,
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
    let layout = MediumLayout { capacity, logical_block, tables: Vec::new(), volumes: vec![volume] };
    say(channel, &FromReader::Medium(layout), &[])?;
    let entry = |name: &str| Entry {
        volume: Some(0),
        parent: None,
        name: name.into(),
        kind: EntryKind::File,
        size: CONTENT.len() as u64,
        attributes: Attributes::default(),
        same_as: None,
        modified: None,
    };
    let files = if lie == "forget a file" { vec![entry("a"), entry("b")] } else { vec![entry("a")] };
    let planned = FromReader::Planned { files: files.len() as u32, bytes: (files.len() * CONTENT.len()) as u64 };
    let entries = files.len() as u32;
    say(channel, &FromReader::Entries(files), &[])?;
    say(channel, &planned, &[])?;
    let (bytes, hashed): (&[u8], &[u8]) = match lie {
        "hash something else" => (CONTENT, b"What the reader says it hashed\n"),
        _ => (CONTENT, CONTENT),
    };
    let handed = object(if lie == "short" { &bytes[..10] } else { bytes }, lie != "unsealed");
    let piece =
        Piece { entry: 0, offset: 0, length: bytes.len() as u64, digests: digests(hashed), subtrees: Vec::new() };
    say(channel, &FromReader::Content(Content { pieces: vec![piece] }), &[handed.as_fd()])?;
    match lie {
        "die" => return Err(()),
        "hang" => loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        },
        "flood" => loop {
            say(channel, &FromReader::Area(AreaReport::default()), &[])?;
        },
        _ => {}
    }
    let sum = AreaSum { volume: Some(0), class: AreaClass::Free, bytes: capacity, looked_at: 0 };
    say(channel, &FromReader::Area(AreaReport { sums: vec![sum], ..AreaReport::default() }), &[])?;
    let totals = ReadTotals { entries, contents: 1, bytes: bytes.len() as u64 };
    say(channel, &FromReader::Done(totals), &[])
}
