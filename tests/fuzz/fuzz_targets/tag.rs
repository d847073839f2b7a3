//! Any bytes as a part of a tag: decoding never panics, and what decodes encodes to the very same bytes, because the
//! encoding is deterministic. The name of the program says which part.

#![no_main]

use blanche_tag::Claims;
use blanche_tag::envelope::{Envelope, SignedClaims};
use blanche_tag::manifest::{Reader, Writer};
use blanche_tag::revocation::RevocationList;
use coset::{CoseSign, TaggedCborSerializable};
use libfuzzer_sys::fuzz_target;

fn round<T: SignedClaims>(bytes: &[u8]) {
    if let Ok(claims) = T::decode(bytes) {
        assert_eq!(claims.encode(), bytes, "one encoding only");
    }
}

/// Entries with their chaining values are written again; all of them must come out as they stood.
fn manifest(bytes: &Vec<u8>) {
    let mut writer = Writer::new(Vec::new());
    for entry in Reader::new(bytes, 0, bytes.len() as u64) {
        let Ok((entry, subtrees)) = entry else { return };
        let values = subtrees.map_or(&[][..], |at| &bytes[at.offset as usize..][..at.count as usize * 32]);
        writer.entry(&entry, values.as_chunks::<32>().0).expect("what was read can be written");
    }
    assert_eq!(writer.finish().0, *bytes, "one encoding only");
}

/// What is taken apart is COSE for another reader as well, which writes the very same bytes.
fn envelope<T: SignedClaims>(bytes: &[u8]) {
    if Envelope::<T>::open(bytes).is_ok() {
        let read = CoseSign::from_tagged_slice(bytes).expect("what is accepted is COSE_Sign");
        assert_eq!(read.to_tagged_vec().expect("what was read can be written"), bytes, "one encoding only");
    }
}

fuzz_target!(|bytes: Vec<u8>| {
    match env!("CARGO_BIN_NAME") {
        "claims" => round::<Claims>(&bytes),
        "revocations" => round::<RevocationList>(&bytes),
        "manifest" => manifest(&bytes),
        _ => {
            envelope::<Claims>(&bytes);
            envelope::<RevocationList>(&bytes);
        }
    }
});
