//! A desk: a bus, a display without a screen, a station that plays scenes, and the kiosk, for one test alone.
//!
//! Everything runs as an ordinary user in a folder of its own, so that desks may stand side by side; nothing of it is left when
//! it is dropped. The clock of station and kiosk begins at [`NOW`] (libfaketime), so that what they say of dates is the same
//! each time; the monotonic clock is the real one.

mod display;
mod kiosk;
mod played;
mod pointer;

pub use display::Size;
pub use kiosk::{Kiosk, Screen};
pub use played::Played;
pub use pointer::Pointer;

use crate::account::{self, MARK, as_person};
use crate::picture::Picture;
use blanche_tests::program;
use display::Display;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// When it is, at every desk, in the time of Paris: a Sunday at noon.
pub const NOW: &str = "2026-11-22 12:00:00";
/// Longer than anything takes that happens at once, also on a slow machine with much other work: only a test that fails
/// waits for it.
pub const SOON: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
    mark: String,
    bus: Child,
    display: Display,
}

impl Desk {
    /// A desk with a screen of that size, without station and kiosk.
    ///
    /// # Panics
    /// When a program is missing or does not start.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let folder = tempfile::Builder::new().prefix("blanche-desk-").tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("our folder");
        for name in ["run", "home"] {
            let inner = folder.path().join(name);
            fs::create_dir(&inner).expect("our folder");
            fs::set_permissions(&inner, Permissions::from_mode(0o700)).expect("our folder");
            account::give(&inner);
        }
        let mark = folder.path().display().to_string();
        let surroundings = Surroundings { folder: folder.path().to_owned(), mark: mark.clone() };
        let bus = start_bus(&surroundings);
        let display = Display::start(&surroundings, size);
        Self { folder, mark, bus, display }
    }

    /// Starts a station that plays scenes.
    #[must_use]
    pub fn station(&self) -> Played {
        Played::start(self, &self.bus())
    }

    /// Starts one on another bus, where this desk's kiosk does not find it.
    #[must_use]
    pub fn station_on(&self, bus: &str) -> Played {
        Played::start(self, bus)
    }

    /// Starts the kiosk with more arguments than it needs here.
    #[must_use]
    pub fn kiosk(&self, arguments: &[&str]) -> Kiosk {
        Kiosk::start(self, arguments, &[])
    }

    /// The same with more in its environment.
    #[must_use]
    pub fn kiosk_with(&self, arguments: &[&str], variables: &[(&str, String)]) -> Kiosk {
        Kiosk::start(self, arguments, variables)
    }

    /// A command as the person of this desk, that sees this bus, this display and this clock.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = self.surroundings().command(program);
        command.envs(self.display.variables());
        command
    }

    /// One of Blanche's programs, as `make build` left it: a copy where the person of this desk may read it.
    ///
    /// # Panics
    /// When it was not built.
    #[must_use]
    pub fn copy_of(&self, name: &str) -> PathBuf {
        let copy = self.folder.path().join(name);
        if !copy.exists() {
            // By another process: a thread that starts something meanwhile would inherit a file that is open for writing,
            // and what is open for writing cannot be started (execve(2), ETXTBSY).
            let aside = self.folder.path().join(format!("{name}.part"));
            let done = Command::new("install").args(["-m", "755"]).arg(program(name)).arg(&aside).status();
            assert!(done.is_ok_and(|status| status.success()), "{name} could not be copied");
            fs::rename(&aside, &copy).expect("our folder");
        }
        copy
    }

    /// The address of its bus.
    #[must_use]
    pub fn bus(&self) -> String {
        self.surroundings().bus()
    }

    /// A folder that the person of this desk may write to.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder of its sockets (`XDG_RUNTIME_DIR`).
    #[must_use]
    pub fn run_folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// What a program of this desk wrote on standard error.
    #[must_use]
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    /// Presses keys one after the other, by their names in xkbcommon: `Tab`, `Return`, `F1`, `a`, `shift+Tab`.
    ///
    /// # Panics
    /// When they cannot be pressed.
    pub fn keys(&self, names: &[&str]) {
        self.display.keys(self, names);
    }

    /// Presses and releases the first button of a pointer there, in pixels from the top left.
    ///
    /// # Panics
    /// When it cannot be pressed.
    pub fn click(&self, x: usize, y: usize) {
        [Pointer::At(x, y), Pointer::Press, Pointer::Release].into_iter().for_each(|what| self.pointer(what));
    }

    /// Does one thing with a pointer.
    ///
    /// # Panics
    /// When it cannot be done.
    pub fn pointer(&self, what: Pointer) {
        self.display.pointer(what);
    }

    /// What stands on the screen.
    ///
    /// # Panics
    /// When no picture can be taken.
    #[must_use]
    pub fn picture(&self) -> Picture {
        self.display.picture(self, None)
    }

    /// What stands in a part of the screen: left, top, width, height in pixels.
    ///
    /// # Panics
    /// When no picture can be taken.
    #[must_use]
    pub fn picture_of(&self, part: [usize; 4]) -> Picture {
        self.display.picture(self, Some(part))
    }

    /// What stands on the screen, as PNG.
    ///
    /// # Panics
    /// When no picture can be taken or `file` cannot be written.
    pub fn save_picture(&self, file: &Path) {
        self.display.save(self, file);
    }

    /// Waits until the screen does not change any more, and takes a picture of it.
    ///
    /// # Panics
    /// When it goes on changing.
    #[must_use]
    pub fn still(&self) -> Picture {
        let start = Instant::now();
        let mut last = self.picture();
        loop {
            std::thread::sleep(Duration::from_millis(150));
            let now = self.picture();
            if now == last {
                return now;
            }
            assert!(start.elapsed() < SOON, "the screen goes on changing for {SOON:?}");
            last = now;
        }
    }

    /// Ends the display as a compositor that crashes; what was on it is asked no more.
    ///
    /// # Panics
    /// When it has ended.
    pub fn end_display(&self) {
        self.display.end();
    }

    /// Windows on the display, by their titles.
    ///
    /// # Panics
    /// When the compositor does not answer.
    #[must_use]
    pub fn windows(&self) -> Vec<String> {
        self.display.windows(self)
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { folder: self.folder.path().to_owned(), mark: self.mark.clone() }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        account::end_all(&self.mark);
        let _ = self.bus.wait();
        self.display.reap();
    }
}

