//! Starts a screen again that crashed, hangs or could not begin, while everything around it stays: the compositor keeps terminal and
//! keyboard, so that nobody meets a console in between, and the screen is back as soon as it can draw. One that ends again and again is
//! started more and more rarely, and never given up. The keeper ends with its display: then systemd starts both again.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between an end and the next start; twice as long each time, up to the longest: one that ends at once must not take the processor from
/// the station.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A screen that was there for so long had begun: its end is a first one.
pub const BEGUN: Duration = Duration::from_secs(3);
/// How often a screen gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);
/// One that gives none for so long hangs. To load everything takes some seconds on a slow machine with much to do.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The option of this program that asks for a keeper.
pub const OPTION: &str = "--keep";
/// The option of a screen that has one: it gives its signs of life on standard output.
const KEPT: &str = "--kept";

/// Runs this program as it was called, with [`KEPT`] instead of [`OPTION`], until it ends in good order or its display is gone; its exit code.
///
/// # Errors
/// The kernel's, when it does not say where this program is.
pub fn keep() -> io::Result<u8> {
    let program = env::current_exe()?;
    let arguments: Vec<OsString> = env::args_os().skip(1).filter(|argument| argument != OPTION).collect();
    let keeper = Keeper { display: display(), patience: PATIENCE };
    Ok(keeper.again(|| {
        let mut command = Command::new(&program);
        command.args(&arguments).arg(KEPT);
        command
    }))
}

/// Gives signs of life to a keeper from now on, as long as the main loop runs.
pub fn beat() {
    gtk::glib::timeout_add_local(BEAT, || {
        // Whoever kept this screen may be gone; it is shown all the same.
        let _ = io::stdout().write_all(b"\n").and_then(|()| io::stdout().flush());
        gtk::glib::ControlFlow::Continue
    });
}

/// From now on a panic of any thread is a crash of the whole screen: one that has lost the thread that follows the station would show for
/// ever what was then.
pub fn crash_as_a_whole() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

/// A connection of our own to the display (wl_display_connect(3)): nothing is said on it, and it ends with the display. Nothing where there is
/// none: then a screen that cannot begin is not started again.
fn display() -> Option<UnixStream> {
    let name = env::var_os("WAYLAND_DISPLAY")?;
    UnixStream::connect(Path::new(&env::var_os("XDG_RUNTIME_DIR").unwrap_or_default()).join(name)).ok()
}

/// How long to wait after the end of a screen that lived so long, when it was so long after the one before.
fn pause(last: Option<Duration>, lived: Duration) -> Duration {
    last.filter(|_| lived < BEGUN).map_or(PAUSE, |last| LONGEST.min(last.saturating_mul(2)))
}

/// See the module.
struct Keeper {
    display: Option<UnixStream>,
    patience: Duration,
}

impl Keeper {
    fn again(&self, command: impl Fn() -> Command) -> u8 {
        let mut last = None;
        loop {
            let start = Instant::now();
            let (code, how) = match self.run(command()) {
                Ok(ended) if ended.success() => return 0,
                Ok(ended) => (ended.code(), ended.to_string()),
                Err(error) => (None, error.to_string()),
            };
            let pause = pause(last, start.elapsed());
            if self.display_goes_within(pause) {
                return code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
            }
            crate::account::say(&format!("blanche-kiosk: the screen ended ({how}) and starts again"));
            last = Some(pause);
        }
    }

    /// Runs a screen until it ends; one that hangs is ended.
    fn run(&self, mut command: Command) -> io::Result<ExitStatus> {
        let mut screen = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let signs = screen.stdout.take();
        // Where the kernel cannot tell, nobody sees that it hangs, and its end is waited for all the same.
        if !signs.is_none_or(|signs| self.ends_by_itself(&screen, signs).unwrap_or(true)) {
            crate::account::say("blanche-kiosk: the screen hangs");
            screen.kill()?;
        }
        screen.wait()
    }

