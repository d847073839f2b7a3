//! Ways of storing content that a filesystem has and this build does not read.

use super::causes::{ORDINARY_MEDIUM, with};
use super::{Advice, Lang};
use blanche_sandbox::wire::Feature;

const UNPROTECTED_COPY: (&str, &str) = (
    "Demandez à son propriétaire une copie non chiffrée, sur un support ordinaire (FAT32 ou exFAT).",
    "Ask its owner for a copy without encryption, on an ordinary medium (FAT32 or exFAT).",
);
const EJECT_FIRST: (&str, &str) = (
    "Rebranchez-le sur l'ordinateur d'où il vient, éjectez-le proprement, puis recommencez la vérification.",
    "Plug it into the computer it comes from, eject it properly, then start the check again.",
);

/// A filesystem that is read stores something in a way that is not.
pub(super) fn unsupported(feature: Feature, lang: Lang) -> Advice {
    let ((french, english), next) = match feature {
        Feature::Encryption => (
            (
                "Ce contenu est chiffré pour le seul compte de son propriétaire ; il n'a pas pu être vérifié.",
                "This content is encrypted for its owner's account alone; it could not be checked.",
            ),
            UNPROTECTED_COPY,
        ),
        Feature::Compression => (
            (
                "Ce contenu est enregistré sous une forme réduite que cette station ne sait pas lire.",
                "This content is stored in a reduced form that this station cannot read.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::Deduplication => (
            (
                "Ce contenu est partagé avec d'autres fichiers d'une façon que cette station ne sait pas lire.",
                "This content is shared with other files in a way that this station cannot read.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::StoredElsewhere => (
            (
                "Ce fichier n'est qu'un renvoi : son contenu est resté ailleurs et n'a pas pu être vérifié.",
                "This file only points elsewhere: its content stayed there and could not be checked.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::ReparsePoint => (
            (
                "Ce fichier ou dossier demande un programme particulier pour être lu ; il n'a pas été vérifié.",
                "This file or folder needs a program of its own to be read; it was not checked.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::PendingJournal => (
            (
                "Ce support n'a pas été éjecté proprement : des changements y attendent et peuvent modifier ses \
                 fichiers.",
                "This medium was not ejected properly: changes are waiting on it that may alter its files.",
            ),
            EJECT_FIRST,
        ),
        Feature::Hibernation => (
            (
                "Ce support a été retiré d'un ordinateur en veille, qui n'avait pas fini d'y écrire.",
                "This medium was taken from a sleeping computer that had not finished writing to it.",
            ),
            EJECT_FIRST,
        ),
        Feature::UnknownFlag => (
            (
                "Une partie de ce support emploie une variante récente de son format que cette station ne connaît pas.",
                "Part of this medium uses a recent variant of its format that this station does not know.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::Interleaved => (
            (
                "Ce fichier est rangé en morceaux entrelacés, que cette station ne sait pas lire.",
                "This file is stored in interleaved pieces, which this station cannot read.",
            ),
            ORDINARY_MEDIUM,
        ),
        Feature::PartitionMap => (
            (
                "Ce disque est organisé d'une façon que cette station ne sait pas lire.",
                "This disc is organised in a way that this station cannot read.",
            ),
            ORDINARY_MEDIUM,
        ),
    };
    with(lang, french, english, next)
}
