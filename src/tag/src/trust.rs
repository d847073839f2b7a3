//! Whom a workstation trusts: authorities, chains, CRLs (section 12 of the specification; steps 5 to 8).
//!
//! webpki builds and checks paths; what it leaves out is checked here: both chains to one authority, validity of
//! anchors, the algorithm of a whole chain, numbers and ages of CRLs.

use crate::algorithm::Algorithm;
use crate::certificate::{self, EndCertificate};
use crate::claims::{Label, Time};
use crate::envelope::{Envelope, SignedClaims};
use crate::policy::{Memory, Policy};
use crate::refusal::{Code, Refusal};
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use webpki::{
    EndEntityCert, Error as PathError, ExpirationPolicy, KeyPurposeIdIter, RevocationOptionsBuilder,
    UnknownStatusPolicy,
};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Encode, asn1::Uint, oid::ObjectIdentifier};

const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");

/// What cannot be an anchor or a CRL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BadTrust(String);

/// One authority: a pair of anchors that an administrator installed. Nothing on a medium may ever come here.
#[derive(Clone, Debug)]
pub struct Authority {
    /// In DER: classical, post-quantum.
    anchors: [Vec<u8>; 2],
    id: AuthorityId,
}

/// What tells authorities apart: the SHA-256 of the SubjectPublicKeyInfos of both anchors, classical first. An anchor that
/// is renewed with its key is the same authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorityId([u8; 32]);

impl AuthorityId {
    /// Under what something of this authority is remembered: names of stations and signers are unique below one authority only.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{self}/{name}")
    }
}

impl fmt::Display for AuthorityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Authority {
    /// The two anchors in DER.
    ///
    /// # Errors
    /// One is no certificate with a key of its algorithm.
    pub fn new(classical: Vec<u8>, post_quantum: Vec<u8>) -> Result<Self, BadTrust> {
        let anchors = [classical, post_quantum];
        let mut keys = Sha256::new();
        for (algorithm, der) in Algorithm::BOTH.into_iter().zip(&anchors) {
            let certificate = Certificate::from_der(der).ok();
            let usable = certificate.filter(|certificate| certificate::key(certificate, algorithm).is_some());
            let usable = usable.and_then(|anchor| anchor.tbs_certificate().subject_public_key_info().to_der().ok());
            let path = webpki::anchor_from_trusted_cert(&CertificateDer::from(der.as_slice())).is_ok();
            let Some(key) = usable.filter(|_| path) else {
                return Err(BadTrust(format!("the {} anchor is not a certificate of that kind", algorithm.name())));
            };
            keys.update(key);
        }
        Ok(Self { anchors, id: AuthorityId(keys.finalize().into()) })
    }

    /// Which authority it is.
    #[must_use]
    pub const fn id(&self) -> AuthorityId {
        self.id
    }
}

/// All authorities that a workstation trusts.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    /// Tried in this order.
    pub authorities: Vec<Authority>,
}

/// A CRL as its issuer states it; its signature is verified when it is used.
#[derive(Clone, Debug)]
pub struct Crl {
    der: Vec<u8>,
    list: CertificateList,
    number: u64,
    this_update: Time,
}

impl Crl {
    /// Reads a CRL in DER.
    ///
    /// # Errors
    /// It is not a version 2 CRL with a number.
    pub fn new(der: Vec<u8>) -> Result<Self, BadTrust> {
        let list = CertificateList::from_der(&der).map_err(|error| BadTrust(format!("not a CRL: {error}")))?;
        let extensions = list.tbs_cert_list.crl_extensions.iter().flatten();
        let number = extensions.filter(|extension| extension.extn_id == CRL_NUMBER).find_map(|extension| {
            let number = Uint::from_der(extension.extn_value.as_bytes()).ok()?;
            let bytes = number.as_bytes();
            (bytes.len() <= 8).then(|| bytes.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte)))
        });
        let number = number.ok_or_else(|| BadTrust("a CRL without a number of up to 64 bits".to_owned()))?;
        let this_update = list.tbs_cert_list.this_update.to_unix_duration().as_secs();
        Ok(Self { der, list, number, this_update })
    }

    fn is_signed_by(&self, algorithm: Algorithm, key: &[u8]) -> bool {
        let message = self.list.tbs_cert_list.to_der();
        let signature = self.list.signature.as_bytes();
        let (Ok(message), Some(signature)) = (message, signature) else { return false };
        algorithm.webpki().verify_signature(key, &message, signature).is_ok()
    }
}

/// Exactly one purpose on the end certificate was checked before; CAs carry none.
struct AnyUsage;

impl webpki::ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        purposes.into_iter().try_for_each(|purpose| purpose.map(|_| ()))
    }
}

/// Everything that steps 5 to 8 need beside the envelope.
pub(crate) struct Origin<'a> {
    pub(crate) trust: &'a TrustStore,
    pub(crate) crls: &'a [Crl],
    pub(crate) policy: &'a Policy,
    /// What was remembered before step 1: what this verification learns counts from the next one on (section 14).
    pub(crate) known: &'a Memory,
    pub(crate) now: Time,
}