/// What every process of a desk finds.
#[derive(Debug)]
struct Surroundings {
    folder: PathBuf,
    mark: String,
}

impl Surroundings {
    fn bus(&self) -> String {
        format!("unix:path={}", self.folder.join("run/bus").display())
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let home = self.folder.join("home");
        as_person(&mut command).env_clear().current_dir(&home).stdin(Stdio::null());
        command.env(MARK, &self.mark).env("HOME", &home).env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command.env("PATH", "/usr/bin:/bin:/usr/libexec").env("LANG", "C.UTF-8").env("TZ", "Europe/Paris");
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus());
        // No graphics card; no dconf, no portals: only what is tested.
        command.env("GSK_RENDERER", "cairo").env("GDK_BACKEND", "wayland").env("GSETTINGS_BACKEND", "memory");
        command.env("GTK_USE_PORTAL", "0").env("GIO_USE_VFS", "local");
        command
    }

    /// A file for what it says.
    fn log(&self, name: &str) -> File {
        File::create(self.folder.join(format!("{name}.log"))).expect("our folder")
    }
}

fn start_bus(surroundings: &Surroundings) -> Child {
    let configuration = surroundings.folder.join("bus.conf");
    // As a session's (dbus-daemon(1), session.conf), and open to the test, which may be root.
    let text = format!(
        r#"<busconfig><type>session</type><listen>{}</listen><auth>EXTERNAL</auth><standard_session_servicedirs/>
  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
"#,
        surroundings.bus()
    );
    fs::write(&configuration, text).expect("our folder");
    let mut command = surroundings.command(Path::new("dbus-daemon"));
    command.arg(format!("--config-file={}", configuration.display()));
    command.args(["--nofork", "--nopidfile", "--nosyslog", "--print-address"]);
    let started = command.stdout(Stdio::piped()).stderr(surroundings.log("bus")).spawn();
    let mut bus = started.expect("dbus-daemon is installed (package dbus-daemon): run make deps-test");
    let mut line = String::new();
    BufReader::new(bus.stdout.take().expect("a pipe")).read_line(&mut line).expect("its address");
    assert!(line.starts_with("unix:path="), "dbus-daemon said {line:?}");
    bus
}

/// Waits until `is_so` gives something.
///
/// # Panics
/// When it does not within [`SOON`].
pub fn eventually<T>(what: &str, mut is_so: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = is_so() {
            return found;
        }
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// The library that moves the clock, wherever this machine's architecture keeps it.
fn moved_clock() -> String {
    let found = fs::read_dir("/usr/lib").expect("Debian").flatten().find_map(|entry| {
        let library = entry.path().join("faketime/libfaketime.so.1");
        library.exists().then(|| library.display().to_string())
    });
    found.expect("libfaketime is installed (package faketime): run make deps-test")
}

/// Lets a command begin at [`NOW`].
fn at_noon(command: &mut Command) {
    command
        .env("LD_PRELOAD", moved_clock())
        .env("FAKETIME", format!("@{NOW}"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}
