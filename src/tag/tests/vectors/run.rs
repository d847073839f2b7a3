//! Verifies one vector as it stands in its file, without knowing how it was made.

use blanche_tag::manifest::{Digests, EntryKind};
use blanche_tag::{
    Authority, Contents, Context, Crl, Judgement, Level, MediumView, Memory, Observed, OnMissing, Policy, Refusal,
    Seen, Tag, TrustStore, Unlisted, Unreadable, Usb, Verified, Walk, canonical_serial, compare, verify,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn join(pieces: &Value, parts: &Value) -> Vec<u8> {
    let piece = |piece: &Value| match piece {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => unhex(parts[name].as_str().unwrap()),
            None => unhex(text),
        },
        repeat => vec![unhex(repeat["repeat"].as_str().unwrap())[0]; repeat["times"].as_u64().unwrap() as usize],
    };
    pieces.as_array().unwrap().iter().flat_map(piece).collect()
}

struct Given {
    medium: Value,
    bytes: Vec<(u64, Vec<u8>)>,
    contents: Vec<(Observed, Vec<u8>)>,
}

fn seen(value: &Value) -> Seen<u64> {
    value.as_u64().map_or(Seen::NotAvailable, Seen::As)
}

impl MediumView for Given {
    fn capacity(&self) -> Seen<u64> {
        seen(&self.medium["capacity"])
    }

    fn block(&self) -> Seen<u32> {
        match seen(&self.medium["block"]) {
            Seen::As(block) => Seen::As(block as u32),
            Seen::NotAvailable => Seen::NotAvailable,
        }
    }

    fn usb(&self) -> Seen<Option<Usb>> {
        let usb = &self.medium["usb"];
        if usb.is_null() {
            return Seen::NotAvailable;
        }
        let number = |name: &str| usb[name].as_u64().unwrap() as u16;
        let serial = canonical_serial(usb["serial"].as_str().unwrap());
        Seen::As(serial.map(|serial| Usb { vendor: number("vendor"), product: number("product"), serial }))
    }

    fn read(&self, start: u64, length: u64) -> Result<Seen<Vec<u8>>, String> {
        if self.medium["bytes"].is_null() {
            return Ok(Seen::NotAvailable);
        }
        Ok(Seen::As(super::build::range(&self.bytes, start, length)))
    }
}

struct Bytes<'a>(&'a [(Observed, Vec<u8>)]);

impl Contents for Bytes<'_> {
    fn bytes(&mut self, entry: &Observed) -> Result<Vec<u8>, Unreadable> {
        let found = self.0.iter().find(|(observed, _)| observed == entry);
        found.map(|(_, content)| content.clone()).ok_or(Unreadable("gone".into()))
    }

    fn digests(&mut self, entry: &Observed) -> Result<(u64, Digests), Unreadable> {
        self.bytes(entry).map(|content| {
            let (sha256, blake3) = (Sha256::digest(&content).into(), *blake3::hash(&content).as_bytes());
            (content.len() as u64, Digests { sha256, blake3 })
        })
    }
}

fn policy(value: &Value) -> Policy {
    let mut policy = Policy::default();
    for (name, value) in value.as_object().unwrap() {
        let refuse = if value == "refuse" { OnMissing::Refuse } else { OnMissing::Accept };
        match name.as_str() {
            "level" => {
                policy.level = match value.as_str().unwrap() {
                    "identity" => Level::Identity,
                    "inventory" => Level::Inventory,
                    "full" => Level::Full,
                    other => panic!("unknown level {other}"),
                }
            }
            "sites" => {
                policy.sites =
                    Some(value.as_array().unwrap().iter().map(|site| site.as_str().unwrap().into()).collect())
            }
            "fresh_bases" => {
                policy.fresh_bases =
                    value.as_array().unwrap().iter().map(|base| base.as_str().unwrap().into()).collect()
            }
            "max_base_age" => policy.max_base_age = value.as_u64().unwrap(),
            "max_list_age" => policy.max_list_age = value.as_u64().unwrap(),
            "max_tag_age" => policy.max_tag_age = value.as_u64(),
            "min_engines" => policy.min_engines = value.as_u64().unwrap() as usize,
            "require_list" => policy.require_list = value.as_bool().unwrap(),
            "accept_exceptions" => policy.accept_exceptions = value.as_bool().unwrap(),
            "usb_not_available" => policy.usb_not_available = refuse,
            "boot_not_available" => policy.boot_not_available = refuse,
            other => panic!("unknown policy {other}"),
        }
    }
    policy
}

