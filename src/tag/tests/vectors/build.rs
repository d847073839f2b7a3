//! The good tag that every vector starts from, and its rendering in JSON.

use blanche_tag::claims::*;
use blanche_tag::envelope::{Algorithm, Purpose, seal};
use blanche_tag::manifest::{Digests, Entry, EntryKind, Finished, Writer, chaining_value};
use blanche_tag::revocation::RevocationList;
use blanche_tag::testing::*;
use blanche_tag::{Authority, AuthorityId, Usb, areas, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;
/// Issued at.
pub const ISSUED: u64 = START + 10 * DAY;

/// Something on the medium.
#[derive(Clone)]
pub struct Item {
    pub path: Vec<u8>,
    pub stream: Option<Vec<u8>>,
    pub kind: EntryKind,
    pub content: Vec<u8>,
}

pub fn item(path: &str, kind: EntryKind, content: &[u8]) -> Item {
    Item { path: path.replace('/', "\0").into_bytes(), stream: None, kind, content: content.to_vec() }
}

/// One vector in the making.
#[derive(Clone)]
pub struct Case {
    pub claims: Claims,
    pub manifest: Vec<u8>,
    pub station: Station,
    pub authorities: Vec<[Vec<u8>; 2]>,
    pub crls: Vec<Vec<u8>>,
    pub lists: Vec<Vec<u8>>,
    pub clock: u64,
    pub memory: Value,
    pub policy: Value,
    pub medium: Value,
    pub bytes: Vec<(u64, Vec<u8>)>,
    pub items: Vec<Item>,
    /// Volumes whose items can be seen.
    pub walked: Vec<u32>,
    /// Instead of the sealed one.
    pub file: Option<Vec<u8>>,
    pub tolerated: Vec<Vec<u8>>,
}

pub struct World {
    pub root: Keys,
    pub issuer: Keys,
    pub station: Keys,
    pub base: Case,
    pub parts: BTreeMap<String, Vec<u8>>,
}

/// Boot record, boot sector and FSInfo of a small FAT32 medium.
fn boot_bytes() -> Vec<(u64, Vec<u8>)> {
    let mut mbr = vec![0; 512];
    mbr[446..462].copy_from_slice(&[0, 0, 0, 0, 12, 0, 0, 0, 0, 8, 0, 0, 0, 24, 0, 0]);
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    let mut boot = vec![0; 512];
    boot[..14].copy_from_slice(&[0xeb, 0x58, 0x90, b'T', b'E', b'S', b'T', b' ', b' ', b' ', b' ', 0, 2, 1]);
    boot[14..16].copy_from_slice(&[32, 0]);
    boot[48..52].copy_from_slice(&[1, 0, 6, 0]);
    boot[510..].copy_from_slice(&[0x55, 0xaa]);
    let mut info = vec![0; 512];
    info[..4].copy_from_slice(b"RRaA");
    info[488..496].copy_from_slice(&[9; 8]);
    vec![(0, mbr), (MIB, boot.clone()), (MIB + 512, info.clone()), (MIB + 6 * 512, boot), (MIB + 7 * 512, info)]
}

pub fn range(bytes: &[(u64, Vec<u8>)], start: u64, length: u64) -> Vec<u8> {
    let mut out = vec![0; length as usize];
    for (offset, piece) in bytes {
        for (at, byte) in (*offset..).zip(piece) {
            if let Some(place) = at.checked_sub(start).and_then(|at| out.get_mut(at as usize)) {
                *place = *byte;
            }
        }
    }
    out
}

pub fn entry(item: &Item) -> (Entry, Vec<[u8; 32]>) {
    let content = &item.content;
    let digests = Digests { sha256: Sha256::digest(content).into(), blake3: *blake3::hash(content).as_bytes() };
    let long = content.len() as u64 > MIB;
    let values = (0..).zip(content.chunks(1 << 20)).filter(|_| long).map(|(at, mib)| chaining_value(at, mib));
    let entry = Entry {
        volume: 0,
        path: item.path.clone(),
        stream: item.stream.clone(),
        kind: item.kind,
        size: content.len() as u64,
        digests: item.kind.has_content().then_some(digests),
        modified: Some(1_700_000_000),
    };
    (entry, values.collect())
}

/// A manifest of these items, which must be in order.
pub fn manifest(items: &[Item]) -> (Vec<u8>, Finished) {
    let mut writer = Writer::new(Vec::new());
    for item in items {
        let (entry, values) = entry(item);
        writer.entry(&entry, &values).unwrap();
    }
    writer.finish()
}

impl Case {
    /// Takes the items for the manifest, as the station does.
    pub fn seal_items(&mut self) {
        let (bytes, finished) = manifest(&self.items);
        self.manifest = bytes;
        let counts = finished.counts;
        self.claims.content = Content {
            manifest_length: finished.length,
            manifest_sha256: finished.sha256,
            entries: counts.entries,
            files: counts.files,
            streams: counts.streams,
            folders: counts.folders,
            links: counts.links,
            others: counts.others,
            bytes: counts.bytes,
            checked: counts.bytes,
            skipped: 0,
            unreadable: 0,
        };
    }

    /// Takes the last MiB from the volume for another one, of zeros.
    pub fn split(&mut self, filesystem: Filesystem, kind: AreaKind, length: u64) {
        self.claims.volumes[0].length = 2 * MIB;
        let first = self.claims.volumes[0].clone();
        let second = Volume { start: 3 * MIB, length: MIB, filesystem, identifier: None, code_page: None, ..first };
        self.claims.volumes.push(second);
        let sha256 = areas::digest(kind, Some(filesystem), &range(&self.bytes, 3 * MIB, length));
        self.claims.medium.areas.push(Area { kind, volume: Some(1), start: 3 * MIB, length, sha256 });
    }

    /// Envelope and manifest with a header.
    pub fn join(&self, envelope: &[u8]) -> Vec<u8> {
        let header = header(envelope.len(), self.manifest.len() as u64).unwrap();
        [&header, envelope, &self.manifest].concat()
    }

    /// The station's own.
    pub fn authority(&self) -> AuthorityId {
        id(&self.authorities[0])
    }

    /// That a list of this number was seen.
    pub fn remember_list(&mut self, number: u64) {
        let key = self.authority().key("lists.authority");
        self.memory["lists"][key] = json!(number);
    }

    /// That a tag of this authority with this counter was accepted, of such a station and medium.
    pub fn remember_counter(&mut self, authority: AuthorityId, claims: &Claims, number: u64) {
        self.memory["counters"][claims.counter_key(authority)] = json!(number);
    }

    pub fn envelope(&self) -> Vec<u8> {
        seal(&self.claims, &mut self.station.clone()).unwrap()
    }

    pub fn tag(&self) -> Vec<u8> {
        self.file.clone().unwrap_or_else(|| self.join(&self.envelope()))
    }
}

fn claims(bytes: &[(u64, Vec<u8>)]) -> Claims {
    let area = |kind, volume: Option<u32>, start, length| {
        let sha256 = areas::digest(kind, volume.map(|_| Filesystem::Fat32), &range(bytes, start, length));
        Area { kind, volume, start, length, sha256 }
    };
    let base = |name: &str| Base {
        name: name.into(),
        version: "1".into(),
        date: ISSUED - DAY,
        signatures: 9,
        sha256: [7; 32],
    };
    let engine = |name: &str, bases: &[&str]| Engine {
        name: name.into(),
        version: "1.0".into(),
        bases: bases.iter().map(|name| base(name)).collect(),
    };
    let sum = |class, volume, bytes, looked_at| AreaSum { class, volume, bytes, looked_at };
    Claims {
        tag: [1, 0x9b, 0xa2, 0x22, 0xb0, 0, 0x70, 1, 0x80, 2, 3, 4, 5, 6, 7, 8],
        station: Label::try_from("station-1").unwrap(),
        site: Label::try_from("site-a").unwrap(),
        issued: ISSUED,
        expires: ISSUED + 7 * DAY,
        counter: 42,
        medium: Medium {
            capacity: 4 * MIB,
            block: 512,
            usb: Some(Usb { vendor: 0x0781, product: 0x5567, serial: "4C530001AB".into() }),
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
        content: Content::default(),
        areas: vec![
            sum(AreaClass::Table, None, 512, 512),
            sum(AreaClass::Gap, None, MIB - 512, MIB - 512),
            sum(AreaClass::Free, Some(0), 3 * MIB, 0),
        ],
        how: How {
            engines: vec![engine("clamav", &["main.cvd", "daily.cld"]), engine("yara-x", &["rules"])],
            limits: BTreeMap::from([("max_files".to_owned(), 1000), ("max_recursion".to_owned(), 16)]),
            policy: "default".into(),
            policy_version: 1,
            program: "TEST".into(),
        },
        verdict: Verdict::Clean,
        exceptions: Vec::new(),
    }
}

impl World {
    pub fn new() -> Self {
        let (root, issuer, station) = (Keys::new("root"), Keys::new("issuer"), Keys::new("station"));
        let anchors = both(|algorithm| root_certificate("TEST authority").make(algorithm, &root, &root));
        let middle = both(|algorithm| issuer_certificate().make(algorithm, &issuer, &root));
        let mut parts = BTreeMap::new();
        let mut part = |name: &str, pair: &[Vec<u8>; 2]| {
            for (kind, bytes) in ["classical", "post-quantum"].iter().zip(pair) {
                parts.insert(format!("{name}-{kind}"), bytes.clone());
            }
        };
        let roots = both(|algorithm| root.crl(algorithm, "TEST authority", 5, ISSUED - DAY, &[]));
        let issuers = both(|algorithm| issuer.crl(algorithm, "TEST site-a", 7, ISSUED - DAY, &[]));
        part("anchor", &anchors);
        part("issuer", &middle);
        part("crl-root", &roots);
        part("crl-issuer", &issuers);
        let mut world = Self { root, issuer, station, base: placeholder(), parts };
        world.base.station = world.chain(&end_certificate());
        let ends = world.base.station.chains.clone().map(|mut chain| chain.remove(0));
        for (kind, bytes) in ["classical", "post-quantum"].iter().zip(ends) {
            world.parts.insert(format!("station-{kind}"), bytes);
        }
        world.base.authorities = vec![anchors];
        world.base.crls = roots.into_iter().chain(issuers).collect();
        world.base.seal_items();
        world
    }

    /// The station's keys under another end certificate.
    pub fn chain(&self, end: &Certificate<'_>) -> Station {
        let chains = both_chains(|algorithm| {
            vec![
                end.make(algorithm, &self.station, &self.issuer),
                issuer_certificate().make(algorithm, &self.issuer, &self.root),
            ]
        });
        Station { keys: self.station.clone(), chains }
    }

    /// A revocation list signed under the root.
    pub fn list(&self, number: u64, tags: Vec<Uuid>, contents: Vec<[u8; 32]>) -> Vec<u8> {
        self.list_under(&self.root, "TEST authority", number, tags, contents)
    }

    /// Another authority, which the case trusts as well, and a list of it under the same names.
    pub fn trust_another(&self, case: &mut Case, number: u64, tags: Vec<Uuid>, contents: Vec<[u8; 32]>) -> AuthorityId {
        let (root, name) = (Keys::new("other root"), "TEST other authority");
        let anchors = both(|algorithm| root_certificate(name).make(algorithm, &root, &root));
        case.crls.extend(both(|algorithm| root.crl(algorithm, name, 2, ISSUED - DAY, &[])));
        case.lists.push(self.list_under(&root, name, number, tags, contents));
        case.authorities.push(anchors.clone());
        id(&anchors)
    }

    fn list_under(&self, root: &Keys, issuer: &str, number: u64, tags: Vec<Uuid>, contents: Vec<[u8; 32]>) -> Vec<u8> {
        let end = Some(End { san: Some("lists.authority.blanche.invalid"), purpose: Purpose::RevocationList });
        let end = Certificate { serial: 9, subject: "TEST lists", end, ..root_certificate(issuer) };
        let chains = both_chains(|algorithm| vec![end.make(algorithm, &self.station, root)]);
        let claims = RevocationList {
            list: [9; 16],
            signer: Label::try_from("lists").unwrap(),
            site: Label::try_from("authority").unwrap(),
            issued: ISSUED,
            number,
            tags,
            contents,
        };
        seal(&claims, &mut Station { keys: self.station.clone(), chains }).unwrap()
    }

    /// Pieces: parts by name, the rest in hexadecimal.
    fn pieces(&self, bytes: &[u8]) -> Value {
        if bytes.len() > 4096 && bytes.iter().all(|byte| *byte == bytes[0]) {
            return json!([{ "repeat": format!("{:02x}", bytes[0]), "times": bytes.len() }]);
        }
        let found = self.parts.iter().filter_map(|(name, part)| {
            Some((bytes.windows(part.len()).position(|window| window == part)?, name, part.len()))
        });
        let Some((start, name, length)) = found.min() else {
            return if bytes.is_empty() { json!([]) } else { json!([hex(bytes)]) };
        };
        let (before, after) = (self.pieces(&bytes[..start]), self.pieces(&bytes[start + length..]));
        let middle = vec![json!(format!("${name}"))];
        Value::Array([before.as_array().unwrap().clone(), middle, after.as_array().unwrap().clone()].concat())
    }

    pub fn render(&self, about: &str, case: &Case, expect: &str, step: Option<u8>) -> Value {
        let pair =
            |pair: &[Vec<u8>; 2]| json!({ "classical": self.pieces(&pair[0]), "post_quantum": self.pieces(&pair[1]) });
        let all = |list: &[Vec<u8>]| list.iter().map(|bytes| self.pieces(bytes)).collect::<Vec<_>>();
        let mut medium = case.medium.clone();
        // A case may say that no area can be read.
        if medium.get("bytes").is_none() {
            medium["bytes"] = case.bytes.iter().map(|(start, bytes)| json!([start, self.pieces(bytes)])).collect();
        }
        let entries = case.items.iter().map(|item| {
            json!({ "volume": 0, "path": hex(&item.path), "stream": item.stream.as_deref().map(hex),
                "kind": item.kind as u8, "size": item.content.len(), "content": self.pieces(&item.content) })
        });
        let mut vector = json!({
            "about": about,
            "tag": self.pieces(&case.tag()),
            "trust": {
                "authorities": case.authorities.iter().map(pair).collect::<Vec<_>>(),
                "crls": all(&case.crls),
                "lists": all(&case.lists),
            },
            "clock": case.clock,
            "memory": case.memory,
            "policy": case.policy,
            "medium": medium,
            "entries": (!case.walked.is_empty()).then(|| entries.collect::<Vec<_>>()),
            "walked": case.walked,
            "tolerated": case.tolerated.iter().map(|path| hex(path)).collect::<Vec<_>>(),
            "expect": expect,
            "step": step,
        });
        let parts = self.parts.iter().map(|(name, bytes)| (name.clone(), json!(hex(bytes))));
        let (_, memory) = super::run::run(&vector, &Value::Object(parts.collect()));
        vector["remembered"] = super::run::remembered(&memory);
        vector
    }
}

/// As memories name an authority.
pub fn id([classical, post_quantum]: &[Vec<u8>; 2]) -> AuthorityId {
    Authority::new(classical.clone(), post_quantum.clone()).unwrap().id()
}

fn both_chains(make: impl Fn(Algorithm) -> Vec<Vec<u8>>) -> [Vec<Vec<u8>>; 2] {
    Algorithm::BOTH.map(make)
}

/// Everything but the chains and anchors.
fn placeholder() -> Case {
    let bytes = boot_bytes();
    Case {
        claims: claims(&bytes),
        manifest: Vec::new(),
        station: Station { keys: Keys::new("station"), chains: [Vec::new(), Vec::new()] },
        authorities: Vec::new(),
        crls: Vec::new(),
        lists: Vec::new(),
        clock: ISSUED + DAY,
        memory: json!({ "time": 0, "crls": {}, "lists": {}, "counters": {} }),
        policy: json!({}),
        medium: json!({ "capacity": 4 * MIB, "block": 512,
            "usb": { "vendor": 0x0781, "product": 0x5567, "serial": "4c530001ab" } }),
        bytes,
        items: vec![
            item("big.bin", EntryKind::File, &vec![0x42; (1 << 20) + 5]),
            item("docs", EntryKind::Folder, b""),
            item("docs/a.txt", EntryKind::File, b"bonjour\n"),
            item("Été.txt", EntryKind::File, b""),
        ],
        walked: vec![0],
        file: None,
        tolerated: Vec::new(),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