    /// Waits until a screen has ended, or gives no sign of life any more. The process is looked at, too: what a screen started may hold its
    /// standard output longer than it lives.
    fn ends_by_itself(&self, screen: &Child, mut signs: ChildStdout) -> io::Result<bool> {
        let process = pidfd_open(Pid::from_child(screen), PidfdFlags::empty())?;
        let patience = Timespec::try_from(self.patience).map_err(io::Error::other)?;
        loop {
            let mut looked = [PollFd::new(&process, PollFlags::IN), PollFd::new(&signs, PollFlags::IN)];
            match poll(&mut looked, Some(&patience)) {
                Ok(0) => return Ok(false),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [ended, told] = looked.map(|looked| !looked.revents().is_empty());
            if ended || told && signs.read(&mut [0; 64])? == 0 {
                return Ok(true);
            }
        }
    }

    /// A display says nothing to somebody who asks nothing: what comes is its end.
    fn display_goes_within(&self, pause: Duration) -> bool {
        let Some(mut display) = self.display.as_ref() else { return true };
        let heard = display.set_read_timeout(Some(pause)).and_then(|()| display.read(&mut [0]));
        let silent = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];
        !heard.is_err_and(|error| silent.contains(&error.kind()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::path::PathBuf;

    /// A shell that counts in a file how often it was started (`$count`), and does what `script` says.
    fn shell(count: &Path, script: &str) -> impl Fn() -> Command {
        let (count, script) = (count.to_owned(), format!("echo x >>\"$0\"; count=$(wc -l <\"$0\"); {script}"));
        move || {
            let mut command = Command::new("sh");
            command.args(["-c", &script]).arg(&count);
            command
        }
    }

    fn starts(count: &Path) -> usize {
        std::fs::read_to_string(count).map_or(0, |text| text.lines().count())
    }

    /// A display that is there, and its other end.
    fn keeper(patience: Duration) -> (Keeper, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        (Keeper { display: Some(ours), patience }, theirs)
    }

    fn counting() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let count = folder.path().join("count");
        (folder, count)
    }

    #[test]
    fn what_crashes_or_cannot_begin_is_started_again_and_what_ends_in_good_order_is_not() {
        let (_folder, count) = counting();
        let (keeper, _display) = keeper(PATIENCE);
        let script =
            "case $count in 1) kill -KILL $$ ;; 2) exit 101 ;; 3) kill -SEGV $$ ;; 4) exit 1 ;; *) exit 0 ;; esac";
        assert_eq!(keeper.again(shell(&count, script)), 0);
        assert_eq!(starts(&count), 5);
    }

    #[test]
    fn a_keeper_ends_with_its_display_and_without_one_it_starts_nothing_twice() {
        let (_folder, count) = counting();
        let (keeper, display) = keeper(PATIENCE);
        std::thread::scope(|scope| {
            let kept = scope.spawn(|| keeper.again(shell(&count, "exit 7")));
            while starts(&count) < 3 {
                assert!(!kept.is_finished(), "it goes on trying");
                std::thread::sleep(Duration::from_millis(10));
            }
            drop(display);
            assert_eq!(kept.join().expect("a thread"), 7);
        });
        let before = starts(&count);
        let alone = Keeper { display: None, patience: PATIENCE };
        assert_eq!(alone.again(shell(&count, "kill -KILL $$")), u8::MAX);
        assert_eq!(starts(&count), before + 1);
    }

    #[test]
    fn what_ends_at_once_is_started_more_and_more_rarely_and_what_had_begun_at_once() {
        let short = |last: &Duration| Some(pause(Some(*last), Duration::ZERO));
        let pauses: Vec<Duration> = std::iter::successors(Some(pause(None, Duration::ZERO)), short).take(10).collect();
        assert_eq!(pauses[..3], [PAUSE, 2 * PAUSE, 4 * PAUSE]);
        // Some twenty starts in the first two minutes, one in ten seconds afterwards.
        assert_eq!(pauses[8..], [LONGEST, LONGEST]);
        assert_eq!(pause(Some(LONGEST), BEGUN), PAUSE);
    }

    #[test]
    fn a_screen_that_gives_no_sign_of_life_is_ended_and_started_again_and_one_that_does_is_left_alone() {
        let (_folder, count) = counting();
        let (keeper, _display) = keeper(Duration::from_secs(5));
        // The second one lives twice as long as the first one may be silent. Its beats are late on a busy machine.
        let script = "[ $count -gt 1 ] || exec sleep 1000; for beat in $(seq 20); do echo; sleep 0.5; done";
        assert_eq!(keeper.again(shell(&count, script)), 0);
        assert_eq!(starts(&count), 2);
    }

    #[test]
    fn a_panic_of_any_thread_ends_the_whole_screen() {
        const INSIDE: &str = "BLANCHE_PANICS";
        if env::var_os(INSIDE).is_some() {
            crash_as_a_whole();
            let thread = std::thread::spawn(|| assert!(env::var_os(INSIDE).is_none(), "as it shall"));
            assert!(thread.join().is_ok(), "never reached");
            return;
        }
        let name = "keeper::tests::a_panic_of_any_thread_ends_the_whole_screen";
        let mut command = Command::new(env::current_exe().expect("this program"));
        let output = command.args([name, "--exact", "--nocapture"]).env(INSIDE, "1").output().expect("it runs");
        assert_eq!(output.status.signal(), Some(6), "SIGABRT: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("as it shall"), "{output:?}");
    }

    #[test]
    fn what_a_screen_started_does_not_keep_it_alive() {
        let (_folder, count) = counting();
        let (keeper, _display) = keeper(PATIENCE);
        // A child that holds the standard output.
        let script = "if [ $count -gt 1 ]; then kill $(cat \"$0.child\"); exit 0; fi; sleep 1000 & echo $! >\"$0.child\"; kill -KILL $$";
        let start = Instant::now();
        assert_eq!(keeper.again(shell(&count, script)), 0);
        assert_eq!(starts(&count), 2);
        assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    }
}
