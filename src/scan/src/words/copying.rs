//! What came of a copy: what is on the output medium now, and why nothing was copied.

use super::{Advice, Lang, files, harmless, size, write_obstacle};
use crate::report::{CopyCause, CopyOutcome, CopyReport, NameChange, Omission, Seal};

type Words = (&'static str, &'static str);

const ADMINISTRATOR: Words = ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
const SECURITY: Words =
    ("Apportez les deux supports au service de sécurité.", "Take both media to the security staff.");
const ANOTHER: Words = ("Prenez un autre support de la station.", "Take another medium of the station.");
const AGAIN: Words = ("Recommencez la copie.", "Start the copy again.");

/// What came of a copy, in one sentence, and what to do.
#[must_use]
pub fn copy(copy: &CopyReport, lang: Lang) -> Advice {
    let Some(cause) = &copy.cause else {
        if let Some(Seal::NoTag { .. }) = copy.seal {
            return Advice::new(
                lang,
                (
                    "Les fichiers ont été copiés et relus, mais le support de la station n'a pas d'étiquette.",
                    "Aucun poste ne l'acceptera : prévenez l'administrateur de la station.",
                ),
                (
                    "The files were copied and read again, but the station's medium has no tag.",
                    "No workstation will accept it: tell the station's administrator.",
                ),
            );
        }
        let amount = (files(copy.files, lang), size(copy.bytes, lang));
        return Advice::new(
            lang,
            (
                format!("Copié et relu : {}, {}.", amount.0, amount.1),
                "Emportez le support de la station ; n'y écrivez plus rien.",
            ),
            (
                format!("Copied and read again: {}, {}.", amount.0, amount.1),
                "Take the station's medium with you; write nothing more on it.",
            ),
        );
    };
    let advice = because(cause, lang);
    let state = match copy.outcome {
        CopyOutcome::Untouched => lang.pick(
            "Rien n'a été copié ; le support de la station est resté tel quel.",
            "Nothing was copied; the station's medium is as it was.",
        ),
        CopyOutcome::Empty | CopyOutcome::Copied => lang.pick(
            "Rien n'a été copié ; le support de la station est vide.",
            "Nothing was copied; the station's medium is empty.",
        ),
        CopyOutcome::Unknown => lang.pick(
            "La copie a échoué ; on ne sait pas ce que contient le support de la station, ni s'il porte une étiquette : ne l'utilisez pas.",
            "The copy failed; what the station's medium holds is not known, nor whether it carries a tag: do not use it.",
        ),
    };
    Advice { what: format!("{state} {}", advice.what), next: advice.next }
}

/// The label of a copy of the clean files of a medium that is not clean.
#[must_use]
pub fn outside_profile(lang: Lang) -> &'static str {
    lang.pick(
        "Copie partielle, hors du profil de l'ANSSI : seuls les fichiers sains d'un support qui ne l'est pas ont été retenus.",
        "Partial copy, outside the ANSSI profile: only the clean files of a medium that is not clean were chosen.",
    )
}

/// What is lost when an output medium is erased. `what`: its volumes.
#[must_use]
pub fn erased(name: &str, count: u64, bytes: u64, lang: Lang) -> String {
    let (name, count, bytes) = (harmless(name), files(count, lang), size(bytes, lang));
    lang.pick(
        format!("{name} contient {count} ({bytes}) : tout y sera effacé."),
        format!("{name} holds {count} ({bytes}): everything on it will be erased."),
    )
}

/// How somebody says that an output medium may be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// By a switch of the command that was given.
    Switch(&'static str),
    /// In front of a station that asks.
    Confirmed,
}

/// Why a medium that is not empty is left alone.
#[must_use]
pub fn not_blank(consent: Consent, lang: Lang) -> Advice {
    let next = match consent {
        Consent::Switch(switch) => (
            format!("Pour effacer tout ce qu'il contient, relancez la commande avec {switch}."),
            format!("To erase everything on it, give the command again with {switch}."),
        ),
        Consent::Confirmed => (
            "Pour effacer tout ce qu'il contient, confirmez-le ; sinon, branchez-en un autre.".to_owned(),
            "To erase everything on it, confirm that; or plug in another one.".to_owned(),
        ),
    };
    let what = ("Le support de la station n'est pas vide.", "The station's medium is not empty.");
    Advice::new(lang, (what.0, next.0), (what.1, next.1))
}

