//! `blanche station copy`: the order, and what the station says against it.

use super::{CopyOrderArguments, NoAnswer, json, print, show, which};
use crate::exit::Exit;
use crate::session::view::NoCopy;
use blanche_bus::{Client, OutputLine};
use blanche_scan::words::{Advice, Consent, Lang, not_blank};

/// Gives the order. The copy goes on when this program has ended; `blanche station watch` shows it.
pub(super) async fn order(arguments: &CopyOrderArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let client = Client::connect(&arguments.station.bus).await?;
    let (station, sessions) = client.everything().await?;
    let session = which(&sessions, arguments.session.as_deref(), |session| session.copy.can)?;
    let output = which_output(&station.outputs, arguments.output.as_deref())?;
    client.session(&session.path).await?.copy(&output.id, arguments.erase).await?;
    if arguments.station.json {
        print(|out| json(out, session))?;
    } else {
        let (from, to) = (show::name(&session.medium, lang), show::name(&output.medium, lang));
        let said = lang.pick(
            format!("{from} : copie vers {to}. Laissez les deux supports branchés."),
            format!("{from}: being copied to {to}. Leave both media plugged in."),
        );
        print(|out| writeln!(out, "{said}"))?;
    }
    Ok(Exit::Clean)
}

/// The output medium that is meant: named by number or block device, or the only one.
fn which_output<'a>(outputs: &'a [OutputLine], named: Option<&str>) -> Result<&'a OutputLine, NoAnswer> {
    let fits = |output: &&OutputLine| named.is_none_or(|name| output.id == name || output.medium.node == name);
    let mut fitting = outputs.iter().filter(fits);
    match (fitting.next(), fitting.count()) {
        (Some(only), 0) => Ok(only),
        (found, more) => Err(NoAnswer::WhichOutput(usize::from(found.is_some()).saturating_add(more))),
    }
}

/// Whether an error of the bus is about the order and not about the bus.
pub(super) fn is_refusal(name: &str) -> bool {
    matches!(name, "CannotCopy" | "NoSuchOutput" | "OutputInUse" | "OutputReadOnly" | "NotBlank")
}

/// Why the station does not copy. `text`: of a session, the word of its reason.
pub(super) fn refused(name: &str, text: &str, lang: Lang) -> Advice {
    let status =
        lang.pick("« blanche station status » montre les supports.", "“blanche station status” shows the media.");
    let (french, english, next) = match name {
        "CannotCopy" => {
            let why = NoCopy::ALL.into_iter().find(|why| why.word() == text).unwrap_or_default();
            return crate::words::cannot_copy(why, lang);
        }
        "NotBlank" => return not_blank(Consent::Switch("--erase"), lang),
        "OutputInUse" => (
            "Le support de la station est en cours d'examen ou d'écriture.",
            "The station's medium is being looked at or written.",
            lang.pick("Attendez un instant.", "Wait a moment."),
        ),
        "OutputReadOnly" => (
            "Le support de la station est protégé en écriture.",
            "The station's medium is write-protected.",
            lang.pick("Prenez un autre support de la station.", "Take another medium of the station."),
        ),
        _ => ("Ce support n'est pas dans une prise de sortie.", "This medium is not in an output port.", status),
    };
    Advice { what: lang.pick(french, english).to_owned(), next: next.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn output(id: &str, node: &str) -> OutputLine {
        let mut output = OutputLine { id: id.to_owned(), ..OutputLine::default() };
        output.medium.node = node.to_owned();
        output
    }

    #[test]
    fn an_order_without_an_output_medium_takes_the_only_one_and_never_guesses() {
        let two = [output("a", "/dev/sdb"), output("b", "/dev/sdc")];
        assert_eq!(which_output(&two[..1], None).expect("the only one").id, "a");
        assert_eq!(which_output(&two, Some("/dev/sdc")).expect("by its device").id, "b");
        assert_eq!(which_output(&two, Some("a")).expect("by its number").id, "a");
        assert!(matches!(which_output(&two, None), Err(NoAnswer::WhichOutput(2))));
        assert!(matches!(which_output(&two, Some("/dev/sdd")), Err(NoAnswer::WhichOutput(0))));
        assert!(matches!(which_output(&[], None), Err(NoAnswer::WhichOutput(0))));
    }

    #[test]
    fn every_refusal_has_a_sentence_of_its_own() {
        let names = ["CannotCopy", "NoSuchOutput", "OutputInUse", "OutputReadOnly", "NotBlank"];
        let mut said = std::collections::BTreeSet::new();
        for name in names {
            assert!(is_refusal(name));
            for lang in [Lang::Fr, Lang::En] {
                assert!(said.insert(refused(name, "not-kept", lang).what), "{name}");
            }
        }
        assert_eq!(refused("CannotCopy", "busy", Lang::En), crate::words::cannot_copy(NoCopy::Busy, Lang::En));
    }
}
