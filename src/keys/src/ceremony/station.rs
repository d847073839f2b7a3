//! A station's side of the ceremony: two keys and two requests, and later new ones.
//!
//! ```text
//! classical.key  post-quantum.key   encrypted private keys, mode 0600 (the classical one may be in a token instead)
//! classical.csr  post-quantum.csr   requests, to be carried to the authority
//! classical.pem  post-quantum.pem   the chains that came back, end certificate first
//! classical.checkpoint.pem  post-quantum.checkpoint.pem   the same for checkpoints of the journal
//! signer.toml                       what the signer obeys
//! counter/highest                   the highest counter that was signed
//! next/                             keys of a rotation that is not finished
//! ```

use super::issue::key_digest;
use crate::KeysError;
use crate::certificate::StationName;
use crate::key::{PrivateKey, word};
use crate::place::{self, Folder, Guard};
use crate::request;
use crate::secret::Secret;
use crate::signer::settings::{PassphrasePlace, Settings, SigningPolicy};
use crate::signer::station::{chain_file, check_chain};
use crate::token::{Token, TokenPlace};
use blanche_tag::envelope::{Algorithm, Purpose};
use std::path::{Path, PathBuf};

/// What a station is to be.
#[derive(Clone, Debug)]
pub struct NewStation<'a> {
    /// Its key folder; must not exist, or be empty.
    pub folder: &'a Path,
    /// Who it is.
    pub name: StationName,
    /// Where the signer will find its passphrase.
    pub passphrase: PassphrasePlace,
    /// Where the classical key is made, if not in a file.
    pub token: Option<TokenPlace>,
    /// What its signer refuses to sign.
    pub policy: SigningPolicy,
}

/// Two requests to be carried to the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Classical, post-quantum.
    pub files: Vec<PathBuf>,
    /// SHA-256 of the two public keys, to be compared at the authority.
    pub keys: Vec<String>,
}

/// What a call of [`rotate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// New keys were made; their requests are to be carried to the authority.
    Requested(Requests),
    /// The new keys are in use, the old ones are in this folder.
    Changed(PathBuf),
}

/// Makes the keys of a station, its requests and its `signer.toml`.
///
/// # Errors
/// The folder is not empty, or the token refuses.
pub fn request(new: &NewStation<'_>, passphrase: &Secret, pin: Option<&Secret>) -> Result<Requests, KeysError> {
    let folder = Folder::make(new.folder)?;
    let settings =
        Settings { policy: new.policy.clone(), ..Settings::of(&new.name, new.passphrase.clone(), new.token.clone()) };
    let requests = make_keys(&folder, &new.name, passphrase, new.token.as_ref(), pin)?;
    folder.create("signer.toml", settings.to_toml()?.as_bytes(), 0o600)?;
    place::new_folder(&folder.at("counter"))?;
    Folder::open(&folder.at("counter"))?.create("highest", b"0\n", 0o600)?;
    Ok(requests)
}

fn make_keys(
    folder: &Folder,
    name: &StationName,
    passphrase: &Secret,
    token: Option<&TokenPlace>,
    pin: Option<&Secret>,
) -> Result<Requests, KeysError> {
    let mut requests = Requests { files: Vec::new(), keys: Vec::new() };
    for algorithm in Algorithm::BOTH {
        let key = match (token, algorithm) {
            (Some(place), Algorithm::Classical) => {
                let pin = pin.ok_or_else(|| KeysError::Token("a token needs a PIN".into()))?;
                PrivateKey::Token(Box::new(Token::generate(place, pin)?))
            }
            _ => {
                let key = PrivateKey::generate(algorithm)?;
                folder.create(&format!("{}.key", word(algorithm)), key.to_pem(passphrase)?.as_bytes(), 0o600)?;
                key
            }
        };
        let made = request::make(name, &key)?;
        requests.files.push(folder.create(&format!("{}.csr", word(algorithm)), made.as_bytes(), 0o644)?);
        requests.keys.push(key_digest(&key.public()?)?);
    }
    Ok(requests)
}

/// Files that a rotation replaces.
const ROTATED: [&str; 7] = [
    "classical.key",
    "post-quantum.key",
    "classical.pem",
    "post-quantum.pem",
    "classical.checkpoint.pem",
    "post-quantum.checkpoint.pem",
    "signer.toml",
];

/// Where the old files go while a change is under way.
const RETIRING: &str = "retiring";

