//! Plain sentences about copying to a key of the station: what is being done, why it cannot be, what came of it.

use super::{Saying, advice, verdict_word};
use crate::session::view::{Conclusion, CopyStep, NoCopy, SessionView, State};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport};
use blanche_scan::words::{self, Advice, Consent, Lang};

/// What to say of a copy that is being made or was made; nothing when there is none to speak of.
pub(super) fn session(view: &SessionView, conclusion: &Conclusion, lang: Lang) -> Option<Saying> {
    match (view.state, &view.copy.report) {
        (State::Copying, _) => {
            let step = view.copy.progress.map_or(CopyStep::Formatting, |progress| progress.step);
            Some(Saying::new(super::state_word(State::Copying, lang), copy_step(step, lang)))
        }
        (State::Stopping, _) => {
            let said = advice(
                lang,
                ("La copie s'arrête.", "Attendez un instant ; laissez les deux supports branchés."),
                ("The copy is being stopped.", "Wait a moment; leave both media plugged in."),
            );
            Some(Saying::new(super::state_word(State::Stopping, lang), said))
        }
        (State::Verdict, Some(report)) => Some(after(report, conclusion, lang)),
        // Pulled out while its files were copied: what the copy says is the news.
        (State::Removed, Some(report)) if view.pulled => Some(after(report, conclusion, lang)),
        _ => None,
    }
}

/// What came of a copy. What to do with a medium that is not clean is not forgotten over it.
fn after(report: &CopyReport, conclusion: &Conclusion, lang: Lang) -> Saying {
    let mut said = copied(report, lang);
    if conclusion.verdict() != Verdict::Clean {
        said.next = format!("{} {}", said.next, super::concluded(conclusion, lang).next);
    }
    Saying::new(verdict_word(conclusion, lang), said)
}

/// What came of a copy.
fn copied(report: &CopyReport, lang: Lang) -> Advice {
    let said = match (&report.cause, report.outcome) {
        // The sentence of the command line speaks of its own switch.
        (Some(CopyCause::NotBlank), _) => words::not_blank(Consent::Confirmed, lang),
        _ => words::copy(report, lang),
    };
    if report.outside_profile && report.outcome == CopyOutcome::Copied {
        return Advice { what: format!("{} {}", said.what, words::outside_profile(lang)), next: said.next };
    }
    said
}

/// What is being done to the output medium.
#[must_use]
pub fn copy_step(step: CopyStep, lang: Lang) -> Advice {
    let next = ("Laissez les deux supports branchés.", "Leave both media plugged in.");
    let (french, english) = match step {
        CopyStep::Formatting => {
            ("Le support de la station est en préparation.", "The station's medium is being prepared.")
        }
        CopyStep::Writing => ("Les fichiers sont en cours de copie.", "The files are being copied."),
        CopyStep::ReadingBack => {
            ("Les fichiers copiés sont en cours de relecture.", "The copied files are being read again.")
        }
        CopyStep::Checking => {
            ("Les fichiers copiés sont en cours de vérification.", "The copied files are being checked.")
        }
        CopyStep::Sealing => (
            "L'étiquette est en cours d'écriture sur le support de la station.",
            "The tag is being written on the station's medium.",
        ),
    };
    advice(lang, (french, next.0), (english, next.1))
}

/// Why the files of a session cannot be copied now.
#[must_use]
pub fn cannot_copy(why: NoCopy, lang: Lang) -> Advice {
    let again = ("Débranchez-le, puis rebranchez-le.", "Unplug it, and plug it in again.");
    let staff = ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
    let wait = ("Attendez un instant.", "Wait a moment.");
    let (french, english, next) = match why {
        NoCopy::Unfinished => (
            "Ce support n'est pas encore vérifié.",
            "This medium is not checked yet.",
            ("Attendez le résultat.", "Wait for the result."),
        ),
        NoCopy::Copying => ("Ses fichiers sont déjà en cours de copie.", "Its files are being copied already.", wait),
        NoCopy::Verdict => (
            "Cette station ne copie pas les fichiers d'un tel support.",
            "This station does not copy the files of such a medium.",
            ("Lisez ce que dit la vérification.", "Read what the check says."),
        ),
        NoCopy::Nothing => (
            "Il n'y a aucun fichier à copier.",
            "There is no file to copy.",
            ("Vérifiez que c'est le bon support.", "Check that it is the right medium."),
        ),
        NoCopy::Obstacles => (
            "Une copie ne pourrait pas recevoir d'étiquette en ce moment.",
            "A copy could not get a tag at the moment.",
            staff,
        ),
        NoCopy::Gone => (
            "Ce support n'est plus là.",
            "This medium is no longer there.",
            ("Branchez-le à nouveau pour le faire vérifier.", "Plug it in again to have it checked."),
        ),
        NoCopy::NotKept => (
            "Pour que ses fichiers soient copiés, ce support doit être vérifié à nouveau.",
            "For its files to be copied, this medium must be checked again.",
            again,
        ),
        NoCopy::NoPort => {
            ("Aucune prise de cette station ne sert à copier.", "No port of this station is for copying.", staff)
        }
        NoCopy::Unsealed => {
            ("Cette station n'étiquette rien en ce moment.", "This station tags nothing at the moment.", staff)
        }
        NoCopy::Busy => (
            "Cette station travaille déjà sur autant de supports qu'elle le peut.",
            "This station is working on as many media as it can already.",
            wait,
        ),
    };
    advice(lang, (french, next.0), (english, next.1))
}