/// Who signed: the name in both end certificates, and the authority that both chains lead to.
pub(crate) struct Signatory {
    pub(crate) station: Label,
    pub(crate) site: Label,
    pub(crate) authority: AuthorityId,
}

/// The certificates of a chain from the end to the anchor.
struct Path<'a> {
    algorithm: Algorithm,
    certificates: &'a [Vec<u8>],
    anchor: &'a [u8],
}

/// An issuer in a chain, and its CRL.
struct Issued<'a> {
    name: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    key: [u8; 32],
    crl: Option<&'a Crl>,
}

impl Path<'_> {
    /// A refusal of step 7.
    fn refuse(&self, code: Code, what: &dyn std::fmt::Display) -> Refusal {
        Refusal::new(code, 7, format!("{} chain: {what}", self.algorithm.name()))
    }

    /// Whether each certificate names the next one as its issuer, the anchor last: webpki looks for a path in any order.
    fn is_in_order(&self) -> bool {
        let all = self.certificates.iter().map(Vec::as_slice).chain([self.anchor]);
        let Ok(all) = all.map(Certificate::from_der).collect::<Result<Vec<_>, _>>() else { return false };
        all.windows(2).all(|pair| {
            matches!(pair, [below, issuer] if below.tbs_certificate().issuer() == issuer.tbs_certificate().subject())
        })
    }
}

