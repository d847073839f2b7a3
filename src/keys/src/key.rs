//! Private keys of the two algorithms (docs/tag-format.md, section 4): made, stored, and used to sign.
//!
//! On disk they are PKCS#8 "ENCRYPTED PRIVATE KEY" in PEM (RFC 5958, RFC 7468): PBES2 (RFC 8018) with scrypt (RFC 7914) and
//! AES-256-CBC. The ML-DSA key is its seed (RFC 9881, section 6). The classical key may live in a PKCS#11 token instead.

use crate::KeysError;
use crate::secret::Secret;
use crate::token::Token;
use blanche_tag::envelope::Algorithm;
use getrandom::SysRng;
use ml_dsa::{MlDsa87, SigningKey as MlDsaKey};
use p384::ecdsa::signature::Signer as _;
use p384::elliptic_curve::zeroize::Zeroizing;
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::{EncodePrivateKey, EncryptedPrivateKeyInfoOwned, PrivateKeyInfoRef, SecretDocument};
use std::path::Path;
use x509_cert::der::asn1::BitString;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::{
    AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey, ObjectIdentifier,
    SubjectPublicKeyInfoOwned,
};

/// scrypt: N = 2^14, r = 8, p = 5. As costly to guess as N = 2^17, p = 1 (OWASP Password Storage Cheat Sheet), but in 16 MiB,
/// which is what OpenSSL lets a key file ask for.
const SCRYPT: (u8, u32, u32) = (14, 8, 5);

/// id-ml-dsa-87 (RFC 9881, section 2).
const ML_DSA_87: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");
/// ecdsa-with-SHA384 (RFC 5758, section 3.2).
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// For names of files and words: `classical`, `post-quantum`.
pub(crate) const fn word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Classical => "classical",
        Algorithm::PostQuantum => "post-quantum",
    }
}

/// The `AlgorithmIdentifier` of signatures in certificates; without parameters for both (RFC 5758, RFC 9881).
pub(crate) const fn signature_algorithm(algorithm: Algorithm) -> AlgorithmIdentifierOwned {
    let oid = match algorithm {
        Algorithm::Classical => ECDSA_WITH_SHA384,
        Algorithm::PostQuantum => ML_DSA_87,
    };
    AlgorithmIdentifierOwned { oid, parameters: None }
}

/// A private key, or the way to one. What is held in memory is wiped when it is dropped.
pub(crate) enum PrivateKey {
    /// ECDSA on P-384.
    Classical(Box<p384::ecdsa::SigningKey>),
    /// ML-DSA-87.
    PostQuantum(Box<MlDsaKey<MlDsa87>>),
    /// ECDSA on P-384 in a PKCS#11 token.
    Token(Box<Token>),
}

impl PrivateKey {
    /// A new key from the system's random source.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, KeysError> {
        let failed = KeysError::internal("random numbers");
        let mut seed = Zeroizing::new([0u8; 48]);
        loop {
            getrandom::fill(seed.as_mut()).map_err(|error| failed(&error))?;
            match algorithm {
                // FIPS 186-5, A.2.2: a candidate outside [1, n - 1] is thrown away. That happens once in 2^190 times.
                Algorithm::Classical => {
                    if let Ok(key) = p384::ecdsa::SigningKey::from_slice(seed.as_ref()) {
                        return Ok(Self::Classical(Box::new(key)));
                    }
                }
                Algorithm::PostQuantum => {
                    let seed = seed.first_chunk::<32>().ok_or_else(|| failed(&"too few"))?;
                    return Ok(Self::PostQuantum(Box::new(MlDsaKey::from_seed(seed.into()))));
                }
            }
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Classical(_) | Self::Token(_) => Algorithm::Classical,
            Self::PostQuantum(_) => Algorithm::PostQuantum,
        }
    }

    /// Its public key as certificates hold it.
    pub(crate) fn public(&self) -> Result<SubjectPublicKeyInfoOwned, KeysError> {
        let failed = KeysError::internal("public key");
        let der = match self {
            Self::Classical(key) => key.verifying_key().to_public_key_der(),
            Self::PostQuantum(key) => key.expanded_key().verifying_key().to_public_key_der(),
            Self::Token(token) => return Ok(token.public().clone()),
        };
        let der = der.map_err(|error| failed(&error))?;
        SubjectPublicKeyInfoOwned::from_der(der.as_bytes()).map_err(|error| failed(&error))
    }

    /// Signs as envelopes want it: *r* and *s* of 48 bytes each, or ML-DSA with an empty context, hedged (FIPS 204,
    /// section 3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Classical(key) => {
                let signature: Result<p384::ecdsa::Signature, _> = key.try_sign(message);
                signature.map(|signature| signature.to_bytes().to_vec()).map_err(|error| error.to_string())
            }
            Self::PostQuantum(key) => {
                let signature = key.expanded_key().sign_randomized(message, &[], &mut SysRng);
                signature.map(|signature| signature.encode().to_vec()).map_err(|error| error.to_string())
            }
            Self::Token(token) => token.sign(message).map_err(|error| error.to_string()),
        }
    }

    /// Signs as certificates, requests and CRLs want it: ECDSA as DER (RFC 3279, section 2.2.3).
    pub(crate) fn sign_x509(&self, message: &[u8]) -> Result<BitString, KeysError> {
        let failed = KeysError::internal("signature");
        let raw = self.sign(message).map_err(|error| failed(&error))?;
        let bytes = match self.algorithm() {
            Algorithm::PostQuantum => raw,
            Algorithm::Classical => {
                let signature = p384::ecdsa::Signature::from_slice(&raw).map_err(|error| failed(&error))?;
                signature.to_der().as_bytes().to_vec()
            }
        };
        BitString::from_bytes(&bytes).map_err(|error| failed(&error))
    }

    /// The encrypted PEM. A key in a token has none.
    pub(crate) fn to_pem(&self, passphrase: &Secret) -> Result<Zeroizing<String>, KeysError> {
        let failed = KeysError::internal("encrypting the key");
        let plain = match self {
            Self::Classical(key) => key.to_pkcs8_der().map_err(|error| failed(&error))?,
            Self::PostQuantum(key) => key.to_pkcs8_der().map_err(|error| failed(&error))?,
            Self::Token(_) => return Err(failed(&"a key does not leave its token")),
        };
        encrypt(&plain, passphrase).map_err(|reason| failed(&reason))
    }

    /// Opens an encrypted PEM.
    pub(crate) fn from_pem(
        bytes: &[u8],
        algorithm: Algorithm,
        passphrase: &Secret,
        path: &Path,
    ) -> Result<Self, KeysError> {
        let wrong = |what: &str| KeysError::Content { path: path.to_owned(), what: what.to_owned() };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("not a PEM file"))?;
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| wrong("not a PEM file"))?;
        if label != EncryptedPrivateKeyInfoOwned::PEM_LABEL {
            return Err(wrong("not an ENCRYPTED PRIVATE KEY; keys are stored encrypted only"));
        }
        let encrypted = EncryptedPrivateKeyInfoOwned::from_der(document.as_bytes())
            .map_err(|_| wrong("not an encrypted PKCS#8 key"))?;
        let plain =
            encrypted.decrypt(passphrase.as_bytes()).map_err(|_| KeysError::Passphrase { path: path.to_owned() })?;
        let info = PrivateKeyInfoRef::from_der(plain.as_bytes())
            .map_err(|_| KeysError::Passphrase { path: path.to_owned() })?;
        let other = |_| wrong("a key of another algorithm than its place in the folder demands");
        match algorithm {
            Algorithm::Classical => {
                let key = p384::SecretKey::try_from(info).map_err(other)?;
                Ok(Self::Classical(Box::new(key.into())))
            }
            Algorithm::PostQuantum => Ok(Self::PostQuantum(Box::new(MlDsaKey::try_from(info).map_err(other)?))),
        }
    }
}

