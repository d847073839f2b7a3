//! Why something was not checked.

use super::{Advice, Lang, container, filesystem, harmless};
use blanche_sandbox::wire::{Cause, Container, Corruption, EngineLimit, FilesystemKind, ReadLimit};

/// What to do when only staff can help.
const CALL_STAFF: (&str, &str) =
    ("Apportez ce support au service de sécurité.", "Take this medium to the security staff.");
/// What to do when the station is at fault.
const START_AGAIN: (&str, &str) = (
    "Recommencez la vérification ; si cela se reproduit, prévenez le service de sécurité.",
    "Start the check again; if it happens again, tell the security staff.",
);
/// What to do when the medium's organisation is damaged.
const COPY_ELSEWHERE: (&str, &str) = (
    "Demandez que les fichiers soient copiés sur un autre support, fraîchement formaté.",
    "Ask for the files to be copied to another, freshly formatted medium.",
);

/// What to do when the station lacks something.
const TELL_STAFF: (&str, &str) = ("Prévenez le service de sécurité.", "Tell the security staff.");
const TRY_ONCE_MORE: (&str, &str) = (
    "Recommencez une fois ; si cela se reproduit, demandez une copie sur un autre support.",
    "Try once more; if it happens again, ask for a copy on another medium.",
);
const PLUG_IN_AGAIN: (&str, &str) = (
    "Rebranchez le support et laissez-le en place jusqu'au résultat.",
    "Plug the medium in again and leave it there until the result.",
);
pub(super) const ORDINARY_MEDIUM: (&str, &str) = (
    "Demandez que les fichiers soient copiés sur un support ordinaire (FAT32 ou exFAT).",
    "Ask for the files to be copied to an ordinary medium (FAT32 or exFAT).",
);
const TAKE_OUT: (&str, &str) = (
    "Retirez-le du dossier, puis recommencez la vérification.",
    "Take it out of the folder, then start the check again.",
);
const ASK_FOR_RIGHTS: (&str, &str) = (
    "Demandez ce droit à son propriétaire, ou faites vérifier le dossier par un administrateur.",
    "Ask its owner for that right, or let an administrator check the folder.",
);
const CHECK_APART: (&str, &str) =
    ("Faites vérifier cet autre support à part.", "Have that other medium checked on its own.");
const CLOSE_PROGRAMS: (&str, &str) = (
    "Fermez les programmes qui l'utilisent, puis recommencez la vérification.",
    "Close the programs that use it, then start the check again.",
);
const FROM_THE_START: (&str, &str) =
    ("Recommencez la vérification depuis le début.", "Start the check again from the beginning.");