/// First call: makes new keys in `next/`. Second call, once the certificates lie there too: puts them in use and keeps the
/// old ones in `retired-N/`. A call that was cut short is repeated: it goes on where it stopped.
///
/// # Errors
/// The certificates in `next/` do not fit the keys or the station; the folder's or the token's errors.
pub fn rotate(
    path: &Path,
    new_token_key: Option<&str>,
    passphrase: &Secret,
    pin: Option<&Secret>,
) -> Result<Rotation, KeysError> {
    let folder = Folder::lock(path)?;
    let settings = Settings::read(path)?;
    let next = folder.at("next");
    match (next.exists(), folder.at(RETIRING).exists()) {
        (false, false) => begin(&folder, settings, new_token_key, passphrase, pin).map(Rotation::Requested),
        (false, true) => retire(&folder).map(Rotation::Changed),
        (true, resumed) => {
            check_next(&folder, &Folder::open(&next)?, resumed, passphrase, pin)?;
            change(&folder, &Folder::open(&next)?)?;
            std::fs::remove_dir_all(&next).map_err(|source| KeysError::Write { path: next, source })?;
            retire(&folder).map(Rotation::Changed)
        }
    }
}

/// New keys in `next/`.
fn begin(
    folder: &Folder,
    settings: Settings,
    new_token_key: Option<&str>,
    passphrase: &Secret,
    pin: Option<&Secret>,
) -> Result<Requests, KeysError> {
    let token = settings.token.clone().map(|place| match new_token_key {
        Some(key) if key != place.key => Ok(TokenPlace { key: key.to_owned(), ..place }),
        _ => Err(KeysError::Token("give --token-key with a new label for the new key in the token".into())),
    });
    let (token, next) = (token.transpose()?, Folder::make(&folder.at("next"))?);
    let requests = make_keys(&next, &settings.name()?, passphrase, token.as_ref(), pin)?;
    if token.is_some() {
        let settings = Settings { token, ..settings };
        next.create("signer.toml", settings.to_toml()?.as_bytes(), 0o600)?;
    }
    Ok(requests)
}

/// Every key fits its chain, and every chain is this station's, before anything moves. What a call that was cut short
/// has moved already is looked for where it is now.
fn check_next(
    folder: &Folder,
    next: &Folder,
    resumed: bool,
    passphrase: &Secret,
    pin: Option<&Secret>,
) -> Result<(), KeysError> {
    let place_of = |name: &str| match next.at(name) {
        path if path.exists() || !resumed => path,
        _ => folder.at(name),
    };
    let has_own = next.at("signer.toml").exists();
    let settings = Settings::read(if has_own { next.path() } else { folder.path() })?;
    for algorithm in Algorithm::BOTH {
        let key_path = place_of(&format!("{}.key", word(algorithm)));
        let key = match (&settings.token, algorithm) {
            (Some(place), Algorithm::Classical) => {
                let pin = pin.ok_or_else(|| KeysError::Token("a token needs a PIN".into()))?;
                PrivateKey::Token(Box::new(Token::open(place, pin)?))
            }
            _ => {
                let bytes = place::read(&key_path, Guard::Secret)?;
                PrivateKey::from_pem(&bytes, algorithm, passphrase, &key_path)?
            }
        };
        for purpose in [Purpose::Tag, Purpose::Checkpoint] {
            let chain_path = place_of(&chain_file(algorithm, purpose));
            check_chain(&chain_path, (algorithm, purpose), &settings.name()?, &key)?;
        }
    }
    Ok(())
}

/// Moves the old files to `retiring/` and the new ones to their places. Each step can be repeated, so a power cut between
/// any two of them is healed by the next call.
fn change(folder: &Folder, next: &Folder) -> Result<(), KeysError> {
    let retiring_path = folder.at(RETIRING);
    if !retiring_path.exists() {
        place::new_folder(&retiring_path)?;
    }
    let retiring = Folder::open(&retiring_path)?;
    // What is not in `next` has been moved already, or is not rotated.
    for name in ROTATED.into_iter().filter(|name| next.at(name).exists()) {
        if folder.at(name).exists() && !retiring.at(name).exists() {
            retiring.take(folder, name)?;
        }
        folder.take(next, name)?;
    }
    Ok(())
}

/// Gives the folder of the old files its name for good.
fn retire(folder: &Folder) -> Result<PathBuf, KeysError> {
    let free = |number: &u32| !folder.at(&format!("retired-{number}")).exists();
    let number = (1..=u32::MAX).find(free).unwrap_or(u32::MAX);
    let retired = folder.at(&format!("retired-{number}"));
    let renamed = std::fs::rename(folder.at(RETIRING), &retired);
    renamed.map_err(|source| KeysError::Write { path: retired.clone(), source })?;
    Ok(retired)
}
