//! Any bytes as the descriptors of a USB device: an answer, and never more interfaces than there are descriptors of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

// The file alone: the crate around it brings D-Bus, SQLite and libudev, of which this needs nothing.
#[path = "../../../src/station/src/detect/descriptors.rs"]
mod descriptors;

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = descriptors::parse(bytes) else { return };
    let heads = bytes.windows(2).filter(|head| head[0] >= 9 && head[1] == 4).count();
    assert!(found.interfaces.len() <= heads.min(2048));
    assert!(bytes.len() <= descriptors::LONGEST);
});
