//! What a tag says: `blanche-verify --show`, which `blanche` mounts as `blanche tag show`.

use crate::media::{Kind, Made, files};
use crate::program;
use crate::sealed::{seal_on, tag};
use crate::world::World;
use blanche_tag::claims::Verdict;
use std::fs;
use std::path::Path;

fn show(world: &World, target: &Path, more: &[&str]) -> (i32, String) {
    let mut command = program::command();
    command.arg("--show").arg("--trust").arg(world.trust()).arg("--no-memory").args(more).arg(target);
    let answer = program::finish(command);
    (answer.code, answer.out)
}

#[test]
fn a_verified_tag_is_shown_in_words_and_as_json() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let whole = seal_on(&world, &made, &files());
    let file = world.path("copy.tag");
    fs::write(&file, whole).unwrap();
    for target in [file, made.image()] {
        let (code, text) = show(&world, &target, &[]);
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with("An authentic and valid tag; the medium was not compared."), "{text}");
        assert!(text.contains("station-1 (site-a)") && text.contains("fat16") && text.contains("clamav 1.4"), "{text}");
        let (code, text) = show(&world, &target, &["--json"]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &json["verified"], &json["claims"]["counter"]), (0, &true.into(), &42.into()), "{json}");
        assert_eq!(json["claims"]["engines"][0]["bases"][0]["name"], "daily");
    }
}

#[test]
fn a_tag_that_was_not_verified_says_so_first() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let file = world.path("bad.tag");
    fs::write(&file, tag(&world, &made, &files(), |claims| claims.verdict = Verdict::Infected)).unwrap();
    let (code, text) = show(&world, &file, &[]);
    assert_eq!(code, 41);
    assert!(text.starts_with("*** TAG NOT VERIFIED: do not believe anything below ***\n"), "{text}");
    assert!(text.contains("E-VERDICT") && text.contains("infected"), "{text}");
    let (_, text) = show(&world, &made.image(), &[]);
    assert!(text.contains("E-NO-TAG"), "{text}");
}

/// What a policy wants of the medium is not asked of a tag alone.
#[test]
fn a_tag_is_shown_without_its_medium_whatever_the_policy_wants_of_that() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let (file, policy) = (world.path("copy.tag"), world.path("policy.toml"));
    fs::write(&file, tag(&world, &made, &files(), |_| {})).unwrap();
    for demand in ["level = \"identity\"", "capacity_not_available = \"refuse\"", "boot_not_available = \"refuse\""] {
        fs::write(&policy, demand).unwrap();
        let (code, text) = show(&world, &file, &["--policy", policy.to_str().unwrap()]);
        assert_eq!(code, 0, "{demand}: {text}");
    }
}
