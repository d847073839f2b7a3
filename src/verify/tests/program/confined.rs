//! Self-confinement on Linux, and the size and kind of the program.

use crate::media::{Kind, Made, files};
use crate::program::{self, is_native};
use crate::sealed::seal_on;
use crate::world::World;
use std::fs;
use std::process::Command;

/// Nothing of a medium is parsed before seccomp is on: strace shows the order of the calls, and what came after.
#[test]
fn it_confines_itself_before_it_reads_the_medium() {
    if !is_native() {
        return; // Only Linux has these layers.
    }
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    seal_on(&world, &made, &files());
    let image = made.image();
    let log = world.path("strace");
    let own = program::path();
    crate::oracles::run(
        "strace",
        &[
            "-f".as_ref(),
            "-o".as_ref(),
            log.as_os_str(),
            &own,
            "--trust".as_ref(),
            world.trust().as_os_str(),
            "--no-memory".as_ref(),
            image.as_os_str(),
        ],
    );
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let at =
        |what: &str| lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in {log}"));
    let opened = at("medium.img\", O_RDONLY");
    let read = format!("pread64({},", lines[opened].rsplit("= ").next().unwrap().trim());
    // The loader has read with the same descriptor before.
    let first = opened + lines[opened..].iter().position(|line| line.contains(&read)).expect("it reads the medium");
    let mut layers = vec![at("PR_SET_NO_NEW_PRIVS"), at("capset("), at("landlock_restrict_self(")];
    let filters: Vec<_> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains("SECCOMP_SET_MODE_FILTER") || line.contains("PR_SET_SECCOMP"))
        .map(|(at, _)| at)
        .collect();
    layers.extend(&filters);
    assert!(filters.len() >= 2 && layers.is_sorted() && layers.iter().all(|layer| *layer < first), "{log}");
    let opened_later: Vec<_> = lines[first..].iter().filter(|line| line.contains("open")).collect();
    assert!(opened_later.is_empty(), "{opened_later:?}");
}

/// strace sends the signal in the middle of the reading.
#[test]
fn ctrl_c_ends_it_in_good_order_with_its_own_code() {
    if !is_native() {
        return; // Wine delivers no signals of Linux.
    }
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    seal_on(&world, &made, &files());
    let memory = world.path("memory/memory.json");
    for signal in ["INT", "TERM"] {
        let mut command = Command::new("strace");
        command.args(["-o", "/dev/null", "-e", "trace=pread64", "-e"]);
        command.arg(format!("inject=pread64:signal={signal}:when=30"));
        command.arg(program::path()).arg("--memory").arg(&memory);
        command.arg("--trust").arg(world.trust()).args(["--json", "--lang", "en"]).arg(made.image());
        let answer = program::finish(command);
        assert_eq!((answer.code, answer.json()["error"].as_str()), (130, Some("interrupted")), "{answer:?}");
        assert!(answer.err.contains("Interrupted: nothing was verified."), "{answer:?}");
    }
    assert!(!memory.exists(), "nothing was learned");
}
