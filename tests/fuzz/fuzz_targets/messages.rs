//! Any bytes as a message: decoding never panics, and what decodes encodes to something that decodes to the same.

#![no_main]

use blanche_sandbox::wire::{
    Born, FromCopier, FromMatcher, FromReader, FromZygote, Message, ReadJob, ToCopier, ToMatcher, ToZygote,
};
use libfuzzer_sys::fuzz_target;
use std::fmt::Debug;

fn round<M: Message + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = postcard::from_bytes::<M>(bytes) {
        let again = postcard::to_stdvec(&message).expect("what was decoded can be encoded");
        assert_eq!(postcard::from_bytes::<M>(&again).expect("and decoded again"), message);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind {
        // Outside the numbers that the corpus has for the others.
        254 => return round::<ToCopier>(rest),
        255 => return round::<FromCopier>(rest),
        _ => {}
    }
    match kind % 7 {
        0 => round::<Born>(rest),
        1 => round::<ReadJob>(rest),
        2 => round::<FromReader>(rest),
        3 => round::<ToZygote>(rest),
        4 => round::<FromZygote>(rest),
        5 => round::<ToMatcher>(rest),
        _ => round::<FromMatcher>(rest),
    }
});
