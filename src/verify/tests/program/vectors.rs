//! The specification's vectors on the finished program, as far as they can be had as files: what concerns the medium as
//! an image of its boot areas, everything else as a folder.

use crate::program::{self, Answer};
use crate::world::{install, pem};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Cases that no image or folder can show: streams, USB identity, a walk that shows no file.
const NOT_FILES: [&str; 4] = ["stream-added", "tag-stream", "other-usb", "level-hidden"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tag-vectors")
}

pub(crate) fn load(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn join(pieces: &Value, parts: &Value) -> Vec<u8> {
    let piece = |piece: &Value| match piece {
        Value::String(text) => match text.strip_prefix('$') {
            Some(name) => unhex(parts[name].as_str().unwrap()),
            None => unhex(text),
        },
        repeat => vec![unhex(repeat["repeat"].as_str().unwrap())[0]; repeat["times"].as_u64().unwrap() as usize],
    };
    pieces.as_array().unwrap().iter().flat_map(piece).collect()
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The trust folder of a vector, with its policy.
fn write_trust(vector: &Value, parts: &Value, trust: &Path) {
    fs::create_dir_all(trust.join("crls")).unwrap();
    fs::create_dir_all(trust.join("lists")).unwrap();
    for (number, pair) in all(&vector["trust"]["authorities"]).iter().enumerate() {
        let anchors = ["classical", "post_quantum"].map(|kind| join(&pair[kind], parts));
        install(trust, &number.to_string(), &anchors);
    }
    for (number, crl) in all(&vector["trust"]["crls"]).iter().enumerate() {
        fs::write(trust.join(format!("crls/{number}.crl")), pem("X509 CRL", &join(crl, parts))).unwrap();
    }
    for (number, list) in all(&vector["trust"]["lists"]).iter().enumerate() {
        fs::write(trust.join(format!("lists/{number}.cose")), join(list, parts)).unwrap();
    }
    let rows = vector["policy"].as_object().unwrap().iter().map(|(name, value)| match value {
        Value::Number(seconds) if name.ends_with("_age") => format!("{name} = \"{seconds} s\"\n"),
        other => format!("{name} = {other}\n"),
    });
    fs::write(trust.join("policy.toml"), rows.collect::<String>()).unwrap();
}

fn write_image(vector: &Value, parts: &Value, path: &Path) {
    let medium = &vector["medium"];
    let mut bytes = vec![0; medium["capacity"].as_u64().unwrap() as usize];
    for area in all(&medium["bytes"]) {
        let (start, area) = (area[0].as_u64().unwrap() as usize, join(&area[1], parts));
        bytes[start..start + area.len()].copy_from_slice(&area);
    }
    fs::write(path, bytes).unwrap();
}

fn write_folder(vector: &Value, parts: &Value, path: &Path) {
    fs::create_dir(path).unwrap();
    for entry in all(&vector["entries"]) {
        let name = String::from_utf8(unhex(entry["path"].as_str().unwrap())).unwrap().replace('\0', "/");
        match entry["kind"].as_u64() {
            Some(0) => fs::create_dir(path.join(name)).unwrap(),
            Some(1) => fs::write(path.join(name), join(&entry["content"], parts)).unwrap(),
            other => panic!("{other:?} is no file"),
        }
    }
}

/// Runs one vector in a folder.
pub(crate) fn run(vector: &Value, parts: &Value, place: &Path) -> Answer {
    write_trust(vector, parts, &place.join("trust"));
    let mut memory = vector["memory"].clone();
    memory["schema"] = json!("blanche-memory/1");
    fs::write(place.join("memory.json"), memory.to_string()).unwrap();
    fs::write(place.join("tag"), join(&vector["tag"], parts)).unwrap();
    let masked = vector["about"].as_str().unwrap().contains("masked fields");
    let identity = vector["policy"]["level"] == "identity" || matches!(vector["step"].as_u64(), Some(17 | 18));
    let of_medium = masked || identity && !vector["medium"]["usb"].is_null();
    let mut command = program::command();
    let target = place.join("target");
    if of_medium {
        write_image(vector, parts, &target);
        command.args(["--level", "identity"]);
    } else {
        write_folder(vector, parts, &target);
    }
    command.arg("--json").arg("--at").arg(vector["clock"].to_string());
    for (option, name) in [("--trust", "trust"), ("--memory", "memory.json"), ("--tag", "tag")] {
        command.arg(option).arg(place.join(name));
    }
    command.arg(target);
    program::finish(command)
}

/// A memory of before, in which no authority is named, still refuses what it refused.
#[test]
fn numbers_that_name_no_authority_still_count() {
    let parts = load(&folder().join("parts.json"));
    for (name, numbers) in [("bad/list-old.json", "lists"), ("bad/replayed.json", "counters")] {
        let mut vector = load(&folder().join(name));
        let named = vector["memory"][numbers].as_object().unwrap();
        let bare = named.iter().map(|(key, number)| (key.split_once('/').unwrap().1.to_owned(), number.clone()));
        vector["memory"][numbers] = Value::Object(bare.collect());
        let place = tempfile::tempdir().unwrap();
        assert_eq!(run(&vector, &parts, place.path()).verdict(), vector["expect"], "{name}");
    }
}

#[test]
fn every_vector_that_can_be_a_file_gives_what_it_says() {
    let parts = load(&folder().join("parts.json"));
    let mut ran = 0;
    let mut wrong = Vec::new();
    for kind in ["good", "bad"] {
        for file in fs::read_dir(folder().join(kind)).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if NOT_FILES.contains(&name.as_str()) {
                continue;
            }
            let vector = load(&path);
            let place = tempfile::tempdir().unwrap();
            let answer = run(&vector, &parts, place.path());
            ran += 1;
            let found = answer.verdict();
            let step = answer.json()["refusal"]["step"].clone();
            let tolerated = answer.json()["tolerated"].as_array().unwrap().len();
            // What is tolerated beside a refusal is no part of the vectors.
            let tolerated = if found == "accepted" { tolerated } else { 0 };
            let expected = (vector["expect"].as_str().unwrap(), &vector["step"], all(&vector["tolerated"]).len());
            if (found.as_str(), &step, tolerated) != expected {
                wrong.push(format!("{kind}/{name}: {expected:?} expected, {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran >= 85, "{ran} vectors");
}
