//! Whether a journal is what was recorded: the steps of docs/journal.md, section 7.
//!
//! It never stops at the first fault: staff want to know how much of the rest can be relied on.

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::own::Stub;
use crate::reader::Reader;
use crate::segment::Log;
use crate::signed::{self, Outside};
use crate::walk::Walk;
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::{Crl, TrustStore};
use std::fmt;
use std::path::Path;
use uuid::Uuid;

/// Faults that are kept; more are counted.
const SHOWN: usize = 100;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $code:literal $english:literal $french:literal)*) => {
        /// What is wrong. The codes are stable: never reused nor renamed (docs/journal.md, section 7).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultKind { $($(#[$doc])* $name,)* }

        impl FaultKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The sentence: what is wrong.
            #[must_use]
            pub const fn sentence(self, french: bool) -> &'static str {
                match self { $(Self::$name => if french { $french } else { $english },)* }
            }
        }
    };
}

faults! {
    /// SQLite finds the file damaged, or it cannot be read.
    Database "J-DATABASE" "The file of a segment is damaged." "Le fichier d'un segment est endommagé."
    /// Tables, indexes or triggers are others than those of the format.
    Schema "J-SCHEMA" "The tables of a segment were changed." "Les tables d'un segment ont été modifiées."
    /// The header, the first or the last record of a segment do not fit.
    Segment "J-SEGMENT" "A segment is missing, or is not the one that belongs there." "Un segment manque, ou n'est pas celui attendu."
    /// A record is not canonical, or not of the form of a record.
    Record "J-RECORD" "A record is not what the station writes." "Un enregistrement n'est pas de la forme attendue."
    /// A record stands in the other log.
    Log "J-LOG" "A record stands in the wrong log." "Un enregistrement est dans le mauvais journal."
    /// A number is missing, or occurs twice.
    Sequence "J-SEQUENCE" "A record is missing, or was inserted." "Un enregistrement manque, ou a été inséré."
    /// A hash is not that of its record and the one before.
    Hash "J-HASH" "A record was altered." "Un enregistrement a été modifié."
    /// Times go down where nothing says that the clock was set back.
    Time "J-TIME" "Times go back where no record says so." "L'heure recule sans qu'un enregistrement l'indique."
    /// The list of digests is not that of the records.
    Index "J-INDEX" "The list of file digests is not that of the records." "La liste des empreintes ne correspond pas aux enregistrements."
    /// A checkpoint does not fit the chain.
    Checkpoint "J-CHECKPOINT" "A checkpoint does not fit the records." "Un point de contrôle ne correspond pas aux enregistrements."
    /// A signature of a checkpoint does not verify.
    Signature "J-SIGNATURE" "A checkpoint is not validly signed." "Un point de contrôle n'est pas valablement signé."
    /// A checkpoint from outside covers records that are not there.
    Truncated "J-TRUNCATED" "The newest records were cut off." "Les derniers enregistrements ont été coupés."
    /// A checkpoint from outside is of another journal.
    OtherJournal "J-OTHER" "This is another journal than the checkpoint's." "Ce journal n'est pas celui du point de contrôle."
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// At which record, if it can be told.
    pub sequence: Option<u64>,
    /// More, in English; hostile text is escaped.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind.as_str())?;
        if let Some(sequence) = self.sequence {
            write!(formatter, " at record {sequence}")?;
        }
        write!(formatter, ": {}", self.detail)
    }
}

/// By what a journal is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// Whose signatures count. Without, no signature is verified.
    pub trust: Option<(&'a TrustStore, &'a [Crl])>,
    /// The envelope of a checkpoint that was kept elsewhere.
    pub outside: Option<&'a [u8]>,
    /// Verify every signature, not only that of the newest checkpoint, which proves everything before it.
    pub every_signature: bool,
}

/// The newest checkpoint whose signatures verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// It came from outside.
    pub from_outside: bool,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verification {
    /// Identifier of the journal; absent if no header could be read.
    pub journal: Option<Uuid>,
    /// Segments that are there.
    pub segments: u64,
    /// Number of the first record that is there.
    pub first: u64,
    /// Number of the last one.
    pub last: u64,
    /// Hash of the chain after it.
    pub head: Option<ChainHash>,
    /// Records in the event log.
    pub events: u64,
    /// Records in the transfer log.
    pub transfers: u64,
    /// Signed checkpoints that are there.
    pub checkpoints: u64,
    /// What retention left of the segments that it deleted.
    pub deleted: Option<Stub>,
    /// The newest checkpoint that verified.
    pub proof: Option<Proof>,
    /// The checkpoint from outside covers only records that retention has deleted.
    pub outside_is_older: bool,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// How many there are in all.
    pub fault_count: u64,
}

impl Verification {
    pub(crate) fn new() -> Self {
        Self {
            journal: None,
            segments: 0,
            first: 0,
            last: 0,
            head: None,
            events: 0,
            transfers: 0,
            checkpoints: 0,
            deleted: None,
            proof: None,
            outside_is_older: false,
            faults: Vec::new(),
            fault_count: 0,
        }
    }

    /// Nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fault_count == 0
    }

    /// A checkpoint that verified covers what says that retention deleted the beginning: whoever may write the folder, but not
    /// sign, can record such a thing and delete what is inconvenient.
    #[must_use]
    pub fn is_deletion_signed(&self) -> bool {
        let covers = |stub: &Stub| self.proof.as_ref().is_some_and(|proof| stub.sequence <= proof.checkpoint.sequence);
        self.deleted.as_ref().is_none_or(covers)
    }

    pub(crate) fn fault(&mut self, kind: FaultKind, sequence: Option<u64>, detail: impl Into<String>) {
        self.fault_count = self.fault_count.saturating_add(1);
        if self.faults.len() < SHOWN {
            self.faults.push(Fault { kind, sequence, detail: detail.into() });
        }
    }

    pub(crate) fn count(&mut self, log: Log) {
        let counted = match log {
            Log::Event => &mut self.events,
            Log::Transfer => &mut self.transfers,
        };
        *counted = counted.saturating_add(1);
    }
}

/// Verifies the journal in a folder, as it is when this is called: what is recorded meanwhile may be left out.
///
/// # Errors
/// [`JournalError::Missing`], and what disk and SQLite say when a folder or a file cannot be read at all. Whatever is wrong
/// inside is a [`Fault`].
pub fn verify(folder: &Path, evidence: &Evidence<'_>) -> Result<Verification, JournalError> {
    let mut found = Verification::new();
    let parts = match Reader::open(folder) {
        Ok(reader) => reader.into_parts(),
        Err(JournalError::Damaged { file, what }) => {
            found.fault(FaultKind::Database, None, format!("{}: {what}", file.display()));
            return Ok(found);
        }
        Err(error) => return Err(error),
    };
    let outside = Outside::read(evidence, &mut found);
    let mut walk = Walk::new(&mut found, outside.as_ref().map(Outside::sequence));
    parts.iter().for_each(|part| walk.segment(part));
    let answer = walk.end();
    if let Some(outside) = outside {
        outside.judge(answer, &mut found);
    }
    signed::judge(&parts, evidence, &mut found);
    Ok(found)
}
