//! An authority: a folder on an offline machine with two encrypted CA keys, two certificates, and everything it has issued.
//!
//! ```text
//! classical.key  post-quantum.key   encrypted private keys, mode 0600
//! classical.pem  post-quantum.pem   its own certificate, then those above it, without the root's; the root's own for a root
//! crls/  lists/                     the newest CRLs (PEM) and revocation lists (COSE), for workstations
//! issued/                           every certificate that it issued
//! numbers                           last CRL number and last list number
//! ```

use crate::KeysError;
use crate::ceremony::issued;
use crate::certificate::{self, Kind, Period, Profile, distinguished_name, label, now, permitted_sites, serial_number};
use crate::key::{PrivateKey, word};
use crate::place;
use crate::place::{Folder, Guard};
use crate::secret::Secret;
use blanche_tag::claims::{Label, Time};
use blanche_tag::envelope::Algorithm;
use std::path::Path;
use x509_cert::Certificate;
use x509_cert::der::EncodePem;
use x509_cert::der::pem::LineEnding;
use x509_cert::serial_number::SerialNumber;

/// Certificates between an end certificate and the anchor, at most (docs/tag-format.md, section 12).
const DEEPEST: usize = 2;

/// What an authority is to be.
#[derive(Clone, Debug)]
pub struct NewAuthority<'a> {
    /// Its folder; must not exist, or be empty.
    pub folder: &'a Path,
    /// Its name, one label.
    pub name: &'a str,
    /// The only sites that it may certify; all if empty.
    pub sites: &'a [String],
    /// The authority above it; a root without.
    pub under: Option<(&'a Path, &'a Secret)>,
    /// Days until its certificates end.
    pub days: u64,
}

/// The last numbers that were given out: written before they are used.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Numbers {
    /// cRLNumber (RFC 5280, section 5.2.3) of both CRLs.
    pub(crate) crl: u64,
    /// Number of the revocation lists.
    pub(crate) list: u64,
}

/// An authority's folder, held alone.
pub(crate) struct Authority {
    pub(crate) folder: Folder,
    pub(crate) name: Label,
    /// Empty: all.
    pub(crate) sites: Vec<Label>,
    /// Classical, post-quantum: its own certificate first.
    pub(crate) chains: [Vec<Certificate>; 2],
    pub(crate) numbers: Numbers,
}

/// An authority whose keys were opened.
pub(crate) struct Unlocked {
    pub(crate) authority: Authority,
    pub(crate) keys: [PrivateKey; 2],
}

/// Makes an authority with its first CRLs and revocation lists.
///
/// # Errors
/// [`KeysError`]; the folder exists, the name is none, the authority above may not certify the sites.
pub fn make(new: &NewAuthority<'_>, passphrase: &Secret) -> Result<(), KeysError> {
    let name = label(new.name)?;
    let sites = new.sites.iter().map(|site| label(site)).collect::<Result<Vec<_>, _>>()?;
    let above = match new.under {
        Some((folder, secret)) => Some(Authority::open(folder)?.unlock(secret)?),
        None => None,
    };
    let period = Period { made: now(), days: new.days };
    if let Some(above) = &above {
        above.authority.may_certify(&sites, period)?;
    }
    let folder = Folder::make(new.folder)?;
    let plan = Plan { name: &name, sites: &sites, above: above.as_ref(), period, serial: serial_number()? };
    let (classical, first) = plan.make(Algorithm::Classical)?;
    let (post_quantum, second) = plan.make(Algorithm::PostQuantum)?;
    for (key, chain) in [(&classical, &first), (&post_quantum, &second)] {
        let word = word(key.algorithm());
        folder.create(&format!("{word}.key"), key.to_pem(passphrase)?.as_bytes(), 0o600)?;
        folder.create(&format!("{word}.pem"), pem(chain)?.as_bytes(), 0o644)?;
    }
    for part in ["crls", "lists", "issued"] {
        place::new_folder(&folder.at(part))?;
    }
    let authority = Authority { folder, name, sites, chains: [first, second], numbers: Numbers::default() };
    let unlocked = Unlocked { authority, keys: [classical, post_quantum] };
    super::revoke::renew(unlocked, &super::Revocation::default()).map(|_| ())
}

/// What both certificates of a new authority have in common.
struct Plan<'a> {
    name: &'a Label,
    sites: &'a [Label],
    above: Option<&'a Unlocked>,
    period: Period,
    serial: SerialNumber,
}

impl Plan<'_> {
    /// A key, and its certificate with those above it.
    fn make(&self, algorithm: Algorithm) -> Result<(PrivateKey, Vec<Certificate>), KeysError> {
        let key = PrivateKey::generate(algorithm)?;
        let subject = distinguished_name(self.name.as_str(), None, algorithm)?;
        let issuer = match self.above {
            Some(above) => above.authority.certificate(algorithm)?.tbs_certificate().subject().clone(),
            None => subject.clone(),
        };
        let profile = Profile { kind: Kind::Authority(self.sites.to_vec()), subject, issuer };
        let signs = self.above.map_or(&key, |above| above.key(algorithm));
        let made = certificate::issue(profile, &self.serial, self.period, &key.public()?, signs)?;
        let mut chain = vec![made];
        if let (Some(above), [made]) = (self.above, chain.as_slice()) {
            above.authority.record(made, algorithm, self.name.as_str())?;
            chain.extend(above.authority.chain_below_root(algorithm));
        }
        Ok((key, chain))
    }
}

/// Certificates in PEM, one after the other.
pub(crate) fn pem(chain: &[Certificate]) -> Result<String, KeysError> {
    let one = |certificate: &Certificate| certificate.to_pem(LineEnding::LF);
    chain.iter().map(one).collect::<Result<_, _>>().map_err(|error| KeysError::internal("certificate")(&error))
}

