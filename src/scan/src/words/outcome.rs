//! What came of a session: verdict, refusal, obstacles, errors.

use super::{Advice, Lang, harmless, size, visible};
use crate::error::ScanError;
use crate::judge::Verdict;
use crate::progress::Stage;
use crate::report::{Refusal, SealingObstacle, TargetKind};
use crate::settings::SettingsError;
use blanche_sandbox::wire::Severity;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A verdict as a person is told: one word, one sentence, what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictWords {
    /// One word.
    pub word: &'static str,
    /// What it means.
    pub sentence: &'static str,
    /// What to do next.
    pub next: &'static str,
}

/// Instead of [`verdict`] when a medium or folder is clean because it holds no file: a person who expected files must
/// not take it for a check of them.
#[must_use]
pub fn nothing_to_check(lang: Lang) -> VerdictWords {
    lang.pick(
        VerdictWords {
            word: "SAIN",
            sentence: "Aucun fichier n'a été trouvé ici : il n'y avait rien à vérifier.",
            next: "Si vous attendiez des fichiers, apportez ce support au service de sécurité.",
        },
        VerdictWords {
            word: "CLEAN",
            sentence: "No file was found here: there was nothing to check.",
            next: "If you expected files, take this medium to the security staff.",
        },
    )
}

/// What a verdict means.
#[must_use]
pub fn verdict(verdict: Verdict, lang: Lang) -> VerdictWords {
    let (french, english) = match verdict {
        Verdict::Clean => (
            VerdictWords {
                word: "SAIN",
                sentence: "Tous les fichiers ont été vérifiés et rien de dangereux n'a été trouvé.",
                next: "Vous pouvez utiliser ce support.",
            },
            VerdictWords {
                word: "CLEAN",
                sentence: "All files were checked and nothing dangerous was found.",
                next: "You may use this medium.",
            },
        ),
        Verdict::Incomplete => (
            VerdictWords {
                word: "INCOMPLET",
                sentence: "Tout n'a pas pu être vérifié : on ne peut pas dire que ce support est sain.",
                next: "N'utilisez pas ce support ; lisez ci-dessous ce qui manque et ce qu'il faut faire.",
            },
            VerdictWords {
                word: "INCOMPLETE",
                sentence: "Not everything could be checked: nobody can say that this medium is clean.",
                next: "Do not use this medium; read below what is missing and what to do.",
            },
        ),
        Verdict::Infected => (
            VerdictWords {
                word: "INFECTÉ",
                sentence: "Au moins un fichier dangereux a été trouvé.",
                next: "N'ouvrez aucun fichier de ce support et apportez-le au service de sécurité.",
            },
            VerdictWords {
                word: "INFECTED",
                sentence: "At least one dangerous file was found.",
                next: "Open no file of this medium and take it to the security staff.",
            },
        ),
        Verdict::Refused => (
            VerdictWords {
                word: "REFUSÉ",
                sentence: "Cette station n'accepte pas ce support ; rien n'a été lu.",
                next: "Lisez la raison ci-dessous et ce qu'il faut faire.",
            },
            VerdictWords {
                word: "REFUSED",
                sentence: "This station does not accept this medium; nothing was read.",
                next: "Read the reason below and what to do.",
            },
        ),
    };
    lang.pick(french, english)
}

/// What it means that a finding is suspicious and needs a person.
#[must_use]
pub fn suspicious(lang: Lang) -> Advice {
    Advice::new(
        lang,
        (
            "Un fichier est suspect : il n'est pas forcément dangereux, mais une personne doit l'examiner.",
            "N'ouvrez pas ce fichier et apportez le support au service de sécurité.",
        ),
        (
            "A file is suspicious: it need not be dangerous, but a person has to look at it.",
            "Do not open this file, and take the medium to the security staff.",
        ),
    )
}

/// How much a finding weighs, as one word.
#[must_use]
pub fn severity(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Malicious => lang.pick("dangereux", "dangerous"),
        Severity::Suspicious => lang.pick("suspect", "suspicious"),
        Severity::Info => lang.pick("pour information", "for information"),
    }
}

