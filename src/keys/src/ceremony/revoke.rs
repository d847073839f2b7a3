//! Revocation: CRLs for certificates, revocation lists for tags and contents. Numbers rise with each; what was revoked stays so.
//!
//! A revocation list is signed with keys that exist for this one list: made, certified, used and wiped here. So there is no
//! further key to keep, and none to be stolen.

use super::authority::{Authority, Unlocked};
use super::issued::{self, hexadecimal};
use crate::KeysError;
use crate::certificate::{self, DAY, Kind, Period, Profile, StationName, distinguished_name, now, serial_number, time};
use crate::key::{PrivateKey, signature_algorithm, word};
use crate::place::{self, Folder, Guard};
use crate::secret::Secret;
use blanche_tag::claims::{Label, Sha256, Time, Uuid};
use blanche_tag::envelope::{Algorithm, Envelope, Purpose, SignedClaims as _, Signer, seal};
use blanche_tag::revocation::{ALL_SITES, RevocationList};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use x509_cert::Version;
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::der::asn1::Uint;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{DecodePem, Encode, EncodePem};
use x509_cert::ext::ToExtension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// Days until the next CRL is due: what workstations accept by default (docs/tag-format.md, section 16).
const CRL_DAYS: u64 = 31;
/// Days for which the certificate of a revocation list is valid; workstations look at the list's age besides.
const LIST_DAYS: u64 = 366;
/// Entries that a list may hold of each kind (docs/tag-format.md, section 12).
const MOST: usize = 65_536;

/// What to revoke, beside what is revoked already.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// All certificates of this station.
    pub station: Option<StationName>,
    /// Certificates by serial number, in hexadecimal.
    pub serials: Vec<String>,
    /// Tags by identifier.
    pub tags: Vec<Uuid>,
    /// Contents by SHA-256.
    pub contents: Vec<Sha256>,
}

/// What stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Number of the CRLs.
    pub crl: u64,
    /// Number of the revocation lists.
    pub list: u64,
    /// Certificates, tags and contents revoked in all.
    pub revoked: [usize; 3],
    /// Files to carry to the workstations.
    pub files: Vec<PathBuf>,
}

/// Everything that an authority has revoked, as its newest CRLs and lists say.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// When, by serial number in hexadecimal.
    pub(crate) serials: BTreeMap<String, Time>,
    tags: BTreeSet<Uuid>,
    contents: BTreeSet<Sha256>,
}

fn crl_name(name: &Label, algorithm: Algorithm) -> String {
    format!("{name}.{}.crl", word(algorithm))
}

/// The sites for which an authority makes lists: its own, or the one that stands for all.
fn list_sites(authority: &Authority) -> Result<Vec<Label>, KeysError> {
    if authority.sites.is_empty() { Ok(vec![certificate::label(ALL_SITES)?]) } else { Ok(authority.sites.clone()) }
}

impl State {
    /// From the files in `crls/` and `lists/`. There are none only while the authority is being made.
    pub(crate) fn read(authority: &Authority) -> Result<Self, KeysError> {
        let mut state = Self::default();
        if authority.numbers.crl == 0 {
            return Ok(state);
        }
        for algorithm in Algorithm::BOTH {
            let path = authority.folder.at("crls").join(crl_name(&authority.name, algorithm));
            let bytes = place::read(&path, Guard::Authentic)?;
            let crl = CertificateList::<x509_cert::certificate::Rfc5280>::from_pem(&bytes)
                .map_err(|error| KeysError::Content { path, what: format!("not a CRL in PEM ({error})") })?;
            for entry in crl.tbs_cert_list.revoked_certificates.unwrap_or_default() {
                let at = entry.revocation_date.to_unix_duration().as_secs();
                state.serials.insert(hexadecimal(entry.serial_number.as_bytes()), at);
            }
        }
        for site in list_sites(authority)? {
            let path = authority.folder.at("lists").join(format!("{}.{site}.cose", authority.name));
            let bytes = place::read(&path, Guard::Authentic)?;
            let envelope = Envelope::<RevocationList>::open(&bytes)
                .map_err(|error| KeysError::Content { path: path.clone(), what: error.to_string() })?;
            let list = RevocationList::decode(envelope.payload())
                .map_err(|error| KeysError::Content { path, what: error.to_string() })?;
            state.tags.extend(list.tags);
            state.contents.extend(list.contents);
        }
        Ok(state)
    }

