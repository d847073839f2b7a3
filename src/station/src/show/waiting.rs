//! What a person sees on standard error while the program works: a bar on a terminal, a line every ten seconds
//! elsewhere, nothing with `--quiet`.

use crate::copy::CopyStage;
use blanche_scan::progress::{Progress, Stage};
use blanche_scan::words::{self, Lang, harmless};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Shows progress.
#[derive(Debug)]
pub struct Waiting {
    lang: Lang,
    screen: Screen,
}

#[derive(Debug)]
enum Screen {
    Bar(ProgressBar),
    Lines { last: Instant, stage: Option<Stage> },
    Nothing,
}

impl Waiting {
    /// A bar if standard error is a terminal, lines if not, nothing if `quiet`.
    #[must_use]
    pub fn new(lang: Lang, quiet: bool) -> Self {
        let screen = if quiet {
            Screen::Nothing
        } else if io::stderr().is_terminal() {
            Screen::Bar(bar())
        } else {
            Screen::Lines { last: Instant::now(), stage: None }
        };
        Self { lang, screen }
    }

    /// The engines are being loaded.
    pub fn engines(&mut self) {
        self.say(self.lang.pick("Préparation de l'antivirus…", "Preparing the antivirus…"));
    }

    /// A target is begun.
    pub fn target(&mut self, target: &Path) {
        let name = words::visible(target.as_os_str().as_bytes());
        self.say(&self.lang.pick(format!("Vérification de {name}"), format!("Checking {name}")));
    }

    /// The medium is clean, and its tag is being made.
    pub fn sealing(&mut self) {
        self.say(self.lang.pick("Étiquetage…", "Sealing…"));
    }

    /// Another sealing uses the keys.
    pub fn turn(&mut self) {
        self.say(self.lang.pick(
            "Une autre étiquette est en cours de signature ; celle-ci attend son tour…",
            "Another tag is being signed; this one waits for its turn…",
        ));
    }

    /// So many bytes of the tag are written.
    pub fn sealed(&mut self, bytes: u64) {
        let written = words::size(bytes, self.lang);
        self.change(self.lang.pick(format!("Étiquette : {written} écrits"), format!("Tag: {written} written")));
    }

    /// How far a copy is.
    pub fn copying(&mut self, stage: CopyStage<'_>) {
        let lang = self.lang;
        let of = |done: u64, all: u64| {
            format!("{} {} {}", words::size(done, lang), lang.pick("sur", "of"), words::size(all, lang))
        };
        let text = match stage {
            CopyStage::Formatting => {
                return self.say(lang.pick("Préparation du support de la station…", "Preparing the station's medium…"));
            }
            CopyStage::Checking(now) => return self.update(now),
            CopyStage::Sealing(bytes) => return self.sealed(bytes),
            CopyStage::Writing(done, all) => format!("{} {}", lang.pick("Copie :", "Copying:"), of(done, all)),
            CopyStage::ReadingBack(done, all) => {
                format!("{} {}", lang.pick("Relecture :", "Reading back:"), of(done, all))
            }
        };
        self.change(text);
    }

    /// A line that is replaced by the next.
    fn change(&mut self, text: String) {
        match &mut self.screen {
            Screen::Bar(bar) => bar.set_message(text),
            Screen::Lines { last, .. } if last.elapsed() >= BETWEEN_LINES => {
                *last = Instant::now();
                line(&text);
            }
            Screen::Lines { .. } | Screen::Nothing => {}
        }
    }

    /// One line that stays.
    fn say(&self, text: &str) {
        match &self.screen {
            Screen::Bar(bar) => bar.println(text),
            Screen::Lines { .. } => line(text),
            Screen::Nothing => {}
        }
    }

    /// Shows a snapshot.
    pub fn update(&mut self, now: &Progress) {
        let lang = self.lang;
        match &mut self.screen {
            Screen::Bar(bar) => {
                bar.set_length(now.bytes.max(1));
                bar.set_position(if now.stage == Stage::Walking { 0 } else { now.bytes_done });
                bar.set_message(describe(now, lang));
            }
            Screen::Lines { last, stage } => {
                if *stage != Some(now.stage) || last.elapsed() >= BETWEEN_LINES {
                    (*last, *stage) = (Instant::now(), Some(now.stage));
                    line(&describe(now, lang));
                }
            }
            Screen::Nothing => {}
        }
    }

    /// Takes the bar away before the report is shown.
    pub fn finish(&mut self) {
        if let Screen::Bar(bar) = &self.screen {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.finish();
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
    // The template is fixed: if it were wrong, the bar would show in its default style.
    let style = ProgressStyle::with_template("[{bar:12}] {percent:>3} % {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉ "));
    bar
}

/// A line on standard error; if nobody listens there, nothing is lost.
fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// "Vérification : encore 9 min 30 s, 1,2 Go sur 15 Go, 12 fichiers sur 340, 24 Mo/s": what matters most comes first,
/// because a narrow terminal cuts the end.
fn describe(now: &Progress, lang: Lang) -> String {
    let of = lang.pick("sur", "of");
    let mut parts = Vec::new();
    if now.files_found > 0 {
        let found = words::files(now.files_found, lang);
        parts.push(lang.pick(format!("trouvé : {found}"), format!("found: {found}")));
    }
    if let (Stage::Checking, Some(remaining)) = (now.stage, now.remaining) {
        let remaining = words::duration(remaining, lang);
        parts.push(lang.pick(format!("encore {remaining}"), format!("{remaining} left")));
    }
    if now.stage == Stage::Walking {
        parts.push(words::size(now.bytes, lang));
        parts.push(words::files(now.files, lang));
    } else {
        parts.push(format!("{} {of} {}", words::size(now.bytes_done, lang), words::size(now.bytes, lang)));
        parts.push(format!("{} {of} {}", words::files(now.files_done, lang), words::number(now.files, lang)));
    }
    if now.stage == Stage::Checking && now.rate > 0 {
        parts.push(words::rate(now.rate, lang));
    }
    format!("{}{} {}", words::stage(now.stage, lang), words::colon(lang), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(stage: Stage) -> Progress {
        Progress {
            stage,
            files: 340,
            bytes: 15_000_000_000,
            bytes_read: 2_000_000_000,
            files_done: 12,
            bytes_done: 1_200_000_000,
            files_found: 0,
            rate: 24_000_000,
            remaining: Some(Duration::from_secs(570)),
        }
    }

    fn plain(now: &Progress, lang: Lang) -> String {
        describe(now, lang).replace('\u{A0}', " ")
    }

    #[test]
    fn each_stage_tells_what_is_known() {
        assert_eq!(plain(&now(Stage::Walking), Lang::Fr), "Recherche des fichiers : 15 Go, 340 fichiers");
        assert_eq!(
            plain(&now(Stage::Checking), Lang::Fr),
            "Vérification : encore 9 min 30 s, 1,2 Go sur 15 Go, 12 fichiers sur 340, 24 Mo/s"
        );
        let mut found = now(Stage::Checking);
        (found.files_found, found.remaining, found.rate) = (1, None, 0);
        assert_eq!(plain(&found, Lang::En), "Checking: found: 1 file, 1.2 GB of 15 GB, 12 files of 340");
    }

    #[test]
    fn the_template_of_the_bar_is_valid() {
        assert!(ProgressStyle::with_template("[{bar:12}] {percent:>3} % {wide_msg}").is_ok());
    }
}
