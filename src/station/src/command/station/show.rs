//! The station and its sessions for people.

use blanche_bus::{Medium, OutputLine, Session, StationLine};
use blanche_scan::words::{self, Advice, Lang, harmless};
use std::io::{self, Write};
use std::time::Duration;

/// What the bus says about problems: kind, what it means, what to do.
type Saying = (String, String, String);

/// The whole status.
pub(super) fn status(
    station: &StationLine,
    sayings: &[Saying],
    sessions: &[Session],
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    self::station(station, sayings, lang, out)?;
    if sessions.is_empty() {
        writeln!(out, "{}", lang.pick("Aucun support n'est branché.", "No medium is plugged in."))?;
    }
    for session in sessions {
        let name = name(&session.medium, lang);
        writeln!(
            out,
            "{name}{} {}\n  session {}",
            words::colon(lang),
            state(session, lang),
            harmless(&session.session)
        )?;
    }
    Ok(())
}

/// What is on an output medium, and whether it can be written.
fn contents(output: &OutputLine, lang: Lang) -> String {
    let contents = match output.contents.as_str() {
        "looking" => lang.pick("en cours d'examen", "being looked at").to_owned(),
        "blank" => lang.pick("vide", "empty").to_owned(),
        "filled" => format!("{}, {}", words::files(output.files, lang), words::size(output.bytes, lang)),
        _ => lang.pick("contenu inconnu", "contents not known").to_owned(),
    };
    match (output.busy, output.read_only) {
        (true, _) => lang.pick("en cours d'écriture", "being written").to_owned(),
        (false, true) => format!("{contents}, {}", lang.pick("protégé en écriture", "write-protected")),
        (false, false) => contents,
    }
}

/// Whether it can check and seal, how old its bases are, and what is wrong.
pub(super) fn station(station: &StationLine, sayings: &[Saying], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let ready = match (station.engines.is_empty(), station.can_seal) {
        (true, _) => lang.pick("elle ne vérifie pas encore.", "it does not check yet."),
        (false, true) => lang.pick("prête à vérifier et à étiqueter.", "ready to check and to tag."),
        (false, false) => lang.pick("elle vérifie, mais n'étiquette pas.", "it checks, but tags nothing."),
    };
    let training = if station.simulated { lang.pick(" (démonstration)", " (demonstration)") } else { "" };
    writeln!(out, "Station Blanche {}{training}{} {ready}", harmless(&station.version), words::colon(lang))?;
    let date = i64::try_from(station.bases_date).ok().filter(|date| *date > 0).and_then(|date| words::date(date, lang));
    if let Some(date) = date {
        writeln!(out, "  {} {date}", lang.pick("Listes de virus du", "Lists of viruses of"))?;
    }
    for (kind, what, next) in sayings {
        writeln!(out, "  {}\n    {}", harmless_words(what), harmless_words(next))?;
        for problem in station.problems.iter().filter(|problem| problem.kind == *kind) {
            writeln!(out, "    ({}: {})", harmless(kind), harmless(&problem.detail))?;
        }
    }
    for output in &station.outputs {
        let (name, contents) = (name(&output.medium, lang), contents(output, lang));
        let (what, colon) = (lang.pick("Sortie", "Output"), words::colon(lang));
        writeln!(out, "{what}{colon} {name}{colon} {contents}\n  {}", harmless(&output.id))?;
    }
    Ok(())
}

/// One change: when, what, and what to do when there is something to do.
pub(super) fn happened(
    time: &str,
    session: &Session,
    (word, sentence, next): &Saying,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = format!("{}{}", name(&session.medium, lang), words::colon(lang));
    if session.state == "checking" && session.percent > 0 {
        return writeln!(out, "{time} {name} {}", state(session, lang));
    }
    if session.state == "copying" && session.copy.percent > 0 {
        return writeln!(out, "{time} {name} {} {} %", harmless_words(word), session.copy.percent);
    }
    let (word, sentence, next) = (harmless_words(word), harmless_words(sentence), harmless_words(next));
    writeln!(out, "{time} {name} {word}. {sentence}\n         {next}")?;
    if session.estimate_seconds > 0 && session.state == "checking" {
        let time = words::duration(Duration::from_secs(session.estimate_seconds), lang);
        writeln!(out, "         {} {time}.", lang.pick("Durée prévue :", "Expected time:"))?;
    }
    Ok(())
}