/// Certificates from a PEM file that only its user may change.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<Certificate>, KeysError> {
    let bytes = place::read(path, Guard::Authentic)?;
    let wrong = |what: String| KeysError::Content { path: path.to_owned(), what };
    let chain =
        Certificate::load_pem_chain(&bytes).map_err(|error| wrong(format!("not certificates in PEM ({error})")))?;
    if chain.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(chain) }
}

impl Authority {
    /// Opens a folder without its keys.
    pub(crate) fn open(path: &Path) -> Result<Self, KeysError> {
        let folder = Folder::lock(path)?;
        let chains = [read_chain(&folder.at("classical.pem"))?, read_chain(&folder.at("post-quantum.pem"))?];
        let numbers_path = folder.at("numbers");
        let numbers = toml::from_str(&place::read_text(&numbers_path)?)
            .map_err(|error| KeysError::Content { path: numbers_path, what: error.to_string() })?;
        let own = chains.first().and_then(|chain| chain.first()).map(Certificate::tbs_certificate);
        let (Some(own), classical) = (own, folder.at("classical.pem")) else {
            return Err(KeysError::internal("chain")(&"empty"));
        };
        let name =
            own.subject().common_name().ok().flatten().and_then(|name| Label::try_from(name.value().as_ref()).ok());
        let name = name.ok_or(KeysError::Content { path: classical, what: "not an authority's certificate".into() })?;
        Ok(Self { name, sites: permitted_sites(own), folder, chains, numbers })
    }

    /// Opens its keys, and checks that they are those of its certificates.
    pub(crate) fn unlock(self, passphrase: &Secret) -> Result<Unlocked, KeysError> {
        let open = |algorithm: Algorithm| {
            let path = self.folder.at(&format!("{}.key", word(algorithm)));
            let key = PrivateKey::from_pem(&place::read(&path, Guard::Secret)?, algorithm, passphrase, &path)?;
            if key.public()? == *self.certificate(algorithm)?.tbs_certificate().subject_public_key_info() {
                Ok(key)
            } else {
                Err(KeysError::Content { path, what: "not the key of the certificate beside it".into() })
            }
        };
        let keys = [open(Algorithm::Classical)?, open(Algorithm::PostQuantum)?];
        Ok(Unlocked { authority: self, keys })
    }

    pub(crate) fn chain(&self, algorithm: Algorithm) -> &[Certificate] {
        let [classical, post_quantum] = &self.chains;
        match algorithm {
            Algorithm::Classical => classical,
            Algorithm::PostQuantum => post_quantum,
        }
    }

    /// Its own certificate.
    pub(crate) fn certificate(&self, algorithm: Algorithm) -> Result<&Certificate, KeysError> {
        self.chain(algorithm).first().ok_or_else(|| KeysError::internal("chain")(&"empty"))
    }

    /// What stands between an end certificate and the anchor: nothing below a root.
    pub(crate) fn chain_below_root(&self, algorithm: Algorithm) -> Vec<Certificate> {
        let own = |certificate: &&Certificate| {
            let certificate = certificate.tbs_certificate();
            certificate.issuer() != certificate.subject()
        };
        self.chain(algorithm).iter().take_while(own).cloned().collect()
    }

    /// The last second of its certificates.
    pub(crate) fn end(&self) -> Time {
        let end = |chain: &Vec<Certificate>| {
            chain.first().map_or(0, |own| own.tbs_certificate().validity().not_after.to_unix_duration().as_secs())
        };
        self.chains.iter().map(end).min().unwrap_or(0)
    }

    /// Refuses what this authority may not certify: a longer life, another site.
    pub(crate) fn may_issue(&self, site: Option<&Label>, period: Period) -> Result<(), KeysError> {
        if period.end() > self.end() || period.days == 0 {
            let most = self.end().saturating_sub(period.made) / certificate::DAY;
            return Err(KeysError::TooLong { days: period.days, most });
        }
        match site {
            Some(site) if !self.sites.is_empty() && !self.sites.contains(site) => {
                Err(KeysError::Site(site.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The same for an authority below it.
    fn may_certify(&self, sites: &[Label], period: Period) -> Result<(), KeysError> {
        if self.chain_below_root(Algorithm::Classical).len() >= DEEPEST {
            return Err(KeysError::TooDeep);
        }
        // Without sites of its own it would claim all of them.
        if let (true, Some(first)) = (sites.is_empty(), self.sites.first()) {
            return Err(KeysError::Site(format!("(all; only {first} …)")));
        }
        self.may_issue(None, period)?;
        sites.iter().try_for_each(|site| self.may_issue(Some(site), period))
    }

    /// Keeps a certificate that it issued.
    pub(crate) fn record(&self, certificate: &Certificate, algorithm: Algorithm, name: &str) -> Result<(), KeysError> {
        let serial = issued::serial_text(certificate);
        let folder = Folder::open(&self.folder.at("issued"))?;
        let file = format!("{serial}.{name}.{}.pem", word(algorithm));
        folder.create(&file, pem(std::slice::from_ref(certificate))?.as_bytes(), 0o644).map(|_| ())
    }

    /// Puts the numbers on the disk, before anything carries them.
    pub(crate) fn keep_numbers(&self) -> Result<(), KeysError> {
        let text = toml::to_string(&self.numbers).map_err(|error| KeysError::internal("numbers")(&error))?;
        self.folder.replace("numbers", text.as_bytes(), 0o600).map(|_| ())
    }
}

impl Unlocked {
    pub(crate) fn key(&self, algorithm: Algorithm) -> &PrivateKey {
        let [classical, post_quantum] = &self.keys;
        match algorithm {
            Algorithm::Classical => classical,
            Algorithm::PostQuantum => post_quantum,
        }
    }
}
