//! The trust folder: authorities, CRLs and revocation lists that an administrator installed (docs/verify.md).

use crate::failure::Failure;
use crate::lang::Lang;
use crate::policy;
use crate::rights;
use crate::words::Notice;
use blanche_tag::{Authority, Crl, Policy, TrustStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Largest file: a revocation list has 4 MiB, a CRL of a large site may have more.
const MAX_FILE: u64 = 32 << 20;

/// What is trusted.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    pub(crate) store: TrustStore,
    pub(crate) crls: Vec<Crl>,
    pub(crate) lists: Vec<Vec<u8>>,
    /// `policy.toml` of the folder, if it is there.
    pub(crate) policy: Option<PathBuf>,
}

/// Where the folder is unless somebody names another one.
pub(crate) fn default_folder() -> PathBuf {
    machine_wide("/etc/blanche/trust", "trust")
}

/// A place of the whole machine: a path of Unix, or a name below `%ProgramData%\Blanche`.
pub(crate) fn machine_wide(unix: &str, windows: &str) -> PathBuf {
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
        PathBuf::from(data).join("Blanche").join(windows)
    } else {
        PathBuf::from(unix)
    }
}

impl Trust {
    /// Reads the folder; a CRL that does not parse counts as missing (step 7) and is named.
    ///
    /// # Errors
    /// [`Failure`]: missing, not an administrator's own, an anchor that is none, no authority.
    pub(crate) fn load(folder: &Path, notices: &mut Vec<Notice>) -> Result<Self, Failure> {
        let missing = |source| Failure::TrustMissing { path: folder.to_owned(), source };
        rights::check(folder, &fs::metadata(folder).map_err(missing)?)?;
        let mut trust = Self::default();
        for authority in listed(&folder.join("authorities"))? {
            if authority.is_dir() {
                trust.store.authorities.push(read_authority(&authority)?);
            }
        }
        if trust.store.authorities.is_empty() {
            return Err(Failure::NoAuthority { path: folder.to_owned() });
        }
        for path in listed(&folder.join("crls"))?.into_iter().filter(|path| has_extension(path, "crl")) {
            match Crl::new(read_crl(&path)?) {
                Ok(crl) => trust.crls.push(crl),
                Err(_) => notices.push(Notice::BadCrl(path)),
            }
        }
        for path in listed(&folder.join("lists"))?.into_iter().filter(|path| has_extension(path, "cose")) {
            trust.lists.push(rights::read(&path, MAX_FILE)?);
        }
        trust.policy = policy_of(folder);
        Ok(trust)
    }
}

/// The authorities and CRLs of a trust folder, for whoever verifies signed objects other than tags.
///
/// # Errors
/// What is wrong and what to do next, in a sentence of that language.
pub fn installed(folder: &Path, lang: Lang) -> Result<(TrustStore, Vec<Crl>), String> {
    let trust = Trust::load(folder, &mut Vec::new()).map_err(|failure| sentence(&failure, lang));
    trust.map(|trust| (trust.store, trust.crls))
}

/// What is demanded of a tag by whoever verifies with a trust folder, for whoever is about to make one.
///
/// # Errors
/// As [`installed`].
pub fn demanded(folder: &Path, lang: Lang) -> Result<Policy, String> {
    let Some(file) = policy_of(folder) else { return Ok(Policy::default()) };
    policy::load(&file).map(|(policy, _)| policy).map_err(|failure| sentence(&failure, lang))
}

fn policy_of(folder: &Path) -> Option<PathBuf> {
    Some(folder.join("policy.toml")).filter(|path| path.exists())
}

fn sentence(failure: &Failure, lang: Lang) -> String {
    let advice = failure.advice(lang);
    format!("{} {}", advice.what, advice.next)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// What is in a folder, in the order of names; nothing if it is not there.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let bad = |error: io::Error| Failure::BadFile { path: folder.to_owned(), why: error.to_string() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(bad(error)),
    };
    rights::check(folder, &fs::metadata(folder).map_err(bad)?)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    paths.sort();
    Ok(paths)
}

fn read_authority(folder: &Path) -> Result<Authority, Failure> {
    // Also checks who may write into it.
    listed(folder)?;
    let [classical, post_quantum] = ["classical.pem", "post-quantum.pem"].map(|name| read_anchor(&folder.join(name)));
    Authority::new(classical?, post_quantum?)
        .map_err(|error| Failure::BadFile { path: folder.to_owned(), why: error.to_string() })
}

/// Exactly one certificate.
fn read_anchor(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = rights::read(path, MAX_FILE)?;
    let bad = |why: &str| Failure::BadFile { path: path.to_owned(), why: why.to_owned() };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found.map_err(|_| bad("not PEM"))?.as_slice() {
        [only] => Ok(only.to_vec()),
        _ => Err(bad("not exactly one certificate")),
    }
}

/// PEM, or DER as it is.
fn read_crl(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = rights::read(path, MAX_FILE)?;
    match CertificateRevocationListDer::from_pem_slice(&bytes) {
        Ok(crl) => Ok(crl.to_vec()),
        Err(_) => Ok(bytes),
    }
}
