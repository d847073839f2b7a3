//! A station's keys with their chains, checked against each other, and as a [`Signer`] for envelopes.
//!
//! A certificate is for one purpose (docs/tag-format.md, section 12): the same two keys have a pair for tags, and one for
//! checkpoints of the journal, without which those are not signed.

use super::settings::Settings;
use crate::KeysError;
use crate::ceremony::authority::read_chain;
use crate::certificate::{StationName, is_for, only_dns_name};
use crate::key::{PrivateKey, word};
use crate::place::{self, Guard};
use crate::secret::Secrets;
use crate::token::Token;
use blanche_tag::claims::Time;
use blanche_tag::envelope::{Algorithm, Purpose, Signer};
use std::path::Path;
use x509_cert::Certificate;
use x509_cert::der::Encode;
use x509_cert::ext::pkix::SubjectAltName;

/// Bytes of an envelope beside payload, chains and signatures: headers, and lengths of at most 5 bytes each.
const ENVELOPE_OVERHEAD: usize = 512;

/// Both keys and both chains.
pub(crate) struct StationKeys {
    keys: [PrivateKey; 2],
    /// DER: end certificate first.
    chains: [Vec<Vec<u8>>; 2],
    /// First and last second that all certificates have in common.
    pub(crate) valid: (Time, Time),
    /// The chains for checkpoints, if there are any.
    pub(crate) checkpoint: Option<Chains>,
}

/// Both chains of one purpose.
pub(crate) struct Chains {
    der: [Vec<Vec<u8>>; 2],
    /// As that of [`StationKeys`].
    pub(crate) valid: (Time, Time),
}

impl Chains {
    fn of(classical: Chain, post_quantum: Chain) -> Self {
        let (one, two) = (classical.valid, post_quantum.valid);
        Self { der: [classical.der, post_quantum.der], valid: (one.0.max(two.0), one.1.min(two.1)) }
    }

    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        let [classical, post_quantum] = &self.der;
        match algorithm {
            Algorithm::Classical => classical.clone(),
            Algorithm::PostQuantum => post_quantum.clone(),
        }
    }
}

/// The file of a chain.
pub(crate) fn chain_file(algorithm: Algorithm, purpose: Purpose) -> String {
    match purpose {
        Purpose::Checkpoint => format!("{}.checkpoint.pem", word(algorithm)),
        _ => format!("{}.pem", word(algorithm)),
    }
}

/// A chain as an envelope carries it.
pub(crate) struct Chain {
    /// DER: end certificate first.
    der: Vec<Vec<u8>>,
    /// First and last second that all its certificates have in common.
    valid: (Time, Time),
}

/// Reads a chain whose end certificate is this station's, for this key.
pub(crate) fn check_chain(
    path: &Path,
    (algorithm, purpose): (Algorithm, Purpose),
    name: &StationName,
    key: &PrivateKey,
) -> Result<Chain, KeysError> {
    let wrong = |what: String| KeysError::Content { path: path.to_owned(), what };
    let chain = read_chain(path)?;
    let end = chain.first().map(Certificate::tbs_certificate).ok_or_else(|| wrong("no certificate".into()))?;
    if *end.subject_public_key_info() != key.public()? {
        return Err(wrong(format!("its first certificate is not for the {} key beside it", word(algorithm))));
    }
    let names = end.get_extension::<SubjectAltName>().ok().flatten();
    let certified = names.as_ref().and_then(|(_, names)| only_dns_name(names)).unwrap_or_default();
    if certified != name.dns() {
        return Err(wrong(format!("its first certificate is for {certified:?}, not {:?}", name.dns())));
    }
    if !is_for(end, purpose) {
        return Err(wrong(format!("its first certificate is not for {}", purpose.typ())));
    }
    let validity = |certificate: &Certificate| {
        let validity = certificate.tbs_certificate().validity();
        (validity.not_before.to_unix_duration().as_secs(), validity.not_after.to_unix_duration().as_secs())
    };
    let common = |(from, to): (Time, Time), (later, sooner): (Time, Time)| (from.max(later), to.min(sooner));
    let valid = chain.iter().map(validity).fold((0, Time::MAX), common);
    let der = chain.iter().map(Encode::to_der).collect::<Result<_, _>>().map_err(|error| wrong(error.to_string()))?;
    Ok(Chain { der, valid })
}

