//! The committed vectors are what the generator makes, and each gives exactly what it says.

#![allow(unreachable_pub, reason = "one program of several files")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests know what they hold")]

mod build;
mod cases;
mod masks;
mod run;

use blanche_tag::Unlisted;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tag-vectors")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// With BLANCHE_WRITE_VECTORS set the files are written instead: after a change of the format.
#[test]
fn committed_vectors_are_what_the_generator_makes() {
    let made = cases::Vectors::make().files;
    if std::env::var_os("BLANCHE_WRITE_VECTORS").is_some() {
        for (name, value) in &made {
            let path = folder().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // Whatever order another crate's features give to maps.
            let mut value = value.clone();
            value.sort_all_objects();
            fs::write(path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
        }
    }
    let mut names = Vec::new();
    for kind in ["good", "bad"] {
        for file in fs::read_dir(folder().join(kind)).unwrap() {
            names.push(format!("{kind}/{}", file.unwrap().file_name().to_str().unwrap()));
        }
    }
    names.push("parts.json".into());
    names.sort();
    assert_eq!(names, made.keys().cloned().collect::<Vec<_>>());
    for (name, value) in &made {
        assert!(read(&folder().join(name)) == *value, "{name} is not what the generator makes");
    }
}

#[test]
fn every_vector_gives_what_it_says() {
    let parts = read(&folder().join("parts.json"));
    let mut wrong = Vec::new();
    for kind in ["good", "bad"] {
        for file in fs::read_dir(folder().join(kind)).unwrap() {
            let path = file.unwrap().path();
            let vector = read(&path);
            let tolerated = vector["tolerated"].as_array().unwrap().iter();
            let tolerated: Vec<_> = tolerated.map(|path| run::unhex(path.as_str().unwrap())).collect();
            let expected = (vector["expect"].as_str().unwrap().to_owned(), vector["step"].as_u64());
            let (outcome, memory) = run::run(&vector, &parts);
            if run::remembered(&memory) != vector["remembered"] {
                wrong.push(format!("{}: {memory:?} remembered", path.display()));
            }
            let found = match &outcome {
                Ok(found) if *found == tolerated => ("accepted".to_owned(), None),
                Ok(_) => ("accepted, with other artefacts".to_owned(), None),
                Err(refusal) => (refusal.code.as_str().to_owned(), Some(u64::from(refusal.step))),
            };
            if found != expected {
                wrong.push(format!("{}: {expected:?} expected, {outcome:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Section 14: numbers and times that authorities signed are kept whatever becomes of the tag, but for one from the future.
#[test]
fn a_refusal_teaches_what_authorities_have_stated() {
    use blanche_tag::testing::{DAY, START};
    let parts = read(&folder().join("parts.json"));
    let highest = |name: &str| {
        let (outcome, memory) = run::run(&read(&folder().join(name)), &parts);
        assert!(outcome.is_err(), "{name}");
        (memory.time, memory.crls.values().max().copied(), memory.lists.values().max().copied())
    };
    let published = START + 9 * DAY;
    let (issued, nothing) = (START + 10 * DAY, (0, None, None));
    for (name, expected) in [
        ("bad/revoked-station.json", (issued, Some(8), None)),
        ("bad/crl-stale.json", (published, Some(7), None)),
        ("bad/signature-classical.json", (published, Some(7), None)),
        ("bad/infected.json", (published, Some(7), None)),
        ("bad/revoked-tag.json", (issued, Some(7), Some(3))),
        ("bad/list-old-beside-a-newer.json", (issued, Some(7), Some(5))),
        ("bad/list-altered-beside-a-good.json", (issued, Some(7), Some(5))),
        ("bad/removed.json", (published, Some(7), None)),
        ("bad/certificate-expired.json", nothing),
        ("bad/not-yet-valid.json", nothing),
    ] {
        assert_eq!(highest(name), expected, "{name}");
    }
}

/// Section 14: a memory outlives the certificate of an anchor.
#[test]
fn an_anchor_that_is_renewed_with_its_key_is_the_same_authority() {
    use blanche_tag::testing::{Certificate, DAY, Keys, START, both, root_certificate};
    let (root, other) = (Keys::new("root"), Keys::new("other root"));
    let anchors = |keys: &Keys, to| {
        let anchor = Certificate { to, ..root_certificate("TEST authority") };
        both(|algorithm| anchor.make(algorithm, keys, keys))
    };
    let first = build::id(&anchors(&root, START + DAY));
    assert_eq!(first, build::id(&anchors(&root, START + 2 * DAY)));
    assert_ne!(first, build::id(&anchors(&other, START + DAY)));
}

/// As `parts.json` has them.
fn parts_of(world: &build::World) -> Value {
    Value::Object(world.parts.iter().map(|(name, bytes)| (name.clone(), build::hex(bytes).into())).collect())
}

/// Section 15: streams are compared where the host shows them.
#[test]
fn streams_are_not_looked_for_where_the_host_shows_none() {
    let world = build::World::new();
    let mut case = world.base.clone();
    let mut stream = build::item("docs/a.txt", blanche_tag::manifest::EntryKind::Stream, b"zone");
    stream.stream = Some(b"Zone.Identifier".to_vec());
    case.items.insert(3, stream);
    case.seal_items();
    case.items.remove(3);
    let vector = world.render("Its stream is hidden.", &case, "accepted", None);
    let parts = parts_of(&world);
    assert_eq!(run::run_on(&vector, &parts, false, Vec::new()).0, Ok(Vec::new()));
    let refusal = run::run_on(&vector, &parts, true, Vec::new()).0.unwrap_err();
    assert_eq!((refusal.code, refusal.step), (blanche_tag::Code::Removed, 19));
}

/// Section 11: hosts open an entry by its short name as well, as what that one says it is.
#[test]
fn what_has_the_short_name_of_something_else_is_neither_artefact_nor_tag() {
    use blanche_tag::manifest::EntryKind::File;
    let world = build::World::new();
    let mut case = world.base.clone();
    let desktop = [&b"\0\0\0\x01Bud1"[..], &[0; 4088]].concat();
    case.items.insert(0, build::item(".DS_Store", File, &desktop));
    case.items.insert(2, build::item("blanche.tag", File, &case.tag()));
    let parts = parts_of(&world);
    let mut vector = world.render("An artefact and the tag.", &case, "accepted", None);
    assert_eq!(run::run(&vector, &parts).0, Ok(vec![b".DS_Store".to_vec()]));
    for place in [0, 2] {
        vector["entries"][place]["strange_short_name"] = true.into();
        let refusal = run::run(&vector, &parts).0.unwrap_err();
        assert_eq!((refusal.code, refusal.step), (blanche_tag::Code::Added, 19));
        vector["entries"][place]["strange_short_name"] = false.into();
    }
}

/// Step 19: what a folder holds is not known, so it is not called removed.
#[test]
fn a_folder_that_was_not_listed_is_unreadable() {
    let world = build::World::new();
    let mut case = world.base.clone();
    case.items.remove(2);
    let vector = world.render("A folder could not be listed.", &case, "E-UNREADABLE", Some(19));
    let parts = parts_of(&world);
    let folder = Unlisted { volume: 0, path: b"docs".to_vec(), why: "input/output error".into() };
    let refusal = run::run_on(&vector, &parts, true, vec![folder]).0.unwrap_err();
    assert_eq!((refusal.code, refusal.step), (blanche_tag::Code::Unreadable, 19));
}

/// Section 17 of the specification and the code say the same.
#[test]
fn the_table_of_refusals_is_the_one_in_the_code() {
    let text = fs::read_to_string(folder().join("../tag-format.md")).unwrap();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `E-")).collect();
    assert_eq!(rows.len(), blanche_tag::Code::ALL.len());
    for (row, code) in rows.iter().zip(blanche_tag::Code::ALL) {
        let (english, french) = (code.english(), code.french());
        let end = format!(" | {} {} | {} {} |", english.what, english.next, french.what, french.next);
        assert!(row.starts_with(&format!("| `{}` | ", code.as_str())) && row.ends_with(&end), "{row}");
    }
}
