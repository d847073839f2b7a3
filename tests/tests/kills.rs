//! Children killed at random moments: never *Clean* with something unchecked, never a hang, no orphan, no leftover
//! (security rules 1 and 5). `BLANCHE_KILLS` sets the number of kills (20 unless set), `BLANCHE_SEED` the seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]
#![allow(clippy::print_stdout, reason = "a run that failed is repeated with the seed it printed")]

use blanche_tests::{Format, Layout, Station, Tree, image, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// SplitMix64: enough to choose moments and victims, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Processes below `ancestor`, from /proc.
fn descendants(ancestor: u32) -> Vec<(u32, String)> {
    let mut family = BTreeSet::from([ancestor]);
    let mut found = Vec::new();
    for _ in 0..3 {
        for process in std::fs::read_dir("/proc").expect("proc").flatten() {
            let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
            let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else { continue };
            let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else { continue };
            let mut fields = stat[close + 2..].split(' ');
            let (state, parent) = (fields.next().unwrap_or("Z"), fields.next().and_then(|text| text.parse().ok()));
            if state != "Z" && parent.is_some_and(|parent| family.contains(&parent)) && family.insert(pid) {
                found.push((pid, stat[open + 1..close].to_owned()));
            }
        }
    }
    found
}

/// Everything of a station's kind that runs on this machine and was started from these programs.
fn alive(pids: &[(u32, String)]) -> Vec<&(u32, String)> {
    pids.iter()
        .filter(|(pid, name)| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name.as_str())
                && std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
        })
        .collect()
}