impl StationKeys {
    /// Opens both keys and both chains of a key folder.
    pub(crate) fn open(folder: &Path, settings: &Settings, secrets: &Secrets) -> Result<Self, KeysError> {
        let name = settings.name()?;
        let open = |algorithm: Algorithm| {
            let key = match (&settings.token, algorithm) {
                (Some(place), Algorithm::Classical) => {
                    let missing =
                        || KeysError::Token("the PIN is missing: the second line beside the passphrase".into());
                    PrivateKey::Token(Box::new(Token::open(place, secrets.pin.as_ref().ok_or_else(missing)?)?))
                }
                _ => {
                    let path = folder.join(format!("{}.key", word(algorithm)));
                    let bytes = place::read(&path, Guard::Secret)?;
                    PrivateKey::from_pem(&bytes, algorithm, &secrets.passphrase, &path)?
                }
            };
            let path = folder.join(chain_file(algorithm, Purpose::Tag));
            let chain = check_chain(&path, (algorithm, Purpose::Tag), &name, &key)?;
            Ok::<_, KeysError>((key, chain))
        };
        let (classical, first) = open(Algorithm::Classical)?;
        let (post_quantum, second) = open(Algorithm::PostQuantum)?;
        let checkpoint = checkpoint_chains(folder, &name, [&classical, &post_quantum])?;
        let Chains { der, valid } = Chains::of(first, second);
        Ok(Self { keys: [classical, post_quantum], chains: der, valid, checkpoint })
    }

    /// As who signs checkpoints.
    pub(crate) fn for_checkpoints(&self) -> Option<CheckpointKeys<'_>> {
        Some(CheckpointKeys { keys: self, chains: self.checkpoint.as_ref()? })
    }

    fn sign_with(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        let [classical, post_quantum] = &self.keys;
        match algorithm {
            Algorithm::Classical => classical.sign(message),
            Algorithm::PostQuantum => post_quantum.sign(message),
        }
    }

    /// Bytes of an envelope with these chains beside its claims, at most.
    pub(crate) fn overhead(&self) -> usize {
        let certificates = self.chains.iter().flatten().map(|der| der.len().saturating_add(5)).sum::<usize>();
        let signatures: usize = Algorithm::BOTH.iter().map(|algorithm| algorithm.signature_length()).sum();
        certificates.saturating_add(signatures).saturating_add(ENVELOPE_OVERHEAD)
    }

    /// Most bytes of claims that fit an envelope with these chains.
    pub(crate) fn largest_claims(&self) -> usize {
        Purpose::Tag.max_envelope().saturating_sub(self.overhead())
    }
}

impl Signer for StationKeys {
    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        let [classical, post_quantum] = &self.chains;
        match algorithm {
            Algorithm::Classical => classical.clone(),
            Algorithm::PostQuantum => post_quantum.clone(),
        }
    }

    fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        self.sign_with(algorithm, message)
    }
}

/// The same keys under their certificates for checkpoints.
pub(crate) struct CheckpointKeys<'a> {
    keys: &'a StationKeys,
    chains: &'a Chains,
}

impl Signer for CheckpointKeys<'_> {
    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        self.chains.chain(algorithm)
    }

    fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        self.keys.sign_with(algorithm, message)
    }
}

/// The chains for checkpoints: both, or none.
fn checkpoint_chains(folder: &Path, name: &StationName, keys: [&PrivateKey; 2]) -> Result<Option<Chains>, KeysError> {
    let [one, two] = Algorithm::BOTH.map(|algorithm| folder.join(chain_file(algorithm, Purpose::Checkpoint)));
    if !one.exists() && !two.exists() {
        return Ok(None);
    }
    let [classical, post_quantum] = keys;
    let first = check_chain(&one, (Algorithm::Classical, Purpose::Checkpoint), name, classical)?;
    let second = check_chain(&two, (Algorithm::PostQuantum, Purpose::Checkpoint), name, post_quantum)?;
    Ok(Some(Chains::of(first, second)))
}
