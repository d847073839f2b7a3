//! Certificates as docs/tag-format.md, section 12, demands them: anchors, intermediates, end certificates.

use crate::KeysError;
use crate::key::{PrivateKey, PublicHalf, word};
use blanche_tag::claims::{Label, Time};
use blanche_tag::envelope::{Algorithm, Purpose};
use blanche_tag::revocation::ALL_SITES;
use std::str::FromStr;
use std::time::Duration;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, NameConstraints, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

/// What every name of a station or site ends with.
const SUFFIX: &str = "blanche.invalid";
/// extKeyUsage (RFC 5280, section 4.2.1.12).
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
/// Seconds in a day.
pub(crate) const DAY: u64 = 86_400;
/// Seconds by which a certificate begins before it was made, so that a slower clock may use it at once
/// (docs/tag-format.md, section 14).
const BACKDATED: u64 = blanche_tag::CLOCK_TOLERANCE;

/// Who stands in an end certificate: a station, or whoever signs lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StationName {
    /// First label.
    pub station: Label,
    /// Second label.
    pub site: Label,
}

impl StationName {
    /// Both labels, checked. `authority` is no site of a station: it stands for all sites in revocation lists.
    ///
    /// # Errors
    /// [`KeysError::Name`]
    pub fn new(station: &str, site: &str) -> Result<Self, KeysError> {
        let name = Self { station: label(station)?, site: label(site)? };
        if site == ALL_SITES { Err(KeysError::Name(site.to_owned())) } else { Ok(name) }
    }

    /// The dNSName of its certificates.
    #[must_use]
    pub fn dns(&self) -> String {
        format!("{}.{}.{SUFFIX}", self.station, self.site)
    }
}

/// A label of a name.
pub(crate) fn label(text: &str) -> Result<Label, KeysError> {
    Label::try_from(text).map_err(|_| KeysError::Name(text.to_owned()))
}

/// What a certificate is for.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Signs certificates, CRLs and lists; for these sites only, if there are any.
    Authority(Vec<Label>),
    /// Signs one kind of object.
    End(StationName, Purpose),
}

/// Everything about a certificate but the keys.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) kind: Kind,
    pub(crate) subject: Name,
    pub(crate) issuer: Name,
}

/// The distinguished name of an authority, a station or a list. The two algorithms have different ones, so that their
/// serial numbers and CRLs cannot be confused.
pub(crate) fn distinguished_name(common: &str, site: Option<&Label>, algorithm: Algorithm) -> Result<Name, KeysError> {
    let site = site.map(|site| format!("OU={site},")).unwrap_or_default();
    let text = format!("CN={common},{site}OU={}", word(algorithm));
    Name::from_str(&text).map_err(|error| KeysError::internal("name")(&error))
}

/// A dNSName.
pub(crate) fn dns_name(text: &str) -> Result<GeneralName, KeysError> {
    let name = Ia5String::new(text).map_err(|error| KeysError::internal("name")(&error))?;
    Ok(GeneralName::DnsName(name))
}

impl Profile {
    fn extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
    ) -> Result<Vec<Extension>, x509_cert::builder::Error> {
        let mut all = Vec::new();
        match &self.kind {
            Kind::Authority(sites) => {
                all.push(self.extension(&BasicConstraints { ca: true, path_len_constraint: None })?);
                all.push(self.extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?);
                if !sites.is_empty() {
                    all.push(self.extension(&name_constraints(sites)?)?);
                }
            }
            Kind::End(name, purpose) => {
                all.push(self.extension(&KeyUsage(FlagSet::from(KeyUsages::DigitalSignature)))?);
                all.push(extended_key_usage(*purpose)?);
                let name = GeneralName::DnsName(Ia5String::new(&name.dns())?);
                all.push(self.extension(&SubjectAltName(vec![name]))?);
            }
        }
        all.push(self.extension(&SubjectKeyIdentifier::try_from(key)?)?);
        all.push(self.extension(&AuthorityKeyIdentifier::try_from(issuer)?)?);
        Ok(all)
    }

    /// With the criticality that RFC 5280 recommends, which is what the format demands.
    fn extension<E: ToExtension<Error = x509_cert::der::Error>>(
        &self,
        value: E,
    ) -> Result<Extension, x509_cert::builder::Error> {
        Ok(value.to_extension(&self.subject, &[])?)
    }
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> Result<Vec<Extension>, x509_cert::builder::Error> {
        self.extensions(key, issuer)
    }
}

