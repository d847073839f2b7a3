//! Random people at random moments: whatever they press, the kiosk neither ends nor shows anything but itself, and comes back to its
//! first screen. `BLANCHE_INPUTS=10000 BLANCHE_SEED=7` for a long run.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_bus::{Bus, Client};
use blanche_kiosk::catalog::Catalog;
use blanche_kiosk::pseudo;
use blanche_kiosk::words::{results, screens};
use blanche_kiosk_tests::access::{Node, audit, is_control};
use blanche_kiosk_tests::desk::{Desk, Size, eventually};
use blanche_kiosk_tests::scene;
use blanche_kiosk_tests::tour::{Mode, Tour};
use fastrand::Rng;
use std::time::{Duration, Instant};

/// What keyboards have, also what leads out of other programs. `wtype` has no way to press a button that ends the machine.
const KEYS: [&str; 34] = [
    "Tab",
    "shift+ISO_Left_Tab",
    "Return",
    "space",
    "Escape",
    "Up",
    "Down",
    "Left",
    "Right",
    "Page_Down",
    "Page_Up",
    "Home",
    "End",
    "F1",
    "F2",
    "F3",
    "F4",
    "F5",
    "F6",
    "F7",
    "F8",
    "F9",
    "F10",
    "F11",
    "F12",
    "alt+F4",
    "alt+Tab",
    "ctrl+q",
    "ctrl+w",
    "ctrl+Escape",
    "Menu",
    "Print",
    "Delete",
    "a",
];

/// A screen that was wrong so often, one look after the other, is wrong.
const LOOKS: usize = 5;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// The state of the medium of the scene `queued`, as everybody on the bus of a desk hears it.
fn state(desk: &Desk) -> Option<String> {
    let number = scene::scene("queued")?.sessions.first()?.id.to_string();
    let bus: Bus = desk.bus().parse().ok()?;
    let (_, sessions) = zbus::block_on(async { Client::connect(&bus).await?.everything().await }).ok()?;
    sessions.into_iter().find(|session| session.session == number).map(|session| session.state)
}

struct Trial {
    tour: Tour,
    random: Rng,
    scenes: Vec<String>,
    done: Vec<String>,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
        Self { tour, random: Rng::with_seed(seed), scenes: scene::names(), done: Vec::new() }
    }

    fn something(&mut self) {
        let what = match self.random.u8(0..10) {
            0 => {
                let name = self.scenes[self.random.usize(..self.scenes.len())].clone();
                self.tour.station.play(&format!("scene {name}"));
                format!("scene {name}")
            }
            1 => {
                let line = *self.random.choice(&["unplug", "forget", "progress 7", "progress 99"]).expect("one");
                self.tour.station.play(line);
                line.to_owned()
            }
            2..5 => {
                let (x, y) = (self.random.usize(..1280), self.random.usize(..800));
                self.tour.desk.click(x, y);
                format!("click {x} {y}")
            }
            _ => {
                let count = self.random.usize(1..4);
                let keys: Vec<&str> = (0..count).map(|_| KEYS[self.random.usize(..KEYS.len())]).collect();
                self.tour.desk.keys(&keys);
                keys.join(" ")
            }
        };
        self.done.push(what);
    }

    /// Nobody is stuck: with the medium gone and a press or two, everything begins anew, in the first language.
    fn begins_anew(&mut self) {
        // One after the other: both together may be no news of a medium that was pulled out before.
        for (command, wanted) in [("scene queued", "queued"), ("unplug", "removed")] {
            self.tour.station.play(command);
            eventually(wanted, || (state(&self.tour.desk)? == wanted).then_some(()));
        }
        // Whatever page is open.
        self.tour.desk.keys(&["Escape"]);
        let pseudo = Catalog::parse("yy", pseudo::catalogue(true).as_bytes()).expect("a catalogue");
        let languages = [Catalog::french(), Catalog::english(), pseudo];
        let words = languages.map(|language| language.render(&screens::BUTTON_HOME.into()));
        let closes = |node: &&Node| is_control(&node.role) && words.iter().any(|word| node.name.starts_with(word));
        let (access, waiting) = (&self.tour.access, self.tour.word(screens::WAITING_TITLE));
        let mut pressed = false;
        eventually(&format!("a way back after {:#?}", self.done), || {
            let tree = access.tree();
            // A page that goes at this moment takes its button with it, and the press: then the next one has another.
            if let Some(button) = tree.all().into_iter().find(&closes) {
                pressed |= access.acts(button);
                return None;
            }
            (pressed && tree.all().iter().any(|node| node.name.starts_with(&waiting))).then_some(())
        });
    }

    /// Alive, alone on the display, over all of it, and readable.
    fn is_well(&mut self) {
        let log = || format!("after {:#?}", self.done.iter().rev().take(12).collect::<Vec<_>>());
        assert!(self.tour.kiosk.is_alive(), "the kiosk ended {}: {}", log(), self.tour.desk.log("kiosk"));
        let windows = self.tour.desk.windows();
        assert_eq!(windows.len(), 1, "{windows:?} {}", log());
        // A tree is read object by object, and a page may turn or the focus move meanwhile: what is wrong for longer than that is wrong. On a
        // machine with much to do one look takes as long as several otherwise.
        let start = Instant::now();
        for look in 1.. {
            let tree = self.tour.access.tree();
            let wrong = audit(&tree);
            if wrong.is_empty() {
                return;
            }
            let limit = look < LOOKS || start.elapsed() < Duration::from_secs(3);
            assert!(limit, "{look} looks, input {}: {wrong:?} {}\n{tree}", self.done.len(), log());
        }
    }
}

