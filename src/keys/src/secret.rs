//! Where passphrases and PINs come from: a file of the right mode, a descriptor, or a terminal without echo.
//!
//! Never an argument (any user can read those in /proc), never the environment, never a default.

use crate::KeysError;
use crate::place::{self, Guard};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use zeroize::Zeroizing;

/// Fewest characters of a new passphrase.
pub const SHORTEST: usize = 12;

/// A passphrase or PIN; wiped from memory when it is dropped.
pub type Secret = Zeroizing<String>;

/// A passphrase, and the PIN of the token if the file has a second line.
#[derive(Debug)]
pub struct Secrets {
    /// Opens the encrypted private keys.
    pub passphrase: Secret,
    /// Opens the token.
    pub pin: Option<Secret>,
}

impl Secrets {
    /// From a file that only its owner can read: the passphrase on the first line, a PIN on the second.
    ///
    /// # Errors
    /// It cannot be read, others can read it, or it has no line.
    pub fn from_file(path: &Path) -> Result<Self, KeysError> {
        Self::parse(&place::read(path, Guard::Secret)?, path)
    }

    /// The same from an open descriptor, as the parent hands a systemd credential to the signer.
    ///
    /// # Errors
    /// It cannot be read, or has no line.
    pub fn from_descriptor(descriptor: OwnedFd) -> Result<Self, KeysError> {
        let path = Path::new("credential");
        Self::parse(&place::read_open(File::from(descriptor), path)?, path)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, KeysError> {
        let wrong = |what: &str| KeysError::Content { path: path.to_owned(), what: what.to_owned() };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("a passphrase is text in UTF-8"))?;
        let mut lines = text.lines();
        let passphrase =
            lines.next().filter(|line| !line.is_empty()).ok_or_else(|| wrong("its first line is empty"))?;
        let pin = lines.next().filter(|line| !line.is_empty());
        Ok(Self {
            passphrase: Zeroizing::new(passphrase.to_owned()),
            pin: pin.map(|pin| Zeroizing::new(pin.to_owned())),
        })
    }
}

/// Asks on the terminal, without echo.
fn ask(prompt: &str) -> Result<Secret, KeysError> {
    rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new).map_err(KeysError::NoTerminal)
}

/// The secrets of keys that exist.
pub(crate) fn existing(file: Option<&Path>, prompt: &str) -> Result<Secrets, KeysError> {
    match file {
        Some(path) => Secrets::from_file(path),
        None => Ok(Secrets { passphrase: ask(prompt)?, pin: None }),
    }
}

/// The secrets of keys that are about to be made: asked twice, and long enough.
pub(crate) fn new(file: Option<&Path>, prompt: &str, again: &str) -> Result<Secrets, KeysError> {
    let secrets = match file {
        Some(path) => Secrets::from_file(path)?,
        None => {
            let passphrase = ask(prompt)?;
            if *ask(again)? != *passphrase {
                return Err(KeysError::PassphrasesDiffer);
            }
            Secrets { passphrase, pin: None }
        }
    };
    if secrets.passphrase.chars().count() < SHORTEST {
        return Err(KeysError::PassphraseShort(SHORTEST));
    }
    Ok(secrets)
}

/// The PIN of a token: from the same file as the passphrase, or asked.
pub(crate) fn pin(secrets: &mut Secrets, from_file: bool, prompt: &str) -> Result<Secret, KeysError> {
    match secrets.pin.take() {
        Some(pin) => Ok(pin),
        None if from_file => {
            Err(KeysError::Token("the PIN is missing: it is the second line of the passphrase file".into()))
        }
        None => ask(prompt),
    }
}
