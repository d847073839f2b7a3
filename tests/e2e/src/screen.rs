//! The screen in the guest: the kiosk under its compositor, by its real unit.
//!
//! What it shows is seen twice. The kiosk tells the journal of each screen once it was drawn; the journal's clock is the guest's, so how
//! long something took does not depend on how slow the machine is emulated. And QEMU gives pictures of what stands on the screen.

use crate::failure::{Failure, Result};
use crate::guest::Guest;
use crate::watch::Watch;
use blanche_tests::picture::Picture;
use blanche_tests::program;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Until what is waited for is shown; whether that was soon is judged afterwards.
const SHOWS: Duration = Duration::from_secs(120);
/// Between two pictures of a screen that should not change any more.
const STILL: Duration = Duration::from_millis(200);
/// How long QEMU waits behind each key that it presses or lets go: milliseconds.
const HELD: u64 = 60;

/// See the module.
#[derive(Debug)]
pub struct Screen {
    told: Watch,
    is_on: bool,
}

/// A moment in the guest.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    line: usize,
    /// Seconds since it started.
    up: f64,
}

impl Moment {
    /// Seconds of the guest since another moment.
    #[must_use]
    pub fn after(self, since: Self) -> f64 {
        self.up - since.up
    }
}

impl Screen {
    /// That of a machine, switched off.
    #[must_use]
    pub fn of(guest: &Guest) -> Self {
        Self { told: Watch::new(guest.share().join("log/kiosk")), is_on: false }
    }

    /// Switches it on, unless it is on, and waits for the first screen.
    ///
    /// # Errors
    /// [`Failure`] when nothing is shown.
    pub fn on(&mut self, guest: &mut Guest) -> Result<()> {
        if self.is_on {
            return Ok(());
        }
        guest.run("/run/e2e/guest/jack ready >/run/jack.rights && /run/e2e/guest/kiosk")?;
        let start = Moment { line: 0, up: 0.0 };
        self.shows(start, "waiting")?;
        self.is_on = true;
        Ok(())
    }

    /// This moment: before whatever is done next.
    ///
    /// # Errors
    /// [`Failure`] when the guest does not answer.
    pub fn now(&mut self, guest: &mut Guest) -> Result<Moment> {
        let line = self.told.now()?;
        let said = guest.run("cut -d ' ' -f 1 /proc/uptime")?;
        let up = said.trim().parse().map_err(|_| Failure::format(format!("/proc/uptime: {said}")))?;
        Ok(Moment { line, up })
    }

    /// Waits for a screen that the kiosk tells in words that begin so; gives back how many seconds after `since` it was drawn.
    ///
    /// # Errors
    /// [`Failure::Late`] when it is not shown.
    pub fn shows(&mut self, since: Moment, words: &str) -> Result<f64> {
        let wanted = |line: &Value| {
            let told = line["MESSAGE"].as_str().and_then(|message| message.strip_prefix("screen: "));
            told.is_some_and(|told| told.starts_with(words))
        };
        let line = self.told.wait(since.line, &format!("the screen “{words}”"), SHOWS, wanted)?;
        // Microseconds of the monotonic clock (journal-fields(7)), which runs as long as the machine does not sleep.
        let told = line["__MONOTONIC_TIMESTAMP"].as_str().and_then(|time| time.parse::<f64>().ok());
        let told = told.ok_or_else(|| Failure::format(format!("a line of the journal without its time: {line}")))?;
        Ok(told / 1e6 - since.up)
    }

    /// What stands on the screen once it does not change any more; kept as `target/e2e/kiosk/NAME.png`.
    ///
    /// # Errors
    /// [`Failure`] when QEMU gives no picture, or the screen goes on changing.
    pub fn picture(&self, guest: &mut Guest, name: &str) -> Result<Picture> {
        let start = Instant::now();
        let mut last = dump(guest)?;
        loop {
            thread::sleep(STILL);
            let now = dump(guest)?;
            if now == last {
                break;
            }
            if start.elapsed() > SHOWS {
                return Err(Failure::late(format!("a screen “{name}” that does not change"), SHOWS));
            }
            last = now;
        }
        keep(guest, name)?;
        Ok(last)
    }

    /// The same while something moves.
    ///
    /// # Errors
    /// [`Failure`] when QEMU gives no picture.
    pub fn glance(&self, guest: &mut Guest, name: &str) -> Result<Picture> {
        keep(guest, name)?;
        dump(guest)
    }

    /// Keeps what is on the screen beside the other pictures, if it is on: for whoever looks into a failure.
    pub fn keep(&self, guest: &mut Guest, name: &str) {
        if self.is_on {
            // The failure is told in any case.
            let _ = keep(guest, name);
        }
    }
}

/// Presses keys together, by QEMU's names ("ctrl-alt-f2"), and lets them go. When the guest hears of it is another
/// question.
///
/// # Errors
/// [`Failure::Qemu`] when it does not know one of them.
pub fn press(guest: &mut Guest, keys: &str) -> Result<()> {
    let keys: Vec<Value> = keys.split('-').map(|key| json!({"type": "qcode", "data": key})).collect();
    guest.qmp().execute("send-key", &json!({"keys": keys, "hold-time": HELD}))?;
    // It answers at once, and presses and lets go one after the other.
    thread::sleep(Duration::from_millis(keys.iter().map(|_| 2 * HELD).sum()));
    Ok(())
}

fn dump(guest: &mut Guest) -> Result<Picture> {
    let file = guest.folder().join("screen.ppm");
    guest.qmp().execute("screendump", &json!({"filename": file, "format": "ppm"}))?;
    Ok(Picture::from_ppm(&fs::read(&file).map_err(Failure::file(&file))?))
}

fn keep(guest: &mut Guest, name: &str) -> Result<()> {
    let built = program("blanche-e2e");
    let target = built.ancestors().nth(2).map_or_else(PathBuf::new, PathBuf::from);
    let folder = target.join("e2e/kiosk");
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let file = folder.join(format!("{name}.png"));
    guest.qmp().execute("screendump", &json!({"filename": file, "format": "png"}))?;
    Ok(())
}
