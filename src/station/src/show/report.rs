//! One report for people: the verdict first, then what was found, what is missing, and with what it was checked.

use super::copy::copy;
use super::{NEXT, age};
use blanche_sandbox::wire::{AreaClass, Cause, EngineInfo, Severity};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{FileFindings, NotChecked, Report, Seal, TargetKind, VolumeLine};
use blanche_scan::words::{self, Lang, harmless};
use std::io::{self, Write};
use std::time::Duration;

/// Lines of findings at most.
const MOST_FOUND: usize = 20;
/// Lines for each cause at most.
const MOST_EACH: usize = 8;
/// Volumes at most.
const MOST_VOLUMES: usize = 32;

/// How much is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detail {
    /// Every file with its SHA-256.
    pub files: bool,
    /// Where the time went.
    pub profile: bool,
    /// The verdict in colour (ECMA-48).
    pub colour: bool,
}

/// Writes one report.
///
/// # Errors
/// The output's.
pub fn report(report: &Report, lang: Lang, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    verdict(report, lang, detail.colour, out)?;
    seal(report, lang, out)?;
    report.copy.as_ref().map_or(Ok(()), |copied| copy(copied, lang, out))?;
    medium(report, lang, out)?;
    found(report, lang, out)?;
    not_checked(report, lang, out)?;
    remarks(report, lang, out)?;
    ledgers(report, lang, out)?;
    engines(report, lang, out)?;
    sealing(report, lang, out)?;
    if detail.profile {
        profile(report, lang, out)?;
    }
    if detail.files {
        files(report, lang, out)?;
    }
    Ok(())
}

/// A word, a shape and perhaps a colour; a sentence; what to do.
fn verdict(report: &Report, lang: Lang, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let nothing = report.verdict == Verdict::Clean && report.content.files == 0;
    let words = if nothing { words::nothing_to_check(lang) } else { words::verdict(report.verdict, lang) };
    let (shape, code) = match report.verdict {
        Verdict::Clean => ("✔", "32"),
        Verdict::Incomplete => ("◐", "33"),
        Verdict::Infected => ("✖", "31"),
        Verdict::Refused => ("⊘", "35"),
    };
    let (on, off) = if colour { (format!("\u{1B}[1;{code}m"), "\u{1B}[0m") } else { (String::new(), "") };
    writeln!(out, "{on}{shape} {}{off}  {}", words.word, harmless(&report.target.path))?;
    writeln!(out, "  {}", words.sentence)?;
    writeln!(out, "  {NEXT} {}", words.next)?;
    if let Some(refusal) = &report.refusal {
        let advice = words::refusal(refusal, lang);
        writeln!(out, "  {}\n  {NEXT} {}", advice.what, advice.next)?;
    }
    Ok(())
}

/// What came of sealing, where it was asked for. Of what is not clean, the verdict says enough.
fn seal(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let Some(seal) = report.seal.as_ref().filter(|_| report.verdict == Verdict::Clean) else { return Ok(()) };
    let advice = words::seal(seal, lang);
    writeln!(out, "\n{}\n  {}\n  {NEXT} {}", lang.pick("Étiquette :", "Tag:"), advice.what, advice.next)?;
    if let Seal::OnMedium { tag, .. } | Seal::Detached { tag, .. } = seal {
        let (station, site, number) = (harmless(&tag.station), harmless(&tag.site), harmless(&tag.tag));
        writeln!(out, "  station {station}, site {site}, {} {number}", lang.pick("n°", "no."))?;
    }
    if let Seal::Detached { file, .. } = seal {
        // For staff; `blanche tag export` hands it out.
        writeln!(out, "  {}", harmless(file))?;
    }
    Ok(())
}

/// What was scanned: kind, size, volumes, session.
fn medium(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let target = &report.target;
    let kind = words::target_kind(target.kind, lang);
    let size = target.capacity.map(|bytes| format!(", {}", words::size(bytes, lang))).unwrap_or_default();
    let time = words::duration(Duration::try_from_secs_f64(report.duration).unwrap_or_default(), lang);
    let title = lang.pick("Vérifié :", "Checked:");
    writeln!(out, "\n{title} {kind}{size}, {time}, session {}", harmless(&report.session))?;
    if target.kind == TargetKind::Folder {
        return Ok(());
    }
    for line in report.volumes.iter().take(MOST_VOLUMES) {
        writeln!(out, "  {}", volume(line, lang))?;
    }
    and_more(report.volumes.len(), MOST_VOLUMES, "  ", lang, out)
}

