//! The two signature algorithms (section 4 of the specification), for envelopes and, by way of webpki, certificates.
//!
//! webpki brings no cryptography of its own here: it asks these two, and matches them by the `AlgorithmIdentifier` of
//! key and signature.

use ml_dsa::MlDsa87;
use p384::ecdsa::signature::Verifier;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

/// Which of the two signatures of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on P-384 with SHA-384.
    Classical,
    /// ML-DSA-87.
    PostQuantum,
}

impl Algorithm {
    /// In the order of the signatures of an envelope.
    pub const BOTH: [Self; 2] = [Self::Classical, Self::PostQuantum];

    /// Number in the COSE Algorithms registry.
    #[must_use]
    pub const fn cose(self) -> i64 {
        match self {
            Self::Classical => -51,
            Self::PostQuantum => -50,
        }
    }

    /// Length of a signature in an envelope.
    #[must_use]
    pub const fn signature_length(self) -> usize {
        match self {
            Self::Classical => 96,
            Self::PostQuantum => 4627,
        }
    }

    /// For words in details.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Classical => "classical",
            Self::PostQuantum => "post-quantum",
        }
    }

    /// For paths and CRLs.
    pub(crate) fn webpki(self) -> &'static dyn SignatureVerificationAlgorithm {
        match self {
            Self::Classical => &EcdsaInX509,
            Self::PostQuantum => &MlDsaInX509,
        }
    }

    /// Verifies a signature of an envelope; `key` is the content of the certificate's `subjectPublicKey`.
    pub(crate) fn verify(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self {
            // RFC 9053, 2.1: r and s, each as long as the curve's order.
            Self::Classical => {
                let signature = p384::ecdsa::Signature::from_slice(signature);
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key);
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
            }
            Self::PostQuantum => verify_ml_dsa(key, message, signature),
        }
    }
}

/// FIPS 204, algorithm 3, with an empty context (RFC 9964, RFC 9881).
fn verify_ml_dsa(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ml_dsa::EncodedVerifyingKey::<MlDsa87>::try_from(key) else { return false };
    let Ok(signature) = ml_dsa::Signature::<MlDsa87>::try_from(signature) else { return false };
    ml_dsa::VerifyingKey::<MlDsa87>::decode(&key).verify_with_context(message, &[], &signature)
}

#[derive(Debug)]
struct EcdsaInX509;

impl SignatureVerificationAlgorithm for EcdsaInX509 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P384
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA384
    }
}

#[derive(Debug)]
struct MlDsaInX509;

impl SignatureVerificationAlgorithm for MlDsaInX509 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if verify_ml_dsa(key, message, signature) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ML_DSA_87
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ML_DSA_87
    }
}