    fn add(&mut self, authority: &Authority, more: &Revocation) -> Result<(), KeysError> {
        let entries = issued::entries(authority, self)?;
        for serial in &more.serials {
            let wanted = serial.to_ascii_lowercase().replace(':', "");
            if !entries.iter().any(|entry| entry.serial == wanted) {
                return Err(KeysError::NotIssued(serial.clone()));
            }
            self.serials.entry(wanted).or_insert_with(now);
        }
        if let Some(name) = &more.station {
            let name = name.dns();
            let mut own = entries.iter().filter(|entry| entry.name == name).peekable();
            if own.peek().is_none() {
                return Err(KeysError::NotIssued(name));
            }
            own.for_each(|entry| _ = self.serials.entry(entry.serial.clone()).or_insert_with(now));
        }
        self.tags.extend(&more.tags);
        self.contents.extend(&more.contents);
        if self.tags.len() > MOST || self.contents.len() > MOST { Err(KeysError::ListFull) } else { Ok(()) }
    }
}

/// Revokes, and renews both CRLs and every list of the authority in `folder`.
///
/// # Errors
/// Nothing of that name was issued here; the folder's or the keys' errors.
pub fn revoke(folder: &Path, more: &Revocation, passphrase: &Secret) -> Result<Renewed, KeysError> {
    renew(Authority::open(folder)?.unlock(passphrase)?, more)
}

/// The same for an open authority.
pub(crate) fn renew(mut unlocked: Unlocked, more: &Revocation) -> Result<Renewed, KeysError> {
    let mut state = State::read(&unlocked.authority)?;
    state.add(&unlocked.authority, more)?;
    let numbers = &mut unlocked.authority.numbers;
    numbers.crl = numbers.crl.saturating_add(1);
    numbers.list = numbers.list.saturating_add(1);
    unlocked.authority.keep_numbers()?;
    let crls = Folder::open(&unlocked.authority.folder.at("crls"))?;
    let lists = Folder::open(&unlocked.authority.folder.at("lists"))?;
    let mut files = Vec::new();
    for algorithm in Algorithm::BOTH {
        let crl = crl(&unlocked, algorithm, &state)?;
        files.push(crls.replace(&crl_name(&unlocked.authority.name, algorithm), crl.as_bytes(), 0o644)?);
    }
    for site in list_sites(&unlocked.authority)? {
        let file = format!("{}.{site}.cose", unlocked.authority.name);
        let list = list(&unlocked, site, &state)?;
        files.push(lists.replace(&file, &list, 0o644)?);
    }
    let revoked = [state.serials.len(), state.tags.len(), state.contents.len()];
    let numbers = unlocked.authority.numbers;
    Ok(Renewed { crl: numbers.crl, list: numbers.list, revoked, files })
}

/// A version 2 CRL with number and key identifier (RFC 5280, section 5).
fn crl(unlocked: &Unlocked, algorithm: Algorithm, state: &State) -> Result<String, KeysError> {
    let failed = KeysError::internal("CRL");
    let own = unlocked.authority.certificate(algorithm)?.tbs_certificate();
    let spki = own.subject_public_key_info().to_der().map_err(|error| failed(&error))?;
    let spki =
        <SubjectPublicKeyInfoRef<'_> as x509_cert::der::Decode>::from_der(&spki).map_err(|error| failed(&error))?;
    let issuer = own.subject().clone();
    let number = Uint::new(&unlocked.authority.numbers.crl.to_be_bytes()).map_err(|error| failed(&error))?;
    let extensions = [
        AuthorityKeyIdentifier::try_from(spki).and_then(|value| (&value).to_extension(&issuer, &[])),
        (&CrlNumber(number)).to_extension(&issuer, &[]),
    ];
    let extensions = extensions.into_iter().collect::<Result<_, _>>().map_err(|error| failed(&error))?;
    let revoked = state.serials.iter().map(|(serial, at)| {
        let serial_number = SerialNumber::new(&bytes(serial)).map_err(|error| failed(&error))?;
        Ok(RevokedCert { serial_number, revocation_date: time(*at)?, crl_entry_extensions: None })
    });
    let revoked = revoked.collect::<Result<Vec<_>, KeysError>>()?;
    let made = now();
    let tbs_cert_list: TbsCertList = TbsCertList {
        version: Version::V2,
        signature: signature_algorithm(algorithm),
        issuer,
        this_update: time(made)?,
        next_update: Some(time(made.saturating_add(CRL_DAYS * DAY))?),
        revoked_certificates: (!revoked.is_empty()).then_some(revoked),
        crl_extensions: Some(extensions),
    };
    let message = tbs_cert_list.to_der().map_err(|error| failed(&error))?;
    let signature = unlocked.key(algorithm).sign_x509(&message)?;
    let list = CertificateList { tbs_cert_list, signature_algorithm: signature_algorithm(algorithm), signature };
    list.to_pem(LineEnding::LF).map_err(|error| failed(&error))
}

