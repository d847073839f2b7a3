//! Plain sentences in French and English for what only a station says: its state, its problems, how a session ended without
//! a report. Sentences about contents, verdicts and tags are those of [`blanche_scan::words`].
//!
//! Every match over an enum is exhaustive: a new state or problem without its two sentences does not compile.

mod copying;

pub use copying::{cannot_copy, copy_step};

use crate::admit::device_refusal;
use crate::board::ProblemKind;
use crate::session::view::{Conclusion, Failure, SessionView, State};
use blanche_scan::judge::Verdict;
use blanche_scan::report::Report;
use blanche_scan::words::{self, Advice, Lang};

/// What a person is told about a session: one word, whole sentences, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// One word, as large as the screen allows.
    pub word: String,
    /// What happened or happens.
    pub sentence: String,
    /// What to do next.
    pub next: String,
}

impl Saying {
    fn new(word: &str, advice: Advice) -> Self {
        Self { word: word.to_owned(), sentence: advice.what, next: advice.next }
    }
}

/// What to say about a session at this moment.
#[must_use]
pub fn session(view: &SessionView, lang: Lang) -> Saying {
    if let Some(copying) = view.conclusion.as_ref().and_then(|conclusion| copying::session(view, conclusion, lang)) {
        return copying;
    }
    match (&view.conclusion, view.state) {
        // It was told; now only that the medium is gone is news.
        (Some(conclusion), State::Removed) if !view.pulled => {
            Saying { word: verdict_word(conclusion, lang).to_owned(), ..Saying::new("", state(State::Removed, lang)) }
        }
        (Some(conclusion), _) => concluded(conclusion, lang),
        (None, now) => Saying::new(state_word(now, lang), state(now, lang)),
    }
}

/// The one word of a state, as a label.
#[must_use]
pub fn state_word(state: State, lang: Lang) -> &'static str {
    match state {
        State::Queued => lang.pick("EN ATTENTE", "WAITING"),
        State::Checking => lang.pick("VÉRIFICATION", "CHECKING"),
        State::Sealing => lang.pick("ÉTIQUETAGE", "TAGGING"),
        State::Stopping => lang.pick("ARRÊT", "STOPPING"),
        State::Verdict => lang.pick("TERMINÉ", "DONE"),
        State::Copying => lang.pick("COPIE", "COPYING"),
        State::Refused => lang.pick("REFUSÉ", "REFUSED"),
        State::Removed => lang.pick("RETIRÉ", "REMOVED"),
    }
}

/// What a state means for the person in front of the station.
#[must_use]
pub fn state(state: State, lang: Lang) -> Advice {
    let (french, english) = match state {
        State::Queued => (
            ("Ce support attend son tour.", "Laissez-le branché ; la vérification commence toute seule."),
            ("This medium waits for its turn.", "Leave it plugged in; the check starts by itself."),
        ),
        State::Checking => (
            ("Les fichiers de ce support sont en cours de vérification.", "Laissez-le branché jusqu'au résultat."),
            ("The files of this medium are being checked.", "Leave it plugged in until the result."),
        ),
        State::Sealing => (
            (
                "Rien de dangereux n'a été trouvé ; l'étiquette est en cours d'écriture.",
                "Surtout, ne retirez pas encore ce support.",
            ),
            ("Nothing dangerous was found; the tag is being written.", "Do not take this medium out yet."),
        ),
        State::Stopping => {
            (("La vérification s'arrête.", "Attendez un instant."), ("The check is being stopped.", "Wait a moment."))
        }
        State::Verdict => (
            ("La vérification est terminée.", "Vous pouvez retirer ce support."),
            ("The check is over.", "You may take this medium out."),
        ),
        State::Copying => (
            (
                "Les fichiers vérifiés sont en cours de copie vers un support de la station.",
                "Laissez les deux supports branchés.",
            ),
            ("The checked files are being copied to a medium of the station.", "Leave both media plugged in."),
        ),
        State::Refused => (
            ("Cette station n'accepte pas cet appareil.", "Retirez-le."),
            ("This station does not accept this device.", "Take it out."),
        ),
        State::Removed => (
            ("Le support a été retiré.", "Branchez-le à nouveau pour le vérifier encore une fois."),
            ("The medium was taken out.", "Plug it in again to have it checked once more."),
        ),
    };
    advice(lang, french, english)
}

