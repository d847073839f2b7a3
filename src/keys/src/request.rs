//! Requests for certificates: PKCS#10 (RFC 2986), one for each key. Their signatures prove that the station holds the keys.

use crate::KeysError;
use crate::certificate::{StationName, distinguished_name, dns_name, only_dns_name};
use crate::key::{PrivateKey, PublicHalf, signature_algorithm, verifies};
use blanche_tag::envelope::Algorithm;
use std::path::Path;
use x509_cert::builder::Builder;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode, DecodePem, Encode, EncodePem};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::request::{CertReq, ExtensionReq, RequestBuilder};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// The request for one key, in PEM.
pub(crate) fn make(name: &StationName, key: &PrivateKey) -> Result<String, KeysError> {
    let failed = KeysError::internal("request");
    let subject = distinguished_name(name.station.as_str(), Some(&name.site), key.algorithm())?;
    let mut builder = RequestBuilder::new(subject).map_err(|error| failed(&error))?;
    let names = SubjectAltName(vec![dns_name(&name.dns())?]);
    builder.add_extension(&names).map_err(|error| failed(&error))?;
    let half = PublicHalf::of(key)?;
    let message = builder.finalize(&half).map_err(|error| failed(&error))?;
    let request = builder.assemble(key.sign_x509(&message)?, &half).map_err(|error| failed(&error))?;
    request.to_pem(LineEnding::LF).map_err(|error| failed(&error))
}

/// The public key of a request that is for this name and this algorithm, and was signed with its own key.
pub(crate) fn check(
    bytes: &[u8],
    algorithm: Algorithm,
    name: &StationName,
    path: &Path,
) -> Result<SubjectPublicKeyInfoOwned, KeysError> {
    let refuse = |what| KeysError::Request { path: path.to_owned(), what };
    let request = CertReq::from_pem(bytes).or_else(|_| CertReq::from_der(bytes));
    let request = request.map_err(|_| refuse("not a request (PKCS#10, PEM or DER)"))?;
    let key = request.info.public_key;
    if !fits(&key, algorithm) || request.algorithm != signature_algorithm(algorithm) {
        return Err(refuse("a key or signature of another algorithm; the classical request comes first"));
    }
    let info = x509_cert::request::CertReqInfo { public_key: key.clone(), ..request.info };
    let message = info.to_der().map_err(|_| refuse("it cannot be encoded"))?;
    let signature = request.signature.as_bytes().unwrap_or_default();
    if !verifies(algorithm, &key, &message, signature) {
        return Err(refuse("its signature does not prove that the station holds the key"));
    }
    let attributes = info.attributes.iter().filter(|attribute| attribute.oid == EXTENSION_REQUEST);
    let requested = attributes.flat_map(|attribute| attribute.values.iter());
    let requested: Vec<_> = requested.filter_map(|value| value.decode_as::<ExtensionReq>().ok()).collect();
    let [extensions] = requested.as_slice() else {
        return Err(refuse("it does not ask for exactly one set of extensions"));
    };
    let names = extensions.0.iter().filter(|extension| extension.extn_id == SUBJECT_ALT_NAME);
    let names: Vec<_> = names.filter_map(|name| SubjectAltName::from_der(name.extn_value.as_bytes()).ok()).collect();
    match names.as_slice() {
        [only] if only_dns_name(only) == Some(name.dns().as_str()) => Ok(key),
        _ => Err(refuse("it is for another station or site than the ones typed")),
    }
}

/// id-ExtensionReq (RFC 2985, section 5.4.2).
const EXTENSION_REQUEST: x509_cert::der::oid::ObjectIdentifier =
    x509_cert::der::oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
/// subjectAltName (RFC 5280, section 4.2.1.6).
const SUBJECT_ALT_NAME: x509_cert::der::oid::ObjectIdentifier =
    x509_cert::der::oid::ObjectIdentifier::new_unwrap("2.5.29.17");

/// Whether a public key is of this algorithm: P-384 as an uncompressed point, ML-DSA-87 without parameters.
fn fits(key: &SubjectPublicKeyInfoOwned, algorithm: Algorithm) -> bool {
    let Ok(der) = key.to_der() else { return false };
    let Ok(key) = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(&der) else { return false };
    let uncompressed = key.subject_public_key.raw_bytes().first() == Some(&4);
    match algorithm {
        Algorithm::Classical => uncompressed && p384::ecdsa::VerifyingKey::try_from(key).is_ok(),
        Algorithm::PostQuantum => ml_dsa::VerifyingKey::<ml_dsa::MlDsa87>::try_from(key).is_ok(),
    }
}