fn memory(value: &Value) -> Memory {
    let numbers = |name: &str| {
        value[name].as_object().unwrap().iter().map(|(key, number)| (key.clone(), number.as_u64().unwrap()))
    };
    Memory {
        time: value["time"].as_u64().unwrap(),
        crls: numbers("crls").map(|(key, number)| (unhex(&key).try_into().unwrap(), number)).collect(),
        lists: numbers("lists").collect(),
    }
}

/// As a vector states it.
pub fn remembered(memory: &Memory) -> Value {
    let crls: BTreeMap<_, _> = memory.crls.iter().map(|(issuer, number)| (super::build::hex(issuer), number)).collect();
    json!({ "time": memory.time, "crls": crls, "lists": memory.lists })
}

/// Tolerated paths, or the refusal; and what to remember.
pub fn run(vector: &Value, parts: &Value) -> (Result<Vec<Vec<u8>>, Refusal>, Memory) {
    run_on(vector, parts, true, Vec::new())
}

/// The same on a host that may show no streams, or not list some folders.
pub fn run_on(
    vector: &Value,
    parts: &Value,
    shows_streams: bool,
    unlisted: Vec<Unlisted>,
) -> (Result<Vec<Vec<u8>>, Refusal>, Memory) {
    let all = |value: &Value| value.as_array().unwrap().iter().map(|one| join(one, parts)).collect::<Vec<_>>();
    let trust = &vector["trust"];
    let authorities = trust["authorities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| Authority::new(join(&pair["classical"], parts), join(&pair["post_quantum"], parts)).unwrap());
    let trust_store = TrustStore { authorities: authorities.collect() };
    let crls: Vec<_> = all(&trust["crls"]).into_iter().filter_map(|der| Crl::new(der).ok()).collect();
    let lists = all(&trust["lists"]);
    let counters = vector["memory"]["counters"].as_object().unwrap().iter();
    let counters = counters.map(|(key, number)| (key.clone(), number.as_u64().unwrap())).collect();
    let (policy, memory) = (policy(&vector["policy"]), memory(&vector["memory"]));
    let context = Context {
        trust: &trust_store,
        crls: &crls,
        lists: &lists,
        policy: &policy,
        clock: vector["clock"].as_u64().unwrap(),
        memory: &memory,
        counters: &counters,
    };
    let kinds = [EntryKind::Folder, EntryKind::File, EntryKind::Stream, EntryKind::Link, EntryKind::Other];
    let entries = vector["entries"].as_array().into_iter().flatten().map(|entry| {
        let observed = Observed {
            volume: entry["volume"].as_u64().unwrap() as u32,
            path: unhex(entry["path"].as_str().unwrap()),
            stream: entry["stream"].as_str().map(unhex),
            kind: kinds[entry["kind"].as_u64().unwrap() as usize],
            size: entry["size"].as_u64().unwrap(),
            strange_short_name: entry["strange_short_name"].as_bool().unwrap_or(false),
        };
        (observed, join(&entry["content"], parts))
    });
    let areas = vector["medium"]["bytes"].as_array().into_iter().flatten();
    let bytes = areas.map(|area| (area[0].as_u64().unwrap(), join(&area[1], parts))).collect();
    let given = Given { medium: vector["medium"].clone(), bytes, contents: entries.collect() };
    let tag = join(&vector["tag"], parts);
    let Judgement { outcome, memory } = verify(&tag, &context, &given);
    (outcome.and_then(|verified| compared(&verified, vector, &given, shows_streams, unlisted)), memory)
}

fn compared(
    verified: &Verified<Tag<'_>>,
    vector: &Value,
    given: &Given,
    shows_streams: bool,
    unlisted: Vec<Unlisted>,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let walk = Walk {
        volumes: vector["walked"].as_array().unwrap().iter().map(|volume| volume.as_u64().unwrap() as u32).collect(),
        entries: given.contents.iter().map(|(observed, _)| observed.clone()),
        unlisted,
        shows_streams,
    };
    let comparison = compare(verified, walk, &mut Bytes(&given.contents))?;
    comparison.verdict()?;
    Ok(comparison.tolerated.into_iter().map(|(_, path)| path).collect())
}