/// What of a session deserves a new line: its state, its result, each step of a copy and what came of it, and every tenth of
/// the way.
pub(super) fn step(session: &Session) -> String {
    let way = if session.state == "checking" { session.percent / 10 } else { 0 };
    let told = u8::from(session.estimate_seconds > 0 && session.state == "checking");
    let Session { state, verdict, seal, copy, .. } = session;
    format!("{state} {verdict} {seal} {told} {way} {} {} {}", copy.stage, copy.percent / 10, copy.outcome)
}

/// "Kingston DataTraveler, 16 Go, /dev/sdb".
pub(super) fn name(medium: &Medium, lang: Lang) -> String {
    let name = if medium.name.is_empty() {
        lang.pick("support sans nom", "medium without a name").to_owned()
    } else {
        harmless(&medium.name)
    };
    let size = (medium.capacity > 0).then(|| words::size(medium.capacity, lang));
    let node = (!medium.node.is_empty()).then(|| harmless(&medium.node));
    [Some(name), size, node].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// "VÉRIFICATION 45 %", "INFECTÉ".
fn state(session: &Session, lang: Lang) -> String {
    let verdict = match session.verdict.as_str() {
        "clean" => Some(blanche_scan::judge::Verdict::Clean),
        "incomplete" => Some(blanche_scan::judge::Verdict::Incomplete),
        "infected" => Some(blanche_scan::judge::Verdict::Infected),
        "refused" => Some(blanche_scan::judge::Verdict::Refused),
        _ => None,
    };
    if let Some(verdict) = verdict.filter(|_| session.state != "copying") {
        return words::verdict(verdict, lang).word.to_owned();
    }
    let known = crate::session::view::State::ALL.into_iter().find(|state| state.word() == session.state);
    let word = known.map_or_else(|| harmless(&session.state), |state| crate::words::state_word(state, lang).to_owned());
    let percent = if session.state == "copying" { session.copy.percent } else { session.percent };
    if percent > 0 { format!("{word} {percent} %") } else { word }
}

/// Sentences of a station keep a number and its unit together with a blank that [`harmless`] would show.
fn harmless_words(text: &str) -> String {
    text.split('\u{A0}').map(harmless).collect::<Vec<_>>().join("\u{A0}")
}

fn advice(lang: Lang, french: (String, &str), english: (String, &str)) -> Advice {
    let (what, next) = lang.pick(french, english);
    Advice { what, next: next.to_owned() }
}

/// The station is not on the bus.
pub(super) fn absent(lang: Lang) -> Advice {
    advice(
        lang,
        ("La station ne fonctionne pas.".to_owned(), "Lancez le service blanche-stationd, et lisez son journal."),
        ("The station is not running.".to_owned(), "Start the service blanche-stationd, and read its log."),
    )
}

/// The bus does not let this person do it.
pub(super) fn denied(lang: Lang) -> Advice {
    advice(
        lang,
        (
            "Votre compte n'a pas ce droit.".to_owned(),
            "Il faut être root, ou du groupe blanche-kiosk ou blanche-staff.",
        ),
        (
            "Your account has no right to this.".to_owned(),
            "It takes root, or the group blanche-kiosk or blanche-staff.",
        ),
    )
}

/// There is no bus.
pub(super) fn no_bus(why: &str, lang: Lang) -> Advice {
    advice(
        lang,
        (
            format!("Le bus D-Bus ne répond pas ({why})."),
            "Vérifiez que dbus fonctionne, ou donnez une autre adresse avec --bus.",
        ),
        (
            format!("The D-Bus bus does not answer ({why})."),
            "Check that dbus is running, or give another address with --bus.",
        ),
    )
}

/// Something else went wrong.
pub(super) fn failed(why: &str, lang: Lang) -> Advice {
    advice(
        lang,
        (
            format!("La station n'a pas pu répondre ({why})."),
            "Réessayez ; si cela se répète, prévenez l'administrateur.",
        ),
        (format!("The station could not answer ({why})."), "Try again; if that happens again, tell the administrator."),
    )
}

/// None or several sessions fit.
pub(super) fn which(number: usize, lang: Lang) -> Advice {
    let next =
        lang.pick("« blanche station status » montre les sessions.", "“blanche station status” shows the sessions.");
    let (french, english) = if number == 0 {
        ("Aucune session ne convient.".to_owned(), "No session fits.".to_owned())
    } else {
        (format!("{number} sessions conviennent : dites laquelle."), format!("{number} sessions fit: say which one."))
    };
    advice(lang, (french, next), (english, next))
}

/// None or several output media fit.
pub(super) fn which_output(number: usize, lang: Lang) -> Advice {
    let (french, english) = if number == 0 {
        ("Aucun support de sortie ne convient.".to_owned(), "No output medium fits.".to_owned())
    } else {
        (
            format!("{number} supports de sortie conviennent : dites lequel."),
            format!("{number} output media fit: say which one."),
        )
    };
    advice(
        lang,
        (french, "« blanche station status » montre les supports de sortie."),
        (english, "“blanche station status” shows the output media."),
    )
}

/// The station refuses an order.
pub(super) fn refused(name: &str, lang: Lang) -> Advice {
    let (french, english) = match name {
        "NothingToCancel" => {
            ("Il n'y a plus rien à annuler dans cette session.", "There is nothing left to cancel in this session.")
        }
        "InUse" => ("Ce support est en cours d'utilisation : annulez d'abord.", "This medium is in use: cancel first."),
        _ => ("Cette session est terminée, ou n'a jamais existé.", "This session is over, or never was."),
    };
    let next =
        lang.pick("« blanche station status » montre les sessions.", "“blanche station status” shows the sessions.");
    advice(lang, (french.to_owned(), next), (english.to_owned(), next))
}

/// There are no engines to be tested.
pub(super) fn not_ready(lang: Lang) -> Advice {
    let next = lang.pick(
        "Attendez une minute ; « blanche station status » dit pourquoi.",
        "Wait a minute; “blanche station status” says why.",
    );
    let what = ("Les antivirus de cette station ne sont pas chargés.", "The engines of this station are not loaded.");
    advice(lang, (what.0.to_owned(), next), (what.1.to_owned(), next))
}

/// Somebody else has it tested already.
pub(super) fn running(lang: Lang) -> Advice {
    let next = lang.pick("Attendez son résultat.", "Wait for its result.");
    let what = ("Un autotest est déjà en cours.", "A self-test is running already.");
    advice(lang, (what.0.to_owned(), next), (what.1.to_owned(), next))
}

/// Only a simulated station has media made up.
pub(super) fn not_simulated(lang: Lang) -> Advice {
    advice(
        lang,
        (
            "Cette station est réelle : rien n'y est simulé.".to_owned(),
            "Pour s'entraîner : blanche-stationd --simulate (docs/training.md).",
        ),
        (
            "This station is a real one: nothing is made up there.".to_owned(),
            "For training: blanche-stationd --simulate (docs/training.md).",
        ),
    )
}

/// Nothing was plugged in or pulled out.
pub(super) fn not_plugged(why: &str, lang: Lang) -> Advice {
    let next = lang.pick(
        "« blanche station insert » sans argument montre les supports et les prises.",
        "“blanche station insert” without arguments shows media and ports.",
    );
    advice(
        lang,
        (format!("Rien n'a été branché ni retiré ({why})."), next),
        (format!("Nothing was plugged in or pulled out ({why})."), next),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_a_medium_calls_itself_reaches_no_terminal_as_it_is() {
        let session = Session {
            session: "\u{1B}[2J".to_owned(),
            state: "\u{202E}x".to_owned(),
            medium: Medium { name: "a\u{1B}]0;x\u{7}".to_owned(), node: "/dev/\nsdb".to_owned(), ..Medium::default() },
            ..Session::default()
        };
        let mut out = Vec::new();
        let words = ("W\u{7}".to_owned(), "S 12\u{A0}Go \u{1B}[1m".to_owned(), "N\u{2028}".to_owned());
        status(
            &StationLine::default(),
            std::slice::from_ref(&words),
            std::slice::from_ref(&session),
            Lang::Fr,
            &mut out,
        )
        .expect("memory");
        happened("12:00", &session, &words, Lang::Fr, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(!text.contains(['\u{1B}', '\u{7}', '\u{202E}', '\u{2028}']), "{text:?}");
        assert!(text.contains("12\u{A0}Go"), "{text:?}");
    }

    #[test]
    fn a_line_is_said_for_each_tenth_of_the_way_and_not_for_each_percent() {
        let at = |percent| step(&Session { state: "checking".to_owned(), percent, ..Session::default() });
        assert_eq!(at(11), at(19));
        assert_ne!(at(19), at(20));
    }
}
