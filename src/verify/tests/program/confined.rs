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

/// A line of `/proc/PID/status`: user and group numbers.
fn line(status: &str, name: &str) -> Vec<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{status}"));
    line.split_ascii_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// The status of the verifier once it is confined; strace, which is its parent, makes it slow.
fn confined_child_of(strace: u32) -> String {
    let children = format!("/proc/{strace}/task/{strace}/children");
    for _ in 0..12_000 {
        let child = fs::read_to_string(&children).unwrap_or_default();
        let child = child.split_ascii_whitespace().next().unwrap_or("none");
        let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        if status.contains("Seccomp:\t2") {
            return status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it was never seen confined");
}

/// Root opens what only root may open, and then is nobody; its memory is kept all the same, as root's own file.
#[test]
fn a_medium_is_never_parsed_by_root() {
    use std::os::unix::fs::MetadataExt;
    if !is_native() {
        return; // Only Linux has these users.
    }
    let world = World::new();
    let made = Made::new(Kind::Fat12, &files());
    seal_on(&world, &made, &files());
    let memory = world.path("memory/memory.json");
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=100000"]);
    command.arg(program::path()).arg("--trust").arg(world.trust()).arg("--memory").arg(&memory).arg(made.image());
    let mut strace = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = confined_child_of(strace.id());
    assert_eq!(strace.wait().unwrap().code(), Some(0));
    let me = fs::metadata("/proc/self").unwrap();
    let nobody = fs::read_to_string("/etc/passwd").unwrap();
    let nobody = nobody.lines().find_map(|line| line.strip_prefix("nobody:x:")).unwrap();
    let mut nobody = nobody.split(':').map(|number| number.parse::<u32>());
    let (user, group) = match me.uid() {
        0 => (nobody.next().unwrap().unwrap(), nobody.next().unwrap().unwrap()),
        other => (other, me.gid()),
    };
    assert_eq!((line(&status, "Uid:"), line(&status, "Gid:")), (vec![user; 4], vec![group; 4]));
    assert!(me.uid() != 0 || line(&status, "Groups:").is_empty(), "{status}");
    assert_eq!(fs::metadata(&memory).unwrap().uid(), me.uid());
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