/// A problem of the station: what it means for people, and what to do.
#[must_use]
pub fn problem(kind: ProblemKind, lang: Lang) -> Advice {
    let next = ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
    let (french, english) = match kind {
        ProblemKind::Engines => (
            "Cette station ne peut rien vérifier en ce moment : ses antivirus ne fonctionnent pas.",
            "This station cannot check anything at the moment: its antivirus engines do not work.",
        ),
        ProblemKind::Bases => (
            "Une liste de virus connus est trop ancienne ou manque : aucun support ne reçoit d'étiquette.",
            "A list of known viruses is too old or missing: no medium gets a tag.",
        ),
        ProblemKind::UsbOpen => (
            "Les prises USB de cette station ne sont pas protégées : aucun support ne reçoit d'étiquette.",
            "The USB ports of this station are not protected: no medium gets a tag.",
        ),
        ProblemKind::Journal => (
            "Cette station ne peut plus tenir son journal : aucun support ne reçoit d'étiquette.",
            "This station cannot keep its journal any more: no medium gets a tag.",
        ),
        ProblemKind::Signer => (
            "Cette station ne peut pas signer : aucun support ne reçoit d'étiquette.",
            "This station cannot sign: no medium gets a tag.",
        ),
        ProblemKind::Detection => (
            "Cette station ne voit plus les supports que l'on branche.",
            "This station no longer sees the media that are plugged in.",
        ),
    };
    advice(lang, (french, next.0), (english, next.1))
}

/// Why a session ended without a report.
#[must_use]
pub fn failure(failure: &Failure, lang: Lang) -> Advice {
    let again =
        ("Branchez ce support à nouveau pour le faire vérifier.", "Plug this medium in again to have it checked.");
    let staff = ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
    let security = ("Apportez ce support au service de sécurité.", "Take this medium to the security staff.");
    let (french, english, next) = match failure.kind {
        "removed" => (
            "Ce support a été retiré avant la fin de la vérification.",
            "This medium was taken out before the check was over.",
            again,
        ),
        "cancelled" => ("La vérification a été annulée.", "The check was cancelled.", again),
        "engines" => (
            "Ce support n'a pas été vérifié : les antivirus de cette station ne fonctionnent pas.",
            "This medium was not checked: the antivirus engines of this station do not work.",
            staff,
        ),
        "unreadable" => (
            "Ce support ne peut pas être lu.",
            "This medium cannot be read.",
            (
                "Débranchez-le puis rebranchez-le ; si cela se répète, il est sans doute en panne.",
                "Unplug it and plug it in again; if that happens again, it is probably broken.",
            ),
        ),
        "changed" => (
            "Cet appareil s'est transformé en un autre pendant la vérification.",
            "This device became another one during the check.",
            security,
        ),
        "sleep" => (
            "La station s'est mise en veille pendant la vérification.",
            "The station went to sleep during the check.",
            again,
        ),
        "restart" => {
            ("La station a redémarré pendant la vérification.", "The station started again during the check.", again)
        }
        _ => ("La station a eu une panne pendant la vérification.", "The station failed during the check.", staff),
    };
    advice(lang, (french, next.0), (english, next.1))
}

/// A session that has its result.
fn concluded(conclusion: &Conclusion, lang: Lang) -> Saying {
    let word = verdict_word(conclusion, lang);
    match conclusion {
        Conclusion::Report(report) => reported(report, word, lang),
        Conclusion::Refused(why) => Saying::new(word, device_refusal(why, lang)),
        Conclusion::Failed(why) => Saying::new(word, failure(why, lang)),
    }
}

fn verdict_word(conclusion: &Conclusion, lang: Lang) -> &'static str {
    words::verdict(conclusion.verdict(), lang).word
}

/// The verdict, and beside it why nothing was read, or what became of the tag.
fn reported(report: &Report, word: &str, lang: Lang) -> Saying {
    let nothing = report.verdict == Verdict::Clean && report.content.files == 0;
    let verdict = if nothing { words::nothing_to_check(lang) } else { words::verdict(report.verdict, lang) };
    let tag = report.seal.as_ref().filter(|_| report.verdict == Verdict::Clean).map(|seal| words::seal(seal, lang));
    let refusal = report.refusal.as_ref().map(|refusal| words::refusal(refusal, lang));
    let Some(more) = refusal.or(tag) else {
        return Saying::new(word, Advice { what: verdict.sentence.to_owned(), next: verdict.next.to_owned() });
    };
    Saying { word: word.to_owned(), sentence: format!("{} {}", verdict.sentence, more.what), next: more.next }
}

