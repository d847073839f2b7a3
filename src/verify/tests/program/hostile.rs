//! Media and tags that lie: whatever they hold, the answer is an answer.

use crate::media::{Kind, Made, files};
use crate::sealed::{seal_on, tag};
use crate::world::World;
use std::fs;

/// What may come out, and never anything else: no crash, no panic, no wrong usage.
const ANSWERS: [i32; 5] = [0, 40, 41, 42, 43];

#[test]
fn a_damaged_medium_gets_an_answer_and_never_a_crash() {
    let world = World::new();
    let image = world.path("damaged.img");
    let rounds = if crate::program::is_native() { 40 } else { 4 };
    for kind in [Kind::Fat12, Kind::Fat16, Kind::ExFat] {
        let made = Made::new(kind, &files());
        seal_on(&world, &made, &files());
        let whole = fs::read(made.image()).unwrap();
        for round in 0..rounds {
            let mut random = fastrand::Rng::with_seed(round);
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..200) {
                // Most of what is parsed lies at the start of the partition.
                let reach = if random.bool() { 200 << 10 } else { bytes.len() - (1 << 20) };
                let at = (1 << 20) + random.usize(..reach);
                bytes[at] = random.u8(..);
            }
            fs::write(&image, bytes).unwrap();
            let answer = world.verify(&image, &[]);
            assert!(ANSWERS.contains(&answer.code), "{kind:?} seed {round}: {answer:?}");
            assert!(answer.err.is_empty(), "{kind:?} seed {round}: {answer:?}");
        }
    }
}

#[test]
fn noise_and_nothing_have_no_tag() {
    let world = World::new();
    let image = world.path("noise.img");
    for (length, code) in [(0, 40), (1, 40), (511, 40), (512, 40), (1 << 20, 40)] {
        fs::write(&image, crate::media::content(9, length)).unwrap();
        let answer = world.verify(&image, &[]);
        assert_eq!(answer.code, code, "{length}: {answer:?}");
    }
}

/// A tag from elsewhere, with every byte of its beginning altered once: refused by a name, at once.
#[test]
fn an_altered_tag_is_refused_by_a_code() {
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    let whole = tag(&world, &made, &files(), |claims| claims.medium.tag_volume = None);
    let file = world.path("altered.tag");
    let image = made.image();
    let step = if crate::program::is_native() { 97 } else { 4001 };
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&file, bytes).unwrap();
        let answer = world.verify(&image, &["--tag", file.to_str().unwrap(), "--level", "identity"]);
        assert_eq!(answer.code, 41, "byte {at}: {answer:?}");
    }
}

/// Longer than any tag, without as many bytes on the disk.
#[test]
fn an_endless_tag_is_not_copied() {
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    let file = world.path("endless.tag");
    fs::File::create(&file).unwrap().set_len(3 << 30).unwrap();
    let folder = world.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::rename(&file, folder.join("blanche.tag")).unwrap();
    let file = folder.join("blanche.tag");
    for answer in [world.verify(&made.image(), &["--tag", file.to_str().unwrap()]), world.verify(&folder, &[])] {
        assert_eq!((answer.verdict().as_str(), answer.code), ("E-FORMAT", 41), "{answer:?}");
    }
}