/// Why a medium was refused before anything was read.
#[must_use]
pub fn refusal(refusal: &Refusal, lang: Lang) -> Advice {
    match refusal {
        Refusal::Empty => Advice::new(
            lang,
            ("Le lecteur est vide, ou le support a une capacité nulle.", "Vérifiez que le support est bien inséré."),
            ("The drive is empty, or the medium has no capacity.", "Check that the medium is well inserted."),
        ),
        Refusal::TooLarge(limit) => Advice::new(
            lang,
            (
                format!(
                    "Ce support est plus grand que cette station ne l'accepte ({} au plus).",
                    size(*limit, Lang::Fr)
                ),
                "Utilisez un support plus petit, ou demandez conseil au service de sécurité.",
            ),
            (
                format!("This medium is larger than this station accepts ({} at most).", size(*limit, Lang::En)),
                "Use a smaller medium, or ask the security staff for advice.",
            ),
        ),
        Refusal::Mounted(place) => {
            let place = harmless(place);
            Advice::new(
                lang,
                (
                    format!("Ce support est déjà ouvert par l'ordinateur ({place}) et pourrait changer."),
                    "Éjectez-le sans le débrancher, puis recommencez la vérification.",
                ),
                (
                    format!("This medium is already open on the computer ({place}) and could change."),
                    "Eject it without unplugging it, then start the check again.",
                ),
            )
        }
    }
}

/// What forbids sealing.
#[must_use]
pub fn obstacle(obstacle: &SealingObstacle, lang: Lang) -> Advice {
    const ADMINISTRATOR: (&str, &str) =
        ("Prévenez l'administrateur de la station.", "Tell the station's administrator.");
    let (french, english, next) = match obstacle {
        SealingObstacle::NotClean => (
            "Ce support ne reçoit pas d'étiquette, parce que le résultat n'est pas « sain ».".to_owned(),
            "This medium gets no tag, because the result is not “clean”.".to_owned(),
            ("Suivez les conseils donnés avec le résultat.", "Follow the advice given with the result."),
        ),
        SealingObstacle::StaleBase(name) => {
            let name = harmless(name);
            (
                format!("La liste des virus connus « {name} » est trop ancienne, ou sa date est inconnue ou future."),
                format!("The list of known viruses “{name}” is too old, or its date is unknown or in the future."),
                ADMINISTRATOR,
            )
        }
        SealingObstacle::MissingBase(name) => {
            let name = harmless(name);
            (
                format!("La liste des virus connus « {name} » manque sur cette station."),
                format!("The list of known viruses “{name}” is missing on this station."),
                ADMINISTRATOR,
            )
        }
        SealingObstacle::BaseRejected => (
            "La liste de virus la plus récente a été rejetée par son contrôle ; la précédente a servi.".to_owned(),
            "The newest list of viruses failed its control; the one before was used.".to_owned(),
            ADMINISTRATOR,
        ),
        SealingObstacle::WeakIsolation => (
            "La vérification s'est faite avec moins de protections que sur une station.".to_owned(),
            "The check ran with fewer protections than on a station.".to_owned(),
            ("Faites vérifier ce support par une station.", "Have this medium checked by a station."),
        ),
    };
    Advice::new(lang, (french, next.0), (english, next.1))
}

/// What it means that the children of this session were confined less than on a station.
#[must_use]
pub fn weaker_isolation(lang: Lang) -> &'static str {
    lang.pick(
        "La vérification s'est faite avec moins de protections que sur une station.",
        "The check ran with fewer protections than on a station.",
    )
}

/// What a session is doing, as a label.
#[must_use]
pub fn stage(stage: Stage, lang: Lang) -> &'static str {
    match stage {
        Stage::Walking => lang.pick("Recherche des fichiers", "Looking for files"),
        Stage::Checking => lang.pick("Vérification", "Checking"),
        Stage::Judging => lang.pick("Calcul du résultat", "Working out the result"),
    }
}

/// What a target is, as a label.
#[must_use]
pub fn target_kind(kind: TargetKind, lang: Lang) -> &'static str {
    match kind {
        TargetKind::Device => lang.pick("support", "medium"),
        TargetKind::Image => lang.pick("image d'un support", "image of a medium"),
        TargetKind::Folder => lang.pick("dossier", "folder"),
    }
}

