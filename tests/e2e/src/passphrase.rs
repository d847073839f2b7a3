//! Keys that open quickly.
//!
//! A station's key files ask for half a second of scrypt each time they are opened (docs/keys.md), which is ten in an emulated
//! processor. Here they are encrypted once more, under the same passphrase, with next to no work: what protects the keys of a
//! test is that nobody trusts them.

use crate::failure::{Failure, Result};
use pkcs5::pbes2::Parameters;
use pkcs5::scrypt::Params;
use pkcs8::der::asn1::OctetString;
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::der::{Decode, Document};
use pkcs8::{EncryptedPrivateKeyInfoOwned, SecretDocument};
use std::fs;
use std::path::Path;

/// scrypt: N = 2^4, r = 8, p = 1.
const LIGHT: (u8, u32, u32) = (4, 8, 1);

/// Encrypts both key files in `folder` anew.
///
/// # Errors
/// [`Failure`] when one is missing, or `passphrase` does not open it.
pub(crate) fn lighten(folder: &Path, passphrase: &[u8]) -> Result<()> {
    for name in ["classical.key", "post-quantum.key"] {
        let path = folder.join(name);
        let pem = fs::read_to_string(&path).map_err(Failure::file(&path))?;
        let light = encrypted_lightly(&pem, passphrase).map_err(|what| Failure::format(format!("{name}: {what}")))?;
        fs::write(&path, light).map_err(Failure::file(&path))?;
    }
    Ok(())
}

/// PKCS#8 in PEM, as `blanche keys` writes it (RFC 5958, RFC 7468, RFC 8018).
fn encrypted_lightly(pem: &str, passphrase: &[u8]) -> std::result::Result<String, String> {
    let text = |error: pkcs8::der::Error| error.to_string();
    let (_, document) = Document::from_pem(pem).map_err(text)?;
    let heavy = EncryptedPrivateKeyInfoOwned::from_der(document.as_bytes()).map_err(text)?;
    let plain = heavy.decrypt(passphrase).map_err(|error| error.to_string())?;
    let (log_n, r, p) = LIGHT;
    let scrypt = Params::new(log_n, r, p).map_err(|error| error.to_string())?;
    // Salt and initial vector need not be secret, and here not even different.
    let scheme = Parameters::generate_scrypt_aes256cbc(scrypt, &[0; 16], [0; 16]).map_err(|error| error.to_string())?;
    let sealed = scheme.encrypt(passphrase, plain.as_bytes()).map_err(|error| error.to_string())?;
    let encrypted_data = OctetString::new(sealed).map_err(text)?;
    let light = EncryptedPrivateKeyInfoOwned { encryption_algorithm: scheme.into(), encrypted_data };
    let document = SecretDocument::encode_msg(&light).map_err(text)?;
    let pem = document.to_pem(EncryptedPrivateKeyInfoOwned::PEM_LABEL, LineEnding::LF).map_err(text)?;
    Ok(pem.to_string())
}