fn name_constraints(sites: &[Label]) -> Result<NameConstraints, x509_cert::builder::Error> {
    let subtree = |site: &Label| {
        let base = GeneralName::DnsName(Ia5String::new(&format!("{site}.{SUFFIX}"))?);
        Ok(GeneralSubtree { base, minimum: 0, maximum: None })
    };
    let permitted = sites.iter().map(subtree).collect::<Result<_, x509_cert::der::Error>>()?;
    Ok(NameConstraints { permitted_subtrees: Some(permitted), excluded_subtrees: None })
}

/// Whether a certificate is for exactly this purpose.
pub(crate) fn is_for(certificate: &TbsCertificate, purpose: Purpose) -> bool {
    let usages = certificate.extensions().into_iter().flatten().filter(|one| one.extn_id == EXTENDED_KEY_USAGE);
    let values: Vec<_> = usages.map(|usage| usage.extn_value.as_bytes()).collect();
    values == [usage_value(purpose).as_slice()]
}

/// SEQUENCE of one OBJECT IDENTIFIER of 22 bytes.
fn usage_value(purpose: Purpose) -> Vec<u8> {
    [&[0x30, 24, 0x06, 22][..], &purpose.key_usage()].concat()
}

/// Written by hand: the arc is longer than the 64 bits that libraries hold (docs/tag-format.md, section 12).
fn extended_key_usage(purpose: Purpose) -> Result<Extension, x509_cert::builder::Error> {
    let value = OctetString::new(usage_value(purpose))?;
    Ok(Extension { extn_id: EXTENDED_KEY_USAGE, critical: false, extn_value: value })
}

/// Sites that an authority's certificate permits; none if it permits all.
pub(crate) fn permitted_sites(certificate: &TbsCertificate) -> Vec<Label> {
    let constraints = certificate.get_extension::<NameConstraints>().ok().flatten();
    let permitted = constraints.and_then(|(_, constraints)| constraints.permitted_subtrees).unwrap_or_default();
    let site = |subtree: &GeneralSubtree| match &subtree.base {
        GeneralName::DnsName(name) => Label::try_from(name.as_str().strip_suffix(SUFFIX)?.strip_suffix('.')?).ok(),
        _ => None,
    };
    permitted.iter().filter_map(site).collect()
}

/// The one dNSName of a certificate or a request, if it has exactly one name.
pub(crate) fn only_dns_name(names: &SubjectAltName) -> Option<&str> {
    match names.0.as_slice() {
        [GeneralName::DnsName(name)] => Some(name.as_str()),
        _ => None,
    }
}

/// The time of an X.509 structure: UTCTime up to 2049 (RFC 5280, section 4.1.2.5).
pub(crate) fn time(seconds: Time) -> Result<x509_cert::time::Time, KeysError> {
    let date = x509_cert::der::DateTime::from_unix_duration(Duration::from_secs(seconds));
    date.map(Into::into).map_err(|error| KeysError::internal("time")(&error))
}

/// The clock, in seconds since 1970.
pub(crate) fn now() -> Time {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A serial number of 126 random bits, never negative, never shorter than 16 bytes (RFC 5280, section 4.1.2.2).
pub(crate) fn serial_number() -> Result<SerialNumber, KeysError> {
    let failed = KeysError::internal("random numbers");
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| failed(&error))?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    SerialNumber::new(&bytes).map_err(|error| failed(&error))
}

/// From when to when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) made: Time,
    pub(crate) days: u64,
}

impl Period {
    /// The last second.
    pub(crate) const fn end(self) -> Time {
        self.made.saturating_add(self.days.saturating_mul(DAY))
    }
}

/// A certificate for `key`, signed by `issuer`.
pub(crate) fn issue(
    profile: impl BuilderProfile,
    serial: &SerialNumber,
    period: Period,
    key: &SubjectPublicKeyInfoOwned,
    issuer: &PrivateKey,
) -> Result<x509_cert::Certificate, KeysError> {
    let failed = KeysError::internal("certificate");
    let from = time(period.made.saturating_sub(BACKDATED))?;
    let validity = Validity::new(from, time(period.end())?);
    let mut builder =
        CertificateBuilder::new(profile, serial.clone(), validity, key.clone()).map_err(|error| failed(&error))?;
    let half = PublicHalf::of(issuer)?;
    let message = builder.finalize(&half).map_err(|error| failed(&error))?;
    let signature = issuer.sign_x509(&message)?;
    builder.assemble(signature, &half).map_err(|error| failed(&error))
}
