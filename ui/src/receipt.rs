//! A receipt: what a person takes along about their medium, on paper or in a file that the next receipt replaces.

use crate::amounts;
use crate::catalog::Catalog;
use crate::config::ReceiptFormat;
use crate::model::screen::{Page, Screen};
use crate::words::{Text, pages as words, screens};
use jiff::civil::DateTime;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Letters in a line of narrow paper (58 mm, font A).
const LINE: usize = 32;
/// A printer that takes nothing for so long is off, or out of paper.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to give it more.
const LOOK: Duration = Duration::from_millis(50);

/// The lines of a receipt for the medium whose verdict is on the screen, or `None` when there is no verdict there.
#[must_use]
pub fn lines(screen: &Screen, medium: &Text, wall: DateTime, name: Option<&str>) -> Option<(Vec<Text>, String)> {
    let Page::Verdict(statement, reference) = &screen.page else { return None };
    let mut lines = vec![words::RECEIPT_TITLE.into()];
    lines.extend(name.map(Text::from));
    lines.extend(screen.training.as_ref().map(|_| words::RECEIPT_TRAINING.into()));
    let date = [("date", amounts::date(wall.date())), ("clock", amounts::clock(wall.time()))];
    lines.push(words::RECEIPT_DATE.with(date));
    lines.push(medium.clone());
    lines.extend(statement.whole());
    lines.push(screens::FACT_SESSION.into());
    lines.push(Text::Raw(reference.session.clone()));
    Some((lines, reference.code.clone()))
}

/// What goes to the printer.
#[must_use]
pub fn document(lines: &[Text], code: &str, catalog: &Catalog, format: ReceiptFormat) -> Vec<u8> {
    let wrapped = lines.iter().flat_map(|line| wrap(&catalog.render(line))).collect::<Vec<_>>();
    match format {
        ReceiptFormat::Text => {
            let text: String = wrapped.iter().map(|line| format!("{line}\n")).collect();
            format!("{text}{code}\n").into_bytes()
        }
        ReceiptFormat::EscPos => esc_pos(&wrapped, code),
    }
}

/// Breaks between words; a word that is longer than a line is cut.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(LINE) {
            let piece: String = piece.iter().collect();
            match lines.last_mut() {
                Some(line) if line.is_empty() => *line = piece,
                Some(line) if line.chars().count().saturating_add(piece.chars().count()) < LINE => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines
}

/// Epson's ESC/POS: reset, code page WPC1252 (`ESC t 16`), the lines, a square code (`GS ( k`, functions 165 to 181), feed and
/// cut (`GS V 66`).
fn esc_pos(lines: &[String], code: &str) -> Vec<u8> {
    let mut bytes = vec![0x1B, b'@', 0x1B, b't', 16];
    for line in lines {
        bytes.extend(line.chars().map(latin));
        bytes.push(b'\n');
    }
    let mut square = |parameters: &[u8]| {
        let length = u16::try_from(parameters.len()).unwrap_or(u16::MAX).to_le_bytes();
        bytes.extend([0x1D, b'(', b'k']);
        bytes.extend(length);
        bytes.extend(parameters);
    };
    square(&[49, 65, 50, 0]);
    square(&[49, 67, 5]);
    square(&[49, 69, 49]);
    square(&[&[49, 80, 48], code.as_bytes()].concat());
    square(&[49, 81, 48]);
    bytes.extend([b'\n', 0x1D, b'V', 66, 0]);
    bytes
}

/// Windows-1252 and ISO 8859-1 agree on these; the rest has a likeness or a question mark.
fn latin(letter: char) -> u8 {
    match letter {
        ' '..='~' | '\u{A1}'..='\u{FF}' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
        '\u{A0}' | '\u{202F}' => b' ',
        '\u{2019}' => b'\'',
        '\u{201C}' | '\u{201D}' => b'"',
        _ => b'?',
    }
}

