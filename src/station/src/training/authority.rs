//! The keys of one run: an authority that certifies this one station and is destroyed at once, so that nobody, the station
//! included, can ever make it certify anything else. No workstation trusts it.

use super::home::new_folder;
use super::{POLICY, STATION, TrainingError, VALIDITY};
use blanche_keys::ceremony::{self, Issue, NewAuthority, NewStation};
use blanche_keys::signer::{PassphrasePlace, SigningPolicy};
use blanche_keys::{Secret, StationName};
use blanche_scan::settings::Seal;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Days until the certificates end: longer than a training station runs.
const DAYS: u64 = 365;
/// What the station gets, and what its trust folder gets.
const CHAINS: [&str; 4] =
    ["classical.pem", "post-quantum.pem", "classical.checkpoint.pem", "post-quantum.checkpoint.pem"];

/// Makes authority, keys and trust below `home` by the steps of docs/keys.md.
///
/// # Errors
/// [`TrainingError`].
pub(super) fn make(home: &Path) -> Result<Seal, TrainingError> {
    let [authority, keys, issued, trust, tags] = ["authority", "keys", "issued", "trust", "tags"].map(|n| home.join(n));
    let (above, own) = (secret()?, secret()?);
    let sites = [STATION.to_owned()];
    let new = NewAuthority { folder: &authority, name: STATION, sites: &sites, under: None, days: DAYS + 1 };
    ceremony::make_authority(&new, &above)?;
    let name = StationName::new(STATION, STATION)?;
    let passphrase = home.join("passphrase");
    let policy =
        SigningPolicy { fresh_bases: Vec::new(), max_validity: VALIDITY.as_secs(), ..SigningPolicy::default() };
    let place = PassphrasePlace::File(passphrase.clone());
    let station = NewStation { folder: &keys, name: name.clone(), passphrase: place, token: None, policy };
    ceremony::request(&station, &own, None)?;
    let requests = ["classical.csr", "post-quantum.csr"].map(|request| keys.join(request));
    let what = Issue { authority: &authority, name, requests: [&requests[0], &requests[1]], out: &issued, days: DAYS };
    ceremony::issue(&what, &above)?;
    for chain in CHAINS {
        copy(&issued.join(chain), &keys.join(chain))?;
    }
    install(&authority, &trust)?;
    new_folder(&tags)?;
    write_secret(&passphrase, &own)?;
    for finished in [&issued, &authority] {
        fs::remove_dir_all(finished).map_err(TrainingError::folder(finished))?;
    }
    let policy = POLICY.to_owned();
    Ok(Seal { keys, trust, detached: tags, validity: VALIDITY, policy, policy_version: 1 })
}

/// The trust folder of this run (docs/verify.md).
fn install(authority: &Path, trust: &Path) -> Result<(), TrainingError> {
    let anchors = trust.join("authorities").join(STATION);
    new_folder(&anchors)?;
    for anchor in ["classical.pem", "post-quantum.pem"] {
        copy(&authority.join(anchor), &anchors.join(anchor))?;
    }
    for published in ["crls", "lists"] {
        let (from, to) = (authority.join(published), trust.join(published));
        new_folder(&to)?;
        for entry in fs::read_dir(&from).map_err(TrainingError::folder(&from))? {
            let entry = entry.map_err(TrainingError::folder(&from))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    let policy = trust.join("policy.toml");
    fs::write(&policy, "fresh_bases = []\n").map_err(TrainingError::folder(&policy))
}

fn copy(from: &Path, to: &Path) -> Result<(), TrainingError> {
    fs::copy(from, to).map(|_| ()).map_err(TrainingError::folder(to))
}

/// A passphrase that nobody has to remember: 256 bits of the kernel's.
fn secret() -> Result<Secret, TrainingError> {
    const SOURCE: &str = "/dev/urandom";
    let mut bytes = [0u8; 32];
    let read = File::open(SOURCE).and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(TrainingError::folder(Path::new(SOURCE)))?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn write_secret(path: &Path, secret: &Secret) -> Result<(), TrainingError> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(secret.as_bytes())).map_err(TrainingError::folder(path))
}