/// "1. FAT32 « KEY », 15 Go, partition principale, cachée".
fn volume(line: &VolumeLine, lang: Lang) -> String {
    let mut parts = vec![words::filesystem(line.filesystem, lang).to_owned()];
    if let Some(label) = line.label.as_deref().filter(|label| !label.is_empty()) {
        let label = harmless(label);
        parts.push(lang.pick(format!("« {label} »"), format!("“{label}”")));
    }
    if line.length > 0 {
        parts.push(words::size(line.length, lang));
    }
    parts.push(words::role(line.role, lang).to_owned());
    if let Some(view) = line.view {
        parts.push(words::view(view, lang));
    }
    if line.hidden {
        parts.push(lang.pick("caché", "hidden").to_owned());
    }
    if line.efi {
        parts.push(lang.pick("démarrage EFI", "EFI boot").to_owned());
    }
    format!("{}. {}", u32::from(line.volume).saturating_add(1), parts.join(", "))
}

/// Weight of a file's worst finding.
fn worst(file: &FileFindings) -> Option<Severity> {
    file.findings.iter().map(|finding| finding.severity).max()
}

/// Files with malicious or suspicious findings.
fn found(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let files: Vec<&FileFindings> = report.findings.iter().filter(|file| worst(file) > Some(Severity::Info)).collect();
    if files.is_empty() {
        return Ok(());
    }
    let more = report.findings_left_out.map_or(0, |more| more.malicious.saturating_add(more.suspicious));
    let count = words::files(u64::try_from(files.len()).unwrap_or(u64::MAX).saturating_add(more), lang);
    writeln!(out, "\n{} {count}", lang.pick("Trouvé :", "Found:"))?;
    if files.iter().any(|file| worst(file) == Some(Severity::Suspicious)) && report.verdict == Verdict::Incomplete {
        let advice = words::suspicious(lang);
        writeln!(out, "  {}\n  {NEXT} {}", advice.what, advice.next)?;
    }
    findings(&files, Severity::Suspicious, report.volumes.len(), lang, out)?;
    not_listed(more, lang, out)
}

/// One line per file and finding, [`MOST_FOUND`] at most.
fn findings(
    files: &[&FileFindings],
    least: Severity,
    volumes: usize,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let hits = || files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)));
    let hits = || hits().filter(|(_, finding)| finding.severity >= least);
    let mut last = String::new();
    for (file, finding) in hits().take(MOST_FOUND) {
        let mut place = place(file.volume, Some(&file.path), volumes, lang);
        place.extend(finding.layer.iter().map(|name| format!(" › {}", harmless(name))));
        if place != last {
            writeln!(out, "  - {place}")?;
            last = place;
        }
        let severity = words::severity(finding.severity, lang);
        let (name, engine) = (harmless(&finding.name), harmless(&finding.engine));
        writeln!(out, "      {severity}{} {name} ({engine})", words::colon(lang))?;
    }
    and_more(hits().count(), MOST_FOUND, "  ", lang, out)
}

/// What was not checked, grouped by cause.
fn not_checked(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if report.not_checked.is_empty() {
        return Ok(());
    }
    let more = report.not_checked_left_out.unwrap_or(0);
    let count = u64::try_from(report.not_checked.len()).unwrap_or(u64::MAX).saturating_add(more);
    let count = words::counted(count, ("élément", "éléments"), ("item", "items"), lang);
    writeln!(out, "\n{} {count}", lang.pick("Non vérifié :", "Not checked:"))?;
    for (cause, lines) in by_cause(&report.not_checked) {
        let advice = words::cause(cause, lang);
        writeln!(out, "  {}\n  {NEXT} {}", advice.what, advice.next)?;
        for line in lines.iter().take(MOST_EACH) {
            let place = place(line.volume, line.path.as_deref(), report.volumes.len(), lang);
            writeln!(out, "      - {place}{}", range(line, lang))?;
        }
        and_more(lines.len(), MOST_EACH, "      ", lang, out)?;
    }
    not_listed(more, lang, out)
}

/// Groups in the order in which their causes first appear.
fn by_cause(lines: &[NotChecked]) -> Vec<(&Cause, Vec<&NotChecked>)> {
    let mut groups: Vec<(&Cause, Vec<&NotChecked>)> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for line in lines {
        let index = *known.entry(&line.cause).or_insert_with(|| {
            groups.push((&line.cause, Vec::new()));
            groups.len().saturating_sub(1)
        });
        if let Some((_, members)) = groups.get_mut(index) {
            members.push(line);
        }
    }
    groups
}