/// Prints, or replaces the file. It comes back within [`PATIENCE`], whatever is at the other end.
///
/// # Errors
/// The kernel's; [`io::ErrorKind::WouldBlock`] when a printer does not take all of it in time.
pub fn print(path: &Path, document: &[u8]) -> io::Result<()> {
    print_within(path, document, PATIENCE)
}

fn print_within(path: &Path, document: &[u8], patience: Duration) -> io::Result<()> {
    let (mut printer, start) = (open(path)?, Instant::now());
    let mut rest = document;
    while !rest.is_empty() {
        match printer.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && start.elapsed() < patience => {
                std::thread::sleep(LOOK);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Without waiting (open(2), O_NONBLOCK): a pipe that nobody reads is an error at once, and a device or pipe that is full says so. In /dev
/// nothing is made: a printer that is not there must not become a file.
fn open(path: &Path) -> io::Result<File> {
    let mut flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if !path.starts_with("/dev") {
        flags |= OFlags::CREATE;
    }
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR | Mode::RGRP)?.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn no_line_is_longer_than_the_paper_and_nothing_is_lost() {
        let text = "Un numéro 0191a2b3-c4d5-7e6f-8a9b-0c1d2e3f4a5b et la suite de la phrase";
        let lines = wrap(text);
        assert!(lines.iter().all(|line| line.chars().count() <= LINE), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }

    #[test]
    fn a_printer_gets_one_byte_a_letter_and_no_command_from_a_name() {
        let lines = [Text::Raw("Clé\u{1B}@\u{A0}œ’".to_owned())];
        let bytes = document(&lines, "urn:uuid:x", &Catalog::french(), ReceiptFormat::EscPos);
        let line: &[u8] = b"Cl\xE9\\u{1B}@ ?'\n";
        assert_eq!(&bytes[5..5 + line.len()], line);
        assert_eq!(bytes.iter().filter(|byte| **byte == 0x1B).count(), 2, "only our own commands");
        assert!(bytes.windows(10).any(|window| window == b"urn:uuid:x"));
    }

    fn pipe(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("printer");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo (coreutils)");
        path
    }

    #[test]
    fn a_printer_that_is_not_there_is_an_error_at_once_and_becomes_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = pipe(folder.path());
        let start = Instant::now();
        print(&pipe, b"receipt").expect_err("nobody reads this pipe");
        let absent = Path::new("/dev/blanche-no-such-printer");
        assert_eq!(print(absent, b"receipt").expect_err("no device").kind(), io::ErrorKind::NotFound);
        assert!(!absent.exists());
        assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    }

    #[test]
    fn a_printer_that_takes_nothing_is_given_up_and_a_slow_one_gets_everything() {
        use std::io::Read;
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let paths = folders.each_ref().map(|folder| pipe(folder.path()));
        // Reading and writing: such an open does not wait for anybody (fifo(7)).
        let open = |path: &std::path::PathBuf| File::options().read(true).write(true).open(path).expect("a pipe");
        let [_idle, mut reader] = paths.each_ref().map(open);
        let document = vec![b'x'; 300_000];
        let patience = Duration::from_millis(400);
        let start = Instant::now();
        let error = print_within(&paths[0], &document, patience).expect_err("nobody takes it out of the pipe");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!((patience..Duration::from_secs(5)).contains(&start.elapsed()), "{:?}", start.elapsed());
        let taking = std::thread::spawn(move || {
            let mut piece = vec![0; 8192];
            let mut taken = 0;
            while taken < 300_000 {
                std::thread::sleep(Duration::from_millis(5));
                taken += reader.read(&mut piece).expect("a pipe");
            }
        });
        print(&paths[1], &document).expect("a slow printer");
        taking.join().expect("everything came");
    }

    #[test]
    fn a_file_holds_the_last_receipt_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("receipt");
        print(&path, b"the first, which is longer").expect("written");
        print(&path, b"the second").expect("written");
        assert_eq!(std::fs::read(&path).expect("written"), b"the second");
    }
}
