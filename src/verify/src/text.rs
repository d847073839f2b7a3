//! The answer for a person: one sentence, what to do, and the names.

use crate::lang::Lang;
use crate::policy::level_name;
use crate::report::streams;
use crate::verification::{Accepted, Verification};
use crate::words;
use blanche_tag::visible::{harmless, visible, visible_path};
use blanche_tag::{Compared, Comparison, Difference, DifferenceKind, Level};
use std::fmt::Write;

/// Names that are shown of each list.
const MAX_SHOWN: usize = 100;

/// The whole answer.
pub(crate) fn answer(verification: &Verification, lang: Lang) -> String {
    let mut text = String::new();
    let out = &mut text;
    match (&verification.outcome, &verification.tag) {
        (Ok(()), Some(tag)) => accepted(out, verification, tag, lang),
        (Err(refusal), _) => {
            let sentences = lang.of(refusal.code.french(), refusal.code.english());
            line(out, &format!("{} {}", lang.of("REFUSÉ :", "REFUSED:"), sentences.what));
            line(out, &format!("  {}", sentences.next));
            let step = lang.of("étape", "step");
            line(out, &format!("  {} ({step} {}): {}", refusal.code.as_str(), refusal.step, harmless(&refusal.detail)));
        }
        (Ok(()), None) => {}
    }
    if let Some(comparison) = &verification.comparison {
        differences(out, comparison, lang);
    }
    if let Some(tag) = &verification.tag {
        not_available(out, verification, tag, lang);
    }
    if let Some(comparison) = &verification.comparison {
        tolerated(out, comparison, lang);
    }
    for notice in &verification.notices {
        line(out, &format!("  ({})", notice.sentence(lang)));
    }
    text
}

/// Writing into memory does not fail.
fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

fn accepted(out: &mut String, verification: &Verification, tag: &Accepted, lang: Lang) {
    let claims = &tag.claims;
    let (issued, expires) = (words::moment(claims.issued, lang), words::moment(claims.expires, lang));
    line(
        out,
        &lang.of(
            format!("ACCEPTÉ : ce support est celui que {} ({}) a contrôlé le {issued}.", claims.station, claims.site),
            format!("ACCEPTED: this medium is what {} ({}) checked on {issued}.", claims.station, claims.site),
        ),
    );
    let proves = match verification.level {
        Level::Identity => lang.of(
            "Seule l'identité du support a été vérifiée, pas ses fichiers.",
            "Only the identity of the medium was verified, not its files.",
        ),
        Level::Inventory => lang.of(
            "Noms et tailles des fichiers ont été vérifiés, pas leur contenu.",
            "Names and sizes of the files were verified, not their contents.",
        ),
        Level::Full => {
            lang.of("Chaque octet de chaque fichier a été vérifié.", "Every byte of every file was verified.")
        }
    };
    line(out, &format!("  {proves} [{}]", level_name(verification.level)));
    line(
        out,
        &lang.of(format!("  Étiquette valable jusqu'au {expires}."), format!("  The tag is valid until {expires}.")),
    );
}

/// A path with its volume, if there may be several.
fn place(difference: &Difference) -> String {
    let mut place = visible_path(difference.path.split(|byte| *byte == 0));
    if let Some(stream) = &difference.stream {
        place.push(':');
        place.push_str(&visible(stream));
    }
    if place.is_empty() { format!("[volume {}]", difference.volume) } else { place }
}

fn differences(out: &mut String, comparison: &Comparison, lang: Lang) {
    for difference in comparison.differences.iter().take(MAX_SHOWN) {
        let what = match &difference.kind {
            DifferenceKind::Added => lang.of("ajouté", "added"),
            DifferenceKind::Removed => lang.of("supprimé", "removed"),
            DifferenceKind::Changed => lang.of("modifié (taille ou type)", "changed (size or kind)"),
            DifferenceKind::Altered => lang.of("modifié (contenu)", "changed (content)"),
            DifferenceKind::Unreadable(_) => lang.of("illisible", "unreadable"),
        };
        let why = match &difference.kind {
            DifferenceKind::Unreadable(why) => format!(" ({})", harmless(why)),
            _ => String::new(),
        };
        line(out, &format!("  {what}{} {}{why}", lang.of(" :", ":"), place(difference)));
    }
    let shown = u64::try_from(comparison.differences.len().min(MAX_SHOWN)).unwrap_or(u64::MAX);
    if let more @ 1.. = comparison.count.saturating_sub(shown) {
        line(out, &lang.of(format!("  … et {more} autres différences."), format!("  … and {more} more differences.")));
    }
}

/// What was not verified, so that a person sees it.
fn not_available(out: &mut String, verification: &Verification, tag: &Accepted, lang: Lang) {
    let parts = [
        (tag.capacity == Compared::NotAvailable, lang.of("capacité et taille de bloc", "capacity and block size")),
        (tag.usb == Compared::NotAvailable, lang.of("identité USB", "USB identity")),
        (tag.boot == Compared::NotAvailable, lang.of("zones d'amorçage", "boot areas")),
        (
            streams(verification.level, verification.target.kind) == "not_available",
            lang.of("flux nommés", "named streams"),
        ),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(missing, _)| *missing).map(|(_, name)| name).collect();
    if !parts.is_empty() {
        let what = lang.of("Pas visible d'ici, donc pas vérifié :", "Not available here, so not verified:");
        line(out, &format!("  {what} {}.", parts.join(", ")));
    }
}

fn tolerated(out: &mut String, comparison: &Comparison, lang: Lang) {
    if comparison.tolerated.is_empty() {
        return;
    }
    line(out, lang.of("  Écrit par un système, sans danger, toléré :", "  Written by a host, harmless, tolerated:"));
    for (_, path) in comparison.tolerated.iter().take(MAX_SHOWN) {
        line(out, &format!("    {}", visible_path(path.split(|byte| *byte == 0))));
    }
}
