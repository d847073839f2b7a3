//! What can be plugged into a training station, and what a person sees then.

use super::files::{self, Files};
use crate::admit::Role;
use blanche_scan::words::Lang;
use std::num::NonZeroU64;

const MIB: u64 = 1 << 20;

/// Class, subclass, protocol of interfaces: Mass Storage over Bulk-Only, a boot keyboard (HID 1.11, section 4.2), a camera
/// or telephone (PTP, of which MTP is an extension: USB Still Image Capture 1.0).
const STORAGE: (u8, u8, u8) = (8, 6, 80);
const KEYBOARD: (u8, u8, u8) = (3, 1, 1);
const PHONE: (u8, u8, u8) = (6, 1, 1);

/// One of the media and devices that every training station has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A key with a few documents.
    Clean,
    /// EICAR in an archive in a folder.
    Infected,
    /// An archive with a password.
    Incomplete,
    /// A filesystem that nobody can read without its password.
    Unreadable,
    /// A formatted key without files.
    Empty,
    /// Thousands of small files.
    Many,
    /// A key that takes a minute.
    Slow,
    /// A keyboard.
    Keyboard,
    /// A key that is a keyboard as well.
    StorageKeyboard,
    /// A telephone (MTP).
    Phone,
    /// A blank key of the station, for copies.
    Output,
}

/// What a medium holds.
pub(super) enum Content {
    /// There is no disk at all.
    None,
    /// Nothing but zeros.
    Blank,
    /// These bytes at its start, and no filesystem of ours.
    Raw(Vec<u8>),
    /// A FAT32 filesystem with these files.
    Files(Files),
}

impl Kind {
    /// All of them, in the order in which people are shown them.
    pub const ALL: [Self; 11] = [
        Self::Clean,
        Self::Infected,
        Self::Incomplete,
        Self::Unreadable,
        Self::Empty,
        Self::Many,
        Self::Slow,
        Self::Keyboard,
        Self::StorageKeyboard,
        Self::Phone,
        Self::Output,
    ];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Infected => "infected",
            Self::Incomplete => "incomplete",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::Many => "many-files",
            Self::Slow => "slow",
            Self::Keyboard => "keyboard",
            Self::StorageKeyboard => "storage-keyboard",
            Self::Phone => "phone",
            Self::Output => "output",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self, lang: Lang) -> &'static str {
        let (french, english) = match self {
            Self::Clean => ("Clé saine", "Clean key"),
            Self::Infected => ("Clé infectée", "Infected key"),
            Self::Incomplete => ("Clé avec une archive protégée", "Key with a protected archive"),
            Self::Unreadable => ("Clé chiffrée", "Encrypted key"),
            Self::Empty => ("Clé vide", "Empty key"),
            Self::Many => ("Clé avec beaucoup de fichiers", "Key with many files"),
            Self::Slow => ("Clé lente", "Slow key"),
            Self::Keyboard => ("Clavier", "Keyboard"),
            Self::StorageKeyboard => ("Clé piégée (clavier caché)", "Trapped key (hidden keyboard)"),
            Self::Phone => ("Téléphone", "Telephone"),
            Self::Output => ("Clé de la station, vierge", "Blank key of the station"),
        };
        match lang {
            Lang::Fr => french,
            Lang::En => english,
        }
    }

    /// What it shows, in one sentence.
    #[must_use]
    pub const fn shows(self, lang: Lang) -> &'static str {
        let (french, english) = match self {
            Self::Clean => {
                ("Rien n'est trouvé ; la clé reçoit son étiquette.", "Nothing is found; the key gets its tag.")
            }
            Self::Infected => (
                "Un fichier de test est trouvé dans une archive d'un dossier.",
                "A test file is found in an archive in a folder.",
            ),
            Self::Incomplete => (
                "Une archive demande un mot de passe : vérification incomplète.",
                "An archive wants a password: incomplete.",
            ),
            Self::Unreadable => {
                ("Le contenu ne peut pas être lu : vérification incomplète.", "The content cannot be read: incomplete.")
            }
            Self::Empty => ("Il n'y a aucun fichier à vérifier.", "There is no file to be checked."),
            Self::Many => ("Des milliers de petits fichiers sont vérifiés.", "Thousands of small files are checked."),
            Self::Slow => (
                "La vérification dure une minute : progression, annulation, retrait.",
                "The check takes a minute: progress, cancel, pull out.",
            ),
            Self::Keyboard => ("L'appareil est refusé : ce n'est pas un support.", "Refused: it is no medium."),
            Self::StorageKeyboard => (
                "L'appareil est refusé : il se fait aussi passer pour un clavier.",
                "Refused: it is a keyboard as well.",
            ),
            Self::Phone => ("L'appareil est refusé : ce n'est pas une clé.", "Refused: it is no key."),
            Self::Output => {
                ("Elle reçoit des copies de fichiers vérifiés.", "It receives copies of files that were checked.")
            }
        };
        match lang {
            Lang::Fr => french,
            Lang::En => english,
        }
    }

    /// What its socket must be for.
    pub(super) const fn role(self) -> Role {
        match self {
            Self::Output => Role::Output,
            _ => Role::Input,
        }
    }

    /// What it says that it is.
    pub(super) const fn interfaces(self) -> &'static [(u8, u8, u8)] {
        match self {
            Self::Keyboard => &[KEYBOARD],
            Self::StorageKeyboard => &[STORAGE, KEYBOARD],
            Self::Phone => &[PHONE],
            _ => &[STORAGE],
        }
    }

    /// Bytes per second, of one that is slow.
    pub(super) const fn pace(self) -> Option<NonZeroU64> {
        match self {
            Self::Slow => NonZeroU64::new(MIB),
            _ => None,
        }
    }

    /// Bytes of the medium. An image is as small as it can be: only what is written takes room.
    pub(super) const fn capacity(self) -> u64 {
        match self {
            Self::Slow | Self::Output => 256 * MIB,
            _ => 64 * MIB,
        }
    }

    /// What is on it.
    pub(super) fn content(self) -> Content {
        match self {
            Self::Clean => Content::Files(files::documents()),
            // A trapped key has documents as well: it is not read.
            Self::StorageKeyboard => Content::Files(files::documents()),
            Self::Infected => Content::Files(files::infected()),
            Self::Incomplete => Content::Files(files::locked()),
            Self::Unreadable => Content::Raw(files::luks()),
            Self::Empty => Content::Files(Files::default()),
            Self::Many => Content::Files(files::many()),
            Self::Slow => Content::Files(files::slow()),
            Self::Output => Content::Blank,
            Self::Keyboard | Self::Phone => Content::None,
        }
    }
}

/// The interfaces of a key from the folder of the trainer.
pub(super) const KEY: &[(u8, u8, u8)] = &[STORAGE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word_which_is_documented() {
        let document = include_str!("../../../../docs/training.md");
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.word()), Some(kind));
            assert!(document.contains(&format!("| `{}` |", kind.word())), "{kind:?}");
        }
        assert_eq!(Kind::named("clean.img"), None);
    }
}
