//! What the screen shows, told to the system's journal once the compositor has shown it: staff find there when somebody saw what, and tests
//! how long it took. The program's standard error is where systemd takes the journal's lines from (sd-daemon(3), "Log levels").

use crate::window::KioskWindow;
use gtk::prelude::*;
use gtk::{gdk, glib};
use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Between two looks whether a frame was shown.
const LOOK: Duration = Duration::from_millis(10);
/// A frame that is not shown by then is not: the screen is off, or unplugged.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of one window.
#[derive(Debug, Default)]
pub struct Account {
    /// What was told or waits to be told.
    last: RefCell<String>,
    /// What is not drawn yet.
    waiting: RefCell<Option<String>>,
}

/// Writes a line to standard error, in one piece: the compositor writes to the same stream, and its lines would come between.
pub fn say(line: &str) {
    // A journal that is gone does not end a screen.
    let _ = put(&mut std::io::stderr(), line);
}

fn put(out: &mut impl Write, line: &str) -> std::io::Result<()> {
    out.write_all(format!("{line}\n").as_bytes())
}

impl Account {
    /// Follows what is drawn in a window that is not shown yet.
    #[must_use]
    pub fn of(window: &KioskWindow) -> Rc<Self> {
        let account = Rc::new(Self::default());
        let telling = Rc::clone(&account);
        window.connect_realize(move |window| {
            let telling = Rc::clone(&telling);
            window.frame_clock().map(|clock| clock.connect_after_paint(move |clock| telling.drawn(clock)));
        });
        account
    }

    /// The next frame shows something that this line tells.
    pub fn tell(&self, line: String) {
        if *self.last.borrow() != line {
            self.last.replace(line.clone());
            self.waiting.replace(Some(line));
        }
    }

    /// The frame is handed over now; it is complete when the compositor has shown it (GdkFrameTimings).
    fn drawn(&self, clock: &gdk::FrameClock) {
        let Some(line) = self.waiting.take() else { return };
        let (clock, frame, begin) = (clock.clone(), clock.frame_counter(), Instant::now());
        glib::timeout_add_local(LOOK, move || {
            let is_shown = clock.timings(frame).is_none_or(|timings| timings.is_complete());
            if !is_shown && begin.elapsed() < PATIENCE {
                return glib::ControlFlow::Continue;
            }
            let what = if is_shown { "screen" } else { "screen that is not shown" };
            say(&format!("{what}: {line}"));
            glib::ControlFlow::Break
        });
    }
}

#[cfg(test)]
mod tests {
    /// Counts the calls of write(2) that a line takes.
    struct Pieces(Vec<Vec<u8>>);

    impl std::io::Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_in_one_piece() {
        let mut pieces = Pieces(Vec::new());
        assert!(super::put(&mut pieces, "screen: waiting").is_ok());
        assert_eq!(pieces.0, [b"screen: waiting\n"]);
    }
}
