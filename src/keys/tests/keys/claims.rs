//! Claims of a small FAT32 medium that a signer signs, and the tag file around an envelope.

use blanche_tag::claims::*;
use blanche_tag::envelope::SignedClaims as _;
use blanche_tag::manifest::Writer;
use blanche_tag::{
    Authority, Context, Crl, MediumView, Memory, Policy, Refusal, Seen, TrustStore, Usb, areas, header, verify,
};
use std::collections::BTreeMap;

pub(crate) const DAY: u64 = 86_400;
const MIB: u64 = 1 << 20;

pub(crate) fn now() -> Time {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn manifest() -> (Vec<u8>, Content) {
    let (bytes, finished) = Writer::new(Vec::new()).finish();
    let content = Content { manifest_length: finished.length, manifest_sha256: finished.sha256, ..Content::default() };
    (bytes, content)
}

/// Clean, of now, by this station, with this counter.
pub(crate) fn claims(station: &str, site: &str, counter: u64) -> Claims {
    let area = |kind, volume: Option<u32>, start, length: u64| {
        let filesystem = volume.map(|_| Filesystem::Fat32);
        let zeros = vec![0; usize::try_from(length).unwrap()];
        Area { kind, volume, start, length, sha256: areas::digest(kind, filesystem, &zeros) }
    };
    let issued = now();
    let base = Base { name: "daily".into(), version: "1".into(), date: issued - DAY, signatures: 9, sha256: [7; 32] };
    let sum = |class, volume, bytes, looked_at| AreaSum { class, volume, bytes, looked_at };
    Claims {
        tag: [1, 0x9b, 0xa2, 0x22, 0xb0, 0, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8],
        station: Label::try_from(station).unwrap(),
        site: Label::try_from(site).unwrap(),
        issued,
        expires: issued + 7 * DAY,
        counter,
        medium: Medium {
            capacity: 4 * MIB,
            block: 512,
            usb: None,
            areas: vec![
                area(AreaKind::Mbr, None, 0, 512),
                area(AreaKind::Gap, None, 512, MIB - 512),
                area(AreaKind::Fat, Some(0), MIB, 32 * 512),
            ],
            tag_volume: Some(0),
        },
        volumes: vec![Volume {
            start: MIB,
            length: 3 * MIB,
            role: Role::Primary,
            filesystem: Filesystem::Fat32,
            identifier: Some("1234abcd".into()),
            partition_type: Some(PartitionType::Mbr(12)),
            hidden: false,
            efi: false,
            names: Names::Wtf8,
            code_page: Some(850),
            view: None,
        }],
        content: manifest().1,
        areas: vec![
            sum(AreaClass::Table, None, 512, 512),
            sum(AreaClass::Gap, None, MIB - 512, MIB - 512),
            sum(AreaClass::Free, Some(0), 3 * MIB, 0),
        ],
        how: How {
            engines: vec![Engine { name: "clamav".into(), version: "1.0".into(), bases: vec![base] }],
            limits: BTreeMap::from([("max_files".to_owned(), 1000)]),
            policy: "default".into(),
            policy_version: 1,
            program: "TEST".into(),
        },
        verdict: Verdict::Clean,
        exceptions: Vec::new(),
    }
}

/// Encoded.
#[allow(dead_code, reason = "the tests inside the crate seal claims as they are")]
pub(crate) fn encoded(station: &str, site: &str, counter: u64) -> Vec<u8> {
    claims(station, site, counter).encode()
}

/// A medium of which nothing can be seen from here: the origin of the tag is what these tests are about.
struct Unseen;

impl MediumView for Unseen {
    fn capacity(&self) -> Seen<u64> {
        Seen::NotAvailable
    }

    fn block(&self) -> Seen<u32> {
        Seen::NotAvailable
    }

    fn usb(&self) -> Seen<Option<Usb>> {
        Seen::NotAvailable
    }

    fn read(&self, _start: u64, _length: u64) -> Result<Seen<Vec<u8>>, String> {
        Ok(Seen::NotAvailable)
    }
}

/// What a workstation was given.
pub(crate) struct Trust {
    pub(crate) anchors: [Vec<u8>; 2],
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) lists: Vec<Vec<u8>>,
}

impl Trust {
    /// Verifies an envelope as a tag file at a time.
    pub(crate) fn verify(&self, envelope: &[u8], clock: Time) -> Result<(), Refusal> {
        let (manifest, _) = manifest();
        let file =
            [&header(envelope.len(), u64::try_from(manifest.len()).unwrap()).unwrap(), envelope, &manifest].concat();
        let [classical, post_quantum] = self.anchors.clone();
        let trust = TrustStore { authorities: vec![Authority::new(classical, post_quantum).unwrap()] };
        let crls: Vec<_> = self.crls.iter().map(|der| Crl::new(der.clone()).unwrap()).collect();
        let policy = Policy { require_list: true, ..Policy::default() };
        let context = Context {
            trust: &trust,
            crls: &crls,
            lists: &self.lists,
            policy: &policy,
            clock,
            memory: &Memory::default(),
            counters: &BTreeMap::new(),
        };
        verify(&file, &context, &Unseen).outcome.map(|_| ())
    }
}
