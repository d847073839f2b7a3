//! The one envelope of every signed object (section 5 of the specification): COSE_Sign (RFC 9052) with two signatures.
//!
//! [`Envelope`] is what was taken apart, nothing more: its claims are not decoded before both signatures verified
//! ([`crate::verify`], [`crate::revocation::open`]). [`seal`] makes one; the keys stay behind [`Signer`].

use crate::algorithm::Algorithm as Which;
use crate::cbor::{self, Item, Malformed, Reader, TAG_COSE_SIGN};
use crate::claims::Label;
use crate::refusal::{Code, Refusal};
use coset::{
    CborSerializable, CoseSign, CoseSignature, HeaderBuilder, ProtectedHeader, SignatureContext,
    TaggedCborSerializable, cbor::Value, iana, sig_structure_data,
};
use std::marker::PhantomData;
use thiserror::Error;

pub use crate::algorithm::Algorithm;

/// Header parameters (IANA COSE Header Parameters).
const ALG: u64 = 1;
const CONTENT_TYPE: u64 = 3;
const TYP: u64 = 16;
const X5CHAIN: u64 = 33;

/// 2.25.222243778622752942389732164667255593586.1 as the content of a DER object identifier, without the last arc.
const USAGE_ARC: [u8; 21] = *b"\x69\x82\xce\xb2\xcc\x91\xc4\xd3\xa2\x86\xa7\x83\xa3\x8a\xe8\xa6\xc4\xc2\xb4\x72\x01";

/// What an envelope is for. Each has its own types and key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Purpose {
    Tag,
    Checkpoint,
    RevocationList,
    Exception,
    WipeCertificate,
}

impl Purpose {
    /// Name in the types; last arc of the key usage; largest envelope.
    const fn row(self) -> (&'static str, u8, usize) {
        match self {
            Self::Tag => ("tag", 1, 262_144),
            Self::Checkpoint => ("checkpoint", 2, 262_144),
            Self::RevocationList => ("revocations", 3, 4_194_304),
            Self::Exception => ("exception", 4, 262_144),
            Self::WipeCertificate => ("wipe", 5, 262_144),
        }
    }

    /// The `typ` header parameter (RFC 9596).
    #[must_use]
    pub fn typ(self) -> String {
        format!("blanche-{}+cose", self.row().0)
    }

    /// The content type of the payload.
    #[must_use]
    pub fn content_type(self) -> String {
        format!("application/blanche-{}+cbor", self.row().0)
    }

    /// The extended key usage, as the content of a DER object identifier (X.690, 8.19).
    #[must_use]
    pub fn key_usage(self) -> [u8; 22] {
        let mut oid = [self.row().1; 22];
        oid.iter_mut().zip(USAGE_ARC).for_each(|(to, from)| *to = from);
        oid
    }

    /// Largest envelope in bytes.
    #[must_use]
    pub const fn max_envelope(self) -> usize {
        self.row().2
    }
}

/// Claims that an envelope can hold.
pub trait SignedClaims: Sized {
    /// What they are for.
    const PURPOSE: Purpose;

    /// Deterministic encoding.
    fn encode(&self) -> Vec<u8>;

    /// Strict decoding: exactly what [`encode`](Self::encode) makes.
    ///
    /// # Errors
    /// [`Malformed`]
    fn decode(bytes: &[u8]) -> Result<Self, Malformed>;

    /// The station, or whoever else signed; must be the first label of the certificates' name.
    fn station(&self) -> &Label;

    /// The site; must be the second label.
    fn site(&self) -> &Label;
}

/// One of the two signatures, with the certificates that came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignaturePart {
    /// End certificate first.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) signature: Vec<u8>,
    /// What is signed (RFC 9052, 4.4).
    pub(crate) message: Vec<u8>,
}

/// An envelope that was taken apart and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<T> {
    pub(crate) payload: Vec<u8>,
    /// Classical, post-quantum.
    pub(crate) signatures: [SignaturePart; 2],
    claims: PhantomData<T>,
}

/// A signature as it stands in the envelope.
struct RawSignature<'a> {
    protected: &'a [u8],
    signature: &'a [u8],
}

struct RawEnvelope<'a> {
    protected: &'a [u8],
    payload: &'a [u8],
    signatures: Vec<RawSignature<'a>>,
}

