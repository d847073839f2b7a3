//! `blanche journal verify`: the answer for people, and as JSON.

use super::{Failed, VerifyJournalArguments, folder, written};
use crate::command::{print, verifiers};
use crate::exit::Exit;
use blanche_journal::{Evidence, Verification, verify};
use blanche_scan::settings::Settings;
use blanche_scan::words::{self, Lang, harmless};
use blanche_tag::envelope::{Purpose, SignedClaims as _};
use serde_json::{Value, json};
use std::io::{self, Read as _, Write};
use std::path::Path;

/// Something was altered, deleted, inserted or cut off.
pub(crate) const ALTERED: u8 = 50;
/// Whole, and not proved by any signature.
pub(crate) const UNSIGNED: u8 = 51;

pub(super) fn run(arguments: &VerifyJournalArguments, settings: &Settings, lang: Lang) -> Result<u8, Failed> {
    let outside = arguments.checkpoint.as_deref().map(read).transpose()?;
    let trust = arguments.trust.as_deref().unwrap_or(&settings.seal.trust);
    // A station without keys has no trust folder either; one that somebody named must be there.
    let installed = match arguments.trust.is_none() && !trust.exists() {
        true => None,
        false => Some(blanche_verify::installed(trust, verifiers(lang)).map_err(Failed::Trust)?),
    };
    let evidence = Evidence {
        trust: installed.as_ref().map(|(store, crls)| (store, crls.as_slice())),
        outside: outside.as_deref(),
        every_signature: arguments.every_signature,
    };
    let found = verify(folder(&arguments.place, settings), &evidence)?;
    let code = code(&found, outside.is_some());
    written(print(|out| match arguments.json {
        true => writeln!(out, "{}", answer(&found, code)),
        false => tell(&found, installed.is_some(), lang, out),
    }))?;
    Ok(code)
}

fn code(found: &Verification, outside: bool) -> u8 {
    match found.is_whole() {
        false => ALTERED,
        true if found.proof.is_none() || (outside && found.outside_is_older) => UNSIGNED,
        true if !found.is_deletion_signed() => UNSIGNED,
        true => Exit::Clean.code(),
    }
}

/// A checkpoint is never longer than an envelope may be.
fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    let most = u64::try_from(Purpose::Checkpoint.max_envelope()).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| Failed::File(path.to_owned(), error, Exit::Target))
}

fn tell(found: &Verification, trusts: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let french = lang == Lang::Fr;
    let head = match found.is_whole() {
        true => lang.pick("ENTIER : aucun enregistrement n'a été modifié.", "WHOLE: no record was altered."),
        false => lang.pick("ALTÉRÉ : gardez le dossier comme preuve.", "ALTERED: keep the folder as evidence."),
    };
    writeln!(out, "{head}")?;
    for fault in &found.faults {
        writeln!(
            out,
            "  {} {}\n    {}",
            fault.kind.as_str(),
            fault.kind.sentence(french),
            harmless(&fault.to_string())
        )?;
    }
    let more = found.fault_count.saturating_sub(u64::try_from(found.faults.len()).unwrap_or(u64::MAX));
    if more > 0 {
        writeln!(out, "  {}{more}", lang.pick("autres anomalies : ", "further faults: "))?;
    }
    let number = |value| words::number(value, lang);
    let counts = lang.pick(
        format!(
            "{} événements et {} transferts, enregistrements {} à {}, {} points de contrôle.",
            number(found.events),
            number(found.transfers),
            found.first,
            found.last,
            number(found.checkpoints)
        ),
        format!(
            "{} events and {} transfers, records {} to {}, {} checkpoints.",
            number(found.events),
            number(found.transfers),
            found.first,
            found.last,
            number(found.checkpoints)
        ),
    );
    writeln!(out, "{counts}")?;
    if let Some(stub) = &found.deleted {
        let words =
            lang.pick("Effacé par la rétention jusqu'à l'enregistrement ", "Deleted by retention up to record ");
        writeln!(out, "{words}{} ({}).", stub.last, harmless(&stub.until))?;
    }
    proved(found, trusts, lang, out)
}

