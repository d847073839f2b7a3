//! The desk itself: what the other tests of the kiosk stand on.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk_tests::access::Access;
use blanche_kiosk_tests::desk::{Desk, Size, eventually};
use std::path::Path;
use std::process::Stdio;

/// A small program of other people with a window, a button and a text.
fn question(desk: &Desk) -> std::process::Child {
    let mut command = desk.command(Path::new("zenity"));
    command.args([
        "--question",
        "--title=Question",
        "--text=Is anybody there?",
        "--ok-label=Here",
        "--cancel-label=No",
    ]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("zenity is installed: run make deps-test")
}

#[test]
fn a_program_is_seen_and_read_and_nothing_is_left_of_it() {
    let desk = Desk::new(Size::LANDSCAPE);
    let empty = desk.still();
    assert_eq!((empty.width, empty.height), (1280, 800));
    let mut asked = question(&desk);
    eventually("its window", || desk.windows().contains(&"Question".to_owned()).then_some(()));
    eventually("the window is in the picture", || (desk.still().difference(&empty) > 0.01).then_some(()));
    let access = Access::of(&desk);
    let role = eventually("its button", || {
        let tree = access.tree();
        tree.all().into_iter().find(|node| node.name == "Here").map(|node| node.role.clone())
    });
    assert!(role.contains("button"), "{role}");
    let run = desk.run_folder();
    drop(desk);
    let _ = asked.wait().expect("our child, which ends with its desk");
    assert!(!run.exists());
    let marked = |entry: std::fs::DirEntry| {
        let text = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(&format!("XDG_RUNTIME_DIR={}", run.display()))
    };
    assert!(!std::fs::read_dir("/proc").expect("procfs").flatten().any(marked), "a process is left");
}

#[test]
fn a_station_plays_what_it_is_told_and_two_desks_stand_side_by_side() {
    let desks = [Desk::new(Size::LANDSCAPE), Desk::new(Size::PORTRAIT)];
    let mut stations = desks.each_ref().map(Desk::station);
    stations[0].scene("checking");
    stations[1].scene("infected");
    let state = |desk: &Desk| {
        let mut command = desk.command(Path::new("busctl"));
        command.args(["--user", "tree", "--list", "org.blanche.Station1"]);
        let output = command.output().expect("busctl (package systemd)");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let path = text.lines().find(|line| line.contains("/sessions/"))?.to_owned();
        let mut command = desk.command(Path::new("busctl"));
        command.args(["--user", "get-property", "org.blanche.Station1", &path, "org.blanche.Session1", "State"]);
        Some(String::from_utf8_lossy(&command.output().expect("busctl").stdout).trim().to_owned())
    };
    eventually("a session is checked", || (state(&desks[0])? == "s \"checking\"").then_some(()));
    eventually("a session has its verdict", || (state(&desks[1])? == "s \"verdict\"").then_some(()));
    stations[0].play("unplug");
    eventually("its medium is gone", || (state(&desks[0])? == "s \"removed\"").then_some(()));
}
