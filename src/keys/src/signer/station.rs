//! A station's keys with their chains, checked against each other, and as a [`Signer`] for envelopes.

use super::settings::Settings;
use crate::KeysError;
use crate::ceremony::authority::read_chain;
use crate::certificate::{StationName, only_dns_name};
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
    algorithm: Algorithm,
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
            let path = folder.join(format!("{}.pem", word(algorithm)));
            let chain = check_chain(&path, algorithm, &name, &key)?;
            Ok::<_, KeysError>((key, chain))
        };
        let (classical, first) = open(Algorithm::Classical)?;
        let (post_quantum, second) = open(Algorithm::PostQuantum)?;
        let valid = (first.valid.0.max(second.valid.0), first.valid.1.min(second.valid.1));
        Ok(Self { keys: [classical, post_quantum], chains: [first.der, second.der], valid })
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
        let [classical, post_quantum] = &self.keys;
        match algorithm {
            Algorithm::Classical => classical.sign(message),
            Algorithm::PostQuantum => post_quantum.sign(message),
        }
    }
}
