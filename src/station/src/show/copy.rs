//! What came of a copy, for people.

use super::NEXT;
use blanche_scan::report::{CopyCause, CopyReport, LeftOut, Renamed, Seal};
use blanche_scan::words::{self, Lang, harmless};
use std::io::{self, Write};

/// Lines of each list that a person is shown; the JSON report has more.
const MOST: usize = 20;

/// Writes the part of a report that is about a copy.
pub(super) fn copy(copy: &CopyReport, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let advice = words::copy(copy, lang);
    let title = lang.pick("Copie vers", "Copy to");
    let colon = words::colon(lang);
    writeln!(out, "\n{title} {}{colon}\n  {}\n  {NEXT} {}", harmless(&copy.output.path), advice.what, advice.next)?;
    if let Some(detail) = copy.cause.as_ref().and_then(CopyCause::detail) {
        writeln!(out, "  {}{colon} {}", lang.pick("Pour l'administrateur", "For the administrator"), harmless(detail))?;
    }
    if copy.outside_profile {
        writeln!(out, "  {}", words::outside_profile(lang))?;
    }
    if let Some(seal) = &copy.seal {
        let advice = words::seal(seal, lang);
        writeln!(out, "  {}\n  {NEXT} {}", advice.what, advice.next)?;
        if let Seal::OnMedium { tag, .. } | Seal::Detached { tag, .. } = seal {
            let (station, site, number) = (harmless(&tag.station), harmless(&tag.site), harmless(&tag.tag));
            writeln!(out, "  station {station}, site {site}, {} {number}", lang.pick("n°", "no."))?;
        }
    }
    let renamed = copy.renamed.iter().map(|line| renamed(line, lang));
    list(lang.pick("Sous un autre nom", "Under another name"), renamed, copy.renamed_more, lang, out)?;
    let left_out = copy.left_out.iter().map(|line| left_out(line, lang));
    list(lang.pick("Non copié", "Not copied"), left_out, copy.left_out_more, lang, out)
}

fn renamed(line: &Renamed, lang: Lang) -> String {
    let because: Vec<_> = line.because.iter().map(|change| words::name_change(*change, lang)).collect();
    format!("{} {NEXT} {} ({})", harmless(&line.path), harmless(&line.to), because.join(", "))
}

fn left_out(line: &LeftOut, lang: Lang) -> String {
    format!("{} ({})", harmless(&line.path), words::omission(line.because, lang))
}

/// `more`: those that the report counts and does not list.
fn list(
    title: &str,
    lines: impl ExactSizeIterator<Item = String>,
    more: Option<u64>,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let count = lines.len();
    if count == 0 {
        return Ok(());
    }
    let all = u64::try_from(count).unwrap_or(u64::MAX).saturating_add(more.unwrap_or(0));
    writeln!(out, "  {title} ({}){}", words::number(all, lang), words::colon(lang))?;
    lines.take(MOST).try_for_each(|line| writeln!(out, "    {line}"))?;
    if count > MOST { writeln!(out, "    …") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_long_list_says_how_long_it_is_whatever_the_report_lists() {
        let mut out = Vec::new();
        list("Not copied", (0..30).map(|index| index.to_string()), Some(970), Lang::En, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("  Not copied (1,000):\n    0\n") && text.ends_with("    19\n    …\n"), "{text}");
    }
}
