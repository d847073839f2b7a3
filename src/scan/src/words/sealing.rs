//! What came of sealing: where the tag is, until when it is valid, or why there is none.

use super::{Advice, Lang, date, harmless, size};
use crate::report::{DIFFERS, NoTag, Seal, SealedTag};
use blanche_sandbox::wire::{SealFailure, WriteObstacle};

/// What came of sealing, in one sentence, and what to do.
#[must_use]
pub fn seal(seal: &Seal, lang: Lang) -> Advice {
    match seal {
        Seal::OnMedium { tag, .. } => {
            let until = until(tag, lang);
            Advice::new(
                lang,
                (
                    format!("Ce support porte maintenant une étiquette, valable jusqu'au {until}."),
                    "Retirez-le, et n'y écrivez plus rien : tout changement rend l'étiquette sans valeur.",
                ),
                (
                    format!("This medium now carries a tag, valid until {until}."),
                    "Take it out, and write nothing more on it: any change makes the tag worthless.",
                ),
            )
        }
        Seal::Detached { tag, because, .. } => {
            let (until, because) = (until(tag, lang), write_obstacle(because, lang));
            Advice::new(
                lang,
                (
                    format!(
                        "L'étiquette est valable jusqu'au {until}, mais ce support ne peut pas la porter. {}",
                        because.what
                    ),
                    format!(
                        "La station la garde : demandez-la, et donnez-la au poste avec ce support. {}",
                        because.next
                    ),
                ),
                (
                    format!("The tag is valid until {until}, but this medium cannot carry it. {}", because.what),
                    format!(
                        "The station keeps it: ask for it, and give it to the workstation with this medium. {}",
                        because.next
                    ),
                ),
            )
        }
        Seal::NoTag { reason } => no_tag(reason, lang),
    }
}

/// The day on which a tag expires.
fn until(tag: &SealedTag, lang: Lang) -> String {
    let time = tag.expires.parse::<jiff::Timestamp>().ok();
    time.and_then(|time| date(time.as_second(), lang)).unwrap_or_else(|| harmless(&tag.expires))
}

const ADMINISTRATOR: (&str, &str) = ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
const AGAIN: (&str, &str) = ("Faites vérifier ce support à nouveau.", "Have this medium checked again.");
const SECURITY: (&str, &str) =
    ("Apportez ce support au service de sécurité.", "Take this medium to the security staff.");

/// An obstacle where there is no tag at all.
fn without(lang: Lang, because: &Advice) -> Advice {
    let what = lang.pick("Ce support n'a pas reçu d'étiquette.", "This medium got no tag.");
    Advice { what: format!("{what} {}", because.what), next: because.next.clone() }
}

