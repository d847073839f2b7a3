//! TEST KEYS: authorities, stations, CRLs from fixed seeds that anyone can compute. DER is written by hand here so that
//! certificates can also be wrong in one respect each.

use crate::envelope::{Algorithm, Purpose, Signer};
use ml_dsa::{MlDsa87, SigningKey as MlDsaKey, VerifyingKey as MlDsaPublic};
use p384::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sha2::{Digest, Sha256};
use std::time::Duration;
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::UtcTime;

pub const START: u64 = 1_767_225_600; // 2026-01-01T00:00:00Z
pub const DAY: u64 = 86_400;
pub const SITE: &str = "site-a.blanche.invalid";
pub const NAME: &str = "station-1.site-a.blanche.invalid";

/// One TLV (X.690, 8.1).
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match body.len() {
        length @ 0..=127 => out.push(length as u8),
        length @ 128..=255 => out.extend([0x81, length as u8]),
        length => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(body);
    out
}

/// A key pair of each algorithm from one seed.
#[derive(Clone)]
pub struct Keys {
    classical: SigningKey,
    post_quantum: MlDsaKey<MlDsa87>,
}

impl Keys {
    pub fn new(seed: &str) -> Self {
        let digest = |name: &str| -> [u8; 32] { Sha256::digest(format!("TEST KEY {seed} {name}")).into() };
        let scalar = [&[1; 16][..], &digest("P-384")].concat();
        let post_quantum = MlDsaKey::from_seed(&digest("ML-DSA-87").into());
        Self { classical: SigningKey::from_slice(&scalar).unwrap(), post_quantum }
    }

    pub fn spki(&self, algorithm: Algorithm) -> Vec<u8> {
        let key = match algorithm {
            Algorithm::Classical => self.classical.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Algorithm::PostQuantum => {
                let public: MlDsaPublic<MlDsa87> = self.post_quantum.expanded_key().verifying_key();
                public.encode().to_vec()
            }
        };
        let id = match algorithm {
            Algorithm::Classical => der(0x30, &[&[6, 7, 42, 134, 72, 206, 61, 2, 1], &[6, 5, 43, 129, 4, 0, 34]]),
            Algorithm::PostQuantum => signature_id(algorithm),
        };
        der(0x30, &[&id, &der(3, &[&[0], &key])])
    }

    pub fn sign_raw(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Classical => {
                let signature: Signature = self.classical.sign(message);
                signature.to_bytes().to_vec()
            }
            Algorithm::PostQuantum => {
                self.post_quantum.expanded_key().sign_deterministic(message, &[]).unwrap().encode().to_vec()
            }
        }
    }

    /// A signed certificate or CRL.
    fn wrap(&self, algorithm: Algorithm, tbs: &[u8]) -> Vec<u8> {
        let signature = match algorithm {
            Algorithm::Classical => {
                let signature: Signature = self.classical.sign(tbs);
                signature.to_der().as_bytes().to_vec()
            }
            Algorithm::PostQuantum => self.sign_raw(algorithm, tbs),
        };
        der(0x30, &[tbs, &signature_id(algorithm), &der(3, &[&[0], &signature])])
    }

    /// A CRL that revokes these serial numbers.
    pub fn crl(&self, algorithm: Algorithm, issuer: &str, number: u8, at: u64, revoked: &[u8]) -> Vec<u8> {
        let entries: Vec<_> = revoked.iter().map(|serial| der(0x30, &[&der(2, &[&[*serial]]), &time(at)])).collect();
        let entries: Vec<_> = entries.iter().map(Vec::as_slice).collect();
        let list = if entries.is_empty() { Vec::new() } else { der(0x30, &entries) };
        let number = extension(20, false, &der(2, &[&[number]]));
        let extensions = der(0xa0, &[&der(0x30, &[&number])]);
        let head = [der(2, &[&[1]]), signature_id(algorithm), name(issuer), time(at), time(at + 30 * DAY)].concat();
        self.wrap(algorithm, &der(0x30, &[&head, &list, &extensions]))
    }
}

/// AlgorithmIdentifier of a signature (RFC 5758, RFC 9881).
fn signature_id(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Classical => der(0x30, &[&[6, 8, 42, 134, 72, 206, 61, 4, 3, 3]]),
        Algorithm::PostQuantum => der(0x30, &[&[6, 9, 96, 134, 72, 1, 101, 3, 4, 3, 19]]),
    }
}