/// What a process shares with the compositor (proc_pid_status(5), RssShmem).
fn megabytes_shown(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the kiosk runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssShmem:")).expect("a line of the kernel");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1000
}

#[test]
fn nobody_gets_out_of_the_kiosk_or_stuck_in_it() {
    let (inputs, seed) = (number("BLANCHE_INPUTS", 500), number("BLANCHE_SEED", 1));
    println!("seed {seed}, {inputs} inputs");
    let mut trial = Trial::new(seed);
    for input in 0..inputs {
        trial.something();
        if input % 10 == 9 {
            trial.is_well();
        }
    }
    trial.begins_anew();
    trial.is_well();
    // GTK never frees a picture of a window that then gets another size, as one larger than the screen does again and again.
    let shown = megabytes_shown(trial.tour.kiosk.pid());
    assert!(shown < 100, "the pictures of the window take {shown} MB");
    let log = trial.tour.desk.log("kiosk");
    let lines: Vec<&str> = log.lines().collect();
    let is_one = |line: &&str| line.contains("CRITICAL") || line.contains("panicked");
    // With what was shown before.
    let complaints: Vec<&[&str]> =
        (1..=lines.len()).filter(|end| is_one(&lines[end - 1])).map(|end| &lines[end.saturating_sub(4)..end]).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_station_that_is_killed_again_and_again_is_found_again() {
    let mut tour = Tour::new(Size::LANDSCAPE, "en", Mode::Usual);
    let mut random = Rng::with_seed(number("BLANCHE_SEED", 1));
    for kill in 0..number("BLANCHE_INPUTS", 500) / 100 {
        let scenes = ["waiting", "queued", "checking", "infected", "clean"];
        tour.station.scene(scenes[random.usize(..scenes.len())]);
        std::thread::sleep(Duration::from_millis(random.u64(0..700)));
        let next = tour.desk.station();
        std::mem::replace(&mut tour.station, next).kill();
        // Only the new one has ever said that.
        tour.station.scene("problem-signer");
        tour.wait_for(results::PROBLEM_TITLE);
        tour.station.scene("waiting");
        tour.wait_for(screens::WAITING_TITLE);
        assert!(tour.kiosk.is_alive(), "kill {kill}: {}", tour.desk.log("kiosk"));
    }
}

#[test]
fn a_station_that_stays_away_is_said_to_be_away_and_nothing_of_its_media_is_shown() {
    let mut tour = Tour::new(Size::LANDSCAPE, "en", Mode::Usual);
    tour.station.scene("infected");
    eventually("the result", || tour.access.tree().to_string().contains("INFECTED").then_some(()));
    let desk = &tour.desk;
    // A station that is started and never named on the bus: nobody answers.
    let silent = desk.station_on("unix:path=/nonexistent/bus");
    std::mem::replace(&mut tour.station, silent).kill();
    tour.wait_for(results::PROBLEM_ABSENT_TITLE);
    let gone = tour.access.tree();
    assert!(!gone.to_string().contains("INFECTED"), "{gone}");
    tour.station = tour.desk.station();
    tour.station.scene("waiting");
    tour.wait_for(screens::WAITING_TITLE);
}