/// Why something was not checked, and what to do about it. One flat table on purpose: no arm may catch a cause that
/// has no sentence of its own.
#[must_use]
pub fn cause(cause: &Cause, lang: Lang) -> Advice {
    match cause {
        Cause::Unreadable => with(
            lang,
            "Le support n'a pas pu être lu à cet endroit ; il est peut-être abîmé.",
            "The medium could not be read at this place; it may be damaged.",
            TRY_ONCE_MORE,
        ),
        Cause::MediumRemoved => with(
            lang,
            "Le support a été retiré avant la fin de la vérification.",
            "The medium was taken out before the check was over.",
            PLUG_IN_AGAIN,
        ),
        Cause::Corrupt(kind) => corruption(*kind, lang),
        Cause::FilesystemUnsupported(kind) => unsupported_filesystem(*kind, lang),
        Cause::FeatureUnsupported(feature) => super::features::unsupported(*feature, lang),
        Cause::UnknownContent => with(
            lang,
            "Une partie de ce support contient des données que cette station ne reconnaît pas ; elles n'ont pas été \
             vérifiées.",
            "Part of this medium holds data that this station does not recognise; it was not checked.",
            ORDINARY_MEDIUM,
        ),
        Cause::AmbiguousNames => with(
            lang,
            "Deux fichiers du même dossier portent le même nom : on ne peut pas savoir lequel un ordinateur ouvrira.",
            "Two files in the same folder have the same name: nobody can know which one a computer will open.",
            COPY_ELSEWHERE,
        ),
        Cause::ReadLimit(limit) => read_limit(*limit, lang),
        Cause::NotRegularFile => with(
            lang,
            "Ce n'est pas un fichier ordinaire : il n'a pas de contenu à vérifier.",
            "This is not an ordinary file: it has no content that could be checked.",
            TAKE_OUT,
        ),
        Cause::PermissionDenied => with(
            lang,
            "Vous n'avez pas le droit de lire ce fichier ou ce dossier.",
            "You have no right to read this file or folder.",
            ASK_FOR_RIGHTS,
        ),
        Cause::OtherFilesystem => with(
            lang,
            "Ce dossier mène à un autre support ; il n'a pas été parcouru.",
            "This folder leads to another medium; it was not looked into.",
            CHECK_APART,
        ),
        Cause::ChangedWhileRead => with(
            lang,
            "Ce fichier a changé pendant sa lecture.",
            "This file changed while it was being read.",
            CLOSE_PROGRAMS,
        ),
        Cause::ContainerUnsupported(kind) => unsupported_container(*kind, lang),
        Cause::ContainerBroken(kind) => broken_container(*kind, lang),
        Cause::Encrypted(kind) => encrypted(*kind, lang),
        Cause::EngineLimit(limit) => engine_limit(*limit, lang),
        Cause::EngineFailed(message) => engine_failed(message, lang),
        Cause::EngineTimeout => with(
            lang,
            "L'antivirus a mis trop de temps sur ce fichier ; sa vérification a été arrêtée.",
            "The antivirus took too long over this file; its check was stopped.",
            CALL_STAFF,
        ),
        Cause::MatcherCrashed => with(
            lang,
            "L'antivirus s'est arrêté brutalement sur ce fichier, qui est peut-être piégé.",
            "The antivirus stopped abruptly on this file, which may be a trap.",
            CALL_STAFF,
        ),
        Cause::MatcherHung => with(
            lang,
            "L'antivirus est resté bloqué sur ce fichier, qui est peut-être piégé.",
            "The antivirus got stuck on this file, which may be a trap.",
            CALL_STAFF,
        ),
        Cause::MatcherMemory => with(
            lang,
            "La vérification de ce fichier demande plus de mémoire que cette station n'en accorde.",
            "Checking this file needs more memory than this station grants.",
            CALL_STAFF,
        ),
        Cause::EnginesLost => with(
            lang,
            "L'antivirus n'a pas pu être relancé ; la suite n'a pas été vérifiée.",
            "The antivirus could not be started again; the rest was not checked.",
            START_AGAIN,
        ),
        Cause::DigestsDiffer => with(
            lang,
            "Deux contrôles de ce contenu ne donnent pas le même résultat : la station n'est pas sûre de ce qu'elle a \
             vérifié.",
            "Two controls of this content do not agree: the station is not sure of what it checked.",
            CALL_STAFF,
        ),
        Cause::ContentRefused => with(
            lang,
            "Ce contenu n'a pas été transmis correctement à l'intérieur de la station.",
            "This content was not passed on properly inside the station.",
            CALL_STAFF,
        ),
        Cause::ReaderLost => with(
            lang,
            "La lecture du support s'est arrêtée brutalement ; le support est peut-être piégé.",
            "Reading the medium stopped abruptly; the medium may be a trap.",
            CALL_STAFF,
        ),
        Cause::NeverRead => with(
            lang,
            "Ce fichier figure dans la liste, mais son contenu n'a jamais pu être lu.",
            "This file is in the list, but its content was never read.",
            START_AGAIN,
        ),
        Cause::SpoolFull => with(
            lang,
            "La station n'a pas assez de place pour vérifier un contenu aussi gros.",
            "The station has not enough room to check such a large content.",
            TELL_STAFF,
        ),
        Cause::Cancelled => with(
            lang,
            "La vérification a été arrêtée par quelqu'un avant la fin.",
            "Somebody stopped the check before the end.",
            FROM_THE_START,
        ),
    }
}

/// Puts "what" and one of the shared answers together.
pub(super) fn with(lang: Lang, french: &str, english: &str, next: (&str, &str)) -> Advice {
    Advice::new(lang, (french, next.0), (english, next.1))
}