impl<T: SignedClaims> Envelope<T> {
    /// Steps 3 and 4 of the verification.
    ///
    /// # Errors
    /// [`Code::Encoding`], [`Code::Envelope`], [`Code::Typ`], [`Code::Signatures`], [`Code::Algorithm`]
    pub fn open(bytes: &[u8]) -> Result<Self, Refusal> {
        let shape = |error: Malformed| Refusal::new(Code::Envelope, 4, error.to_string());
        if bytes.len() > T::PURPOSE.max_envelope() {
            return Err(Refusal::new(Code::Encoding, 3, format!("envelope of {} bytes", bytes.len())));
        }
        let encoding = |error: Malformed| Refusal::new(Code::Encoding, 3, error.to_string());
        cbor::check(bytes, Some(TAG_COSE_SIGN)).map_err(encoding)?;
        let raw = take_envelope(bytes).map_err(shape)?;
        let headers = raw.signatures.iter().map(|signature| signature.protected);
        headers.chain([raw.protected]).try_for_each(|header| cbor::check(header, None)).map_err(encoding)?;
        let types = take_types(raw.protected).map_err(shape)?;
        let signed: Vec<_> =
            raw.signatures.iter().map(|one| take_signer(one.protected)).collect::<Result<_, _>>().map_err(shape)?;
        if types != (T::PURPOSE.typ().as_str(), T::PURPOSE.content_type().as_str()) {
            return Err(Refusal::new(Code::Typ, 4, format!("typ {:?}, content type {:?}", types.0, types.1)));
        }
        let (Ok([first, second]), Ok([one, two])) =
            (<[_; 2]>::try_from(signed), <[RawSignature<'_>; 2]>::try_from(raw.signatures))
        else {
            return Err(Refusal::new(Code::Signatures, 4, "not exactly two signatures"));
        };
        let algorithms = (first.0, second.0);
        if algorithms != (Some(Which::Classical.cose()), Some(Which::PostQuantum.cose())) {
            return Err(Refusal::new(Code::Algorithm, 4, format!("algorithms {algorithms:?}, not (-51, -50)")));
        }
        let part = |chain, raw_signature: &RawSignature<'_>| SignaturePart {
            chain,
            signature: raw_signature.signature.to_vec(),
            message: message(raw.protected, raw_signature.protected, raw.payload),
        };
        let signatures = [part(first.1, &one), part(second.1, &two)];
        Ok(Self { payload: raw.payload.to_vec(), signatures, claims: PhantomData })
    }

    /// The claims as they stand in the envelope. **Nothing about them is verified**: it is for whoever made them, to see
    /// that a signer signed those and no others.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl<T: SignedClaims> Envelope<T> {
    /// What it says, *whoever signed it*: to be shown with a warning, never to be acted on.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn unverified(&self) -> Result<T, Malformed> {
        T::decode(&self.payload)
    }
}

/// The outer arrays. They are well encoded; here their shape counts.
fn take_envelope(bytes: &[u8]) -> Result<RawEnvelope<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let reader = &mut reader;
    if reader.item()? != Item::Tag(TAG_COSE_SIGN) {
        return reader.wrong("not tagged as COSE_Sign");
    }
    reader.tuple(4)?;
    let protected = reader.bytes()?;
    reader.fields()?.end(reader)?;
    let payload = reader.bytes()?;
    let signatures = reader.list(0, 64, |reader| {
        reader.tuple(3)?;
        let protected = reader.bytes()?;
        reader.fields()?.end(reader)?;
        Ok(RawSignature { protected, signature: reader.bytes()? })
    })?;
    Ok(RawEnvelope { protected, payload, signatures })
}

/// `typ` and content type.
fn take_types(header: &[u8]) -> Result<(&str, &str), Malformed> {
    let mut reader = Reader::new(header);
    let mut fields = reader.fields()?;
    fields.need(&mut reader, CONTENT_TYPE)?;
    let content_type = reader.text()?;
    fields.need(&mut reader, TYP)?;
    let typ = reader.text()?;
    fields.end(&reader)?;
    Ok((typ, content_type))
}

