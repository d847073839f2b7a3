//! Properties over many made-up claims, manifests and bytes.

#![allow(clippy::unwrap_used, reason = "tests know what they hold")]

use blanche_tag::claims::Label;
use blanche_tag::envelope::{Envelope, SignedClaims};
use blanche_tag::manifest::{Digests, Entry, EntryKind, Reader, Writer, chaining_value};
use blanche_tag::revocation::RevocationList;
use blanche_tag::{Claims, TagFile};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

/// Real claims, taken from a vector.
fn claims() -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tag-vectors/good/plain.json");
    let vector: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder).unwrap()).unwrap();
    let first = vector["tag"][0].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..first.len()).step_by(2).map(|at| u8::from_str_radix(&first[at..at + 2], 16).unwrap()).collect();
    // The payload begins with the map of 14 fields, after a head of three bytes with its length.
    let at = bytes.windows(4).position(|window| window == [0xae, 0, 1, 1]).unwrap();
    let length = usize::from(u16::from_be_bytes([bytes[at - 2], bytes[at - 1]]));
    bytes[at..at + length].to_vec()
}

fn entry(path: Vec<u8>, content: &[u8], modified: Option<i64>) -> (Entry, Vec<[u8; 32]>) {
    use sha2::{Digest, Sha256};
    let digests = Digests { sha256: Sha256::digest(content).into(), blake3: *blake3::hash(content).as_bytes() };
    let long = content.len() > 1 << 20;
    let values = (0..).zip(content.chunks(1 << 20)).filter(|_| long).map(|(at, mib)| chaining_value(at, mib));
    let size = content.len().try_into().unwrap();
    let entry = Entry { volume: 0, path, stream: None, kind: EntryKind::File, size, digests: Some(digests), modified };
    (entry, values.collect())
}

#[test]
fn claims_survive_a_round() {
    let bytes = claims();
    let decoded = Claims::decode(&bytes).unwrap();
    assert_eq!(decoded.encode(), bytes);
}

proptest! {
    /// One encoding only: whatever decodes encodes to the same bytes.
    #[test]
    fn altered_claims_are_refused_or_other_claims(at in 0usize..4096, with in 1u8..) {
        let original = claims();
        let mut bytes = original.clone();
        let at = at % bytes.len();
        bytes[at] ^= with;
        if let Ok(decoded) = Claims::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
            prop_assert_ne!(decoded, Claims::decode(&original).unwrap());
        }
    }

    #[test]
    fn cut_claims_are_refused(at in 0usize..4096) {
        let bytes = claims();
        prop_assert!(Claims::decode(&bytes[..at % bytes.len()]).is_err());
        prop_assert!(Claims::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..2000)) {
        let _ = Claims::decode(&bytes);
        let _ = RevocationList::decode(&bytes);
        let _ = Envelope::<Claims>::open(&bytes);
        let _ = TagFile::open(&bytes);
        let length = bytes.len().try_into().unwrap();
        let taken = Reader::new(&bytes, 0, length).count();
        prop_assert!(taken <= bytes.len());
    }

    #[test]
    fn lists_survive_a_round(tags in btree_set(any::<[u8; 16]>(), 0..50), contents in btree_set(any::<[u8; 32]>(), 0..50),
        number in any::<u64>()) {
        let name = |text| Label::try_from(text).unwrap();
        let (signer, site) = (name("a"), name("b"));
        let (tags, contents) = (tags.into_iter().collect(), contents.into_iter().collect());
        let list = RevocationList { list: [1; 16], signer, site, issued: 5, number, tags, contents };
        prop_assert_eq!(RevocationList::decode(&list.encode()).unwrap(), list);
    }

    #[test]
    fn manifests_survive_a_round(files in btree_map("[a-zé]{1,40}", (vec(any::<u8>(), 0..300), any::<Option<i64>>()), 0..300)) {
        let mut writer = Writer::new(Vec::new());
        let mut written = Vec::new();
        for (name, (content, modified)) in files {
            let (entry, values) = entry(name.into_bytes(), &content, modified);
            writer.entry(&entry, &values).unwrap();
            written.push(entry);
        }
        let (bytes, finished) = writer.finish();
        let mut reader = Reader::new(&bytes, 0, finished.length);
        let read: Vec<_> = reader.by_ref().map(|entry| entry.unwrap().0).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(reader.checked(), Some((finished.counts, finished.sha256)));
    }

    /// A changed bit never passes: an error, or another digest than the signed one.
    #[test]
    fn altered_manifests_are_noticed(at in any::<usize>(), bit in 0u8..8) {
        let content = std::vec![7; (2 << 20) + 3];
        let mut writer = Writer::new(Vec::new());
        for (name, content) in [("a", &content[..]), ("b", b"x"), ("c", &content[..])] {
            let (entry, values) = entry(name.into(), content, None);
            writer.entry(&entry, &values).unwrap();
        }
        let (mut bytes, finished) = writer.finish();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let mut reader = Reader::new(&bytes, 0, finished.length);
        let failed = reader.by_ref().any(|entry| entry.is_err());
        prop_assert!(failed || reader.checked() != Some((finished.counts, finished.sha256)));
    }
}
