//! Trust, policy and memory: what an administrator installs is believed only if nobody else could have written it, and
//! what was learned is never unlearned.

use crate::media::{Kind, Made, files, write_tree};
use crate::program::is_native;
use crate::sealed::{seal_on, tag};
use crate::world::World;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A sealed folder.
fn sealed(world: &World) -> PathBuf {
    let made = Made::new(Kind::Fat12, &files());
    let folder = world.path("mounted");
    write_tree(&folder, &files());
    fs::write(folder.join("blanche.tag"), tag(world, &made, &files(), |_| {})).unwrap();
    folder
}

#[test]
fn what_others_may_write_is_not_trusted() {
    if !is_native() {
        return; // Windows has access lists instead; docs/verify.md says that they are not looked at.
    }
    let world = World::new();
    let folder = sealed(&world);
    fs::write(world.trust().join("policy.toml"), "").unwrap();
    for name in [
        "",
        "authorities",
        "authorities/test",
        "authorities/test/classical.pem",
        "authorities/test/post-quantum.pem",
        "crls",
        "crls/site-classical.crl",
        "policy.toml",
    ] {
        let path = world.trust().join(name);
        let before = fs::metadata(&path).unwrap().permissions().mode();
        for bits in [0o002, 0o020] {
            fs::set_permissions(&path, fs::Permissions::from_mode(before | bits)).unwrap();
            let answer = world.verify(&folder, &[]);
            assert_eq!(answer.code, 2, "{name}: {answer:?}");
            let shown = path.to_str().unwrap().trim_end_matches('/');
            assert!(answer.err.contains(shown), "{name}: {answer:?}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
    }
    assert_eq!(world.verify(&folder, &[]).verdict(), "accepted");
}

#[test]
fn without_an_authority_nothing_is_verified() {
    let world = World::new();
    let folder = sealed(&world);
    fs::rename(world.trust().join("authorities"), world.path("elsewhere")).unwrap();
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.code, answer.json()["error"].as_str()), (2, Some("trust")), "{answer:?}");
    fs::remove_dir_all(world.trust()).unwrap();
    assert_eq!(world.verify(&folder, &[]).code, 2);
}

#[test]
fn an_anchor_that_is_none_is_named() {
    let world = World::new();
    let folder = sealed(&world);
    let path = world.trust().join("authorities/test/classical.pem");
    let good = fs::read(&path).unwrap();
    let other = fs::read(world.trust().join("authorities/test/post-quantum.pem")).unwrap();
    for bad in [&b"nothing"[..], &good[..good.len() / 2], &[&good[..], &good].concat(), &other] {
        fs::write(&path, bad).unwrap();
        let answer = world.verify(&folder, &[]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.err.contains("authorities"), "{answer:?}");
    }
}

#[test]
fn a_crl_that_cannot_be_read_counts_as_missing_and_is_named() {
    let world = World::new();
    let folder = sealed(&world);
    fs::write(world.trust().join("crls/site-classical.crl"), "nothing").unwrap();
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.verdict().as_str(), answer.code), ("E-CRL-MISSING", 41), "{answer:?}");
    assert_eq!(answer.json()["notices"].to_string().matches("bad_crl").count(), 1, "{answer:?}");
}

#[test]
fn a_mistake_in_the_policy_is_named_with_file_and_line() {
    let world = World::new();
    let folder = sealed(&world);
    fs::write(world.trust().join("policy.toml"), "level = \"full\"\nmin_engine = 1\n").unwrap();
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.code, answer.json()["error"].as_str()), (2, Some("policy")), "{answer:?}");
    assert!(answer.err.contains("policy.toml, line 2, column 1: unknown field `min_engine`"), "{answer:?}");
}

#[test]
fn the_policy_decides_and_the_command_line_cannot_ask_for_less() {
    let world = World::new();
    let folder = sealed(&world);
    let policy = world.path("strict.toml");
    let strict = |text: &str| fs::write(&policy, text).unwrap();
    let with_policy = |more: &[&str]| world.verify(&folder, &[&["--policy", policy.to_str().unwrap()], more].concat());
    for (text, code, exit) in [
        ("min_engines = 2", "E-ENGINES", 41),
        ("max_tag_age = \"1 h\"", "E-TOO-OLD", 41),
        ("sites = [\"site-b\"]", "E-SITE-POLICY", 41),
        ("boot_not_available = \"refuse\"", "E-NOT-AVAILABLE", 43),
        ("capacity_not_available = \"refuse\"", "E-NOT-AVAILABLE", 43),
        ("require_list = true", "E-LIST-MISSING", 41),
    ] {
        strict(text);
        let answer = with_policy(&[]);
        assert_eq!((answer.verdict().as_str(), answer.code), (code, exit), "{text}: {answer:?}");
    }
    strict("level = \"inventory\"");
    assert_eq!(with_policy(&[]).json()["level"], "inventory");
    assert_eq!(with_policy(&["--level", "full"]).json()["level"], "full");
    assert_eq!(with_policy(&["--level", "identity"]).code, 2);
}

