//! Checkpoints: the end of the chain, signed by a process that this one cannot make sign anything else.

use crate::chain::{ChainHash, sha256_hex};
use crate::error::JournalError;
use crate::journal::{Journal, Position};
use crate::moment::Moment;
use crate::own::OwnEvent;
use crate::writer::Entry;
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::claims::Label;
use blanche_tag::envelope::Envelope;
use uuid::Uuid;

/// What is to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointRequest {
    /// Identifier of the journal.
    pub journal: Uuid,
    /// The newest record.
    pub sequence: u64,
    /// Hash of the chain after it.
    pub hash: ChainHash,
    /// The clock.
    pub time: Moment,
}

impl CheckpointRequest {
    /// The claims, for whoever says who signs and with which counter.
    #[must_use]
    pub fn claims(&self, station: Label, site: Label, counter: u64) -> Checkpoint {
        Checkpoint {
            journal: *self.journal.as_bytes(),
            station,
            site,
            issued: self.time.seconds(),
            counter,
            sequence: self.sequence,
            hash: self.hash.0,
        }
    }
}

/// What became of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Checkpointed {
    /// It was signed and recorded.
    Signed {
        /// Of the signer.
        counter: u64,
        /// The newest record that it covers.
        covers: u64,
        /// Of the event that names it.
        position: Position,
    },
    /// It was not signed. The journal goes on, and says so in an event.
    Unsigned {
        /// Why.
        reason: String,
        /// Of the event that says so.
        position: Position,
    },
}

impl Journal {
    /// The newest record that is to be covered by a checkpoint and is not: the end of a session or of a copy, or what is left of
    /// a segment that retention deleted. A crash, or a signer that refuses, leaves such records.
    ///
    /// # Errors
    /// [`JournalError::Poisoned`]
    pub fn unsigned(&self) -> Result<Option<u64>, JournalError> {
        let writer = self.writer()?;
        Ok(Some(writer.wanting).filter(|wanting| *wanting > writer.covered))
    }

    /// Has the end of the chain signed: whenever something is [`Journal::unsigned`]. `sign` gets what is to be signed and returns the envelope
    /// (docs/journal.md, section 6), or why there is none: no keys, a signer that refuses. Others may record meanwhile.
    ///
    /// # Errors
    /// As [`Journal::event`].
    pub fn checkpoint(
        &self,
        sign: &mut dyn FnMut(&CheckpointRequest) -> Result<Vec<u8>, String>,
    ) -> Result<Checkpointed, JournalError> {
        let _one_at_a_time = self.signing.lock().map_err(|_| JournalError::Poisoned)?;
        let (head, known) = {
            let writer = self.writer()?;
            (writer.head(), writer.counter)
        };
        let request =
            CheckpointRequest { journal: self.id(), sequence: head.sequence, hash: head.hash, time: Moment::now() };
        let signed = sign(&request).and_then(|envelope| Ok((check(&envelope, &request, known)?, envelope)));
        let mut writer = self.writer()?;
        match signed {
            Ok((counter, envelope)) => {
                let covers = request.sequence;
                let event = OwnEvent::Checkpoint { covers, counter, sha256: sha256_hex(&envelope) };
                let position = writer.append_checkpoint(self.settings(), &event, (covers, &envelope))?;
                (writer.counter, writer.covered) = (counter, covers);
                Ok(Checkpointed::Signed { counter, covers, position })
            }
            Err(reason) => {
                let event = OwnEvent::CheckpointMissing { reason: reason.clone() };
                let position = writer.append(self.settings(), &[Entry::own(&event)?])?;
                Ok(Checkpointed::Unsigned { reason, position })
            }
        }
    }
}

/// What was signed is what was asked, and its counter has risen.
fn check(envelope: &[u8], request: &CheckpointRequest, known: u64) -> Result<u64, String> {
    let opened = Envelope::<Checkpoint>::open(envelope).map_err(|refusal| refusal.to_string())?;
    let claims = opened.unverified().map_err(|error| error.to_string())?;
    if (claims.journal, claims.sequence, claims.hash) != (*request.journal.as_bytes(), request.sequence, request.hash.0)
    {
        return Err("the signer signed something else".to_owned());
    }
    if claims.counter <= known {
        return Err(format!("the counter of the signer did not rise: {}, {known} was seen", claims.counter));
    }
    Ok(claims.counter)
}
