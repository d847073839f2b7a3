//! Checkpoints of a station's journal: the hash of its chain at one record, signed together with the signer's own counter
//! (docs/journal.md, section 6; envelope, certificates and CRLs as docs/tag-format.md says for every purpose).

use crate::cbor::{self, Malformed, Reader, Writer};
use crate::claims::{Label, Opening, Sha256, Time, Uuid, put_opening, take_opening};
use crate::envelope::{Envelope, Purpose, SignedClaims};
use crate::policy::{Memory, Policy};
use crate::refusal::{Code, Refusal};
use crate::trust::{Crl, Origin, Signatory, TrustStore};
use std::ops::Deref;

/// The claims of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Identifier of the journal.
    pub journal: Uuid,
    /// Whose journal it is.
    pub station: Label,
    /// Where.
    pub site: Label,
    /// When it was signed.
    pub issued: Time,
    /// Of the signer: rises with everything that it signs.
    pub counter: u64,
    /// Sequence number of the newest record that it covers, from 1.
    pub sequence: u64,
    /// Hash of the chain after that record.
    pub hash: Sha256,
}

impl SignedClaims for Checkpoint {
    const PURPOSE: Purpose = Purpose::Checkpoint;

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        put_opening(&mut writer, 8, &self.journal, &self.station, &self.site, self.issued);
        writer.unsigned(5u8).unsigned(self.counter).unsigned(6u8).unsigned(self.sequence);
        writer.unsigned(7u8).bytes(&self.hash);
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        cbor::check(bytes, None)?;
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        let mut fields = reader.fields()?;
        let Opening { id: journal, station, site, issued } = take_opening(reader, &mut fields)?;
        fields.need(reader, 5)?;
        let counter = reader.unsigned()?;
        fields.need(reader, 6)?;
        let sequence = reader.unsigned()?;
        fields.need(reader, 7)?;
        let hash = reader.array_of()?;
        fields.end(reader)?;
        reader.end()?;
        if sequence == 0 {
            return reader.wrong("records count from 1");
        }
        Ok(Self { journal, station, site, issued, counter, sequence, hash })
    }

    fn station(&self) -> &Label {
        &self.station
    }

    fn site(&self) -> &Label {
        &self.site
    }
}

/// A checkpoint whose origin was verified. Only [`verify`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint(Checkpoint);

impl Deref for VerifiedCheckpoint {
    type Target = Checkpoint;

    fn deref(&self) -> &Checkpoint {
        &self.0
    }
}

/// Steps 3 to 10 of docs/tag-format.md, section 15, at the time that the checkpoint states: a journal is kept for years after
/// the certificates of its checkpoints have ended. A station that is on a CRL is refused whenever it signed; a CRL that is
/// missing, or old, is not.
///
/// # Errors
/// The first step that fails, as a [`Refusal`].
pub fn verify(bytes: &[u8], trust: &TrustStore, crls: &[Crl]) -> Result<VerifiedCheckpoint, Refusal> {
    let envelope = Envelope::<Checkpoint>::open(bytes)?;
    cbor::check(&envelope.payload, None).map_err(|error| Refusal::new(Code::Encoding, 9, error.to_string()))?;
    let malformed = |error: Malformed| Refusal::new(Code::Claims, 9, error.to_string());
    // Nothing is done with what it says but to look at the certificates of that time.
    let claims = envelope.unverified().map_err(malformed)?;
    let policy = Policy { require_crl: false, max_crl_age: u64::MAX, ..Policy::default() };
    let nothing = Memory::default();
    let origin = Origin { trust, crls, policy: &policy, known: &nothing, now: claims.issued };
    let Signatory { station, site, .. } = origin.verify(&envelope, &mut Memory::default())?;
    if (&claims.station, &claims.site) != (&station, &site) {
        let detail = format!("claims of {}.{}, certificates of {station}.{site}", claims.station, claims.site);
        return Err(Refusal::new(Code::Name, 10, detail));
    }
    Ok(VerifiedCheckpoint(claims))
}
