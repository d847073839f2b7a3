//! An engine process that is born, forks and answers like the real one, finds nothing, and misbehaves as the extension of
//! each file tells it to: `.lie` (digests of something else), `.other` (answers about another file), `.lazy` (hashes where
//! it should match), `.crash`, `.hang`, `.flood`. Everything else it calls clean.
//!
//! The tests install it under the name `blanche-matcher` in a folder of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: when it fails, the test that started it fails"
)]

use blanche_sandbox::Channel;
use blanche_sandbox::birth::{Forked, Inherited, fork_confinable};
use blanche_sandbox::confine::{Profile, confine, private_tmpfs};
use blanche_sandbox::wire::{
    Answer, ContentType, Digests, EngineCpu, EngineInfo, EngineSet, FromMatcher, FromZygote, Hashed, ScanPiece,
    Scanned, SelfTestResult, ToMatcher, ToZygote,
};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

fn main() {
    let channel = Channel::from_fd(Inherited::Channel.take().expect("a channel"));
    while let Ok(mut received) = channel.receive::<ToZygote>(None) {
        match received.message {
            ToZygote::Load(job) => {
                let engine = EngineInfo { name: "liar".into(), version: "1".into(), bases: Vec::new() };
                let set = EngineSet { engines: vec![engine], limits: job.limits };
                channel.send(&FromZygote::Loaded(set), &[]).expect("parent");
            }
            ToZygote::Arm(_) => {}
            ToZygote::Fork => match fork_confinable().expect("fork") {
                Forked::Child => {
                    let socket = received.fds.pop().expect("a socket");
                    return answer(&Channel::from_fd(socket));
                }
                Forked::Parent { pid, pidfd } => {
                    channel.send(&FromZygote::Forked { pid }, &[pidfd.as_fd()]).expect("parent");
                }
            },
        }
    }
}

fn answer(channel: &Channel) {
    let tmpfs = private_tmpfs(1 << 20).expect("tmpfs");
    let born = confine(Profile::Matcher { tmpfs: &tmpfs }).expect("confinement");
    channel.send(&born, &[]).expect("parent");
    while let Ok(mut received) = channel.receive::<ToMatcher>(None) {
        match received.message {
            ToMatcher::SelfTest => {
                let result = SelfTestResult { engine: "liar".into(), marker: "EICAR".into(), found: true };
                let answer = FromMatcher::SelfTested { results: vec![result], containers: Vec::new() };
                channel.send(&answer, &[]).expect("parent");
            }
            ToMatcher::Scan { pieces, .. } => {
                let object = File::from(received.fds.pop().expect("an object"));
                for piece in pieces {
                    let scanned = misbehave(&piece, &object, channel);
                    let Scanned { entry, bytes, digests, .. } = scanned;
                    let answer = if piece.hash_only || piece.extensions == ["lazy"] {
                        Answer::Hashed(Hashed { entry, bytes, digests, cpu: 0 })
                    } else {
                        Answer::Scanned(Box::new(scanned))
                    };
                    channel.send(&FromMatcher::Answers(vec![answer]), &[]).expect("parent");
                }
            }
        }
    }
}

fn misbehave(piece: &ScanPiece, object: &File, channel: &Channel) -> Scanned {
    use sha2::Digest;
    let mut bytes = vec![0u8; piece.length as usize];
    object.read_exact_at(&mut bytes, piece.offset).expect("the piece");
    let mut digests = Digests { sha256: sha2::Sha256::digest(&bytes).into(), blake3: blake3::hash(&bytes).into() };
    let mut entry = piece.entry;
    match piece.extensions.concat().as_str() {
        "lie" => digests.blake3[0] ^= 1,
        "other" => entry += 1,
        "crash" => std::process::abort(),
        "hang" => loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        },
        "flood" => loop {
            if channel.send(&FromMatcher::SelfTested { results: Vec::new(), containers: Vec::new() }, &[]).is_err() {
                std::process::exit(1);
            }
        },
        _ => {}
    }
    Scanned {
        entry,
        bytes: piece.length,
        digests,
        content_type: ContentType { media_type: "text/plain".into(), ..ContentType::default() },
        findings: Vec::new(),
        not_checked: Vec::new(),
        layers: 1,
        disk_image: false,
        cpu: EngineCpu::default(),
    }
}