#[test]
fn memory_is_never_lowered() {
    let world = World::new();
    let folder = sealed(&world);
    assert_eq!(world.verify(&folder, &[]).verdict(), "accepted");
    let memory = world.path("memory/memory.json");
    let remembered = fs::read_to_string(&memory).unwrap();
    assert!(remembered.contains("/station-1.site-a/") && remembered.contains(": 42"), "{remembered}");
    // CRLs with a lower number than the ones that were seen.
    world.publish(4, &[]);
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.verdict().as_str(), answer.code), ("E-CRL-OLD", 41), "{answer:?}");
    assert_eq!(fs::read_to_string(&memory).unwrap(), remembered);
    // Without memory nobody knows, and the answer says so.
    let mut command = crate::program::command();
    command.arg("--trust").arg(world.trust()).args(["--json", "--no-memory"]).arg(&folder);
    let answer = crate::program::finish(command);
    assert_eq!(answer.verdict(), "accepted");
    assert!(answer.json()["notices"].to_string().contains("nothing_remembered"), "{answer:?}");
    world.publish(6, &[]);
    assert_eq!(world.verify(&folder, &[]).verdict(), "accepted");
    assert_ne!(fs::read_to_string(&memory).unwrap(), remembered);
}

#[test]
fn an_older_tag_of_the_same_medium_is_a_replay() {
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    for (counter, expected) in [(42, "accepted"), (44, "accepted"), (43, "E-REPLAYED"), (44, "accepted")] {
        made.write("blanche.tag", &tag(&world, &made, &files(), |claims| claims.counter = counter));
        assert_eq!(world.verify(&made.image(), &[]).verdict(), expected, "{counter}");
    }
    // A tag that was refused raises nothing.
    made.write("blanche.tag", &tag(&world, &made, &files(), |claims| claims.counter = 99));
    made.write("more.txt", b"");
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "E-ADDED");
    made.mtools("mdel", &["::/more.txt"]);
    made.write("blanche.tag", &tag(&world, &made, &files(), |claims| claims.counter = 45));
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "accepted");
}

#[test]
fn a_revoked_station_is_refused() {
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    seal_on(&world, &made, &files());
    world.publish(6, &[3]);
    let answer = world.verify(&made.image(), &[]);
    assert_eq!((answer.verdict().as_str(), answer.code), ("E-REVOKED-STATION", 41), "{answer:?}");
    // The refusal taught the number: the CRL before it does not come back.
    world.publish(5, &[]);
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "E-CRL-OLD");
}

/// What the policy does without may be missing; what is there is believed.
#[test]
fn a_station_is_refused_that_a_crl_revokes_below_an_authority_without_one() {
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    seal_on(&world, &made, &files());
    let policy = world.path("policy.toml");
    fs::write(&policy, "require_crl = false").unwrap();
    let without = |revoked: &[u8]| {
        world.publish(6, revoked);
        for kind in ["classical", "post-quantum"] {
            fs::remove_file(world.trust().join(format!("crls/root-{kind}.crl"))).unwrap();
        }
        world.verify(&made.image(), &["--policy", policy.to_str().unwrap()]).verdict()
    };
    assert_eq!(without(&[]), "accepted");
    assert_eq!(without(&[3]), "E-REVOKED-STATION");
}

/// What is no file is not waited for.
#[test]
fn a_pipe_as_the_lock_of_the_memory_is_named() {
    if !is_native() {
        return; // Windows has no such pipes.
    }
    let world = World::new();
    let folder = sealed(&world);
    fs::create_dir(world.path("memory")).unwrap();
    crate::oracles::run("mkfifo", &[world.path("memory/memory.json.lock")]);
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.code, answer.json()["error"].as_str()), (2, Some("memory")), "{answer:?}");
    assert!(answer.err.contains("memory.json.lock: not a regular file"), "{answer:?}");
}

#[test]
fn a_damaged_memory_is_not_taken_for_an_empty_one() {
    let world = World::new();
    let folder = sealed(&world);
    assert_eq!(world.verify(&folder, &[]).code, 0);
    fs::write(world.path("memory/memory.json"), "{").unwrap();
    let answer = world.verify(&folder, &[]);
    assert_eq!((answer.code, answer.json()["error"].as_str()), (2, Some("memory")), "{answer:?}");
}

/// A later time is no reason to remember it.
#[test]
fn verified_as_of_a_time_leaves_no_trace() {
    let world = World::new();
    let folder = sealed(&world);
    let at = (world.issued + 60).to_string();
    let answer = world.verify(&folder, &["--at", &at]);
    assert_eq!(answer.verdict(), "accepted");
    assert!(answer.json()["notices"].to_string().contains("clock_given"), "{answer:?}");
    assert!(!world.path("memory/memory.json").exists());
    let late = (world.issued + 8 * blanche_tag::testing::DAY).to_string();
    assert_eq!(world.verify(&folder, &["--at", &late]).verdict(), "E-EXPIRED");
}
