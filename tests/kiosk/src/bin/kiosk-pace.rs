//! How smooth the kiosk is while a medium of 100 000 files is checked, and what it costs: `kiosk-pace [SECONDS]`. First a played
//! station takes so many seconds for them, then a real one checks a real image as fast as it can, with this machine's cores for both.
//! Figures are those of this machine at this moment; it ends with 1 when one is not what docs/performance.md asks for.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool for people who measure")]

use blanche_kiosk::words::{Message, screens};
use blanche_kiosk_tests::access::Access;
use blanche_kiosk_tests::desk::{Desk, Kiosk, SOON, Size};
use blanche_kiosk_tests::picture::Picture;
use blanche_kiosk_tests::tour::{Mode, Tour};
use blanche_tests::station::{program, signatures};
use blanche_tests::tools::run;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const FILES: u32 = 100_000;
/// Files of one folder of the image.
const FOLDER: u32 = 1000;
/// Bytes of one file of it.
const LENGTH: usize = 8192;
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(30);
/// Where bar and counters stand: left, top, width, height in pixels.
const PAGE: [usize; 4] = [0, 110, 1280, 570];
/// The name of the medium has the screen for three seconds.
const SEEN: Duration = Duration::from_secs(4);

/// Percent of a core: nothing happens, a medium is checked.
const CPU: [f64; 2] = [5.0, 15.0];
/// The screen stands still for so long at most.
const STILL: Duration = Duration::from_millis(500);

/// What was measured, and whether it is good enough.
struct Figures(bool);

impl Figures {
    fn cpu(&mut self, what: &str, used: Duration, passed: Duration, most: f64) {
        let share = 100.0 * used.as_secs_f64() / passed.as_secs_f64();
        println!("{what}: {share:.1} % of a core (below {most} %), over {:.0} s", passed.as_secs_f64());
        self.0 &= share < most;
    }

    fn stillness(&mut self, longest: Duration, changes: u32, looks: u32) {
        println!(
            "the screen stood still for {} ms at most (below {}), changed {changes} times in {looks} looks",
            longest.as_millis(),
            STILL.as_millis()
        );
        self.0 &= longest < STILL && changes > 0;
    }
}

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    let mut figures = Figures(true);
    played(Duration::from_secs(seconds), &mut figures);
    real(&mut figures);
    if figures.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A station that says what a real one would.
fn played(time: Duration, figures: &mut Figures) {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    let _ = tour.desk.still();
    let (before, start) = (tour.kiosk.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(20));
    figures.cpu("idle", tour.kiosk.cpu() - before, start.elapsed(), CPU[0]);

    tour.station.begin(&format!("replay {FILES} {}", time.as_millis()));
    tour.wait_for(screens::CHECKING_TITLE);
    let end = Instant::now() + time.saturating_sub(2 * SEEN);
    checking("a played station", &tour.desk, &tour.kiosk, figures, || Instant::now() < end);
}

/// A real station with a real image.
fn real(figures: &mut Figures) {
    let folder = tempfile::tempdir().expect("a folder");
    image(folder.path());
    let desk = Desk::new(Size::LANDSCAPE);
    let mut station = Command::new(program("blanche-stationd"));
    station.arg("--simulate").arg(folder.path()).arg("--bases").arg(signatures()).args(["--bus", &desk.bus()]);
    let station = station.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program was built");
    let station = Ends(station);
    let kiosk = desk.kiosk(&["--lang", "en"]);
    let access = Access::of(&desk);
    // In English a message is its own words, up to what stands between braces.
    let shows = |message: Message| {
        let words = message.key().split('{').next().unwrap_or_default();
        access.tree().to_string().contains(words)
    };
    wait(|| shows(screens::WAITING_TITLE) && shows(screens::WAITING_BASES));
    run(
        folder.path(),
        program("blanche").to_str().expect("a path"),
        ["station", "insert", "many.img", "--bus", &desk.bus()],
    );
    wait(|| shows(screens::BYTES_OF));
    let start = Instant::now();
    checking("a real station", &desk, &kiosk, figures, || {
        // Rarely: looking at the tree costs the kiosk time as well.
        start.elapsed() < Duration::from_secs(3) || shows(screens::BYTES_OF)
    });
    wait(|| shows(screens::FACT_SESSION));
    drop(station);
}

/// Looks at the screen while `goes_on`, which is asked every three seconds.
fn checking(what: &str, desk: &Desk, kiosk: &Kiosk, figures: &mut Figures, mut goes_on: impl FnMut() -> bool) {
    let (before, start) = (kiosk.cpu(), Instant::now());
    let (mut last, mut since, mut asked): (Option<Picture>, Instant, Instant) = (None, start, start);
    let (mut longest, mut changes, mut looks) = (Duration::ZERO, 0, 0);
    let mut used = Duration::ZERO;
    let mut passed = Duration::ZERO;
    let mut worst = Duration::ZERO;
    loop {
        let now = desk.picture_of(PAGE);
        looks += 1;
        if last.as_ref() != Some(&now) {
            worst = worst.max(since.elapsed());
            (last, since, changes) = (Some(now), Instant::now(), changes + 1);
        }
        if asked.elapsed() > Duration::from_secs(3) {
            asked = Instant::now();
            if !goes_on() {
                break;
            }
            // What was seen since the last time belongs to the check.
            (longest, used, passed) = (longest.max(worst), kiosk.cpu() - before, start.elapsed());
            worst = Duration::ZERO;
        }
        std::thread::sleep(LOOK);
    }
    figures.cpu(&format!("{what} checks {FILES} files"), used, passed, CPU[1]);
    figures.stillness(longest, changes, looks);
}

fn wait(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < 2 * SOON, "not within two minutes");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// An ext4 filesystem with [`FILES`] files, no two of them alike: nothing is known from the one before.
fn image(folder: &Path) {
    let files = folder.join("files");
    for number in 0..FILES {
        let inner = files.join(format!("{:03}", number / FOLDER));
        if number % FOLDER == 0 {
            fs::create_dir_all(&inner).expect("our folder");
        }
        let line = format!("{number} is the number of this file.\n");
        let bytes: Vec<u8> = line.bytes().cycle().take(LENGTH).collect();
        fs::write(inner.join(format!("file {number}.dat")), bytes).expect("our folder");
    }
    let size = format!("{}K", (LENGTH as u64 + 1024) * u64::from(FILES) / 1024 + (64 << 10));
    run(folder, "mke2fs", ["-q", "-t", "ext4", "-N", "110000", "-d", "files", "many.img", &size]);
    fs::remove_dir_all(&files).expect("our folder");
}

/// A station that is asked to end, and is waited for: it takes its children with it.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}