/// A structure on the medium contradicts itself.
fn corruption(kind: Corruption, lang: Lang) -> Advice {
    let (french, english) = match kind {
        Corruption::PartitionTable => (
            "Le plan de ce support, qui dit où se trouve chaque partie, est abîmé.",
            "The plan of this medium, which says where each part is, is damaged.",
        ),
        Corruption::PartitionBounds => (
            "Une partie de ce support dépasse de ses limites ou en recouvre une autre.",
            "A part of this medium goes beyond its limits or covers another one.",
        ),
        Corruption::BootSector => (
            "Le début d'une partie de ce support est abîmé ; ses fichiers n'ont pas pu être lus.",
            "The beginning of a part of this medium is damaged; its files could not be read.",
        ),
        Corruption::Allocation => (
            "La liste des emplacements occupés de ce support est abîmée ; des fichiers peuvent être illisibles.",
            "The list of places in use on this medium is damaged; some files may be unreadable.",
        ),
        Corruption::Chain => (
            "Le support se contredit sur l'emplacement de ce contenu, qui n'a pas pu être lu en entier.",
            "The medium contradicts itself about where this content is, and it could not be read in full.",
        ),
        Corruption::CrossLinked => (
            "Deux fichiers occupent le même emplacement ; au moins l'un des deux est faux.",
            "Two files share the same place; at least one of them is wrong.",
        ),
        Corruption::Directory => (
            "Un dossier est abîmé ; tous ses fichiers n'ont pas pu être trouvés.",
            "A folder is damaged; not all of its files could be found.",
        ),
        Corruption::Checksum => (
            "Un contrôle inscrit sur le support ne correspond pas à son contenu : il est abîmé ou a été modifié.",
            "A check written on the medium does not match its content: it is damaged or was altered.",
        ),
        Corruption::FileRecord => (
            "La fiche qui décrit ce fichier est abîmée ; son contenu n'a pas pu être lu.",
            "The record that describes this file is damaged; its content could not be read.",
        ),
        Corruption::Compression => (
            "Ce contenu est enregistré sous une forme réduite qui est abîmée ; il n'a pas pu être lu.",
            "This content is stored in a reduced form that is damaged; it could not be read.",
        ),
        Corruption::SecondFilesystem => (
            "Une même partie de ce support peut se lire de deux façons : on ne peut pas savoir laquelle un ordinateur \
             choisira.",
            "One part of this medium can be read in two ways: nobody can know which one a computer will choose.",
        ),
        Corruption::Unreachable => (
            "Ce support contient des fichiers qui ne sont rangés dans aucun dossier ; ils n'ont pas été vérifiés.",
            "This medium holds files that are in no folder; they were not checked.",
        ),
    };
    with(lang, french, english, COPY_ELSEWHERE)
}

/// A filesystem that this build recognises but does not read.
fn unsupported_filesystem(kind: FilesystemKind, lang: Lang) -> Advice {
    let french = format!(
        "Une partie de ce support est dans un format ({}) que cette station ne sait pas lire ; elle n'a pas été \
         vérifiée.",
        filesystem(kind, Lang::Fr)
    );
    let english = format!(
        "Part of this medium is in a format ({}) that this station cannot read; it was not checked.",
        filesystem(kind, Lang::En)
    );
    let next = match kind {
        FilesystemKind::Luks | FilesystemKind::BitLocker => (
            "Demandez une copie non chiffrée, sur un support ordinaire (FAT32 ou exFAT).",
            "Ask for a copy without encryption, on an ordinary medium (FAT32 or exFAT).",
        ),
        _ => ORDINARY_MEDIUM,
    };
    with(lang, &french, &english, next)
}

/// A reading limit was reached.
fn read_limit(limit: ReadLimit, lang: Lang) -> Advice {
    let (french, english) = match limit {
        ReadLimit::Entries => (
            "Ce support contient plus de fichiers et de dossiers que cette station n'en accepte.",
            "This medium holds more files and folders than this station accepts.",
        ),
        ReadLimit::Depth => (
            "Des dossiers sont imbriqués plus profondément que cette station ne l'accepte.",
            "Folders lie inside folders more deeply than this station accepts.",
        ),
        ReadLimit::PathLength => (
            "Le nom complet d'un fichier est plus long que cette station ne l'accepte.",
            "The full name of a file is longer than this station accepts.",
        ),
        ReadLimit::Bytes => (
            "Ce support contient plus de données que cette station n'en accepte.",
            "This medium holds more data than this station accepts.",
        ),
        ReadLimit::Names => (
            "Ce contenu porte plusieurs noms de types différents ; il n'a pas été vérifié sous chacun d'eux.",
            "This content has several names of different types; it was not checked under each of them.",
        ),
        ReadLimit::Volumes => (
            "Ce support est découpé en plus de parties que cette station n'en accepte.",
            "This medium is cut into more parts than this station accepts.",
        ),
    };
    let next = (
        "Répartissez les fichiers sur plusieurs supports, ou demandez conseil au service de sécurité.",
        "Spread the files over several media, or ask the security staff for advice.",
    );
    with(lang, french, english, next)
}

