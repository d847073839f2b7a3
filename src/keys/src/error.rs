//! What can go wrong in a ceremony, in words for the administrator: what, where, and what to do next.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a step of the ceremony, or the start of the signer, did not happen. `Display` is the English sentence.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file or folder cannot be read.
    #[error("{path}: {source}; check the path and that this user may read it")]
    Read {
        /// Which.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{path}: {source}; check the path, the space and that this user may write there")]
    Write {
        /// Which.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Others could read a secret or change what must not change.
    #[error("{path}: mode {mode:04o} is too open for others; run: chmod {wanted:04o} {path}")]
    Mode {
        /// Which.
        path: PathBuf,
        /// Permission bits that it has.
        mode: u32,
        /// Permission bits that it should have.
        wanted: u32,
    },
    /// A file of another user, or a symbolic link, device or pipe.
    #[error("{path}: not a regular file or folder of the user who runs this; run: chown USER {path}")]
    Owner {
        /// Which.
        path: PathBuf,
    },
    /// Something is there already.
    #[error("{path} exists already; nothing was changed. Take another folder, or use rotate for new keys")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// Another ceremony or signer holds the folder.
    #[error("{path}: in use by another process; wait until it has ended")]
    Locked {
        /// Which.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{path}: {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The configuration of the signer.
    #[error("{path}: {what}; docs/keys.md describes the file")]
    Settings {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, with the line where the parser knows one.
        what: String,
    },
    /// There is nobody to ask.
    #[error("no terminal to ask for the passphrase ({0}); give --passphrase-file FILE")]
    NoTerminal(io::Error),
    /// The two entries differ.
    #[error("the two passphrases differ; nothing was made. Start again")]
    PassphrasesDiffer,
    /// Too short, or empty.
    #[error("a passphrase needs {0} characters at least; take several words")]
    PassphraseShort(usize),
    /// A wrong passphrase, or a damaged key.
    #[error("{path}: the passphrase does not open this key; check it, and that the file is whole")]
    Passphrase {
        /// The key.
        path: PathBuf,
    },
    /// A name that no certificate may carry.
    #[error(
        "{0:?} cannot be a name here: 1 to 63 of a-z, 0-9 and -, no - at its ends; a station's site is not \"authority\""
    )]
    Name(String),
    /// A request that must not be granted.
    #[error("{path}: refused: {what}. Nothing was issued; ask the station's administrator for new requests")]
    Request {
        /// Which.
        path: PathBuf,
        /// Why.
        what: &'static str,
    },
    /// A site that the authority may not certify.
    #[error("site {0} is not among those of this authority; ask the authority above it")]
    Site(String),
    /// A certificate that would outlive its issuer.
    #[error("{days} days would outlive this authority's own certificate; choose --days {most} or fewer, or renew it")]
    TooLong {
        /// Asked.
        days: u64,
        /// Possible.
        most: u64,
    },
    /// Longer than `docs/tag-format.md`, section 12, allows.
    #[error("an authority may stand at most two steps below the root; make this one below a higher authority")]
    TooDeep,
    /// Nothing of that name or number was issued here.
    #[error("{0}: nothing like this was issued here; see: blanche keys list")]
    NotIssued(String),
    /// Neither a UUID nor a SHA-256.
    #[error("{0:?} is neither a tag's identifier (32 hexadecimal digits) nor a SHA-256 (64)")]
    NotAnIdentifier(String),
    /// More than a list may hold.
    #[error("a revocation list holds 65536 tags and 65536 contents at most; make a new authority")]
    ListFull,
    /// Nothing was asked of `revoke`.
    #[error("nothing to revoke: name a station, a serial number, a tag or a content, or say --renew")]
    NothingAsked,
    /// A PKCS#11 module or token.
    #[error("token: {0}")]
    Token(String),
    /// Encoding, randomness: not the administrator's doing.
    #[error("{what}: {reason}; nothing was issued")]
    Internal {
        /// What was being done.
        what: &'static str,
        /// The library's words.
        reason: String,
    },
}

impl KeysError {
    /// In the words of a library.
    pub(crate) fn internal(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |reason| Self::Internal { what, reason: reason.to_string() }
    }

