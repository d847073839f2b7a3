//! The life of the signer's process: read the keys, close every door, answer until the channel closes.

use super::counter::Counter;
use super::rules::{Refused, Situation, judge, judge_checkpoint};
use super::settings::{PassphrasePlace, Settings};
use super::station::StationKeys;
use crate::KeysError;
use crate::certificate::{StationName, now};
use crate::place;
use crate::protocol::{Description, FromSigner, Refusal, ToSigner};
use crate::secret::Secrets;
use blanche_sandbox::birth::Inherited;
use blanche_sandbox::confine::{self, Profile};
use blanche_sandbox::{Channel, ChannelError};
use blanche_tag::claims::Time;
use blanche_tag::envelope::{SealError, seal};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Bytes of the claims of a checkpoint, at most: eight short values and two labels.
const LARGEST_CHECKPOINT: usize = 512;

/// Why the signer ended otherwise than by the end of its channel.
#[derive(Debug, Error)]
pub enum SignerFailed {
    /// The arguments are not those that the station gives.
    #[error("usage: blanche-signer --keys DIR; it is started by the station, not by hand")]
    Usage,
    /// The station gave it no channel.
    #[error("no channel on descriptor 4; it is started by the station, not by hand")]
    NoChannel,
    /// signer.toml names a credential and none was handed over.
    #[error("credential {0:?} was not handed over; give the station's service LoadCredentialEncrypted={0}:…")]
    NoCredential(String),
    /// The keys, their chains, the settings or the counter.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A mandatory layer of the confinement is missing.
    #[error(transparent)]
    Confine(#[from] confine::ConfineError),
    /// The station broke the protocol.
    #[error("channel: {0}")]
    Channel(#[from] ChannelError),
}

impl SignerFailed {
    /// The stable exit code: docs/exit-codes.md.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage | Self::NoChannel | Self::NoCredential(_) => 2,
            Self::Keys(error) => error.exit_code(),
            Self::Confine(_) | Self::Channel(_) => 5,
        }
    }
}

/// How long another signer of the same counter is waited for: less than a station waits for a birth.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything between two requests.
struct Signing {
    name: StationName,
    settings: Settings,
    keys: StationKeys,
    counter: Counter,
}

/// Runs the signer with the arguments after its name.
///
/// # Errors
/// [`SignerFailed`]; nothing was signed that the answers do not show.
pub fn run(arguments: impl Iterator<Item = String>) -> Result<(), SignerFailed> {
    confine::abort_on_panic();
    let (credential, channel) = (Inherited::Medium.take(), Inherited::Channel.take());
    let folder = folder(arguments)?;
    let channel = Channel::from_fd(channel.ok_or(SignerFailed::NoChannel)?);
    // Whoever may write there can put an older counter in the place of this one, although not a key of their own.
    place::folder(&folder)?;
    let settings = Settings::read(&folder)?;
    let secrets = match (&settings.passphrase, credential) {
        (PassphrasePlace::File(file), _) => Secrets::from_file(&folder.join(file))?,
        (PassphrasePlace::Credential(_), Some(descriptor)) => Secrets::from_descriptor(descriptor)?,
        (PassphrasePlace::Credential(name), None) => return Err(SignerFailed::NoCredential(name.clone())),
    };
    let counter_path = folder.join(&settings.counter);
    let counter = Counter::open(&counter_path, PATIENCE)?;
    let keys = StationKeys::open(&folder, &settings, &secrets)?;
    drop(secrets);
    let writable = counter_path.parent().unwrap_or(&folder);
    let token = settings.token.as_ref().map(|place| place.folders.as_slice());
    let born = confine::confine(Profile::Signer { folder: writable, token })?;
    channel.send(&born, &[])?;
    let name = settings.name()?;
    Signing { name, settings, keys, counter }.answer(&channel)
}

fn folder(mut arguments: impl Iterator<Item = String>) -> Result<PathBuf, SignerFailed> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--keys"), Some(folder), None) if Path::new(&folder).is_absolute() => Ok(PathBuf::from(folder)),
        _ => Err(SignerFailed::Usage),
    }
}

impl Signing {
    /// Answers until the station closes the channel.
    fn answer(mut self, channel: &Channel) -> Result<(), SignerFailed> {
        loop {
            let answer = match channel.receive::<ToSigner>(None) {
                Ok(received) => match received.message {
                    ToSigner::Describe => FromSigner::Described(self.describe()),
                    ToSigner::Sign { claims } => answered(self.sign(&claims)),
                    ToSigner::SignCheckpoint { claims } => answered(self.sign_checkpoint(&claims)),
                },
                Err(ChannelError::Closed) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            match channel.send(&answer, &[]) {
                Ok(()) => {}
                Err(ChannelError::Closed) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn describe(&self) -> Description {
        Description {
            station: self.settings.station.clone(),
            site: self.settings.site.clone(),
            certificate_expires: self.keys.valid.1,
            next_counter: self.counter.highest().saturating_add(1),
            fresh_bases: self.settings.policy.fresh_bases.clone(),
            max_base_age: self.settings.policy.max_base_age,
            max_validity: self.settings.policy.max_validity,
            uses_token: self.settings.token.is_some(),
            envelope_overhead: u64::try_from(self.keys.overhead()).unwrap_or(u64::MAX),
            signs_checkpoints: self.keys.checkpoint.is_some(),
        }
    }

    fn situation(&self, largest: usize, certificates: (Time, Time)) -> Situation<'_> {
        Situation {
            name: &self.name,
            policy: &self.settings.policy,
            largest,
            certificates,
            now: now(),
            highest: self.counter.highest(),
        }
    }

    /// Judges, makes the counter durable, signs: in this order.
    fn sign(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        let claims = judge(bytes, &self.situation(self.keys.largest_claims(), self.keys.valid))?;
        self.raise(claims.counter)?;
        seal(&claims, &mut self.keys).map_err(not_sealed)
    }

    /// The same for a checkpoint: one counter for everything that these keys sign.
    fn sign_checkpoint(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        let missing = || (Refusal::NoCheckpoint, "no classical.checkpoint.pem".to_owned());
        let valid = self.keys.checkpoint.as_ref().map(|chains| chains.valid).ok_or_else(missing)?;
        let claims = judge_checkpoint(bytes, &self.situation(LARGEST_CHECKPOINT, valid))?;
        self.raise(claims.counter)?;
        let mut keys = self.keys.for_checkpoints().ok_or_else(missing)?;
        seal(&claims, &mut keys).map_err(not_sealed)
    }

    fn raise(&mut self, counter: u64) -> Result<(), Refused> {
        self.counter.raise(counter).map_err(|error| (Refusal::CounterNotKept, error.to_string()))
    }
}

fn answered(signed: Result<Vec<u8>, Refused>) -> FromSigner {
    match signed {
        Ok(envelope) => FromSigner::Signed { envelope },
        Err((refusal, detail)) => FromSigner::Refused { refusal, detail },
    }
}

fn not_sealed(error: SealError) -> Refused {
    match error {
        SealError::Claims(_) => (Refusal::Malformed, error.to_string()),
        other => (Refusal::Keys, other.to_string()),
    }
}
