//! Engines for people who run a station: versions, dates, limits, containers, self-test.

use super::age;
use blanche_sandbox::wire::{ContainerProof, EngineLimits};
use blanche_scan::EngineRoomDescription;
use blanche_scan::settings::{Settings, size_notation, time_notation};
use blanche_scan::words::{self, Lang, harmless};
use std::io::{self, Write};
use std::time::Duration;

/// Writes engines, bases, limits and containers. `now` is in seconds since 1970-01-01 UTC.
///
/// # Errors
/// The output's.
pub fn engines(
    room: &EngineRoomDescription,
    settings: &Settings,
    now: i64,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    bases(room, settings, now, lang, out)?;
    limits(&room.engine_set.limits, lang, out)?;
    containers(&room.containers, lang, out)
}

/// Engines and their bases.
fn bases(
    room: &EngineRoomDescription,
    settings: &Settings,
    now: i64,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let colon = words::colon(lang);
    for engine in &room.engine_set.engines {
        writeln!(out, "{} {}", harmless(&engine.name), harmless(&engine.version))?;
        for base in &engine.bases {
            let version = base.version.as_deref().map(|version| format!(" {}", harmless(version))).unwrap_or_default();
            let date = base.date.and_then(|date| Some((words::date(date, lang)?, age(date, now, lang))));
            let stale = settings.bases.is_stale(base, now);
            let date = date
                .map_or_else(|| lang.pick("sans date", "no date").to_owned(), |(date, age)| format!("{date}, {age}"));
            let stale = if stale { lang.pick(" [interdit les étiquettes]", " [forbids tags]") } else { "" };
            let count = words::counted(base.signatures, ("signature", "signatures"), ("signature", "signatures"), lang);
            writeln!(out, "  {}{version}{colon} {count}, {date}{stale}", harmless(&base.name))?;
        }
    }
    for name in settings.bases.missing(room.engine_set.bases()) {
        writeln!(out, "  {} {}", harmless(name), lang.pick("[demandée, absente]", "[required, missing]"))?;
    }
    if let Some(reason) = &room.base_rejected {
        writeln!(out, "{} {}", lang.pick("Base plus récente rejetée :", "Newer base rejected:"), harmless(reason))?;
    }
    Ok(())
}

/// Limits as the engines gave them back, in the notation of the configuration.
fn limits(limits: &EngineLimits, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let size = |bytes| if bytes == 0 { "none".to_owned() } else { size_notation(bytes) };
    let files = if limits.max_files == 0 { "none".to_owned() } else { limits.max_files.to_string() };
    writeln!(out, "\n{}", lang.pick("Limites, relues dans les moteurs :", "Limits, as read back from the engines:"))?;
    for (key, value) in [
        ("max_file_size", size(limits.max_file_size)),
        ("max_scan_size", size(limits.max_scan_size)),
        ("max_files", files),
        ("max_recursion", limits.max_recursion.to_string()),
        ("max_scan_time", time_notation(Duration::from_millis(limits.max_scan_time.into()))),
        ("max_rules_time", time_notation(Duration::from_secs(limits.max_rules_time.into()))),
        ("max_matcher_memory", size(limits.max_matcher_memory)),
    ] {
        writeln!(out, "  {key:<20} {value}")?;
    }
    Ok(())
}

/// Which containers are opened, and by whom.
fn containers(proofs: &[ContainerProof], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let (open, closed): (Vec<_>, Vec<_>) = proofs.iter().partition(|proof| proof.proved);
    if !open.is_empty() {
        let title = lang.pick("Formats ouverts, prouvés par un échantillon :", "Formats opened, proved by a sample:");
        writeln!(out, "\n{title}")?;
    }
    for proof in open {
        let opener = harmless(proof.opener.as_deref().unwrap_or("-"));
        writeln!(out, "  {}{} {opener}", words::container(proof.container, lang), words::colon(lang))?;
    }
    if closed.is_empty() {
        return Ok(());
    }
    let title = lang.pick(
        "Formats que personne n'ouvre (résultat : incomplet) :",
        "Formats that nobody opens (result: incomplete):",
    );
    writeln!(out, "\n{title}")?;
    for proof in closed {
        writeln!(out, "  {}", words::container(proof.container, lang))?;
    }
    Ok(())
}

/// Writes what the self-test found.
///
/// # Errors
/// The output's.
pub fn self_test(room: &EngineRoomDescription, passed: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for result in &room.self_test {
        tested(&result.engine, &result.marker, result.found, lang, out)?;
    }
    for proof in &room.containers {
        let name = words::container(proof.container, lang);
        match &proof.opener {
            Some(opener) => tested(opener, name, proof.proved, lang, out)?,
            None => writeln!(out, "{:<7} {name}", lang.pick("fermé", "closed"))?,
        }
    }
    self_test_result(passed, lang, out)
}

/// Writes whether an engine found one marker.
///
/// # Errors
/// The output's.
pub fn tested(engine: &str, marker: &str, found: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let word = if found { lang.pick("trouvé", "found") } else { lang.pick("MANQUÉ", "MISSED") };
    writeln!(out, "{word:<7} {}{} {}", harmless(engine), words::colon(lang), harmless(marker))
}

/// Writes what a self-test means.
///
/// # Errors
/// The output's.
pub fn self_test_result(passed: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let sentence = match passed {
        true => lang.pick("Chaque moteur trouve ses marques.", "Each engine finds its markers."),
        false => lang.pick(
            "Un moteur ne trouve pas tout : prévenez l'administrateur.",
            "An engine does not find everything: tell the administrator.",
        ),
    };
    writeln!(out, "{sentence}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::show::samples;

    fn shown(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory takes everything");
        String::from_utf8(out).expect("UTF-8").replace('\u{A0}', " ")
    }

    #[test]
    fn bases_have_dates_and_ages_and_old_ones_are_marked() {
        let text = shown(|out| engines(&samples::room(), &Settings::default(), samples::NOW, Lang::En, out));
        for line in [
            "clamav 1.4.6",
            "  blanche.ndb 1: 2 signatures, 20 November 2026, 2 days ago\n",
            "  old.ndb: 1 signature, no date [forbids tags]",
            "  daily [required, missing]",
            "  main [required, missing]",
            "  max_file_size        none",
            "  max_scan_size        4 GiB",
            "  max_scan_time        120 s",
            "  ZIP archive: clamav",
            "Formats that nobody opens (result: incomplete):\n  RAR archive",
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
        let french = shown(|out| engines(&samples::room(), &Settings::default(), samples::NOW, Lang::Fr, out));
        assert!(
            french.contains("20 novembre 2026, il y a 2 jours") && french.contains("archive ZIP : clamav"),
            "{french}"
        );
    }

    #[test]
    fn a_missed_marker_cannot_be_overlooked() {
        let mut room = samples::room();
        let good = shown(|out| self_test(&room, true, Lang::En, out));
        assert!(good.contains("found   clamav: EICAR") && good.contains("closed  RAR archive"), "{good}");
        assert!(!good.contains("MISSED"));
        room.self_test.iter_mut().for_each(|result| result.found = false);
        let bad = shown(|out| self_test(&room, false, Lang::En, out));
        assert!(bad.contains("MISSED  clamav: EICAR") && bad.contains("tell the administrator"), "{bad}");
    }
}
