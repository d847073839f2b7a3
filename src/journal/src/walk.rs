//! From the first record to the last: what each must be after the one before it.

use crate::chain::{ChainHash, sha256_hex};
use crate::moment::Moment;
use crate::own::{OwnEvent, Stub};
use crate::reader::{self, Part};
use crate::schema::{APPLICATION, SCHEMA};
use crate::segment::{self, Kept, Log};
use crate::verify::{FaultKind, Verification};
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::envelope::Envelope;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A checkpoint that is kept in a segment.
struct Stored {
    sha256: String,
    /// Absent if it is none.
    claims: Option<Checkpoint>,
}

/// What the records before have said.
pub(crate) struct Walk<'a> {
    found: &'a mut Verification,
    /// The record before: number, hash, time.
    before: Option<(u64, ChainHash, Option<Moment>)>,
    /// Number of the segment before.
    segment: Option<u64>,
    /// The last record closed its segment.
    closed: bool,
    /// The segments before, the newest last: a segment may close while a checkpoint of its end is signed.
    earlier: Vec<&'a Connection>,
    counter: u64,
    /// The record about which somebody from outside knows something.
    asked: Option<u64>,
    answer: Option<ChainHash>,
    /// Number, first record, hash before it, of the first segment.
    start: Option<(u64, u64, ChainHash)>,
}

type Sql<T> = rusqlite::Result<T>;

impl<'a> Walk<'a> {
    pub(crate) fn new(found: &'a mut Verification, asked: Option<u64>) -> Self {
        Self {
            found,
            before: None,
            segment: None,
            closed: true,
            earlier: Vec::new(),
            counter: 0,
            asked,
            answer: None,
            start: None,
        }
    }

    fn fault(&mut self, kind: FaultKind, sequence: impl Into<Option<u64>>, detail: impl Into<String>) {
        self.found.fault(kind, sequence.into(), detail);
    }

    /// Walks through one segment.
    pub(crate) fn segment(&mut self, part: &'a Part) {
        self.found.segments = self.found.segments.saturating_add(1);
        let name = part.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Err(error) = self.check_file(part) {
            self.fault(FaultKind::Database, None, format!("{name}: {error}"));
        }
        self.check_header(part, &name);
        let walked = self.records(part);
        if let Err(error) = walked {
            self.fault(FaultKind::Database, None, format!("{name}: {error}"));
        }
        self.segment = Some(part.header.number);
        self.earlier.push(&part.connection);
    }

    /// What SQLite thinks of the file, and whether its tables are those of the format.
    fn check_file(&mut self, part: &Part) -> Sql<()> {
        let connection = &part.connection;
        let mut check = connection.prepare("PRAGMA integrity_check(5)")?;
        let said: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Sql<_>>()?;
        if said != ["ok"] {
            self.fault(FaultKind::Database, None, said.join("; "));
        }
        let model = Connection::open_in_memory()?;
        model.execute_batch(SCHEMA)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        if tables(connection)? != tables(&model)?
            || (number("application_id")?, number("user_version")?) != (APPLICATION, 1)
        {
            self.fault(FaultKind::Schema, None, format!("segment {}", part.header.number));
        }
        Ok(())
    }

    fn check_header(&mut self, part: &Part, name: &str) {
        let header = &part.header;
        let journal = *self.found.journal.get_or_insert(header.journal);
        let expected = self.before.map(|(last, hash, _)| (last.saturating_add(1), hash));
        let fits = match (self.segment, expected) {
            (Some(before), Some((first, previous))) => {
                header.number == before.saturating_add(1) && header.first == first && header.previous == previous
            }
            _ => true,
        };
        let named = segment::path_of(std::path::Path::new(""), header.number).to_str() == Some(name);
        if header.journal != journal || !fits || !named || !self.closed {
            self.fault(FaultKind::Segment, header.first, format!("{name} does not follow what is before it"));
        }
        if self.start.is_none() {
            self.start = Some((header.number, header.first, header.previous));
            self.found.first = header.first;
        }
        // Also behind a gap: what follows can still be intact.
        let time = self.before.and_then(|(_, _, time)| time);
        self.before = Some((header.first.saturating_sub(1), header.previous, time));
        self.closed = false;
    }