/// Why a clean medium got no tag.
fn no_tag(reason: &NoTag, lang: Lang) -> Advice {
    let (french, english, next) = match reason {
        NoTag::Obstacles => (
            "Ce support n'a pas reçu d'étiquette.".to_owned(),
            "This medium got no tag.".to_owned(),
            ("Lisez ci-dessous ce qui manque.", "Read below what is missing."),
        ),
        NoTag::Folder => (
            "Un dossier ne peut pas recevoir d'étiquette.".to_owned(),
            "A folder cannot get a tag.".to_owned(),
            ("Faites vérifier le support entier.", "Have the whole medium checked."),
        ),
        NoTag::Unsealable(what) => (
            format!("Ce support contient quelque chose qu'une étiquette ne peut pas décrire ({}).", harmless(what)),
            format!("This medium holds something that a tag cannot describe ({}).", harmless(what)),
            (
                "Recopiez les fichiers sur un autre support et faites-le vérifier.",
                "Copy the files to another medium and have that one checked.",
            ),
        ),
        NoTag::Medium(WriteObstacle::Changed) => (
            "Ce support ne montre plus la même chose que pendant la vérification.".to_owned(),
            "This medium no longer shows the same as during the check.".to_owned(),
            SECURITY,
        ),
        NoTag::Medium(obstacle) => return without(lang, &write_obstacle(obstacle, lang)),
        NoTag::NoAnswer => (
            "Ce support n'a pas répondu à temps pour recevoir son étiquette ; rien n'y a été écrit.".to_owned(),
            "This medium did not answer in time to get its tag; nothing was written on it.".to_owned(),
            (
                "Débranchez-le, rebranchez-le et faites-le vérifier à nouveau.",
                "Unplug it, plug it in again and have it checked again.",
            ),
        ),
        NoTag::Cancelled => (
            "L'étiquetage a été annulé : ce support n'a pas reçu d'étiquette ; tous les fichiers sont intacts."
                .to_owned(),
            "Tagging was cancelled: this medium got no tag; every file is as it was.".to_owned(),
            ("Branchez-le à nouveau pour le faire vérifier.", "Plug it in again to have it checked."),
        ),
        NoTag::Signer(why) => (
            format!("La station n'a pas pu signer l'étiquette : {}", sentence(&why.french)),
            format!("The station could not sign the tag: {}", sentence(&why.english)),
            ADMINISTRATOR,
        ),
        NoTag::Writing(failure) => {
            let (french, english, next) = writing(*failure);
            (french.to_owned(), english.to_owned(), next)
        }
        // The medium shows now what the tag does not describe, a moment after it was checked and sealed.
        NoTag::Verifier(code) if DIFFERS.contains(&code.as_str()) => (
            format!("Ce support ne montre plus la même chose que pendant la vérification ({code})."),
            format!("This medium no longer shows the same as during the check ({code})."),
            SECURITY,
        ),
        NoTag::Verifier(why) => (
            format!("L'étiquette a été écrite, mais son contrôle a échoué ({}).", harmless(why)),
            format!("The tag was written, but its control failed ({}).", harmless(why)),
            ADMINISTRATOR,
        ),
        NoTag::Store(why) => (
            format!("La station n'a pas pu garder l'étiquette ({}).", harmless(why)),
            format!("The station could not keep the tag ({}).", harmless(why)),
            ADMINISTRATOR,
        ),
        NoTag::Station(why) => (
            format!("La station n'écrit pas d'étiquettes en ce moment ({}).", harmless(why)),
            format!("The station writes no tags at the moment ({}).", harmless(why)),
            ADMINISTRATOR,
        ),
    };
    Advice::new(lang, (french, next.0), (english, next.1))
}

/// What another program said, ended as a sentence is.
fn sentence(said: &str) -> String {
    let said = harmless(said);
    if said.ends_with('.') { said } else { said + "." }
}

/// What an unfinished writing means for the person with the medium.
fn writing(failure: SealFailure) -> (&'static str, &'static str, (&'static str, &'static str)) {
    match failure {
        SealFailure::Before => (
            "L'étiquette n'a pas pu être écrite ; tous les fichiers sont intacts.",
            "The tag could not be written; every file is as it was.",
            AGAIN,
        ),
        SealFailure::Unknown => (
            "L'écriture de l'étiquette a été interrompue : on ne sait pas si elle est là. Tous les fichiers sont intacts.",
            "The writing of the tag was interrupted: whether it is there is not known. Every file is as it was.",
            AGAIN,
        ),
        SealFailure::After => (
            "L'étiquette est écrite, mais le support s'est arrêté avant la fin. Tous les fichiers sont intacts.",
            "The tag is written, but the medium stopped before the end. Every file is as it was.",
            AGAIN,
        ),
        SealFailure::Differs => (
            "Ce support ne rend pas ce qui vient d'y être écrit : il est en panne, ou il trompe.",
            "This medium does not give back what was just written to it: it is failing, or it deceives.",
            SECURITY,
        ),
    }
}

