//! What came of a copy, for people.

use super::NEXT;
use blanche_scan::report::{CopyReport, LeftOut, Renamed, Seal};
use blanche_scan::words::{self, Lang, harmless};
use std::io::{self, Write};

/// Lines of each list that a person is shown; the JSON report has them all.
const MOST: usize = 20;

/// Writes the part of a report that is about a copy.
pub(super) fn copy(copy: &CopyReport, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let advice = words::copy(copy, lang);
    let title = lang.pick("Copie vers", "Copy to");
    let colon = lang.pick(" :", ":");
    writeln!(out, "\n{title} {}{colon}\n  {}\n  {NEXT} {}", harmless(&copy.output.path), advice.what, advice.next)?;
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
    list(lang.pick("Sous un autre nom", "Under another name"), renamed, lang, out)?;
    let left_out = copy.left_out.iter().map(|line| left_out(line, lang));
    list(lang.pick("Non copié", "Not copied"), left_out, lang, out)
}

fn renamed(line: &Renamed, lang: Lang) -> String {
    let because: Vec<_> = line.because.iter().map(|change| words::name_change(*change, lang)).collect();
    format!("{} {NEXT} {} ({})", harmless(&line.path), harmless(&line.to), because.join(", "))
}

fn left_out(line: &LeftOut, lang: Lang) -> String {
    format!("{} ({})", harmless(&line.path), words::omission(line.because, lang))
}

fn list(title: &str, lines: impl ExactSizeIterator<Item = String>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let count = lines.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "  {title} ({}){}",
        words::number(u64::try_from(count).unwrap_or(u64::MAX), lang),
        lang.pick(" :", ":")
    )?;
    lines.take(MOST).try_for_each(|line| writeln!(out, "    {line}"))?;
    if count > MOST { writeln!(out, "    …") } else { Ok(()) }
}
