//! Damaged containers: the parsers of hostile bytes neither panic nor run away, whatever the bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "samples are made here")]

use blanche_engines::containers::{OPENERS, Opened, inspect, samples};
use blanche_engines::content_type;

/// A small generator (xorshift64), so that a failure can be repeated from its seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }
}

#[test]
fn damaged_containers_are_inspected_without_a_panic() {
    let marker = blanche_engines::selftest::eicar();
    let opened = Opened::claimed();
    let mut inspected = 0u32;
    for row in OPENERS {
        let Some(sample) = samples::sample(row.container, &marker) else { continue };
        for seed in 1..=400u64 {
            let mut noise = Noise(seed);
            let mut bytes = sample.clone();
            for _ in 0..1 + noise.next() % 8 {
                let at = noise.next() % bytes.len();
                bytes[at] = match noise.next() % 4 {
                    0 => 0,
                    1 => 0xff,
                    2 => 0x80,
                    _ => u8::try_from(noise.next() % 256).unwrap(),
                };
            }
            bytes.truncate(if seed % 3 == 0 { noise.next() % bytes.len() + 1 } else { bytes.len() });
            let found = inspect(&bytes, "bin", &opened, 1 << 20);
            let (content_type, _) = content_type::examine(&bytes, "jpg", found.container);
            assert!(content_type.media_type.len() <= 128);
            inspected += 1;
        }
    }
    assert_eq!(inspected, 24 * 400);
}

/// Contents that would make a careless parser read the same bytes again and again.
#[test]
fn repeated_signatures_do_not_hold_up_a_matcher() {
    let opened = Opened::claimed();
    let cab = samples::sample(blanche_sandbox::wire::Container::Cab, b"marker").unwrap();
    for unit in [
        cab.as_slice(),
        b"Rar!\x1a\x07\x00\xff\xff\x73\x00\x00\xff\xff",
        b"**ACE**",
        b"7z\xbc\xaf\x27\x1c",
        b"PK\x05\x06",
    ] {
        let content: Vec<u8> = unit.iter().copied().cycle().take(16 << 20).collect();
        let found = inspect(&content, "bin", &opened, 1 << 20);
        assert!(
            found.container.is_some() || !found.causes.is_empty() || unit.starts_with(b"7z") || unit.starts_with(b"PK")
        );
    }
}
