//! Names that media give themselves and their files, short enough for a page that nobody has to scroll.

use crate::words::Text;

/// Letters of a name on a page: two lines of it. The details show all of it.
const LONGEST: usize = 48;
/// Where there is much else to be said: one line.
const LINE: usize = 26;

/// A name, without its middle where it is long.
pub(super) fn short(name: &str) -> Text {
    cut(name, LONGEST)
}

/// The same on one line.
pub(super) fn line(name: &str) -> Text {
    cut(name, LINE)
}

fn cut(name: &str, longest: usize) -> Text {
    let letters = name.chars().count();
    if letters <= longest {
        return Text::Raw(name.to_owned());
    }
    // The end tells more, and has the kind of the file.
    let beginning = longest * 3 / 10;
    let end = letters.saturating_sub(longest.saturating_sub(beginning).saturating_sub(1));
    let (beginning, end): (String, String) = (name.chars().take(beginning).collect(), name.chars().skip(end).collect());
    Text::Raw(format!("{beginning}…{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        let long = format!("Dossier/{}/facture.pdf.exe", "é".repeat(300));
        let Text::Raw(short_name) = short(&long) else { unreachable!("as it came") };
        assert_eq!(short_name.chars().count(), LONGEST);
        assert!(short_name.starts_with("Dossier/éééééé…é") && short_name.ends_with("/facture.pdf.exe"), "{short_name}");
        let Text::Raw(one_line) = line(&long) else { unreachable!("as it came") };
        assert_eq!(one_line, "Dossier…éé/facture.pdf.exe");
        for name in ["", "a", &"é".repeat(LONGEST)] {
            assert_eq!(short(name), Text::Raw(name.to_owned()));
        }
    }
}
