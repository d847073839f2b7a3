//! Names that hide what a file is: a program that calls itself a document, and letters that turn the reading direction.
//!
//! Names belong to the catalogue and never reach the engines, so this is for the parent to see. Sources: MITRE ATT&CK
//! T1036.007 (double file extension), T1036.002 (right-to-left override); Unicode 15, UAX #9, 2.2 (explicit overrides).

use blanche_sandbox::wire::{Finding, Severity};

/// The engine of these findings.
const NAMES: &str = "names";
/// What Windows starts when somebody opens it.
const PROGRAMS: [&str; 11] = ["exe", "scr", "com", "pif", "cpl", "msi", "bat", "cmd", "jar", "msc", "chm"];
/// What Windows hands to a script host when somebody opens it.
const SCRIPTS: [&str; 8] = ["vbs", "vbe", "js", "jse", "wsf", "wsh", "hta", "ps1"];
/// What people open without a thought.
const DOCUMENTS: [&str; 29] = [
    "pdf", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "odt", "ods", "odp", "rtf", "html", "htm",
    "jpg", "jpeg", "png", "gif", "bmp", "webp", "mp3", "mp4", "avi", "mov", "mkv", "zip", "7z", "rar",
];
/// Notes, tables and the like: honest programs name scripts after them ("notes.txt.js", "logo.svg.js"), but no program.
const NOTES: [&str; 6] = ["txt", "csv", "svg", "eml", "msg", "one"];
/// Right-to-left override. Its counterpart U+202D is common around telephone numbers, and turns no Latin letter.
const OVERRIDE: char = '\u{202E}';
/// Spaces in a row that push an extension out of sight.
const PADDING: usize = 8;

/// What the name of a file gives away.
pub(crate) fn of_name(name: &[u8]) -> Option<Finding> {
    // Windows drops points and spaces at the end; what has no width hides nothing from a person.
    let name: String = String::from_utf8_lossy(name).chars().filter(|letter| !is_invisible(*letter)).collect();
    let name = name.trim_end_matches(['.', ' ']).replace(['\u{2024}', '\u{FF0E}'], ".");
    let found = if name.contains(OVERRIDE) {
        "Name.DirectionOverride"
    } else if is_padded(&name) {
        "Name.PaddedExtension"
    } else if is_double(&name) {
        "Name.DoubleExtension"
    } else {
        return None;
    };
    Some(Finding {
        engine: NAMES.to_owned(),
        name: found.to_owned(),
        severity: Severity::Suspicious,
        layer: Vec::new(),
    })
}

/// Letters without width that are no direction override.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// A program behind the extension of a document: "invoice.pdf.exe".
fn is_double(name: &str) -> bool {
    let Some((stem, last)) = name.rsplit_once('.') else { return false };
    let stem = stem.trim_end_matches(|letter: char| letter == '.' || letter == '_' || letter.is_whitespace());
    let Some((start, before)) = stem.rsplit_once('.') else { return false };
    let is = |list: &[&str], extension: &str| list.iter().any(|known| extension.trim().eq_ignore_ascii_case(known));
    let document = is(&DOCUMENTS, before);
    let disguised = (is(&PROGRAMS, last) && (document || is(&NOTES, before))) || (is(&SCRIPTS, last) && document);
    disguised && !start.is_empty()
}

/// A run of spaces of any kind before the extension of a program.
fn is_padded(name: &str) -> bool {
    let Some((stem, last)) = name.rsplit_once('.') else { return false };
    let runs = |list: &[&str]| list.iter().any(|known| last.trim().eq_ignore_ascii_case(known));
    let space = |letter: &char| letter.is_whitespace() || *letter == '\u{2800}' || *letter == '\u{3164}';
    (runs(&PROGRAMS) || runs(&SCRIPTS)) && stem.chars().rev().take_while(space).count() >= PADDING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disguised_names_are_found() {
        for (name, expected) in [
            ("facture.pdf.exe", "Name.DoubleExtension"),
            ("Photo.JPG.ScR", "Name.DoubleExtension"),
            ("notes.txt.com", "Name.DoubleExtension"),
            ("lettre.docx.js", "Name.DoubleExtension"),
            ("logo.svg.exe", "Name.DoubleExtension"),
            ("plan.pdf .exe", "Name.DoubleExtension"),
            ("plan.pdf.exe.", "Name.DoubleExtension"),
            ("plan.pdf...exe", "Name.DoubleExtension"),
            ("plan.pdf____.exe", "Name.DoubleExtension"),
            ("plan.pdf\u{200B}.exe", "Name.DoubleExtension"),
            ("plan\u{2024}pdf.exe", "Name.DoubleExtension"),
            ("facture.pdf                      .exe", "Name.PaddedExtension"),
            ("facture\u{2800}\u{2800}\u{2800}\u{2800}\u{2800}\u{2800}\u{2800}\u{2800}.vbs", "Name.PaddedExtension"),
            ("photo\u{202E}gpj.exe", "Name.DirectionOverride"),
        ] {
            let finding = of_name(name.as_bytes()).expect(name);
            assert_eq!((finding.name.as_str(), finding.severity), (expected, Severity::Suspicious), "{name}");
        }
    }

    #[test]
    fn ordinary_names_are_not() {
        for name in [
            "setup.exe",
            "facture.pdf",
            "jquery.min.js",
            "archive.tar.gz",
            "notes.txt.js",
            "logo.svg.js",
            "v1.2.exe",
            ".pdf.exe",
            "a  b.exe",
            "document.pdf.lnk",
            "\u{202D}+33 6 12\u{202C}.vcf",
            "données.csv.ps1",
            "\u{200F}שלום.pdf",
            "exe",
            "",
            "pdf.exe",
        ] {
            assert_eq!(of_name(name.as_bytes()), None, "{name}");
        }
    }
}
