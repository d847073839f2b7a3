//! Why there is no answer: what is wrong before or beside the medium. What is wrong with tag or medium is a
//! [`blanche_tag::Refusal`].

use crate::exit::Exit;
use crate::lang::Lang;
use blanche_tag::visible::visible;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a verification could not be done.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "rights, partitions and layers are looked at on Linux"))]
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{}: {source}", .path.display())]
    TrustMissing { path: PathBuf, source: io::Error },
    #[error("{}: no authority", .path.display())]
    NoAuthority { path: PathBuf },
    #[error("{}: others may change it", .path.display())]
    Rights { path: PathBuf },
    /// A file of an administrator, or of an earlier verification, that is not what it must be.
    #[error("{}: {why}", .path.display())]
    BadFile { path: PathBuf, why: String },
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Policy { path: PathBuf, line: usize, column: usize, message: String },
    #[error("level {asked} is below {demanded}, which {} demands", .path.display())]
    Level { path: PathBuf, asked: &'static str, demanded: &'static str },
    #[error("{}: {why}", .path.display())]
    Memory { path: PathBuf, why: String },
    #[error("{}: {source}", .path.display())]
    Target { path: PathBuf, source: io::Error },
    #[error("{}: neither a block device, nor an image, nor a folder", .path.display())]
    Unsupported { path: PathBuf },
    #[error("{}: a partition of {whole}", .path.display())]
    Partition { path: PathBuf, whole: String },
    #[error("confinement: {0}")]
    Confine(String),
    #[error("{0}")]
    Verifier(String),
    #[error("interrupted")]
    Interrupted,
}

/// What to tell a person.
pub(crate) struct Advice {
    pub(crate) what: String,
    pub(crate) next: String,
}

/// A path for people: it may have been made by somebody who is no friend.
pub(crate) fn shown(path: &Path) -> String {
    visible(path.as_os_str().as_encoded_bytes())
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::TrustMissing { .. }
            | Self::NoAuthority { .. }
            | Self::Rights { .. }
            | Self::BadFile { .. }
            | Self::Policy { .. }
            | Self::Level { .. }
            | Self::Memory { .. } => Exit::Usage,
            Self::Target { .. } | Self::Unsupported { .. } | Self::Partition { .. } => Exit::Target,
            Self::Confine(_) | Self::Verifier(_) => Exit::Verifier,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// As it stands in JSON.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::TrustMissing { .. } | Self::NoAuthority { .. } => "trust",
            Self::Rights { .. } => "rights",
            Self::BadFile { .. } => "file",
            Self::Policy { .. } | Self::Level { .. } => "policy",
            Self::Memory { .. } => "memory",
            Self::Target { .. } => "target_unreadable",
            Self::Unsupported { .. } | Self::Partition { .. } => "target_unsupported",
            Self::Confine(_) => "confinement",
            Self::Verifier(_) => "verifier",
            Self::Interrupted => "interrupted",
        }
    }

    /// Cause and next step in one language; technical details stay English.
    pub(crate) fn advice(&self, lang: Lang) -> Advice {
        let (fr, en) = self.sentences();
        let (what, next) = lang.of(fr, en);
        Advice { what, next: next.to_owned() }
    }

    fn sentences(&self) -> ((String, &'static str), (String, &'static str)) {
        match self {
            Self::TrustMissing { path, source } => both(
                format!("{} : {source}.", shown(path)),
                "Installez le dossier de confiance de votre organisme, ou nommez-le avec --trust.",
                format!("{}: {source}.", shown(path)),
                "Install the trust folder of your organisation, or name it with --trust.",
            ),
            Self::NoAuthority { path } => both(
                format!("{} : aucune autorité n'est installée.", shown(path)),
                "Copiez-y authorities/NOM/classical.pem et authorities/NOM/post-quantum.pem.",
                format!("{}: no authority is installed.", shown(path)),
                "Copy authorities/NAME/classical.pem and authorities/NAME/post-quantum.pem there.",
            ),
            Self::Rights { path } => both(
                format!("{} : d'autres que l'administrateur peuvent modifier ceci.", shown(path)),
                "Retirez ce droit (chown root, chmod go-w) après avoir vérifié le contenu.",
                format!("{}: others than the administrator may change this.", shown(path)),
                "Take that right away (chown root, chmod go-w) once you have checked the content.",
            ),
            Self::BadFile { path, why } | Self::Memory { path, why } => both(
                format!("{} : {why}.", shown(path)),
                "Corrigez ou remplacez ce fichier ; voir docs/verify.md.",
                format!("{}: {why}.", shown(path)),
                "Mend or replace this file; see docs/verify.md.",
            ),
            Self::Policy { path, line, column, message } => both(
                format!("{}, ligne {line}, colonne {column} : {message}.", shown(path)),
                "Corrigez la politique ; voir docs/verify.md.",
                format!("{}, line {line}, column {column}: {message}.", shown(path)),
                "Correct the policy; see docs/verify.md.",
            ),
            Self::Level { path, asked, demanded } => both(
                format!("Le niveau {asked} est inférieur à {demanded}, qu'exige {}.", shown(path)),
                "Omettez --level, ou demandez au moins ce niveau.",
                format!("Level {asked} is below {demanded}, which {} demands.", shown(path)),
                "Leave out --level, or ask for that level at least.",
            ),
            _ => self.target_sentences(),
        }
    }

    fn target_sentences(&self) -> ((String, &'static str), (String, &'static str)) {
        match self {
            Self::Unsupported { path } => both(
                format!("{} : ni périphérique, ni image, ni dossier.", shown(path)),
                "Nommez le périphérique entier, une image ou un dossier.",
                format!("{}: neither a device, nor an image, nor a folder.", shown(path)),
                "Name the whole device, an image or a folder.",
            ),
            Self::Partition { path, whole } => both(
                format!("{} : ce n'est qu'une partition.", shown(path)),
                if whole.is_empty() {
                    "Nommez le périphérique entier."
                } else {
                    "Nommez le périphérique entier, sans numéro."
                },
                format!("{}: this is a partition only.", shown(path)),
                if whole.is_empty() { "Name the whole device." } else { "Name the whole device, without a number." },
            ),
            Self::Confine(why) => both(
                format!("Le confinement est impossible : {why}."),
                "Sans lui, aucun support n'est lu. Il faut Linux 5.19 ou plus récent, avec Landlock et seccomp.",
                format!("Confinement is not possible: {why}."),
                "Without it no medium is read. Linux 5.19 or newer is needed, with Landlock and seccomp.",
            ),
            Self::Interrupted => both(
                "Interrompu : rien n'a été vérifié.".to_owned(),
                "Recommencez quand vous voulez.",
                "Interrupted: nothing was verified.".to_owned(),
                "Start again whenever you like.",
            ),
            Self::Target { path, source } => both(
                format!("{} : {source}.", shown(path)),
                "Vérifiez le nom, le branchement et vos droits.",
                format!("{}: {source}.", shown(path)),
                "Check the name, the plug and your rights.",
            ),
            other => both(
                format!("Le vérificateur a échoué : {other}."),
                "Recommencez ; si cela se reproduit, prévenez l'administrateur.",
                format!("The verifier failed: {other}."),
                "Try again; if it happens again, tell the administrator.",
            ),
        }
    }
}

fn both(
    fr: String,
    fr_next: &'static str,
    en: String,
    en_next: &'static str,
) -> ((String, &'static str), (String, &'static str)) {
    ((fr, fr_next), (en, en_next))
}
