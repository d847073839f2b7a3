//! How far a long reading is: one line on a terminal's standard error, written over and removed at the end.

use crate::lang::Lang;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Nothing is shown before this time …
const QUIET: Duration = Duration::from_secs(1);
/// … nor more often than this.
const EACH: Duration = Duration::from_millis(200);

/// Counts bytes.
pub(crate) struct Progress {
    lang: Lang,
    /// Whether anybody looks. Asked before the doors close: it takes a system call of its own.
    shown: bool,
    begin: Instant,
    last: Instant,
    drawn: bool,
    total: u64,
    done: u64,
}

impl Progress {
    pub(crate) fn new(lang: Lang, quiet: bool) -> Self {
        let now = Instant::now();
        let shown = !quiet && io::stderr().is_terminal();
        Self { lang, shown, begin: now, last: now, drawn: false, total: 0, done: 0 }
    }

    /// So many bytes will be read.
    pub(crate) fn expect(&mut self, bytes: u64) {
        self.total = bytes;
        self.begin = Instant::now();
    }

    /// So many more bytes were read.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes);
        let now = Instant::now();
        let (run, since) = (now.duration_since(self.begin), now.duration_since(self.last));
        if !self.shown || self.total == 0 || run < QUIET || since < EACH {
            return;
        }
        self.last = now;
        self.drawn = true;
        let line = line(self.lang, self.done, self.total, run);
        // Nobody may listen any more.
        let _ = write!(io::stderr(), "\r{line}\u{1b}[K");
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn line(lang: Lang, done: u64, total: u64, run: Duration) -> String {
    let done = done.min(total);
    let share = |of: u64| u128::from(done).saturating_mul(u128::from(of)).checked_div(u128::from(total)).unwrap_or(0);
    let left = u128::from(total.saturating_sub(done)).saturating_mul(run.as_millis());
    let left = left.checked_div(u128::from(done)).unwrap_or(0).div_ceil(1000);
    let (minutes, seconds) = (left.checked_div(60).unwrap_or(0), left.checked_rem(60).unwrap_or(0));
    let amounts = format!("{} / {}", megabytes(lang, done), megabytes(lang, total));
    let rest = format!("{minutes}:{seconds:02}");
    lang.of(format!("{} %  {amounts}  encore {rest}", share(100)), format!("{} %  {amounts}  {rest} left", share(100)))
}

/// Millions of bytes.
pub(crate) fn megabytes(lang: Lang, bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    let (whole, tenth) = (tenths.checked_div(10).unwrap_or(0), tenths.checked_rem(10).unwrap_or(0));
    lang.of(format!("{whole},{tenth} Mo"), format!("{whole}.{tenth} MB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_share_amount_and_rest() {
        let quarter = line(Lang::En, 250_000_000, 1_000_000_000, Duration::from_secs(30));
        assert_eq!(quarter, "25 %  250.0 MB / 1000.0 MB  1:30 left");
        assert_eq!(line(Lang::Fr, 0, 0, QUIET), "0 %  0,0 Mo / 0,0 Mo  encore 0:00");
        assert!(line(Lang::En, u64::MAX, u64::MAX, Duration::MAX).starts_with("100 %"));
    }
}