    fn records(&mut self, part: &Part) -> Sql<()> {
        let mut stored = stored(&part.connection)?;
        let mut digests = 0u64;
        let mut select = part.connection.prepare(
            "SELECT sequence, record, hash, 'event' FROM event
             UNION ALL SELECT sequence, record, hash, 'transfer' FROM transfer ORDER BY sequence",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let kept = segment::kept(row)?;
            let log = if row.get::<_, String>(3)? == "event" { Log::Event } else { Log::Transfer };
            self.link(&kept);
            self.found.count(log);
            match reader::read(&kept.record, kept.sequence) {
                Ok((stated, kind, time, body)) => {
                    if stated != log {
                        self.fault(FaultKind::Log, kept.sequence, format!("a record of the {} log", stated.as_str()));
                    }
                    self.own(part, &kept, &kind, &body, time, &mut stored)?;
                    digests = digests.saturating_add(self.digests(part, &kept, log, &body)?);
                }
                Err(what) => self.fault(FaultKind::Record, kept.sequence, what),
            }
        }
        let listed: u64 = part.connection.query_row("SELECT count(*) FROM file", [], |row| row.get(0))?;
        if listed != digests {
            self.fault(FaultKind::Index, None, format!("{listed} digests are listed, {digests} are recorded"));
        }
        for sequence in stored.into_keys() {
            self.fault(FaultKind::Checkpoint, sequence, "no record names this checkpoint");
        }
        Ok(())
    }

    /// Number and hash follow those before.
    fn link(&mut self, kept: &Kept) {
        let (number, hash, time) = self.before.unwrap_or((0, kept.hash, None));
        let expected = number.saturating_add(1);
        if kept.sequence != expected {
            self.fault(FaultKind::Sequence, kept.sequence, format!("{expected} was expected"));
        }
        if hash.then(&kept.record) != kept.hash {
            self.fault(FaultKind::Hash, kept.sequence, "its hash is not that of the record and the one before");
        }
        if self.closed {
            self.fault(FaultKind::Segment, kept.sequence, "a record after the one that closed its segment");
        }
        if self.asked == Some(kept.sequence) {
            self.answer = Some(kept.hash);
        }
        self.before = Some((kept.sequence, kept.hash, time));
        self.found.last = kept.sequence;
        self.found.head = Some(kept.hash);
    }