fn advice(lang: Lang, french: (&str, &str), english: (&str, &str)) -> Advice {
    let (what, next) = lang.pick(french, english);
    Advice { what: what.to_owned(), next: next.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admit::DeviceRefusal;
    use crate::session::view::{CopyStep, MediumView, NoCopy};
    use crate::show::samples;
    use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, TargetKind, TargetLine};
    use blanche_scan::settings::CopyMode;
    use blanche_scan::words::Consent;
    use std::sync::Arc;

    /// Words of the trade that an agent need not know, in the sentences of this file.
    const JARGON: [&str; 12] = [
        "daemon",
        "kernel",
        "noyau",
        "driver",
        "pilote",
        "interface",
        "descriptor",
        "descripteur",
        "udev",
        "process",
        "thread",
        "signature",
    ];

    fn is_plain(text: &str) {
        assert!(text.ends_with('.') && text.chars().next().is_some_and(char::is_uppercase), "{text:?}");
        let lower = text.to_lowercase();
        assert!(!JARGON.iter().any(|word| lower.contains(word)), "{text:?}");
    }

    /// Both languages speak, differ, and say whole sentences without a word of the trade.
    fn are_plain(say: impl Fn(Lang) -> Advice) {
        let (french, english) = (say(Lang::Fr), say(Lang::En));
        for advice in [&french, &english] {
            is_plain(&advice.what);
            is_plain(&advice.next);
        }
        assert!(french.what != english.what && french.next != english.next, "{french:?}");
    }

    fn failed(kind: &'static str) -> Failure {
        Failure::new(kind, "\u{202E}for staff")
    }

    fn view(state: State, conclusion: Option<Conclusion>) -> SessionView {
        SessionView { conclusion, ..SessionView::new(state, MediumView::default()) }
    }

    #[test]
    fn every_state_and_every_problem_has_plain_sentences_in_both_languages() {
        for now in State::ALL {
            are_plain(|lang| state(now, lang));
            assert_ne!(state_word(now, Lang::Fr), state_word(now, Lang::En));
        }
        for kind in ProblemKind::ALL {
            are_plain(|lang| problem(kind, lang));
        }
    }

    #[test]
    fn every_way_to_end_without_a_report_has_plain_sentences_of_its_own() {
        let kinds = ["removed", "cancelled", "engines", "station", "unreadable", "restart", "sleep", "changed"];
        let mut said = std::collections::BTreeSet::new();
        for kind in kinds {
            are_plain(|lang| failure(&failed(kind), lang));
            assert!(said.insert(failure(&failed(kind), Lang::En).what), "{kind}");
        }
    }

    #[test]
    fn every_step_of_a_copy_and_every_reason_against_one_has_plain_sentences_of_its_own() {
        let mut said = std::collections::BTreeSet::new();
        for step in CopyStep::ALL {
            are_plain(|lang| copy_step(step, lang));
            assert!(said.insert(copy_step(step, Lang::En).what), "{step:?}");
        }
        for why in NoCopy::ALL {
            are_plain(|lang| cannot_copy(why, lang));
            assert!(said.insert(cannot_copy(why, Lang::En).what), "{why:?}");
        }
        are_plain(|lang| words::not_blank(Consent::Confirmed, lang));
    }

    #[test]
    fn what_is_said_after_a_copy_is_what_came_of_it_and_no_switch_of_a_command() {
        let output =
            TargetLine { path: "/dev/sdc".into(), kind: TargetKind::Device, capacity: None, logical_block: None };
        let report = CopyReport::untouched(CopyMode::AllOrNothing, output);
        let mut view = view(State::Copying, Some(Conclusion::Report(Arc::new(samples::clean()))));
        assert_eq!(session(&view, Lang::En).word, "COPYING");
        view.state = State::Stopping;
        assert!(session(&view, Lang::Fr).sentence.contains("copie"));
        view.state = State::Verdict;
        view.copy.report = Some(Arc::new(CopyReport { cause: Some(CopyCause::NotBlank), ..report.clone() }));
        for lang in [Lang::Fr, Lang::En] {
            let said = session(&view, lang);
            assert_eq!(said.word, words::verdict(Verdict::Clean, lang).word);
            assert!(!said.next.contains("--"), "{said:?}");
        }
        let infected = Conclusion::Report(Arc::new(samples::infected()));
        let (alone, mut copied) = (concluded(&infected, Lang::En), view.clone());
        copied.conclusion = Some(infected);
        for cause in [None, Some(CopyCause::NotClean), Some(CopyCause::OutputFailed)] {
            copied.copy.report = Some(Arc::new(CopyReport { cause, ..report.clone() }));
            let said = session(&copied, Lang::En);
            assert!(said.next.ends_with(&alone.next) && said.next.len() > alone.next.len(), "{said:?}");
        }
        let outside = CopyReport { outcome: CopyOutcome::Copied, outside_profile: true, ..report };
        view.copy.report = Some(Arc::new(outside));
        assert!(session(&view, Lang::En).sentence.contains("outside the ANSSI profile"));
    }

    #[test]
    fn what_is_said_of_a_session_follows_its_state_and_then_its_result() {
        let waiting = session(&view(State::Queued, None), Lang::En);
        assert_eq!(waiting.word, "WAITING");
        let pulled = SessionView { pulled: true, ..view(State::Removed, Some(Conclusion::Failed(failed("removed")))) };
        let pulled = session(&pulled, Lang::En);
        assert_eq!(pulled.word, "INCOMPLETE");
        assert!(pulled.sentence.contains("before the check was over"), "{pulled:?}");
        assert!(!pulled.sentence.contains("staff"), "details are not for agents: {pulled:?}");
        let refused = session(&view(State::Refused, Some(Conclusion::Refused(DeviceRefusal::Hub))), Lang::Fr);
        assert_eq!(refused.word, "REFUSÉ");
        assert_eq!(refused.sentence, device_refusal(&DeviceRefusal::Hub, Lang::Fr).what);
        let gone = session(&view(State::Removed, Some(Conclusion::Refused(DeviceRefusal::Hub))), Lang::Fr);
        assert_eq!(gone.sentence, "Le support a été retiré.");
    }
}
