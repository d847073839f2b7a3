//! SHA-256 and BLAKE3 over a file in memory, on one core, and nothing else: no reader that computes both can be faster.
//! Prints bytes and seconds; `make bench` puts the figure beside P4 and P5.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program of the bench: whoever runs it sees why it stopped"
)]

use sha2::Digest;
use std::time::Instant;

fn main() {
    let path = std::env::args_os().nth(1).expect("usage: hash FILE");
    let bytes = std::fs::read(&path).expect("a readable file");
    let start = Instant::now();
    let (mut sha256, mut blake3) = (sha2::Sha256::new(), blake3::Hasher::new());
    for chunk in bytes.chunks(1 << 18) {
        sha256.update(chunk);
        blake3.update(chunk);
    }
    let digests = (sha256.finalize(), blake3.finalize());
    println!("{} {} {:x?}", bytes.len(), start.elapsed().as_secs_f64(), digests.0.first());
}