/// What a line is about: a path (with its volume if there are several), a volume, or the medium.
fn place(volume: Option<u16>, path: Option<&str>, volumes: usize, lang: Lang) -> String {
    let part = volume.map(|volume| format!("{} {}", lang.pick("partie", "part"), u32::from(volume).saturating_add(1)));
    match (part, path) {
        (Some(part), Some(path)) if volumes > 1 => format!("{part}{} {}", words::colon(lang), harmless(path)),
        (_, Some(path)) => harmless(path),
        (Some(part), None) => part,
        (None, None) => lang.pick("le support entier", "the whole medium").to_owned(),
    }
}

/// Where the device failed, for those who repair or investigate it.
fn range(line: &NotChecked, lang: Lang) -> String {
    if line.cause != Cause::Unreadable {
        return String::new();
    }
    let (offset, length) = (words::number(line.offset, lang), words::size(line.length, lang));
    lang.pick(format!(" ({length}, à la position {offset})"), format!(" ({length}, at position {offset})"))
}

/// Files with findings that are for information only.
fn remarks(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let files: Vec<&FileFindings> = report.findings.iter().filter(|file| worst(file) == Some(Severity::Info)).collect();
    let more = report.findings_left_out.map_or(0, |more| more.info);
    if files.is_empty() && more == 0 {
        return Ok(());
    }
    writeln!(out, "\n{}", lang.pick("Pour information :", "For information:"))?;
    findings(&files, Severity::Info, report.volumes.len(), lang, out)?;
    not_listed(more, lang, out)
}

/// Both ledgers in one line each.
fn ledgers(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if report.verdict == Verdict::Refused {
        return Ok(());
    }
    let content = &report.content;
    let (files, bytes) = (words::files(content.files, lang), words::size(content.bytes, lang));
    let (checked, sure) = (words::number(content.files_checked, lang), words::size(content.checked, lang));
    match lang {
        Lang::Fr => write!(out, "\nBilan : {files}, {bytes} ; vérifiés en entier : {checked}, {sure}")?,
        Lang::En => write!(out, "\nLedger: {files}, {bytes}; checked in full: {checked}, {sure}")?,
    }
    for (bytes, french, english) in
        [(content.skipped, "non vérifiés", "not checked"), (content.unreadable, "illisibles", "unreadable")]
    {
        if bytes > 0 {
            let (join, colon) = lang.pick((" ;", "\u{A0}:"), (";", ":"));
            write!(out, "{join} {}{colon} {}", lang.pick(french, english), words::size(bytes, lang))?;
        }
    }
    if !content.listing_complete {
        write!(out, "{}", lang.pick(" ; la liste des fichiers est incomplète", "; the list of files is incomplete"))?;
    }
    writeln!(out, ".")?;
    area(report, lang, out)
}

/// What was looked at outside files, and what was not.
fn area(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let outside = || report.area.sums.iter().filter(|line| line.class != AreaClass::File);
    let all = outside().fold(0u64, |sum, line| sum.saturating_add(line.bytes));
    if all == 0 {
        return Ok(());
    }
    let looked_at = outside().fold(0u64, |sum, line| sum.saturating_add(line.looked_at));
    let (looked_at, rest) = (words::size(looked_at, lang), words::size(all.saturating_sub(looked_at), lang));
    match lang {
        Lang::Fr => {
            writeln!(out, "Hors des fichiers : lu {looked_at}, non regardé {rest} (surtout de l'espace libre).")
        }
        Lang::En => writeln!(out, "Outside files: {looked_at} read, {rest} not looked at (mostly free space)."),
    }
}

/// Engines, their bases and ages on the day of the session.
fn engines(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let now = report.finished.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    for engine in &report.engines.engines {
        writeln!(out, "{}", engine_line(engine, now, lang))?;
    }
    if let Some(reason) = &report.engines.base_rejected {
        let title = lang.pick("Base plus récente rejetée :", "Newer base rejected:");
        writeln!(out, "{title} {}", harmless(reason))?;
    }
    Ok(())
}