fn because(cause: &CopyCause, lang: Lang) -> Advice {
    let (french, english, next) = match cause {
        CopyCause::NotBlank => return not_blank(Consent::Switch("--yes"), lang),
        CopyCause::Output(obstacle) => {
            let advice = write_obstacle(obstacle, lang);
            let about = lang.pick("Support de la station :", "The station's medium:");
            return Advice {
                what: format!("{about} {}", advice.what),
                next: lang.pick(ANOTHER.0, ANOTHER.1).to_owned(),
            };
        }
        CopyCause::NoRoom { needed, room } => {
            let (needed, room) = (size(*needed, lang), size(*room, lang));
            (
                format!("Il est trop petit ({needed} nécessaires, {room} en tout)."),
                format!("It is too small ({needed} needed, {room} in all)."),
                ANOTHER,
            )
        }
        CopyCause::SourceChanged(Some(path)) => (
            format!("Le support vérifié ne montre plus la même chose ({}).", harmless(path)),
            format!("The medium that was checked no longer shows the same ({}).", harmless(path)),
            SECURITY,
        ),
        CopyCause::SourceUnreadable(path) => (
            format!("Un fichier du support vérifié ne se lit plus ({}).", harmless(path)),
            format!("A file of the medium that was checked can no longer be read ({}).", harmless(path)),
            ("Faites vérifier ce support à nouveau.", "Have that medium checked again."),
        ),
        CopyCause::OutputDiffers(Some(path)) => (
            format!("Le support de la station ne rend pas ce qui y a été écrit ({}).", harmless(path)),
            format!("The station's medium does not give back what was written to it ({}).", harmless(path)),
            ANOTHER,
        ),
        other => {
            let (french, english, next) = plain(other);
            (french.to_owned(), english.to_owned(), next)
        }
    };
    Advice::new(lang, (french, next.0), (english, next.1))
}

/// Causes that have nothing to tell but themselves.
fn plain(cause: &CopyCause) -> (&'static str, &'static str, Words) {
    match cause {
        CopyCause::NotClean => (
            "Seuls les fichiers d'un support sain sont copiés.",
            "Only the files of a clean medium are copied.",
            ("Lisez ci-dessous ce qui a été trouvé.", "Read below what was found."),
        ),
        CopyCause::Folder => (
            "Un dossier ne peut pas être copié.",
            "A folder cannot be copied.",
            ("Donnez le support entier.", "Give the whole medium."),
        ),
        CopyCause::Obstacles(_) => (
            "La copie ne pourrait pas recevoir d'étiquette.",
            "The copy could not get a tag.",
            ("Lisez ci-dessous ce qui manque.", "Read below what is missing."),
        ),
        CopyCause::Nothing => (
            "Il n'y a aucun fichier à copier.",
            "There is no file to copy.",
            ("Vérifiez que c'est le bon support.", "Check that it is the right medium."),
        ),
        CopyCause::SameMedium => (
            "Les deux supports sont le même.",
            "Both media are the same one.",
            ("Donnez un autre support pour la copie.", "Give another medium for the copy."),
        ),
        CopyCause::NotOutput => (
            "Le support de destination n'est pas dans une prise de sortie.",
            "The medium to copy to is not in an output port.",
            ("Branchez-le dans une prise de sortie.", "Plug it into an output port."),
        ),
        CopyCause::Unfit => {
            ("Sa taille ne permet pas de le préparer.", "Its size does not allow preparing it.", ANOTHER)
        }
        CopyCause::TooMany => (
            "Il y a trop de fichiers, en tout ou dans un dossier.",
            "There are too many files, in all or in one folder.",
            ("Faites-en une archive, et faites vérifier celle-ci.", "Put them into an archive, and have that checked."),
        ),
        CopyCause::OutputFailed => (
            "Le support de la station a été retiré ou ne prend plus ce qui y est écrit.",
            "The station's medium was taken out, or no longer takes what is written to it.",
            ANOTHER,
        ),
        CopyCause::OutputNotClean => (
            "La copie a été vérifiée à son tour, et n'est pas celle qui était attendue.",
            "The copy was checked in its turn, and is not what it should be.",
            SECURITY,
        ),
        CopyCause::SourceRemoved => (
            "Le support vérifié a été retiré avant la fin de la copie.",
            "The medium that was checked was taken out before the copy was over.",
            ("Branchez-le à nouveau pour recommencer.", "Plug it in again to start again."),
        ),
        CopyCause::Signer(_) => {
            ("La station ne pourrait pas signer l'étiquette.", "The station could not sign the tag.", ADMINISTRATOR)
        }
        CopyCause::Station(_) => ("La station n'a pas pu copier.", "The station could not copy.", ADMINISTRATOR),
        CopyCause::Cancelled => ("La copie a été arrêtée.", "The copy was stopped.", AGAIN),
        CopyCause::OutputDiffers(_) => (
            "Le support de la station ne rend pas ce qui y a été écrit.",
            "The station's medium does not give back what was written to it.",
            ANOTHER,
        ),
        CopyCause::SourceChanged(_) => (
            "Le support vérifié ne montre plus la même chose.",
            "The medium that was checked no longer shows the same.",
            SECURITY,
        ),
        CopyCause::NotBlank | CopyCause::Output(_) | CopyCause::NoRoom { .. } | CopyCause::SourceUnreadable(_) => {
            ("La copie a échoué.", "The copy failed.", AGAIN)
        }
    }
}