/// Algorithm, if it is a number, and chain of one signature.
fn take_signer(header: &[u8]) -> Result<(Option<i64>, Vec<Vec<u8>>), Malformed> {
    let mut reader = Reader::new(header);
    let mut fields = reader.fields()?;
    fields.need(&mut reader, ALG)?;
    // RFC 9052, 3.1: a number or a text; ours are numbers.
    let algorithm = match reader.clone().item()? {
        Item::Text(_) => reader.text().map(|_| None)?,
        _ => Some(reader.signed()?),
    };
    fields.need(&mut reader, X5CHAIN)?;
    let chain = match reader.clone().item()? {
        // RFC 9360: a single certificate stands alone.
        Item::Bytes(_) => vec![reader.bytes()?.to_vec()],
        _ => reader.list(2, 3, |reader| reader.bytes().map(<[u8]>::to_vec))?,
    };
    fields.end(&reader)?;
    Ok((algorithm, chain))
}

/// `Sig_structure` (RFC 9052, 4.4) over the protected headers as they stand.
fn message(body: &[u8], signer: &[u8], payload: &[u8]) -> Vec<u8> {
    let as_it_stands =
        |bytes: &[u8]| ProtectedHeader { original_data: Some(bytes.to_vec()), header: coset::Header::default() };
    let signer = Some(as_it_stands(signer));
    sig_structure_data(SignatureContext::CoseSignature, as_it_stands(body), signer, &[], payload)
}

/// Whoever holds the two keys: a process of its own, a token, or a test.
pub trait Signer {
    /// Certificates for one of the signatures in DER: the end certificate first, then intermediates, no anchor.
    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>>;

    /// Signs a message: *r* and *s* of 48 bytes each for ECDSA on P-384 with SHA-384 (a token that wants the digest
    /// gets SHA-384 of the message), or a pure ML-DSA-87 signature with empty context.
    ///
    /// # Errors
    /// Whatever kept the keys from signing, in words.
    fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String>;
}

/// Why nothing was signed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The claims break the rules of their own format.
    #[error("these claims would be refused: {0}")]
    Claims(Malformed),
    /// The keys did not sign.
    #[error("{algorithm:?} key: {reason}")]
    Keys {
        /// Which key.
        algorithm: Algorithm,
        /// In the words of the signer.
        reason: String,
    },
    /// The result would be refused.
    #[error("this envelope would be refused: {0}")]
    Envelope(Refusal),
    /// coset could not encode it.
    #[error("the envelope cannot be encoded: {0}")]
    Encode(String),
}

/// Signs claims with both keys.
///
/// # Errors
/// [`SealError`]; claims that a verifier would refuse are not signed.
pub fn seal<T: SignedClaims>(claims: &T, signer: &mut dyn Signer) -> Result<Vec<u8>, SealError> {
    let payload = claims.encode();
    T::decode(&payload).map_err(SealError::Claims)?;
    let encode = |error: coset::CoseError| SealError::Encode(error.to_string());
    let typ = i64::try_from(TYP).unwrap_or_default();
    let body = HeaderBuilder::new().content_type(T::PURPOSE.content_type()).value(typ, T::PURPOSE.typ().into()).build();
    let body_bytes = body.clone().to_vec().map_err(encode)?;
    let mut signatures = Vec::with_capacity(2);
    for algorithm in Which::BOTH {
        let header = signer_header(algorithm, signer.chain(algorithm));
        let header_bytes = header.clone().to_vec().map_err(encode)?;
        let signature = signer
            .sign(algorithm, &message(&body_bytes, &header_bytes, &payload))
            .map_err(|reason| SealError::Keys { algorithm, reason })?;
        let protected = ProtectedHeader { original_data: Some(header_bytes), header };
        signatures.push(CoseSignature { protected, unprotected: coset::Header::default(), signature });
    }
    let protected = ProtectedHeader { original_data: Some(body_bytes), header: body };
    let sign = CoseSign { protected, unprotected: coset::Header::default(), payload: Some(payload), signatures };
    let bytes = sign.to_tagged_vec().map_err(encode)?;
    Envelope::<T>::open(&bytes).map_err(SealError::Envelope)?;
    Ok(bytes)
}

fn signer_header(algorithm: Algorithm, chain: Vec<Vec<u8>>) -> coset::Header {
    let id = match algorithm {
        Which::Classical => iana::Algorithm::ESP384,
        Which::PostQuantum => iana::Algorithm::ML_DSA_87,
    };
    let mut certificates: Vec<_> = chain.into_iter().map(Value::Bytes).collect();
    let chain = match (certificates.pop(), certificates.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            certificates.extend(last);
            Value::Array(certificates)
        }
    };
    HeaderBuilder::new().algorithm(id).value(i64::try_from(X5CHAIN).unwrap_or_default(), chain).build()
}
