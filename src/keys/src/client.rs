//! The station's side of the signer: gives birth to it, asks, and does not believe the answer.

use crate::KeysError;
use crate::protocol::{Description, FromSigner, MAX_CLAIMS, Refusal, ToSigner};
use crate::signer::{PassphrasePlace, Settings};
use blanche_sandbox::birth::{Birth, BirthError, Child, Ending, ResourceLimits, Role};
use blanche_sandbox::wire::Born;
use blanche_sandbox::{Channel, ChannelError};
use blanche_tag::Claims;
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::envelope::{Envelope, SignedClaims};
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Longest wait for an answer. A signature takes milliseconds, a token seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A living signer. Dropping it ends it. It dies with the thread that spawned it.
#[derive(Debug)]
pub struct SignerClient {
    child: Child,
}

/// Why there is no signature.
#[derive(Debug, Error)]
pub enum SignerError {
    /// The key folder or its settings.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The credential that signer.toml names.
    #[error("credential {name:?}: {reason}; give the station's service LoadCredentialEncrypted={name}:…")]
    Credential {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The signer did not start; its own words are on standard error.
    #[error("the signer did not start: {0}")]
    Birth(#[from] BirthError),
    /// The signer is gone, hangs, or broke the protocol.
    #[error("signer: {0}; restart the station")]
    Channel(#[from] ChannelError),
    /// The signer ended.
    #[error("the signer has ended ({0}); restart the station")]
    Ended(Ending),
    /// The signer answered something else than what was asked, or signed other claims.
    #[error("the signer gave a wrong answer ({0}); restart the station and tell the security staff")]
    WrongAnswer(String),
    /// Nothing was signed.
    #[error("{} ({}: {detail})", refusal.sentence(false), refusal.as_str())]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The values that decided.
        detail: String,
    },
}

impl SignerError {
    /// The sentence in French or English: what is wrong and what to do next.
    #[must_use]
    pub fn sentence(&self, french: bool) -> String {
        if !french {
            return self.to_string();
        }
        match self {
            Self::Keys(error) => error.sentence(true),
            Self::Credential { name, reason } => {
                format!("secret {name:?} : {reason} ; donnez au service de la station LoadCredentialEncrypted={name}:…")
            }
            Self::Birth(error) => format!("le processus de signature n'a pas démarré ({error})"),
            Self::Channel(error) => format!("processus de signature : {error} ; redémarrez la station"),
            Self::Ended(ending) => {
                format!("le processus de signature s'est terminé ({ending}) ; redémarrez la station")
            }
            Self::WrongAnswer(what) => format!(
                "le processus de signature a donné une mauvaise réponse ({what}) ; redémarrez la station et prévenez \
                 l'équipe de sécurité"
            ),
            Self::Refused { refusal, detail } => {
                format!("{} ({} : {detail})", refusal.sentence(true), refusal.as_str())
            }
        }
    }
}

impl SignerClient {
    /// Starts `program` (`blanche-signer`) with the keys in `keys`, as the user who owns that folder, and waits until it
    /// has read them and confined itself.
    ///
    /// # Errors
    /// The folder or its settings are wrong, the credential is missing, or the signer did not start.
    pub fn spawn(program: &Path, keys: &Path) -> Result<Self, SignerError> {
        let read = |source| KeysError::Read { path: keys.to_owned(), source };
        let folder = std::fs::canonicalize(keys).map_err(read)?;
        let owner = std::fs::metadata(&folder).map_err(read)?;
        let credential = credential(&folder, owner.uid())?;
        let argument = folder.to_str().ok_or_else(|| KeysError::Settings {
            path: folder.clone(),
            what: "the path of the key folder is not UTF-8".to_owned(),
        })?;
        let child = Child::spawn(&Birth {
            program,
            arguments: &["--keys", argument],
            medium: credential.as_ref().map(|file| file.as_fd()),
            // Two keys, a counter of a few bytes, and scrypt, which takes 16 MiB; the rest is room for a token's module.
            limits: ResourceLimits {
                data: Some(256 << 20),
                open_files: 64,
                file_size: Some(16 << 20),
                ..ResourceLimits::default()
            },
            role: Role::Signer { uid: owner.uid(), gid: owner.gid() },
        })?;
        Ok(Self { child })
    }

    /// How it is confined, as the kernel confirmed.
    #[must_use]
    pub fn born(&self) -> Option<&Born> {
        self.child.born()
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Who it is and what it would sign.
    ///
    /// # Errors
    /// The signer is gone or talks nonsense.
    pub fn describe(&self) -> Result<Description, SignerError> {
        match self.ask(&ToSigner::Describe)? {
            FromSigner::Described(description) => Ok(description),
            _ => Err(SignerError::WrongAnswer("no description".to_owned())),
        }
    }

    /// Has claims signed: returns the envelope of a tag that holds exactly these bytes.
    ///
    /// # Errors
    /// [`SignerError::Refused`] with the reason; the others when the signer is gone or talks nonsense.
    pub fn sign(&self, claims: &[u8]) -> Result<Vec<u8>, SignerError> {
        if claims.len() > MAX_CLAIMS {
            let detail = format!("{} bytes, at most {MAX_CLAIMS}", claims.len());
            return Err(SignerError::Refused { refusal: Refusal::TooLarge, detail });
        }
        accept::<Claims>(claims, self.ask(&ToSigner::Sign { claims: claims.to_vec() })?)
    }

    /// Has a checkpoint of the journal signed: returns the envelope that holds exactly these claims.
    ///
    /// # Errors
    /// As [`SignerClient::sign`]; [`Refusal::NoCheckpoint`] if the station has no certificates for that.
    pub fn sign_checkpoint(&self, claims: &Checkpoint) -> Result<Vec<u8>, SignerError> {
        let claims = claims.encode();
        let answer = self.ask(&ToSigner::SignCheckpoint { claims: claims.clone() })?;
        accept::<Checkpoint>(&claims, answer)
    }

    fn ask(&self, question: &ToSigner) -> Result<FromSigner, SignerError> {
        let channel: &Channel = self.child.channel();
        let answer = channel.send(question, &[]).and_then(|()| channel.receive::<FromSigner>(Some(ANSWER_LIMIT)));
        match answer {
            Ok(received) => Ok(received.message),
            Err(error) => {
                let ending = self.child.wait_end(Duration::from_secs(1));
                // After a failure the channel is out of step: nobody may take a late answer for that to another question.
                self.child.kill();
                Err(ending.map_or(SignerError::Channel(error), SignerError::Ended))
            }
        }
    }
}

/// Opens the envelope again: a signer that was taken over must not make the station seal other claims than its own.
pub(crate) fn accept<T: SignedClaims>(claims: &[u8], answer: FromSigner) -> Result<Vec<u8>, SignerError> {
    match answer {
        FromSigner::Signed { envelope } => {
            let opened = Envelope::<T>::open(&envelope);
            let opened = opened.map_err(|refusal| SignerError::WrongAnswer(refusal.to_string()))?;
            if opened.payload() == claims {
                Ok(envelope)
            } else {
                Err(SignerError::WrongAnswer("it signed other claims than it was given".to_owned()))
            }
        }
        FromSigner::Refused { refusal, detail } => Err(SignerError::Refused { refusal, detail }),
        FromSigner::Described(_) => Err(SignerError::WrongAnswer("no signature and no refusal".to_owned())),
    }
}

/// The open credential that signer.toml names, if it names one. The parent only hands it over.
fn credential(folder: &Path, owner: u32) -> Result<Option<File>, SignerError> {
    let PassphrasePlace::Credential(name) = Settings::read_of(folder, owner)?.passphrase else { return Ok(None) };
    let failed = |reason: String| SignerError::Credential { name: name.clone(), reason };
    let Some(place) = std::env::var_os("CREDENTIALS_DIRECTORY") else {
        return Err(failed("this process has no credentials (systemd.exec(5))".to_owned()));
    };
    match File::open(PathBuf::from(place).join(&name)) {
        Ok(file) => Ok(Some(file)),
        Err(error) => Err(failed(error.to_string())),
    }
}