/// Who of a family is still alive some seconds later: the kernel ends grandchildren after their parents, when it comes to it.
fn left(family: &[(u32, String)]) -> Vec<&(u32, String)> {
    let start = Instant::now();
    loop {
        let alive = alive(family);
        if alive.is_empty() || start.elapsed() > Duration::from_secs(60) {
            return alive;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// About 40 MB in 400 files, and one that is spooled.
fn medium(folder: &Path) -> std::path::PathBuf {
    let mut random = Random(7);
    let mut tree = Tree::new();
    for index in 0..400u32 {
        let bytes: Vec<u8> = (0..random.next(120_000)).map(|_| random.next(256) as u8).collect();
        tree = tree.with(format!("folder{}/file{index}.bin", index % 7), bytes);
    }
    tree = tree.with("spooled.bin", vec![0xA5; 3_000_000]);
    image(folder, Format::Fat32, Layout::Superfloppy, &tree)
}

#[test]
fn killing_children_never_makes_clean_and_never_hangs() {
    let (kills, seed) = (number("BLANCHE_KILLS", 20), number("BLANCHE_SEED", 1));
    println!("seed {seed}, {kills} kills");
    let folder = tempfile::tempdir().expect("folder");
    let mut station = Station::new(folder.path());
    station.set("reader", "max_memory_object", "\"1 MiB\"").set("reader", "chunk_bytes", "\"256 KiB\"").set(
        "reader",
        "batch_bytes",
        "\"1 MiB\"",
    );
    let (medium, configuration) = (medium(folder.path()), station.configuration());
    let before: BTreeSet<_> =
        std::fs::read_dir(std::env::temp_dir()).expect("tmp").flatten().map(|e| e.file_name()).collect();
    let mut random = Random(seed);
    let start = Instant::now();
    assert_eq!(station.scan(&medium).verdict(), "clean", "undisturbed, all of it is clean");
    let undisturbed = start.elapsed();
    // What hangs has no end; the rest of a scan takes as long as the machine needs, with other tests beside this one.
    let limit = Duration::from_secs(20) + undisturbed * 3;
    let undisturbed = u64::try_from(undisturbed.as_millis()).expect("soon");
    let (mut killed, mut runs) = (0, 0u64);
    while killed < kills {
        runs += 1;
        assert!(runs < kills * 20 + 20, "only {killed} of {kills} kills after {runs} scans");
        let mut command = Command::new(program("blanche"));
        command.arg("--config").arg(&configuration).args(["scan", "--json", "--quiet"]).arg(&medium);
        let mut scan = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("blanche");
        std::thread::sleep(Duration::from_millis(random.next(undisturbed)));
        let family = descendants(scan.id());
        let victims: Vec<_> = family.iter().filter(|(_, name)| name.starts_with("blanche-")).collect();
        if victims.is_empty() {
            scan.kill().expect("kill");
            scan.wait().expect("wait");
            continue;
        }
        let (victim, name) = victims[random.next(victims.len() as u64) as usize];
        let kill = Command::new("kill").args(["-9", &victim.to_string()]).status().expect("kill");
        let start = Instant::now();
        let output = scan.wait_with_output().expect("an end");
        let took = start.elapsed();
        killed += u64::from(kill.success());
        assert!(took < limit, "hung for {took:?} after {name} was killed");
        let code = output.status.code().expect("blanche itself was not killed");
        // 3: the engine process died while it was loading, before anything was scanned.
        if code != 3 {
            let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
            let content = &report["content"];
            let sum = ["checked", "skipped", "unreadable"].iter().map(|key| content[key].as_u64().expect("number"));
            assert_eq!(sum.sum::<u64>(), content["bytes"].as_u64().expect("number"), "{content}");
            if report["verdict"] == "clean" {
                assert_eq!(content["files"], 401, "clean means all of it: {content}");
                assert_eq!(content["checked"], content["bytes"], "clean means all of it: {content}");
            } else {
                assert_eq!(report["verdict"], "incomplete", "{report:#}");
                assert!(report["not_checked"].as_array().is_some_and(|lines| !lines.is_empty()));
            }
        }
        assert_eq!(left(&family), Vec::<&(u32, String)>::new(), "orphans after {name} was killed");
    }
    let after: BTreeSet<_> =
        std::fs::read_dir(std::env::temp_dir()).expect("tmp").flatten().map(|e| e.file_name()).collect();
    let left: Vec<_> = after.difference(&before).filter(|name| name.to_string_lossy().contains("blanche")).collect();
    assert!(left.is_empty(), "leftovers: {left:?}");
}

#[test]
fn nothing_outlives_a_killed_parent() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let (medium, configuration) = (medium(folder.path()), station.configuration());
    let mut command = Command::new(program("blanche"));
    command.arg("--config").arg(&configuration).args(["scan", "--json", "--quiet"]).arg(&medium);
    let mut scan = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("blanche");
    let start = Instant::now();
    let family = loop {
        std::thread::sleep(Duration::from_millis(50));
        // Until it has its own name, a child is only being born.
        let mut family = descendants(scan.id());
        family.retain(|(_, name)| name.starts_with("blanche-"));
        if family.len() >= 3 {
            break family;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "reader, zygote and matchers should live: {family:?}");
    };
    // Some may have done their work by now.
    let score = |(pid, name): &(u32, String)| {
        Some((name.clone(), std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).ok()?))
    };
    let scores: Vec<_> = family.iter().filter_map(score).collect();
    assert!(!scores.is_empty(), "nobody is left of {family:?}");
    for (name, score) in scores {
        assert_eq!(score.trim(), "1000", "{name} goes before its parent when memory runs out");
    }
    scan.kill().expect("kill");
    scan.wait().expect("wait");
    assert_eq!(left(&family), Vec::<&(u32, String)>::new());
}

#[test]
fn an_interrupt_ends_the_scan_within_a_second_and_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let (medium, configuration) = (medium(folder.path()), station.configuration());
    // The other tests of this file want the processor at the same time: the quickest of ten counts, and no more are
    // needed than the first that is quick.
    let mut took = Vec::new();
    while took.len() < 10 && took.iter().all(|took| *took >= Duration::from_secs(1)) {
        took.push(interrupted(&medium, &configuration));
    }
    assert!(took.iter().any(|took| *took < Duration::from_secs(1)), "{took:?}");
}

/// Interrupts a scan that has begun to read; how long it took to end.
fn interrupted(medium: &Path, configuration: &Path) -> Duration {
    let mut command = Command::new(program("blanche"));
    command.arg("--config").arg(configuration).args(["scan", "--json", "--quiet"]).arg(medium);
    let scan = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("blanche");
    for _ in 0..1000 {
        std::thread::sleep(Duration::from_millis(20));
        if descendants(scan.id()).iter().any(|(_, name)| name == "blanche-reader") {
            break;
        }
    }
    let family = descendants(scan.id());
    let pid = Pid::from_raw(i32::try_from(scan.id()).expect("a pid")).expect("a pid");
    let start = Instant::now();
    kill_process(pid, Signal::INT).expect("our child");
    let output = scan.wait_with_output().expect("an end");
    let took = start.elapsed();
    assert_eq!(left(&family), Vec::<&(u32, String)>::new());
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((report["verdict"].as_str(), output.status.code()), (Some("incomplete"), Some(10)));
    let causes = report["not_checked"].as_array().expect("lines").iter().map(|line| line["cause"].as_str());
    assert!(causes.clone().any(|cause| cause == Some("cancelled")), "{:#}", report["not_checked"]);
    took
}
