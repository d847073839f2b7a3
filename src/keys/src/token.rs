//! The classical key in a PKCS#11 token (Cryptoki 2.40 and later): made there, never leaving it.
//!
//! A module is foreign code in the signer's process: only a path that the administrator wrote into signer.toml is loaded,
//! from a file and folder that others cannot write.

use crate::KeysError;
use crate::secret::Secret;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use sha2::{Digest, Sha384};
use std::path::{Path, PathBuf};
use x509_cert::der::asn1::OctetString;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::{EncodePublicKey, SubjectPublicKeyInfoOwned};

/// secp384r1 (RFC 5480, section 2.1.1.1).
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPlace {
    /// The PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the key pair in it.
    pub key: String,
    /// Folders that the module must reach while it signs, such as SoftHSM's token folder; nothing else is reachable.
    #[serde(default)]
    pub folders: Vec<PathBuf>,
}

/// An open session with one key.
pub(crate) struct Token {
    session: Session,
    key: ObjectHandle,
    public: SubjectPublicKeyInfoOwned,
    /// Last, because fields are dropped in order: the module outlives its sessions.
    _module: Pkcs11,
}

fn failed(what: &str) -> impl Fn(cryptoki::error::Error) -> KeysError + '_ {
    move |error| KeysError::Token(format!("{what}: {error}"))
}

/// Nobody but root and this user may be able to change the module.
fn trusted_module(path: &Path) -> Result<(), KeysError> {
    use std::os::unix::fs::MetadataExt as _;
    let real = std::fs::canonicalize(path).map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    for part in real.ancestors().take(2) {
        let status = std::fs::metadata(part).map_err(|source| KeysError::Read { path: part.to_owned(), source })?;
        if status.mode() & 0o022 != 0 {
            return Err(KeysError::Mode { path: part.to_owned(), mode: status.mode() & 0o7777, wanted: 0o755 });
        }
    }
    Ok(())
}

/// A session with the token of this label, logged in.
fn log_in(place: &TokenPlace, pin: &Secret) -> Result<(Pkcs11, Session), KeysError> {
    trusted_module(&place.module)?;
    let module = Pkcs11::new(&place.module).map_err(failed("loading the module"))?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(failed("starting the module"))?;
    let slots = module.get_slots_with_initialized_token().map_err(failed("listing tokens"))?;
    let named = |slot: &cryptoki::slot::Slot| {
        module.get_token_info(*slot).is_ok_and(|token| token.label().trim_end() == place.token)
    };
    let matching: Vec<_> = slots.into_iter().filter(named).collect();
    let [slot] = matching.as_slice() else {
        let count = matching.len();
        return Err(KeysError::Token(format!("{count} tokens have the label {:?}; one must", place.token)));
    };
    let session = module.open_rw_session(*slot).map_err(failed("opening a session"))?;
    let pin = AuthPin::new(pin.as_str().into());
    session.login(UserType::User, Some(&pin)).map_err(failed("logging in; check the PIN"))?;
    Ok((module, session))
}

impl Token {
    /// Makes a key pair of this label in the token; the private half can be neither read nor exported.
    pub(crate) fn generate(place: &TokenPlace, pin: &Secret) -> Result<Self, KeysError> {
        let (module, session) = log_in(place, pin)?;
        let label = Attribute::Label(place.key.as_bytes().to_vec());
        if !session.find_objects(std::slice::from_ref(&label)).map_err(failed("looking for the key"))?.is_empty() {
            return Err(KeysError::Token(format!("a key of the label {:?} exists already; take another", place.key)));
        }
        let curve = P384.to_der().map_err(|error| KeysError::internal("curve")(&error))?;
        let public = [
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(curve),
            label.clone(),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            label,
        ];
        session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).map_err(failed("making the key"))?;
        Self::find(module, session, place)
    }

    /// Finds the key pair of this label.
    pub(crate) fn open(place: &TokenPlace, pin: &Secret) -> Result<Self, KeysError> {
        let (module, session) = log_in(place, pin)?;
        Self::find(module, session, place)
    }

    fn find(module: Pkcs11, session: Session, place: &TokenPlace) -> Result<Self, KeysError> {
        let only = |class| {
            let wanted = [
                Attribute::Class(class),
                Attribute::KeyType(KeyType::EC),
                Attribute::Label(place.key.as_bytes().to_vec()),
            ];
            let found = session.find_objects(&wanted).map_err(failed("looking for the key"))?;
            match found.as_slice() {
                [key] => Ok(*key),
                other => {
                    let count = other.len();
                    Err(KeysError::Token(format!("{count} P-384 keys have the label {:?}; one must", place.key)))
                }
            }
        };
        let (key, public) = (only(ObjectClass::PRIVATE_KEY)?, only(ObjectClass::PUBLIC_KEY)?);
        let public = public_key(&session, public)?;
        Ok(Self { session, key, public, _module: module })
    }

    pub(crate) const fn public(&self) -> &SubjectPublicKeyInfoOwned {
        &self.public
    }

    /// *r* and *s*, 48 bytes each (CKM_ECDSA over the SHA-384 of the message).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeysError> {
        let digest = Sha384::digest(message);
        let signature = self.session.sign(&Mechanism::Ecdsa, self.key, &digest).map_err(failed("signing"))?;
        if signature.len() == 96 { Ok(signature) } else { Err(KeysError::Token("not a signature on P-384".into())) }
    }
}

/// CKA_EC_POINT is the point in an OCTET STRING (PKCS#11, 2.3.3).
fn public_key(session: &Session, object: ObjectHandle) -> Result<SubjectPublicKeyInfoOwned, KeysError> {
    let wrong = || KeysError::Token("the public key is not an uncompressed point on P-384".into());
    let attributes =
        session.get_attributes(object, &[AttributeType::EcPoint]).map_err(failed("reading the public key"))?;
    let Some(Attribute::EcPoint(der)) = attributes.first() else { return Err(wrong()) };
    let point = OctetString::from_der(der).map_err(|_| wrong())?;
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point.as_bytes()).map_err(|_| wrong())?;
    let document = key.to_public_key_der().map_err(|_| wrong())?;
    SubjectPublicKeyInfoOwned::from_der(document.as_bytes()).map_err(|_| wrong())
}

/// Text of a place, for messages.
impl std::fmt::Display for TokenPlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} / {}", self.token, self.key)
    }
}
