//! Signatures: of the checkpoints that the journal keeps, and of one that was kept elsewhere.

use crate::chain::ChainHash;
use crate::reader::Part;
use crate::verify::{Evidence, FaultKind, Proof, Verification};
use crate::walk;
use blanche_tag::checkpoint::{self, Checkpoint};
use blanche_tag::envelope::Envelope;
use blanche_tag::{Crl, TrustStore};

/// A checkpoint from outside.
pub(crate) struct Outside {
    claims: Checkpoint,
    /// By somebody whom the evidence trusts.
    verified: bool,
}

impl Outside {
    /// Takes it apart and verifies it. One that is none, or not validly signed, is a fault, and says nothing.
    pub(crate) fn read(evidence: &Evidence<'_>, found: &mut Verification) -> Option<Self> {
        let envelope = evidence.outside?;
        let opened = Envelope::<Checkpoint>::open(envelope).map_err(|refusal| refusal.to_string());
        let claims = opened.and_then(|opened| opened.unverified().map_err(|error| error.to_string()));
        let signed = evidence.trust.map_or(Ok(()), |trust| verified(envelope, trust).map(|_| ()));
        match (claims, signed) {
            (Ok(claims), Ok(())) => Some(Self { claims, verified: evidence.trust.is_some() }),
            (Err(what), _) | (_, Err(what)) => {
                found.fault(FaultKind::Signature, None, format!("the checkpoint from outside: {what}"));
                None
            }
        }
    }

    /// The record that it covers.
    pub(crate) fn sequence(&self) -> u64 {
        self.claims.sequence
    }

    /// Compares it with the chain; `answer` is the hash there.
    pub(crate) fn judge(self, answer: Option<ChainHash>, found: &mut Verification) {
        let Checkpoint { sequence, journal, .. } = self.claims;
        if found.journal.is_some_and(|own| *own.as_bytes() != journal) {
            found.fault(FaultKind::OtherJournal, None, "its identifier is not that of the checkpoint");
            return;
        }
        match answer {
            Some(hash) if hash.0 == self.claims.hash => {
                if self.verified {
                    found.proof = Some(Proof { checkpoint: self.claims, from_outside: true });
                }
            }
            Some(_) => {
                found.fault(FaultKind::Checkpoint, sequence.into(), "the checkpoint from outside has another hash")
            }
            None if sequence > found.last => {
                let detail = format!("the checkpoint from outside covers it, the last record is {}", found.last);
                found.fault(FaultKind::Truncated, sequence.into(), detail);
            }
            None if sequence < found.first => found.outside_is_older = true,
            None => found.fault(FaultKind::Sequence, sequence.into(), "the checkpoint from outside covers it"),
        }
    }
}

fn verified(envelope: &[u8], (trust, crls): (&TrustStore, &[Crl])) -> Result<Checkpoint, String> {
    checkpoint::verify(envelope, trust, crls).map(|verified| (*verified).clone()).map_err(|refusal| refusal.to_string())
}

/// Verifies the signatures of the newest checkpoint, or of all.
pub(crate) fn judge(parts: &[Part], evidence: &Evidence<'_>, found: &mut Verification) {
    let Some(trust) = evidence.trust else { return };
    for part in parts.iter().rev() {
        let sequences = match covered(part) {
            Ok(sequences) => sequences,
            Err(error) => {
                found.fault(FaultKind::Database, None, error.to_string());
                continue;
            }
        };
        for sequence in sequences {
            let envelope = match walk::envelope(&part.connection, sequence) {
                Ok(envelope) => envelope.unwrap_or_default(),
                Err(error) => {
                    found.fault(FaultKind::Database, sequence.into(), error.to_string());
                    continue;
                }
            };
            match verified(&envelope, trust) {
                Ok(checkpoint) => prove(checkpoint, found),
                Err(what) => found.fault(FaultKind::Signature, sequence.into(), what),
            }
            if !evidence.every_signature {
                return;
            }
        }
    }
}

/// Keeps the newest. One that covers only what retention deleted proves nothing of what is there.
fn prove(checkpoint: Checkpoint, found: &mut Verification) {
    if checkpoint.sequence < found.first {
        return;
    }
    let newer = |proof: &Proof| proof.checkpoint.sequence < checkpoint.sequence;
    if found.proof.as_ref().is_none_or(newer) {
        found.proof = Some(Proof { checkpoint, from_outside: false });
    }
}

/// The records that checkpoints of a segment cover, the newest first.
fn covered(part: &Part) -> rusqlite::Result<Vec<u64>> {
    let mut select = part.connection.prepare("SELECT sequence FROM checkpoint ORDER BY sequence DESC")?;
    select.query_map([], |row| row.get(0))?.collect()
}