/// "clamav 1.4.6 : daily (20 novembre 2026, il y a 2 jours), …".
fn engine_line(engine: &EngineInfo, now: i64, lang: Lang) -> String {
    const MOST_BASES: usize = 6;
    let base = |base: &blanche_sandbox::wire::BaseInfo| {
        let name = harmless(&base.name);
        match base.date.and_then(|date| Some((words::date(date, lang)?, age(date, now, lang)))) {
            Some((date, age)) => format!("{name} ({date}, {age})"),
            None => lang.pick(format!("{name} (sans date)"), format!("{name} (no date)")),
        }
    };
    let mut bases: Vec<String> = engine.bases.iter().take(MOST_BASES).map(base).collect();
    if engine.bases.len() > MOST_BASES {
        bases.push("…".to_owned());
    }
    let separator = words::colon(lang);
    format!("{} {}{separator} {}", harmless(&engine.name), harmless(&engine.version), bases.join(", "))
}

/// Whether a tag may be written, and what was weaker than on a station.
fn sealing(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    use blanche_scan::report::SealingObstacle::NotClean;
    // That a medium which is not clean gets no tag needs no telling.
    let obstacles: Vec<_> = report.sealing.obstacles.iter().filter(|obstacle| **obstacle != NotClean).collect();
    if report.verdict == Verdict::Clean && !obstacles.is_empty() {
        writeln!(out, "\n{}", lang.pick("Pas d'étiquette pour ce support :", "No tag for this medium:"))?;
        for obstacle in obstacles {
            let advice = words::obstacle(obstacle, lang);
            writeln!(out, "  {}\n  {NEXT} {}", advice.what, advice.next)?;
        }
    }
    if !report.isolation.weaker.is_empty() {
        writeln!(out, "\n{}", words::weaker_isolation(lang))?;
        for line in &report.isolation.weaker {
            writeln!(out, "  - {}", harmless(line))?;
        }
    }
    Ok(())
}

/// Where the time went: CPU seconds over all processes.
fn profile(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let profile = &report.profile;
    let rate = words::rate(profile.bytes_per_second, lang);
    writeln!(out, "\n{} {rate}", lang.pick("Débit de la session :", "Rate of the session:"))?;
    let rates = profile.rates;
    for (name, seconds, rate) in [
        (lang.pick("Lecture", "Reading"), profile.read, rates.read),
        ("SHA-256 + BLAKE3", profile.hash, rates.hash),
        (lang.pick("Types, conteneurs", "Types, containers"), profile.inspection, rates.inspection),
        ("ClamAV", profile.clamav, rates.clamav),
        ("YARA", profile.rules, rates.rules),
    ] {
        let rate = words::rate(rate, lang);
        writeln!(out, "  {name:<18} {seconds:>9.2} s CPU {rate:>12} {}", lang.pick("(par s CPU)", "(per CPU s)"))?;
    }
    if profile.known.contents > 0 {
        let known = lang.pick("déjà connus sous les mêmes bases", "known under the same bases");
        let size = words::size(profile.known.bytes, lang);
        let contents = words::counted(profile.known.contents, ("contenu", "contenus"), ("content", "contents"), lang);
        writeln!(out, "  {contents} {known}, {size}")?;
    }
    let matchers = u64::from(profile.matchers);
    writeln!(
        out,
        "  {}",
        words::counted(
            matchers,
            ("processus de vérification", "processus de vérification"),
            ("matcher", "matchers"),
            lang
        )
    )
}

/// Every file with its digest: "SHA-256  verdict  path".
fn files(report: &Report, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", lang.pick("Fichiers :", "Files:"))?;
    for file in report.files.iter().flatten() {
        let digest = file.sha256.as_deref().unwrap_or("-");
        let word = words::verdict(file.verdict, lang).word;
        let place = place(Some(file.volume), Some(&file.path), report.volumes.len(), lang);
        writeln!(out, "{digest:<64}  {word:<10}  {place}")?;
    }
    Ok(())
}

/// "… et 12 autres, voir --json".
fn and_more(all: usize, shown: usize, indent: &str, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let more = words::number(u64::try_from(all.saturating_sub(shown)).unwrap_or(u64::MAX), lang);
    if all <= shown {
        return Ok(());
    }
    writeln!(
        out,
        "{indent}{}",
        lang.pick(format!("… et {more} de plus, voir --json"), format!("… and {more} more, see --json"))
    )
}

/// "… et 34 464 de plus, que le rapport ne nomme pas".
fn not_listed(more: u64, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    let more = words::number(more, lang);
    let (french, english) = ("de plus, que le rapport ne nomme pas", "more that the report does not name");
    writeln!(out, "  {}", lang.pick(format!("… et {more} {french}"), format!("… and {more} {english}")))
}

#[cfg(test)]
mod tests;