fn name(common: &str) -> Vec<u8> {
    der(0x30, &[&der(0x31, &[&der(0x30, &[&[6, 3, 85, 4, 3], &der(12, &[common.as_bytes()])])])])
}

fn time(seconds: u64) -> Vec<u8> {
    UtcTime::from_unix_duration(Duration::from_secs(seconds)).and_then(|time| time.to_der()).unwrap()
}

fn extension(id: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[1, 1, 255] } else { &[] };
    der(0x30, &[&[6, 3, 85, 29, id], flag, &der(4, &[value])])
}

/// Everything about a certificate that a vector may want to be different.
#[derive(Clone)]
pub struct Certificate<'a> {
    pub serial: u8,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub from: u64,
    pub to: u64,
    /// None for a CA.
    pub end: Option<End<'a>>,
    /// keyUsage of a CA: unused bits, bits.
    pub usage: [u8; 2],
    /// Permitted dNSName of a CA.
    pub site: Option<&'a str>,
    /// Last arc of an extension that is not critical, though it must be.
    pub loose: Option<u8>,
}

#[derive(Clone)]
pub struct End<'a> {
    pub san: Option<&'a str>,
    pub purpose: Purpose,
}

impl Certificate<'_> {
    pub fn make(&self, algorithm: Algorithm, subject: &Keys, issuer: &Keys) -> Vec<u8> {
        let must = |id: u8, value: &[u8]| extension(id, self.loose != Some(id), value);
        let extensions = match &self.end {
            Some(end) => {
                let purpose = der(0x30, &[&der(6, &[&end.purpose.key_usage()])]);
                let san = end.san.map(|san| extension(17, false, &der(0x30, &[&der(0x82, &[san.as_bytes()])])));
                [must(15, &[3, 2, 7, 0x80]), extension(37, false, &purpose), san.unwrap_or_default()]
            }
            None => {
                let constraint = self.site.map(|site| {
                    let permitted = der(0xa0, &[&der(0x30, &[&der(0x82, &[site.as_bytes()])])]);
                    must(30, &der(0x30, &[&permitted]))
                });
                let ca = must(19, &der(0x30, &[&[1, 1, 255]]));
                [ca, must(15, &[3, 2, self.usage[0], self.usage[1]]), constraint.unwrap_or_default()]
            }
        };
        let tbs = [
            der(0xa0, &[&[2, 1, 2]]),
            der(2, &[&[self.serial]]),
            signature_id(algorithm),
            name(self.issuer),
            der(0x30, &[&time(self.from), &time(self.to)]),
            name(self.subject),
            subject.spki(algorithm),
            der(0xa3, &[&der(0x30, &[&extensions.concat()])]),
        ];
        issuer.wrap(algorithm, &der(0x30, &[&tbs.concat()]))
    }
}

/// Test keys with chains.
#[derive(Clone)]
pub struct Station {
    pub keys: Keys,
    pub chains: [Vec<Vec<u8>>; 2],
}

impl Signer for Station {
    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        self.chains[usize::from(algorithm == Algorithm::PostQuantum)].clone()
    }

    fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        Ok(self.keys.sign_raw(algorithm, message))
    }
}

pub fn both(make: impl Fn(Algorithm) -> Vec<u8>) -> [Vec<u8>; 2] {
    Algorithm::BOTH.map(make)
}

pub fn root_certificate<'a>(subject: &'a str) -> Certificate<'a> {
    Certificate {
        serial: 1,
        issuer: subject,
        subject,
        from: START,
        to: START + 3650 * DAY,
        end: None,
        usage: [1, 6],
        site: None,
        loose: None,
    }
}

pub fn issuer_certificate<'a>() -> Certificate<'a> {
    Certificate {
        serial: 2,
        issuer: "TEST authority",
        subject: "TEST site-a",
        site: Some(SITE),
        ..root_certificate("")
    }
}

pub fn end_certificate<'a>() -> Certificate<'a> {
    let end = Some(End { san: Some(NAME), purpose: Purpose::Tag });
    Certificate {
        serial: 3,
        issuer: "TEST site-a",
        subject: "TEST station-1",
        to: START + 365 * DAY,
        end,
        site: None,
        ..issuer_certificate()
    }
}