    /// What the journal says about itself.
    fn own(
        &mut self,
        part: &Part,
        kept: &Kept,
        kind: &str,
        body: &Value,
        time: Moment,
        stored: &mut BTreeMap<u64, Stored>,
    ) -> Sql<()> {
        let event = OwnEvent::read(kind, body);
        let was = self.before.and_then(|(_, _, time)| time);
        let set_back = matches!(&event, Some(OwnEvent::ClockSetBack { was: said }) if Some(said) == was.map(|was| was.to_string()).as_ref());
        if was.is_some_and(|was| time < was) && !set_back {
            self.fault(FaultKind::Time, kept.sequence, "earlier than the record before");
        }
        self.before = Some((kept.sequence, kept.hash, Some(time)));
        let opens = event == Some(OwnEvent::opened(&part.header));
        if opens != (kept.sequence == part.header.first) {
            self.fault(FaultKind::Segment, kept.sequence, "not the first record of this segment");
        }
        match event {
            Some(OwnEvent::SegmentClosed { number }) => {
                self.closed = true;
                if number != part.header.number {
                    self.fault(FaultKind::Segment, kept.sequence, format!("it closes segment {number}"));
                }
            }
            Some(event @ OwnEvent::SegmentDeleted { .. }) => self.found.deleted = Stub::of(kept.sequence, &event),
            Some(OwnEvent::Checkpoint { covers, counter, sha256 }) => {
                let stored = stored.remove(&covers);
                self.checkpoint(part, kept.sequence, (covers, counter, &sha256), stored)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An event that names a checkpoint, and the checkpoint that is kept.
    fn checkpoint(
        &mut self,
        part: &Part,
        sequence: u64,
        (covers, counter, sha256): (u64, u64, &str),
        stored: Option<Stored>,
    ) -> Sql<()> {
        let Some(stored) = stored else {
            self.fault(FaultKind::Checkpoint, sequence, "the checkpoint that it names is missing");
            return Ok(());
        };
        self.found.checkpoints = self.found.checkpoints.saturating_add(1);
        let hash = self.hash_at(part, covers)?;
        // There is nothing to compare it with, and it proves nothing (`signed::prove`).
        let deleted = hash.is_none() && covers < self.found.first;
        let journal = self.found.journal.map(uuid::Uuid::into_bytes);
        let fits = stored.claims.is_some_and(|claims| {
            (Some(claims.journal), claims.sequence, claims.counter) == (journal, covers, counter)
                && (deleted || Some(claims.hash) == hash.map(|hash| hash.0))
        });
        if !fits || stored.sha256 != sha256 || covers >= sequence {
            self.fault(FaultKind::Checkpoint, sequence, "the checkpoint that it names is another one");
        }
        if counter <= self.counter {
            self.fault(FaultKind::Checkpoint, sequence, format!("counter {counter} after {}", self.counter));
        }
        self.counter = self.counter.max(counter);
        Ok(())
    }

    /// Hash of the chain after a record; of those before the first one, only the last is known.
    fn hash_at(&self, part: &Part, sequence: u64) -> Sql<Option<ChainHash>> {
        for connection in std::iter::once(&part.connection).chain(self.earlier.iter().rev().copied()) {
            if let Some(kept) = segment::record(connection, sequence)? {
                return Ok(Some(kept.hash));
            }
        }
        let before = self.start.filter(|(_, first, _)| sequence.saturating_add(1) == *first);
        Ok(before.map(|(_, _, previous)| previous))
    }

    /// How many digests a record names; each must be listed.
    fn digests(&mut self, part: &Part, kept: &Kept, log: Log, body: &Value) -> Sql<u64> {
        let files = body.get("files").and_then(Value::as_array).filter(|_| log == Log::Transfer);
        let digest = |file: &Value| file.get("sha256").and_then(Value::as_str).map(str::to_owned);
        let digests: BTreeSet<String> = files.into_iter().flatten().filter_map(digest).collect();
        let mut find = part.connection.prepare_cached("SELECT 1 FROM file WHERE sha256 = ?1 AND sequence = ?2")?;
        for digest in &digests {
            if !find.exists((digest, kept.sequence))? {
                self.fault(FaultKind::Index, kept.sequence, "a digest of this record is not listed");
            }
        }
        Ok(u64::try_from(digests.len()).unwrap_or(u64::MAX))
    }

    /// Where the chain begins, once everything was seen. Returns the hash at the record that was asked for.
    pub(crate) fn end(mut self) -> Option<ChainHash> {
        if let Some((number, first, previous)) = self.start {
            let proved = if number == 1 {
                let start = self.found.journal.map(ChainHash::start);
                first == 1 && Some(previous) == start
            } else {
                let stub = self.found.deleted.as_ref();
                stub.is_some_and(|stub| {
                    (stub.number.saturating_add(1), stub.last.saturating_add(1), stub.hash) == (number, first, previous)
                })
            };
            if !proved {
                self.fault(FaultKind::Segment, first, "nothing proves what was before this record");
            }
        }
        self.answer
    }
}

/// Everything that a file consists of.
fn tables(connection: &Connection) -> Sql<Vec<(String, String, Option<String>)>> {
    let mut select = connection.prepare("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// The checkpoints that are kept in a segment, by the record that they cover.
fn stored(connection: &Connection) -> Sql<BTreeMap<u64, Stored>> {
    let mut select = connection.prepare("SELECT sequence, envelope FROM checkpoint")?;
    let read = |row: &rusqlite::Row<'_>| {
        let envelope: Vec<u8> = row.get(1)?;
        let opened = Envelope::<Checkpoint>::open(&envelope).ok();
        let claims = opened.and_then(|opened| opened.unverified().ok());
        Ok((row.get(0)?, Stored { sha256: sha256_hex(&envelope), claims }))
    };
    select.query_map([], read)?.collect()
}

/// The envelope of the checkpoint that covers this record.
pub(crate) fn envelope(connection: &Connection, sequence: u64) -> Sql<Option<Vec<u8>>> {
    let select = "SELECT envelope FROM checkpoint WHERE sequence = ?1";
    connection.query_row(select, [sequence], |row| row.get(0)).optional()
}
