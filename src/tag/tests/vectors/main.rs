//! The committed vectors are what the generator makes, and each gives exactly what it says.

#![allow(unreachable_pub, reason = "one program of several files")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests know what they hold")]

mod build;
mod cases;
mod run;

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
            fs::write(path, serde_json::to_string_pretty(value).unwrap() + "\n").unwrap();
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
            let outcome = run::run(&vector, &parts);
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
