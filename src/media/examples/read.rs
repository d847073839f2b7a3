//! Reads an image to its end, hashes every content twice as the reader does, and matches nothing: what `make bench`
//! times against a plain read of the same image. Prints files, bytes of content, gaps and seconds.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program of the bench: whoever runs it sees why it stopped"
)]

use blanche_media::{FileSource, Input, read};
use blanche_sandbox::wire::{FromReader, ReadJob, ReadLimits, Source};
use std::fs::File;
use std::time::Instant;

fn main() {
    let path = std::env::args_os().nth(1).expect("usage: read IMAGE");
    let file = File::open(&path).expect("a readable image");
    let capacity = file.metadata().expect("an image has a size").len();
    let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits: ReadLimits::default() };
    let source = FileSource::new(&file, capacity);
    let (start, mut gaps) = (Instant::now(), 0u32);
    let totals = read(&job, &Input::Medium(&source), &mut |message, _| {
        gaps = gaps.saturating_add(u32::from(matches!(message, FromReader::NotRead(_))));
        Ok(())
    });
    let totals = totals.expect("nobody stops the reading");
    println!("{} {} {gaps} {}", totals.contents, totals.bytes, start.elapsed().as_secs_f64());
}