/// From hexadecimal digits that this crate wrote.
fn bytes(serial: &str) -> Vec<u8> {
    let digits = serial.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Keys for one list.
struct OneTime {
    keys: [PrivateKey; 2],
    chains: [Vec<Vec<u8>>; 2],
}

impl Signer for OneTime {
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

impl OneTime {
    fn make(unlocked: &Unlocked, name: &StationName) -> Result<Self, KeysError> {
        let authority = &unlocked.authority;
        let made = now();
        let days = LIST_DAYS.min(authority.end().saturating_sub(made) / DAY);
        let period = Period { made, days };
        authority.may_issue(None, period)?;
        let serial = serial_number()?;
        let make = |algorithm: Algorithm| {
            let key = PrivateKey::generate(algorithm)?;
            let profile = Profile {
                kind: Kind::End(name.clone(), Purpose::RevocationList),
                subject: distinguished_name(name.station.as_str(), Some(&name.site), algorithm)?,
                issuer: authority.certificate(algorithm)?.tbs_certificate().subject().clone(),
            };
            let made = certificate::issue(profile, &serial, period, &key.public()?, unlocked.key(algorithm))?;
            authority.record(&made, algorithm, &name.dns())?;
            let chain = std::iter::once(made).chain(authority.chain_below_root(algorithm));
            let chain = chain.map(|one| one.to_der()).collect::<Result<Vec<_>, _>>();
            Ok::<_, KeysError>((key, chain.map_err(|error| KeysError::internal("chain")(&error))?))
        };
        let (classical, post_quantum) = (make(Algorithm::Classical)?, make(Algorithm::PostQuantum)?);
        Ok(Self { keys: [classical.0, post_quantum.0], chains: [classical.1, post_quantum.1] })
    }
}

/// A revocation list of one site, in its envelope.
fn list(unlocked: &Unlocked, site: Label, state: &State) -> Result<Vec<u8>, KeysError> {
    let name = StationName { station: unlocked.authority.name.clone(), site };
    let mut keys = OneTime::make(unlocked, &name)?;
    let issued = now();
    let list = RevocationList {
        list: uuid(issued)?,
        signer: name.station,
        site: name.site,
        issued,
        number: unlocked.authority.numbers.list,
        tags: state.tags.iter().copied().collect(),
        contents: state.contents.iter().copied().collect(),
    };
    seal(&list, &mut keys).map_err(|error| KeysError::internal("revocation list")(&error))
}

/// UUIDv7 (RFC 9562, section 5.7).
fn uuid(seconds: Time) -> Result<Uuid, KeysError> {
    let mut uuid = [0u8; 16];
    getrandom::fill(&mut uuid).map_err(|error| KeysError::internal("random numbers")(&error))?;
    let milliseconds = seconds.saturating_mul(1000).to_be_bytes();
    for (to, from) in uuid.iter_mut().zip(milliseconds.iter().skip(2)) {
        *to = *from;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut uuid;
    *version = (*version & 0x0f) | 0x70;
    *variant = (*variant & 0x3f) | 0x80;
    Ok(uuid)
}