/// Why a name is another one on the output medium.
#[must_use]
pub fn name_change(change: NameChange, lang: Lang) -> &'static str {
    let (french, english) = match change {
        NameChange::Encoding => ("octets qui ne sont pas du texte", "bytes that are no text"),
        NameChange::Forbidden => ("caractère interdit sous Windows", "character not allowed on Windows"),
        NameChange::Invisible => ("caractère invisible ou trompeur", "invisible or deceptive character"),
        NameChange::Edge => ("espace ou point au bord", "space or dot at the edge"),
        NameChange::Device => ("nom réservé par Windows", "name reserved by Windows"),
        NameChange::Tag => ("nom réservé à l'étiquette", "name reserved for the tag"),
        NameChange::TooLong => ("nom trop long", "name too long"),
        NameChange::Collision => ("nom déjà pris", "name already taken"),
    };
    lang.pick(french, english)
}

/// Why something was not copied.
#[must_use]
pub fn omission(omission: Omission, lang: Lang) -> &'static str {
    let (french, english) = match omission {
        Omission::NotClean => ("n'est pas sain", "is not clean"),
        Omission::Link => ("lien", "link"),
        Omission::Stream => ("flux caché d'un fichier", "hidden stream of a file"),
        Omission::Special => ("ni fichier ni dossier", "neither file nor folder"),
        Omission::OldTag => ("ancienne étiquette, remplacée", "older tag, replaced"),
        Omission::HiddenVolume => ("partition cachée ou de démarrage", "hidden or boot partition"),
        Omission::OtherView => ("autre vue du même support", "other view of the same medium"),
    };
    lang.pick(french, english)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::report::{TargetKind, TargetLine};
    use crate::settings::CopyMode;
    use blanche_sandbox::wire::WriteObstacle;

    fn report(cause: Option<CopyCause>) -> CopyReport {
        let output =
            TargetLine { path: "/dev/sdc".into(), kind: TargetKind::Device, capacity: None, logical_block: None };
        let outcome = if cause.is_some() { CopyOutcome::Empty } else { CopyOutcome::Copied };
        let untouched = CopyReport::untouched(CopyMode::AllOrNothing, output);
        CopyReport { outcome, cause, files: 3, folders: 1, bytes: 4096, ..untouched }
    }

    #[test]
    fn the_words_of_outcomes_are_those_of_reports() {
        use CopyOutcome::*;
        for outcome in [Copied, Untouched, Empty, Unknown] {
            assert_eq!(serde_json::to_value(outcome).expect("JSON"), outcome.word());
        }
    }

    #[test]
    fn every_cause_has_a_sentence_of_its_own_and_advice_in_both_languages() {
        use CopyCause::*;
        let text = || "détail\u{1b}".to_owned();
        let causes = [
            NotClean,
            Folder,
            Obstacles(Vec::new()),
            Nothing,
            SameMedium,
            NotOutput,
            NotBlank,
            Output(WriteObstacle::InUse),
            NoRoom { needed: 2, room: 1 },
            Unfit,
            TooMany,
            Signer(text()),
            SourceChanged(None),
            SourceChanged(Some(text())),
            SourceUnreadable(text()),
            SourceRemoved,
            OutputFailed,
            OutputDiffers(None),
            OutputDiffers(Some(text())),
            OutputNotClean,
            Cancelled,
            Station(text()),
        ];
        for cause in &causes {
            let json = serde_json::to_value(cause).expect("JSON");
            assert_eq!(json["cause"], cause.word());
        }
        for lang in [Lang::Fr, Lang::En] {
            let all = causes.iter().map(|cause| copy(&report(Some(cause.clone())), lang)).collect::<Vec<_>>();
            for advice in &all {
                assert!(advice.what.ends_with('.') && advice.next.ends_with('.'), "{advice:?}");
                assert!(!advice.what.contains('\u{1b}'), "{advice:?}");
            }
            for cause in [Signer(text()), Station(text())] {
                assert!(!copy(&report(Some(cause)), lang).what.contains("détail"), "in one language only");
            }
            let different: std::collections::BTreeSet<_> = all.iter().map(|advice| &advice.what).collect();
            assert_eq!(different.len(), all.len(), "two causes say the same");
        }
        let unknown = CopyReport { outcome: CopyOutcome::Unknown, ..report(Some(Cancelled)) };
        for (lang, known) in [(Lang::Fr, "pas d'étiquette"), (Lang::En, "no tag")] {
            assert!(!copy(&unknown, lang).what.contains(known), "nobody knows");
        }
        assert_eq!(copy(&report(None), Lang::En).what.replace('\u{A0}', " "), "Copied and read again: 3 files, 4 kB.");
    }
}