/// A container that nothing in this build opens.
fn unsupported_container(kind: Container, lang: Lang) -> Advice {
    let french = format!(
        "Ce fichier ({}) en contient d'autres, que cette station ne sait pas ouvrir ; ils n'ont pas été vérifiés.",
        container(kind, Lang::Fr)
    );
    let english = format!(
        "This file ({}) holds others that this station cannot open; they were not checked.",
        container(kind, Lang::En)
    );
    let next = (
        "Demandez les fichiers qu'il contient tels quels, ou dans une archive ZIP sans mot de passe.",
        "Ask for the files it holds as they are, or in a ZIP archive without a password.",
    );
    with(lang, &french, &english, next)
}

/// A damaged container.
fn broken_container(kind: Container, lang: Lang) -> Advice {
    let french = format!(
        "Ce fichier ({}) est abîmé ou incomplet ; ce qu'il contient n'a pas pu être vérifié.",
        container(kind, Lang::Fr)
    );
    let english = format!(
        "This file ({}) is damaged or incomplete; what it holds could not be checked.",
        container(kind, Lang::En)
    );
    let next = ("Demandez une nouvelle copie de ce fichier.", "Ask for a new copy of this file.");
    with(lang, &french, &english, next)
}

/// A password stands in the way.
fn encrypted(kind: Container, lang: Lang) -> Advice {
    let french = format!(
        "Ce fichier ({}) est protégé par un mot de passe ; ce qu'il contient n'a pas pu être vérifié.",
        container(kind, Lang::Fr)
    );
    let english = format!(
        "This file ({}) is protected by a password; what it holds could not be checked.",
        container(kind, Lang::En)
    );
    let next = ("Demandez une copie sans mot de passe.", "Ask for a copy without a password.");
    with(lang, &french, &english, next)
}

/// An engine reached one of its limits.
fn engine_limit(limit: EngineLimit, lang: Lang) -> Advice {
    let (french, english) = match limit {
        EngineLimit::FileSize => (
            "Ce fichier, ou un fichier qu'il contient, est plus gros que cette station ne l'accepte.",
            "This file, or a file inside it, is larger than this station accepts.",
        ),
        EngineLimit::ScanSize => (
            "Une fois déballé, ce fichier devient plus gros que cette station ne l'accepte.",
            "Once unpacked, this file becomes larger than this station accepts.",
        ),
        EngineLimit::Files => (
            "Ce fichier en contient plus que cette station n'en accepte.",
            "This file holds more files than this station accepts.",
        ),
        EngineLimit::Recursion => (
            "Ce fichier contient des archives imbriquées plus profondément que cette station ne l'accepte.",
            "This file holds archives inside archives more deeply than this station accepts.",
        ),
        EngineLimit::Time => (
            "La vérification de ce fichier a duré plus longtemps que cette station ne l'accepte.",
            "Checking this file took longer than this station accepts.",
        ),
        EngineLimit::Other => (
            "Ce fichier dépasse ce que l'antivirus de cette station accepte.",
            "This file goes beyond what the antivirus of this station accepts.",
        ),
    };
    let next = (
        "Demandez ce contenu en fichiers plus petits, ou demandez conseil au service de sécurité.",
        "Ask for this content in smaller files, or ask the security staff for advice.",
    );
    with(lang, french, english, next)
}

/// An engine answered with an error. Its text comes from a process that has seen hostile bytes.
fn engine_failed(message: &str, lang: Lang) -> Advice {
    let message = harmless(message.trim_end_matches('.'));
    let french = format!("L'antivirus n'a pas su vérifier ce fichier ; il répond : « {message} ».");
    let english = format!("The antivirus could not check this file; it answers: “{message}”.");
    let next = (
        "Demandez une nouvelle copie de ce fichier ; si cela se reproduit, prévenez le service de sécurité.",
        "Ask for a new copy of this file; if it happens again, tell the security staff.",
    );
    with(lang, &french, &english, next)
}
