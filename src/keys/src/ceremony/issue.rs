//! End certificates for the two requests of one station: a pair for tags, and a pair for checkpoints of its journal.

use super::authority::{Authority, Unlocked, pem};
use super::issued;
use crate::KeysError;
use crate::certificate::{self, Kind, Period, Profile, StationName, distinguished_name, now, serial_number};
use crate::place::{self, Folder};
use crate::request;
use crate::secret::Secret;
use crate::signer::station::chain_file;
use blanche_tag::claims::Time;
use blanche_tag::envelope::{Algorithm, Purpose};
use sha2::{Digest, Sha256};
use std::path::Path;
use x509_cert::der::Encode;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// What to issue.
#[derive(Clone, Debug)]
pub struct Issue<'a> {
    /// The authority's folder.
    pub authority: &'a Path,
    /// Who asks, as typed by the person who knows; the requests must say the same.
    pub name: StationName,
    /// The classical request, then the post-quantum one.
    pub requests: [&'a Path; 2],
    /// A folder for the four chains; must not exist, or be empty.
    pub out: &'a Path,
    /// Days until the certificates end.
    pub days: u64,
}

/// What was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Serial number of both certificates for tags, in hexadecimal.
    pub serial: String,
    /// Serial number of both certificates for checkpoints of the journal.
    pub checkpoint_serial: String,
    /// The last second.
    pub end: Time,
    /// SHA-256 of the two public keys (SubjectPublicKeyInfo), to compare with what the station showed.
    pub keys: [String; 2],
}

/// SHA-256 of a public key as certificates hold it, in hexadecimal: what people compare on two machines, and what
/// `openssl … | sha256sum` prints.
pub(crate) fn key_digest(key: &SubjectPublicKeyInfoOwned) -> Result<String, KeysError> {
    let der = key.to_der().map_err(|error| KeysError::internal("public key")(&error))?;
    Ok(Sha256::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Checks both requests and issues two certificates for each key: one for tags, one for checkpoints of the journal.
///
/// # Errors
/// [`KeysError::Request`] for a request that does not prove what it must; the authority's and the folders' errors.
pub fn issue(what: &Issue<'_>, passphrase: &Secret) -> Result<Issued, KeysError> {
    let authority = Authority::open(what.authority)?;
    let period = Period { made: now(), days: what.days };
    authority.may_issue(Some(&what.name.site), period)?;
    let mut keys = Vec::with_capacity(2);
    for (algorithm, path) in Algorithm::BOTH.into_iter().zip(what.requests) {
        let key = request::check(&place::read_foreign(path)?, algorithm, &what.name, path)?;
        if issued::key_has_other_name(&authority, &key, &what.name.dns())? {
            let what = "this key was certified before under another name; every station makes its own keys";
            return Err(KeysError::Request { path: path.to_owned(), what });
        }
        keys.push(key);
    }
    let unlocked = authority.unlock(passphrase)?;
    let out = Folder::make(what.out)?;
    let keys = <[_; 2]>::try_from(keys).map_err(|_| KeysError::internal("keys")(&"not two"))?;
    let tags = pair(&unlocked, what, (&keys, Purpose::Tag), period, &out)?;
    let checkpoints = pair(&unlocked, what, (&keys, Purpose::Checkpoint), period, &out)?;
    let [one, two] = &keys;
    Ok(Issued {
        serial: tags,
        checkpoint_serial: checkpoints,
        end: period.end(),
        keys: [key_digest(one)?, key_digest(two)?],
    })
}

/// Both certificates of one purpose; returns their serial number.
fn pair(
    unlocked: &Unlocked,
    what: &Issue<'_>,
    (keys, purpose): (&[SubjectPublicKeyInfoOwned; 2], Purpose),
    period: Period,
    out: &Folder,
) -> Result<String, KeysError> {
    let authority = &unlocked.authority;
    let serial = serial_number()?;
    for (algorithm, key) in Algorithm::BOTH.into_iter().zip(keys) {
        let profile = Profile {
            kind: Kind::End(what.name.clone(), purpose),
            subject: distinguished_name(what.name.station.as_str(), Some(&what.name.site), algorithm)?,
            issuer: authority.certificate(algorithm)?.tbs_certificate().subject().clone(),
        };
        let made = certificate::issue(profile, &serial, period, key, unlocked.key(algorithm))?;
        authority.record(&made, algorithm, &what.name.dns())?;
        let chain: Vec<_> = std::iter::once(made).chain(authority.chain_below_root(algorithm)).collect();
        out.create(&chain_file(algorithm, purpose), pem(&chain)?.as_bytes(), 0o644)?;
    }
    Ok(issued::hexadecimal(serial.as_bytes()))
}
