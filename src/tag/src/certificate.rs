//! What an end certificate must be (section 12 of the specification; step 5).

use crate::algorithm::Algorithm;
use crate::claims::Label;
use crate::envelope::Purpose;
use crate::refusal::{Code, Refusal};
use crate::revocation::ALL_SITES;
use std::collections::BTreeSet;
use x509_cert::Certificate;
use x509_cert::der::asn1::Any;
use x509_cert::der::{Decode, Encode, Tag, Tagged, oid::ObjectIdentifier};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName, name::GeneralName};

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
/// What the name of every station ends with.
const SUFFIX: &str = ".blanche.invalid";

/// An end certificate that may stand in an envelope of one purpose.
pub(crate) struct EndCertificate {
    pub(crate) station: Label,
    pub(crate) site: Label,
    /// Content of `subjectPublicKey`.
    pub(crate) key: Vec<u8>,
}

fn refuse<T>(code: Code, algorithm: Algorithm, what: &str) -> Result<T, Refusal> {
    Err(Refusal::new(code, 5, format!("{} end certificate: {what}", algorithm.name())))
}

/// An extension that occurs once: whether it is critical, and its value.
fn extension(certificate: &Certificate, id: ObjectIdentifier) -> Option<(bool, &[u8])> {
    let all = certificate.tbs_certificate().extensions()?;
    let mut found = all.iter().filter(|extension| extension.extn_id == id);
    let first = found.next()?;
    if found.next().is_some() { None } else { Some((first.critical, first.extn_value.as_bytes())) }
}

/// Whether every extension occurs once (RFC 5280, 4.2), and those that section 12 demands can be decoded.
fn has_readable_extensions(certificate: &Certificate) -> bool {
    let all = certificate.tbs_certificate().extensions().map_or(&[][..], |all| all.as_slice());
    let ids: BTreeSet<_> = all.iter().map(|extension| extension.extn_id).collect();
    let readable = |extension: &Extension| {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            BASIC_CONSTRAINTS => BasicConstraints::from_der(value).is_ok(),
            KEY_USAGE => KeyUsage::from_der(value).is_ok(),
            SUBJECT_ALT_NAME => SubjectAltName::from_der(value).is_ok(),
            // Not as OBJECT IDENTIFIERs: ours has an arc of 128 bits.
            EXTENDED_KEY_USAGE => Vec::<Any>::from_der(value)
                .is_ok_and(|purposes| purposes.iter().all(|purpose| purpose.tag() == Tag::ObjectIdentifier)),
            _ => true,
        }
    };
    ids.len() == all.len() && all.iter().all(readable)
}

/// keyUsage, which section 12 demands to be critical.
fn key_usage(certificate: &Certificate) -> Option<KeyUsage> {
    let (critical, value) = extension(certificate, KEY_USAGE)?;
    KeyUsage::from_der(value).ok().filter(|_| critical)
}

/// The key of a certificate, if it is of this algorithm.
pub(crate) fn key(certificate: &Certificate, algorithm: Algorithm) -> Option<Vec<u8>> {
    let spki = certificate.tbs_certificate().subject_public_key_info();
    // SEQUENCE, one byte of length, then what webpki compares.
    let der = spki.algorithm.to_der().ok()?;
    let fits = der.get(2..) == Some(algorithm.webpki().public_key_alg_id().as_ref());
    fits.then(|| spki.subject_public_key.as_bytes().map(<[u8]>::to_vec)).flatten()
}

/// Whether a certificate may sign others and CRLs (RFC 5280, 4.2.1.3), and its extensions are as critical as section 12
/// demands; webpki leaves both to the caller.
pub(crate) fn is_issuer(certificate: &Certificate) -> bool {
    let critical = |id| extension(certificate, id).map(|(critical, _)| critical);
    critical(BASIC_CONSTRAINTS) == Some(true)
        && critical(NAME_CONSTRAINTS) != Some(false)
        && key_usage(certificate).is_some_and(|usage| usage.key_cert_sign() && usage.crl_sign())
}

impl EndCertificate {
    /// Step 5 for one of the two.
    pub(crate) fn read(der: &[u8], algorithm: Algorithm, purpose: Purpose) -> Result<Self, Refusal> {
        let Ok(certificate) = Certificate::from_der(der) else {
            return refuse(Code::Certificate, algorithm, "not a certificate (RFC 5280)");
        };
        if !has_readable_extensions(&certificate) {
            return refuse(Code::Certificate, algorithm, "an extension that occurs twice or cannot be decoded");
        }
        let Some(key) = key(&certificate, algorithm) else {
            return refuse(Code::Certificate, algorithm, "key of another algorithm");
        };
        let Some((station, site)) = name(&certificate) else {
            return refuse(Code::Name, algorithm, "not exactly one dNSName STATION.SITE.blanche.invalid");
        };
        if matches!(purpose, Purpose::Tag | Purpose::Checkpoint) && site.as_str() == ALL_SITES {
            return refuse(Code::Name, algorithm, "a station of the site that stands for all sites");
        }
        // SEQUENCE { OBJECT IDENTIFIER }: exactly one purpose.
        let expected = [&[0x30, 24, 0x06, 22][..], &purpose.key_usage()].concat();
        if extension(&certificate, EXTENDED_KEY_USAGE).is_none_or(|(_, value)| value != expected) {
            return refuse(Code::KeyUsage, algorithm, "extended key usage of another purpose");
        }
        if !key_usage(&certificate).is_some_and(|usage| usage.digital_signature()) {
            return refuse(Code::KeyUsage, algorithm, "no critical key usage with digitalSignature");
        }
        Ok(Self { station, site, key })
    }
}

/// Station and site.
fn name(certificate: &Certificate) -> Option<(Label, Label)> {
    let names = SubjectAltName::from_der(extension(certificate, SUBJECT_ALT_NAME)?.1).ok()?;
    let [GeneralName::DnsName(name)] = names.0.as_slice() else { return None };
    let (station, site) = name.as_str().strip_suffix(SUFFIX)?.split_once('.')?;
    Some((Label::try_from(station).ok()?, Label::try_from(site).ok()?))
}
