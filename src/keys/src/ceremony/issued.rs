//! What an authority issued, until when, and what of it is revoked.

use super::authority::{Authority, read_chain};
use super::revoke::{self, State};
use crate::KeysError;
use crate::certificate::{now, only_dns_name};
use blanche_tag::claims::Time;
use std::collections::BTreeMap;
use std::path::Path;
use x509_cert::Certificate;
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// A pair of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Serial number of both, in hexadecimal.
    pub serial: String,
    /// Name of the station, the list or the authority.
    pub name: String,
    /// First second.
    pub from: Time,
    /// Last second.
    pub end: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
}

impl Entry {
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        now() > self.end
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn serial_text(certificate: &Certificate) -> String {
    hexadecimal(certificate.tbs_certificate().serial_number().as_bytes())
}

/// Every certificate in `issued/`.
pub(crate) fn certificates(authority: &Authority) -> Result<Vec<Certificate>, KeysError> {
    let folder = authority.folder.at("issued");
    let read = |source| KeysError::Read { path: folder.clone(), source };
    let mut all = Vec::new();
    for file in std::fs::read_dir(&folder).map_err(read)? {
        let path = file.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            all.extend(read_chain(&path)?);
        }
    }
    Ok(all)
}

/// Whether a key stands in a certificate of another name.
pub(crate) fn key_has_other_name(
    authority: &Authority,
    key: &SubjectPublicKeyInfoOwned,
    name: &str,
) -> Result<bool, KeysError> {
    let other = |certificate: &Certificate| {
        let certificate = certificate.tbs_certificate();
        certificate.subject_public_key_info() == key && name_of(certificate) != name
    };
    Ok(certificates(authority)?.iter().any(other))
}

/// The dNSName of an end certificate, the common name of an authority.
fn name_of(certificate: &TbsCertificate) -> String {
    if let Ok(Some((_, names))) = certificate.get_extension::<SubjectAltName>() {
        return only_dns_name(&names).unwrap_or_default().to_owned();
    }
    let name = certificate.subject().common_name().ok().flatten();
    name.map(|name| name.value().into_owned()).unwrap_or_default()
}

/// One entry for each serial number, in order of their beginning.
pub(crate) fn entries(authority: &Authority, state: &State) -> Result<Vec<Entry>, KeysError> {
    let mut all = BTreeMap::new();
    for certificate in certificates(authority)? {
        let serial = serial_text(&certificate);
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        let entry = Entry {
            name: name_of(certificate),
            from: validity.not_before.to_unix_duration().as_secs(),
            end: validity.not_after.to_unix_duration().as_secs(),
            revoked: state.serials.get(&serial).copied(),
            serial: serial.clone(),
        };
        all.insert(serial, entry);
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by(|a, b| (a.from, &a.serial).cmp(&(b.from, &b.serial)));
    Ok(all)
}

/// Everything that the authority in this folder issued.
///
/// # Errors
/// Something in the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<Entry>, KeysError> {
    let authority = Authority::open(folder)?;
    let state = revoke::State::read(&authority)?;
    entries(&authority, &state)
}