/// Why there is no report, and what to do about it.
#[must_use]
pub fn scan_error(error: &ScanError, lang: Lang) -> Advice {
    match error {
        ScanError::TargetMissing { path, .. } => Advice::new(
            lang,
            (format!("« {} » est introuvable.", shown(path)), "Vérifiez le nom, puis recommencez."),
            (format!("“{}” cannot be found.", shown(path)), "Check the name, then start again."),
        ),
        ScanError::TargetUnreadable { path, source } => Advice::new(
            lang,
            (
                format!("« {} » ne peut pas être ouvert ({source}).", shown(path)),
                "Vérifiez vos droits, ou débranchez puis rebranchez le support.",
            ),
            (
                format!("“{}” cannot be opened ({source}).", shown(path)),
                "Check your rights, or unplug the medium and plug it in again.",
            ),
        ),
        ScanError::TargetUnsupported { path } => Advice::new(
            lang,
            (
                format!("« {} » n'est ni un support, ni une image de support, ni un dossier.", shown(path)),
                "Donnez le nom d'un support (par exemple /dev/sdb), d'un fichier image ou d'un dossier.",
            ),
            (
                format!("“{}” is neither a medium, nor an image of one, nor a folder.", shown(path)),
                "Give the name of a medium (for example /dev/sdb), of an image file or of a folder.",
            ),
        ),
        ScanError::Engines(reason) => Advice::new(
            lang,
            (
                format!("L'antivirus de cette station n'est pas utilisable : {}.", detail(reason)),
                "Prévenez l'administrateur ; la commande « blanche engines » montre ce qui manque.",
            ),
            (
                format!("The antivirus of this station cannot be used: {}.", detail(reason)),
                "Tell the administrator; the command “blanche engines” shows what is missing.",
            ),
        ),
        ScanError::Children { program, reason } => Advice::new(
            lang,
            (
                format!("Le programme « {} » n'a pas pu travailler : {}.", harmless(program), detail(reason)),
                "Prévenez l'administrateur : l'installation de Blanche est peut-être incomplète.",
            ),
            (
                format!("The program “{}” could not work: {}.", harmless(program), detail(reason)),
                "Tell the administrator: Blanche may not be completely installed.",
            ),
        ),
        ScanError::Settings(error) => settings_error(error, lang),
        ScanError::Cancelled => Advice::new(
            lang,
            ("L'opération a été interrompue avant la lecture du support.".to_owned(), "Recommencez quand vous voulez."),
            ("Stopped before the medium was read.".to_owned(), "Start again when you like."),
        ),
        ScanError::Station(reason) => Advice::new(
            lang,
            (
                format!("La station a rencontré un problème : {}.", detail(reason)),
                "Recommencez ; si cela se reproduit, prévenez l'administrateur.",
            ),
            (
                format!("The station met a problem: {}.", detail(reason)),
                "Start again; if it happens again, tell the administrator.",
            ),
        ),
    }
}

/// A wrong configuration. The message itself is for administrators and stays in English.
fn settings_error(error: &SettingsError, lang: Lang) -> Advice {
    let file = shown(error.file());
    match error {
        SettingsError::Unreadable { source, .. } => Advice::new(
            lang,
            (
                format!("Le fichier de configuration « {file} » ne peut pas être lu ({source})."),
                "Vérifiez le nom donné à --config et les droits du fichier.",
            ),
            (
                format!("The configuration file “{file}” cannot be read ({source})."),
                "Check the name given to --config and the file's rights.",
            ),
        ),
        SettingsError::Place { source, .. } => Advice::new(
            lang,
            (format!("« {file} » ne peut pas servir ({source})."), "Vérifiez que le dossier existe, et ses droits."),
            (format!("“{file}” cannot be used ({source})."), "Check that the folder is there, and its rights."),
        ),
        SettingsError::Insecure { weakness, remedy, .. } => Advice::new(
            lang,
            (
                format!("Quelqu'un d'autre que l'administrateur peut modifier « {file} »."),
                format!("En tant qu'administrateur, lancez la commande : {}.", harmless(remedy)),
            ),
            (
                format!("Somebody other than the administrator can change “{file}”: {weakness}."),
                format!("As the administrator, run the command: {}.", harmless(remedy)),
            ),
        ),
        SettingsError::Invalid { place, message, .. } => {
            let (line, column, message) = (place.line, place.column, detail(message));
            Advice::new(
                lang,
                (
                    format!("Erreur dans « {file} », ligne {line}, colonne {column} : {message}."),
                    "Corrigez cette ligne ; docs/configuration.md décrit chaque réglage.",
                ),
                (
                    format!("Mistake in “{file}”, line {line}, column {column}: {message}."),
                    "Correct this line; docs/configuration.md describes every setting.",
                ),
            )
        }
    }
}

/// A technical detail inside a sentence.
fn detail(text: &str) -> String {
    harmless(text.trim().trim_end_matches('.'))
}

/// A path inside a sentence.
fn shown(path: &Path) -> String {
    visible(path.as_os_str().as_bytes())
}