    /// The stable exit code: docs/exit-codes.md.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Mode { .. }
            | Self::Owner { .. }
            | Self::Exists { .. }
            | Self::Settings { .. }
            | Self::NoTerminal(_)
            | Self::PassphrasesDiffer
            | Self::PassphraseShort(_)
            | Self::Name(_)
            | Self::TooLong { .. }
            | Self::TooDeep
            | Self::NotIssued(_)
            | Self::NotAnIdentifier(_)
            | Self::NothingAsked => 2,
            Self::Read { .. } | Self::Content { .. } => 4,
            Self::Write { .. } | Self::Locked { .. } | Self::ListFull | Self::Token(_) | Self::Internal { .. } => 5,
            Self::Passphrase { .. } => 6,
            Self::Request { .. } | Self::Site(_) => 7,
        }
    }

    /// The sentence in French or English.
    #[must_use]
    pub fn sentence(&self, french: bool) -> String {
        if french { self.french() } else { self.to_string() }
    }

    fn french(&self) -> String {
        match self {
            Self::Read { path, source } => {
                format!("{} : {source} ; vérifiez le chemin et le droit de lecture", path.display())
            }
            Self::Write { path, source } => {
                format!("{} : {source} ; vérifiez le chemin, la place et le droit d'écriture", path.display())
            }
            Self::Mode { path, mode, wanted } => {
                let path = path.display();
                format!("{path} : le mode {mode:04o} est trop ouvert aux autres ; lancez : chmod {wanted:04o} {path}")
            }
            Self::Owner { path } => {
                let path = path.display();
                format!(
                    "{path} : ce n'est pas un fichier ou dossier ordinaire de l'utilisateur qui lance ceci ; \
                     lancez : chown UTILISATEUR {path}"
                )
            }
            Self::Exists { path } => format!(
                "{} existe déjà ; rien n'a été modifié. Prenez un autre dossier, ou rotate pour de nouvelles clés",
                path.display()
            ),
            Self::Locked { path } => {
                format!("{} : utilisé par un autre processus ; attendez qu'il se termine", path.display())
            }
            Self::Content { path, what } => format!("{} : contenu inattendu ({what})", path.display()),
            Self::Settings { path, what } => {
                format!("{} : {what} ; docs/keys.md décrit ce fichier", path.display())
            }
            Self::NoTerminal(source) => {
                format!("pas de terminal pour demander la phrase secrète ({source}) ; donnez --passphrase-file FICHIER")
            }
            Self::PassphrasesDiffer => "les deux phrases secrètes diffèrent ; rien n'a été créé. Recommencez".into(),
            Self::PassphraseShort(least) => {
                format!("une phrase secrète compte au moins {least} caractères ; prenez plusieurs mots")
            }
            Self::Passphrase { path } => format!(
                "{} : la phrase secrète n'ouvre pas cette clé ; vérifiez-la, et que le fichier est entier",
                path.display()
            ),
            Self::Name(name) => format!(
                "{name:?} ne peut pas être un nom : 1 à 63 caractères parmi a-z, 0-9 et -, sans - aux bouts ; le site \
                 d'une station n'est pas « authority »"
            ),
            Self::Request { path, what } => format!(
                "{} : refusé ({what}). Rien n'a été délivré ; demandez de nouvelles demandes à l'administrateur de la \
                 station",
                path.display()
            ),
            Self::Site(site) => {
                format!("le site {site} n'est pas de ceux de cette autorité ; adressez-vous à l'autorité supérieure")
            }
            Self::TooLong { days, most } => format!(
                "{days} jours dépasseraient le certificat de cette autorité ; choisissez --days {most} ou moins, ou \
                 renouvelez-le"
            ),
            Self::TooDeep => "une autorité est au plus à deux degrés sous la racine ; créez celle-ci plus haut".into(),
            Self::NotIssued(what) => format!("{what} : rien de tel n'a été délivré ici ; voir : blanche keys list"),
            Self::NotAnIdentifier(text) => {
                format!("{text:?} n'est ni l'identifiant d'une étiquette (32 chiffres hexadécimaux) ni un SHA-256 (64)")
            }
            Self::ListFull => {
                "une liste de révocation contient au plus 65536 étiquettes et 65536 contenus ; créez une \
                               nouvelle autorité"
                    .into()
            }
            Self::NothingAsked => "rien à révoquer : nommez une station, un numéro de série, une étiquette ou un \
                                   contenu, ou dites --renew"
                .into(),
            Self::Token(reason) => format!("jeton : {reason}"),
            Self::Internal { what, reason } => format!("échec interne ({what} : {reason}) ; rien n'a été délivré"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// One of each.
    fn all() -> Vec<KeysError> {
        let path = || PathBuf::from("/keys");
        let source = || io::Error::other("cause");
        vec![
            KeysError::Read { path: path(), source: source() },
            KeysError::Write { path: path(), source: source() },
            KeysError::Mode { path: path(), mode: 0o644, wanted: 0o600 },
            KeysError::Owner { path: path() },
            KeysError::Exists { path: path() },
            KeysError::Locked { path: path() },
            KeysError::Content { path: path(), what: "cause".into() },
            KeysError::Settings { path: path(), what: "cause".into() },
            KeysError::NoTerminal(source()),
            KeysError::PassphrasesDiffer,
            KeysError::PassphraseShort(12),
            KeysError::Passphrase { path: path() },
            KeysError::Name("X".into()),
            KeysError::Request { path: path(), what: "cause" },
            KeysError::Site("x".into()),
            KeysError::TooLong { days: 2, most: 1 },
            KeysError::TooDeep,
            KeysError::NotIssued("x".into()),
            KeysError::NotAnIdentifier("x".into()),
            KeysError::ListFull,
            KeysError::NothingAsked,
            KeysError::Token("cause".into()),
            KeysError::Internal { what: "what", reason: "cause".into() },
        ]
    }

    #[test]
    fn the_documented_exit_codes_are_the_codes() {
        let text = include_str!("../../../docs/exit-codes.md");
        let (_, section) = text.split_once("## `blanche keys`").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: BTreeSet<u8> = rows.filter_map(|row| row.split('`').next()?.parse().ok()).collect();
        let codes: BTreeSet<u8> = all().iter().map(KeysError::exit_code).chain([0]).collect();
        assert_eq!(documented, codes);
    }

    #[test]
    fn every_error_has_a_french_and_an_english_sentence() {
        for error in all() {
            assert_eq!(error.sentence(false), error.to_string());
            assert_ne!(error.sentence(true), error.sentence(false));
        }
    }
}