/// What keeps a tag from its medium.
#[must_use]
pub fn write_obstacle(obstacle: &WriteObstacle, lang: Lang) -> Advice {
    const CHECK: (&str, &str) = (
        "Vérifiez et éjectez le support sur son ordinateur, puis revenez.",
        "Check and eject the medium on its own computer, then come back.",
    );
    let (french, english, next) = match obstacle {
        WriteObstacle::WriteProtected => (
            "Il est protégé contre l'écriture.",
            "It is protected against writing.",
            (
                "Pour qu'il porte lui-même l'étiquette, ôtez la protection et faites-le vérifier à nouveau.",
                "For it to carry the tag itself, take the protection off and have it checked again.",
            ),
        ),
        WriteObstacle::InUse => (
            "Un autre programme l'utilise.",
            "Another program uses it.",
            (
                "Pour qu'il porte lui-même l'étiquette, fermez ce programme et faites-le vérifier à nouveau.",
                "For it to carry the tag itself, close that program and have it checked again.",
            ),
        ),
        WriteObstacle::NoVolume | WriteObstacle::Unsupported => (
            "Son format ne permet pas d'y écrire l'étiquette.",
            "Its format does not allow writing the tag.",
            (
                "Un support au format FAT32 ou exFAT porterait lui-même son étiquette.",
                "A medium in FAT32 or exFAT format would carry its tag itself.",
            ),
        ),
        WriteObstacle::Changed => (
            "Il ne montre plus la même chose que pendant la vérification.",
            "It no longer shows the same as during the check.",
            SECURITY,
        ),
        WriteObstacle::Damaged => ("Il est endommagé.", "It is damaged.", CHECK),
        WriteObstacle::Unreadable => (
            "Une partie en est illisible.",
            "A part of it cannot be read.",
            ("Gardez une copie de vos fichiers ailleurs.", "Keep a copy of your files elsewhere."),
        ),
        WriteObstacle::Removed => ("Il a été retiré.", "It was taken out.", AGAIN),
        WriteObstacle::Dirty => (
            "Il n'a pas été éjecté correctement de son ordinateur.",
            "It was not ejected properly from its computer.",
            CHECK,
        ),
        WriteObstacle::NoSpace { needed, free } => {
            let (needed, free) = (size(*needed, lang), size(*free, lang));
            return Advice::new(
                lang,
                (
                    format!("Il n'a plus assez de place ({needed} nécessaires, {free} libres)."),
                    "Pour qu'il porte lui-même l'étiquette, faites de la place et faites-le vérifier à nouveau.",
                ),
                (
                    format!("It has no room left ({needed} needed, {free} free)."),
                    "For it to carry the tag itself, make room and have it checked again.",
                ),
            );
        }
        WriteObstacle::RootFull => (
            "Trop de fichiers y sont rangés hors de tout dossier.",
            "Too many of its files are outside any folder.",
            (
                "Rangez-en dans un dossier, puis faites vérifier ce support à nouveau.",
                "Put some of them into a folder, then have this medium checked again.",
            ),
        ),
        WriteObstacle::NameTaken => (
            "Un fichier s'appelle « blanche.tag » et n'est pas une étiquette, ou son nom a d'autres majuscules.",
            "A file is called “blanche.tag” and is no tag, or its name has other capitals.",
            (
                "Donnez un autre nom à ce fichier, puis faites vérifier ce support à nouveau.",
                "Give that file another name, then have this medium checked again.",
            ),
        ),
        WriteObstacle::TooLong => (
            "Il contient trop de fichiers pour porter son étiquette.",
            "It holds too many files to carry its tag.",
            (
                "Un support au format exFAT porterait lui-même son étiquette.",
                "A medium in exFAT format would carry its tag itself.",
            ),
        ),
        WriteObstacle::SealerLost => (
            "Le programme qui écrit les étiquettes n'a pas répondu.",
            "The program that writes tags did not answer.",
            ADMINISTRATOR,
        ),
    };
    Advice::new(lang, (french, next.0), (english, next.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Said;

    fn all() -> Vec<Seal> {
        use WriteObstacle::{
            Changed, Damaged, Dirty, InUse, NameTaken, NoSpace, NoVolume, Removed, RootFull, SealerLost, TooLong,
            Unreadable, Unsupported, WriteProtected,
        };
        let tag = SealedTag {
            tag: "01".into(),
            station: "s1".into(),
            site: "paris".into(),
            issued: "2026-11-28T06:00:00Z".into(),
            expires: "2026-12-28T06:00:00Z".into(),
            counter: 7,
            manifest: "00".repeat(32),
        };
        let obstacles = [
            WriteProtected,
            InUse,
            NoVolume,
            Changed,
            Damaged,
            Unreadable,
            Removed,
            Dirty,
            Unsupported,
            NoSpace { needed: 9000, free: 10 },
            RootFull,
            NameTaken,
            TooLong,
            SealerLost,
        ];
        let failures = [SealFailure::Before, SealFailure::Unknown, SealFailure::After, SealFailure::Differs];
        let evil = || "a\u{202E}b\u{1B}[2J".to_owned();
        let mut reasons = vec![
            NoTag::Obstacles,
            NoTag::Folder,
            NoTag::NoAnswer,
            NoTag::Cancelled,
            NoTag::Unsealable(evil()),
            NoTag::Signer(Said { french: format!("Français {}", evil()), english: evil() }),
            NoTag::Verifier(evil()),
            NoTag::Store(evil()),
            NoTag::Station(evil()),
        ];
        reasons.extend(obstacles.map(NoTag::Medium));
        reasons.extend(failures.map(NoTag::Writing));
        let detached = obstacles.map(|because| Seal::Detached { tag: tag.clone(), file: evil(), because });
        let mut seals: Vec<Seal> = reasons.into_iter().map(|reason| Seal::NoTag { reason }).collect();
        seals.extend(detached);
        seals.push(Seal::OnMedium { tag, volume: 0 });
        seals
    }

    #[test]
    fn everything_that_can_come_of_sealing_has_a_plain_sentence_and_advice() {
        for seal in all() {
            let (french, english) = (super::seal(&seal, Lang::Fr), super::seal(&seal, Lang::En));
            for text in [&french.what, &french.next, &english.what, &english.next] {
                assert!(text.ends_with('.') && text.len() > 10, "{seal:?}: {text:?}");
                assert!(!text.contains(['\u{1B}', '\u{202E}']), "{seal:?}: {text:?}");
            }
            assert!(french.what != english.what && french.next != english.next, "{seal:?}");
        }
    }

    #[test]
    fn a_medium_that_differs_after_it_was_sealed_goes_to_the_security_staff() {
        for code in DIFFERS {
            let advice = super::seal(&Seal::NoTag { reason: NoTag::Verifier(code.to_owned()) }, Lang::En);
            assert!(advice.what.contains(code) && advice.next == SECURITY.1, "{advice:?}");
        }
        let other = super::seal(&Seal::NoTag { reason: NoTag::Verifier("E-CHAIN".to_owned()) }, Lang::En);
        assert_eq!(other.next, ADMINISTRATOR.1);
    }

    #[test]
    fn what_the_signer_says_is_said_in_the_language_of_the_person() {
        let (french, english) = ("Une base est trop ancienne. (base-too-old : 9)", "A base is too old.");
        let said = Said { french: french.to_owned(), english: english.to_owned() };
        let seal = Seal::NoTag { reason: NoTag::Signer(said) };
        let advice = |lang| super::seal(&seal, lang).what;
        assert_eq!(advice(Lang::Fr), format!("La station n'a pas pu signer l'étiquette : {french}."));
        assert_eq!(advice(Lang::En), format!("The station could not sign the tag: {english}"));
        let report = serde_json::to_value(&seal).unwrap();
        assert_eq!(report["detail"], english);
    }

    #[test]
    fn where_there_is_no_tag_the_sentence_says_so() {
        for obstacle in [WriteObstacle::Removed, WriteObstacle::Unreadable, WriteObstacle::SealerLost] {
            let advice = super::seal(&Seal::NoTag { reason: NoTag::Medium(obstacle) }, Lang::Fr);
            assert!(advice.what.starts_with("Ce support n'a pas reçu d'étiquette. "), "{advice:?}");
        }
    }

    #[test]
    fn a_sealed_medium_says_until_when() {
        let seal = all().pop().unwrap();
        let day = crate::words::date(1_798_437_600, Lang::Fr).unwrap();
        assert!(day.contains("décembre") && super::seal(&seal, Lang::Fr).what.contains(&day));
        let day = crate::words::date(1_798_437_600, Lang::En).unwrap();
        assert!(day.contains("December") && super::seal(&seal, Lang::En).what.contains(&day));
    }
}