fn proved(found: &Verification, trusts: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if found.outside_is_older {
        let words = lang.pick(
            "Le point de contrôle donné ne couvre que ce que la rétention a effacé : il ne prouve rien ici.",
            "The given checkpoint covers only what retention has deleted: it proves nothing here.",
        );
        writeln!(out, "{words}")?;
    }
    let Some(proof) = &found.proof else {
        let words = match (trusts, found.checkpoints) {
            (_, 0) => lang.pick(
                "NON SIGNÉ : aucun point de contrôle ; installez les clés de la station (docs/keys.md).",
                "UNSIGNED: there is no checkpoint; install the station's keys (docs/keys.md).",
            ),
            (false, _) => lang.pick(
                "Signatures non vérifiées : aucun dossier de confiance ; nommez-le avec --trust.",
                "Signatures not verified: there is no trust folder; name it with --trust.",
            ),
            (true, _) if found.is_whole() => lang.pick(
                "Le dernier point de contrôle ne couvre que ce que la rétention a effacé : il ne prouve rien ici.",
                "The newest checkpoint covers only what retention has deleted: it proves nothing here.",
            ),
            (true, _) => lang.pick("Aucune signature n'est valable.", "No signature is valid."),
        };
        return writeln!(out, "{words}");
    };
    let (checkpoint, after) = (&proof.checkpoint, found.last.saturating_sub(proof.checkpoint.sequence));
    let who = format!("{}.{}", checkpoint.station(), checkpoint.site());
    let line = lang.pick(
        format!(
            "Prouvé jusqu'à l'enregistrement {} par la signature n° {} de {who} ; {after} enregistrements ensuite.",
            checkpoint.sequence, checkpoint.counter
        ),
        format!(
            "Proved up to record {} by signature {} of {who}; {after} records after that.",
            checkpoint.sequence, checkpoint.counter
        ),
    );
    writeln!(out, "{line}")?;
    if !found.is_deletion_signed() {
        let words = lang.pick(
            "Aucune signature ne couvre l'effacement du début : le prochain point de contrôle doit le faire.",
            "No signature covers the deletion of the beginning: the next checkpoint must.",
        );
        writeln!(out, "{words}")?;
    }
    Ok(())
}

/// The answer as JSON.
fn answer(found: &Verification, code: u8) -> Value {
    let fault = |fault: &blanche_journal::Fault| json!({"code": fault.kind.as_str(), "record": fault.sequence, "detail": harmless(&fault.detail)});
    let proof = found.proof.as_ref().map(|proof| {
        let checkpoint = &proof.checkpoint;
        json!({
            "record": checkpoint.sequence, "counter": checkpoint.counter, "issued": checkpoint.issued,
            "station": checkpoint.station().as_str(), "site": checkpoint.site().as_str(), "from_outside": proof.from_outside,
        })
    });
    json!({
        "schema": "blanche-journal-verification/1",
        "result": match code { 0 => "proved", UNSIGNED => "unsigned", _ => "altered" },
        "journal": found.journal.map(|journal| journal.to_string()),
        "segments": found.segments, "first": found.first, "last": found.last,
        "head": found.head.map(|hash| hash.to_string()),
        "events": found.events, "transfers": found.transfers, "checkpoints": found.checkpoints,
        "deleted_up_to": found.deleted.as_ref().map(|stub| stub.last),
        "deletion_is_signed": found.deleted.as_ref().map(|_| found.is_deletion_signed()),
        "proof": proof, "outside_is_older": found.outside_is_older,
        "faults": found.faults.iter().map(fault).collect::<Vec<_>>(), "fault_count": found.fault_count,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::{ALTERED, UNSIGNED};
    use crate::command::journal::time;
    use crate::exit::Exit;

    #[test]
    fn the_documented_codes_are_the_codes() {
        let text = include_str!("../../../../../docs/exit-codes.md");
        let (_, section) = text.split_once("## `blanche journal`").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
        let documented: Vec<u8> = rows.filter_map(|row| row.split(' ').next()?.parse().ok()).collect();
        let codes = [Exit::Clean, Exit::Usage, Exit::Target, Exit::Station].map(Exit::code);
        assert_eq!(documented, [&codes[..], &[ALTERED, UNSIGNED]].concat());
    }

    #[test]
    fn a_day_is_its_beginning_and_nonsense_is_no_time() {
        assert_eq!(time("2026-11-28"), time("2026-11-28T00:00:00Z"));
        assert_eq!(time("2026-11-28T01:00:00+01:00"), time("2026-11-28"));
        assert!(time("yesterday").is_err() && time("2026-13-01").is_err() && time("").is_err());
    }
}