fn encrypt(plain: &SecretDocument, passphrase: &Secret) -> Result<Zeroizing<String>, String> {
    let (salt, iv) = (random::<16>()?, random::<16>()?);
    let (log_n, r, p) = SCRYPT;
    let scrypt = pkcs5::scrypt::Params::new(log_n, r, p).map_err(|error| error.to_string())?;
    let scheme =
        pkcs5::pbes2::Parameters::generate_scrypt_aes256cbc(scrypt, &salt, iv).map_err(|error| error.to_string())?;
    let encrypted = scheme.encrypt(passphrase.as_bytes(), plain.as_bytes()).map_err(|error| error.to_string())?;
    let encrypted_data = x509_cert::der::asn1::OctetString::new(encrypted).map_err(|error| error.to_string())?;
    let info = EncryptedPrivateKeyInfoOwned { encryption_algorithm: scheme.into(), encrypted_data };
    let document = SecretDocument::encode_msg(&info).map_err(|error| error.to_string())?;
    document.to_pem(EncryptedPrivateKeyInfoOwned::PEM_LABEL, LineEnding::LF).map_err(|error| error.to_string())
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], String> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Whether a signature of a request, certificate or CRL was made with this public key.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> bool {
    use p384::ecdsa::signature::Verifier as _;
    let Ok(der) = key.to_der() else { return false };
    let Ok(key) = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(&der) else { return false };
    match algorithm {
        Algorithm::Classical => {
            let key = p384::ecdsa::VerifyingKey::try_from(key);
            let signature = p384::ecdsa::Signature::from_der(signature);
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
        }
        Algorithm::PostQuantum => {
            let key = ml_dsa::VerifyingKey::<MlDsa87>::try_from(key);
            let signature = ml_dsa::Signature::<MlDsa87>::try_from(signature);
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_with_context(message, &[], &signature))
        }
    }
}

/// The public half as the builders of x509-cert want it: they ask a signer for its key and algorithm only, so keys in tokens
/// fit too.
#[derive(Clone)]
pub(crate) struct PublicHalf {
    algorithm: Algorithm,
    der: Vec<u8>,
}

impl PublicHalf {
    pub(crate) fn of(key: &PrivateKey) -> Result<Self, KeysError> {
        let der = key.public()?.to_der().map_err(|error| KeysError::internal("public key")(&error))?;
        Ok(Self { algorithm: key.algorithm(), der })
    }
}

impl EncodePublicKey for PublicHalf {
    fn to_public_key_der(&self) -> x509_cert::spki::Result<x509_cert::der::Document> {
        Ok(x509_cert::der::Document::try_from(self.der.as_slice())?)
    }
}

impl p384::ecdsa::signature::Keypair for PublicHalf {
    type VerifyingKey = Self;

    fn verifying_key(&self) -> Self {
        self.clone()
    }
}

impl DynSignatureAlgorithmIdentifier for PublicHalf {
    fn signature_algorithm_identifier(&self) -> x509_cert::spki::Result<AlgorithmIdentifierOwned> {
        Ok(signature_algorithm(self.algorithm))
    }
}