impl Origin<'_> {
    /// Steps 5 to 8: who signed. `memory` takes what the CRLs of the chains state, whatever becomes of the rest.
    pub(crate) fn verify<T: SignedClaims>(
        &self,
        envelope: &Envelope<T>,
        memory: &mut Memory,
    ) -> Result<Signatory, Refusal> {
        // Step 5.
        let [one, two] = &envelope.signatures;
        let read = |chain: &[Vec<u8>], algorithm| {
            EndCertificate::read(chain.first().map_or(&[][..], Vec::as_slice), algorithm, T::PURPOSE)
        };
        let ends = [read(&one.chain, Algorithm::Classical)?, read(&two.chain, Algorithm::PostQuantum)?];
        let [first, second] = &ends;
        if (&first.station, &first.site) != (&second.station, &second.site) {
            return Err(Refusal::new(Code::Name, 5, "the two end certificates have different names"));
        }
        // Steps 6 and 7.
        let (authority, paths) = self.authority([&one.chain, &two.chain])?;
        let [first, second] = &paths;
        let crls = [self.crls(first, memory)?, self.crls(second, memory)?];
        paths.iter().zip(&crls).try_for_each(|(path, crls)| self.check_crls(path, crls))?;
        // Step 8.
        for ((algorithm, end), part) in Algorithm::BOTH.into_iter().zip(&ends).zip(&envelope.signatures) {
            let length = part.signature.len() == algorithm.signature_length();
            if !length || !algorithm.verify(&end.key, &part.message, &part.signature) {
                return Err(Refusal::new(Code::Signature, 8, format!("the {} signature", algorithm.name())));
            }
        }
        let [EndCertificate { station, site, .. }, _] = ends;
        Ok(Signatory { station, site, authority })
    }

    /// Step 6: the one authority that both chains lead to.
    fn authority<'a>(&'a self, chains: [&'a [Vec<u8>]; 2]) -> Result<(AuthorityId, [Path<'a>; 2]), Refusal> {
        for (algorithm, chain) in Algorithm::BOTH.into_iter().zip(chains) {
            chain.iter().try_for_each(|der| self.check_time(algorithm, der))?;
        }
        let mut refusal = Refusal::new(Code::Chain, 6, "no authority is installed");
        for authority in &self.trust.authorities {
            let [one, two] = &authority.anchors;
            let [first, second] = chains;
            let paths = [(Algorithm::Classical, first, one), (Algorithm::PostQuantum, second, two)]
                .map(|(algorithm, certificates, anchor)| Path { algorithm, certificates, anchor });
            match paths.iter().try_for_each(|path| self.check_path(path)) {
                Ok(()) => return Ok((authority.id, paths)),
                // What is more precise than "unknown" stays.
                Err(found) if refusal.code == Code::Chain => refusal = found,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn check_time(&self, algorithm: Algorithm, der: &[u8]) -> Result<(), Refusal> {
        let wrong = |code, what: &str| Err(Refusal::new(code, 6, format!("{}: {what}", algorithm.name())));
        let Ok(certificate) = Certificate::from_der(der) else {
            return wrong(Code::Chain, "something in the chain is not a certificate");
        };
        let validity = certificate.tbs_certificate().validity();
        let (from, to) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        if (from.as_secs()..=to.as_secs()).contains(&self.now) {
            return Ok(());
        }
        wrong(Code::CertificateTime, &format!("valid {} to {}, now {}", from.as_secs(), to.as_secs(), self.now))
    }

    fn check_path(&self, path: &Path<'_>) -> Result<(), Refusal> {
        self.webpki(path, &[]).map_err(|error| {
            let code = match error {
                PathError::NameConstraintViolation => Code::Site,
                PathError::CertExpired { .. } | PathError::CertNotValidYet { .. } => Code::CertificateTime,
                _ => Code::Chain,
            };
            Refusal::new(code, 6, format!("{} chain: {error}", path.algorithm.name()))
        })?;
        let issuers = path.certificates.iter().skip(1).map(Vec::as_slice).chain([path.anchor]);
        let may_sign = |der| Certificate::from_der(der).is_ok_and(|issuer| certificate::is_issuer(&issuer));
        if !issuers.into_iter().all(may_sign) {
            let detail = format!("{} chain: an issuer without keyCertSign and cRLSign", path.algorithm.name());
            return Err(Refusal::new(Code::Chain, 6, detail));
        }
        if !path.is_in_order() {
            let detail = format!("{} chain: not exactly the path, in order", path.algorithm.name());
            return Err(Refusal::new(Code::Chain, 6, detail));
        }
        self.check_time(path.algorithm, path.anchor)
    }

    /// Asks webpki about a path, and about revocation if there are CRLs.
    fn webpki(&self, path: &Path<'_>, crls: &[&webpki::CertRevocationList<'_>]) -> Result<(), PathError> {
        let ders: Vec<_> = path.certificates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let anchor_der = CertificateDer::from(path.anchor);
        let anchors = [webpki::anchor_from_trusted_cert(&anchor_der)?];
        let (Some(end), intermediates) = (ders.first(), ders.get(1..).unwrap_or_default()) else {
            return Err(PathError::UnknownIssuer);
        };
        let end = EndEntityCert::try_from(end)?;
        let revocation = RevocationOptionsBuilder::new(crls).ok();
        // Where a CRL may be missing, those that are there still count, also below the issuer without one.
        let unknown = if self.policy.require_crl { UnknownStatusPolicy::Deny } else { UnknownStatusPolicy::Allow };
        let revocation = revocation.map(|options| {
            options.with_expiration_policy(ExpirationPolicy::Ignore).with_status_policy(unknown).build()
        });
        let time = UnixTime::since_unix_epoch(Duration::from_secs(self.now));
        let algorithms = [path.algorithm.webpki()];
        end.verify_for_usage(&algorithms, &anchors, intermediates, time, AnyUsage, revocation, None).map(|_| ())
    }

    /// The CRL of each issuer of a path, from the end on. Their signatures are verified, so they teach, whatever step 7 says
    /// of them: or whoever can take files away would bring back the CRL before the one that refuses.
    fn crls(&self, path: &Path<'_>, memory: &mut Memory) -> Result<Vec<Issued<'_>>, Refusal> {
        let issuers = path.certificates.iter().skip(1).map(Vec::as_slice).chain([path.anchor]);
        let mut found = Vec::new();
        for issuer in issuers {
            let issuer = Certificate::from_der(issuer).map_err(|error| path.refuse(Code::Chain, &error))?;
            let certificate = issuer.tbs_certificate();
            let key = Sha256::digest(certificate.subject_public_key_info().to_der().unwrap_or_default()).into();
            let crl = self.newest(&issuer, path.algorithm);
            if let Some(crl) = crl {
                Memory::learn(&mut memory.crls, &mut memory.time, key, crl.number, crl.this_update);
            }
            found.push(Issued { name: certificate.subject().to_string(), key, crl });
        }
        Ok(found)
    }

    /// Step 7 for one path.
    fn check_crls(&self, path: &Path<'_>, issued: &[Issued<'_>]) -> Result<(), Refusal> {
        let mut lists: Vec<webpki::CertRevocationList<'_>> = Vec::new();
        for Issued { name, key, crl } in issued {
            let Some(crl) = crl else {
                if self.policy.require_crl {
                    return Err(path.refuse(Code::CrlMissing, &format!("no CRL of {name}")));
                }
                continue;
            };
            let last = self.known.crls.get(key).copied().unwrap_or(0);
            if crl.number < last {
                return Err(path.refuse(Code::CrlOld, &format!("number {}, {last} was seen", crl.number)));
            }
            if self.now.saturating_sub(crl.this_update) > self.policy.max_crl_age {
                return Err(path.refuse(Code::CrlStale, &format!("of {}, now {}", crl.this_update, self.now)));
            }
            lists.extend(webpki::BorrowedCertRevocationList::from_der(&crl.der).ok().map(Into::into));
        }
        match self.webpki(path, &lists.iter().collect::<Vec<_>>()) {
            Ok(()) => Ok(()),
            Err(PathError::CertRevoked) => Err(path.refuse(Code::RevokedStation, &"a certificate is revoked")),
            Err(error) => Err(path.refuse(Code::CrlMissing, &error)),
        }
    }

    /// The CRL of an issuer with the highest number.
    fn newest(&self, issuer: &Certificate, algorithm: Algorithm) -> Option<&Crl> {
        let key = certificate::key(issuer, algorithm)?;
        let subject = issuer.tbs_certificate().subject();
        let own = self.crls.iter().filter(|crl| crl.list.tbs_cert_list.issuer == *subject);
        own.filter(|crl| crl.is_signed_by(algorithm, &key)).max_by_key(|crl| crl.number)
    }
}
