//! The tables of a segment (docs/journal.md, section 2, has the same text; a test compares them).
//!
//! Only `sequence`, `record` and `hash` hold something. What is searched by is computed from the record by SQLite itself, so
//! it cannot say anything else than the record.

/// `PRAGMA application_id`: "BLJ1".
pub(crate) const APPLICATION: i32 = 0x424C_4A31;

/// Everything that a segment is made of.
pub(crate) const SCHEMA: &str = "
CREATE TABLE segment (journal TEXT NOT NULL, number INTEGER NOT NULL, first INTEGER NOT NULL, previous TEXT NOT NULL) STRICT;
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY, record TEXT NOT NULL, hash BLOB NOT NULL,
    time TEXT AS (json_extract(record, '$.time')) VIRTUAL,
    kind TEXT AS (json_extract(record, '$.kind')) VIRTUAL,
    session TEXT AS (json_extract(record, '$.body.session')) VIRTUAL,
    serial TEXT AS (json_extract(record, '$.body.medium.serial')) VIRTUAL
) STRICT;
CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_session ON event (session) WHERE session IS NOT NULL;
CREATE INDEX event_serial ON event (serial) WHERE serial IS NOT NULL;
CREATE TABLE transfer (
    sequence INTEGER PRIMARY KEY, record TEXT NOT NULL, hash BLOB NOT NULL,
    time TEXT AS (json_extract(record, '$.time')) VIRTUAL,
    kind TEXT AS (json_extract(record, '$.kind')) VIRTUAL,
    session TEXT AS (json_extract(record, '$.body.session')) VIRTUAL,
    serial TEXT AS (json_extract(record, '$.body.medium.serial')) VIRTUAL,
    verdict TEXT AS (json_extract(record, '$.body.verdict')) VIRTUAL
) STRICT;
CREATE INDEX transfer_kind ON transfer (kind);
CREATE INDEX transfer_session ON transfer (session);
CREATE INDEX transfer_serial ON transfer (serial) WHERE serial IS NOT NULL;
CREATE INDEX transfer_verdict ON transfer (verdict) WHERE verdict IS NOT NULL;
CREATE TABLE file (sha256 TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (sha256, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (sequence INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
CREATE TRIGGER segment_is_one BEFORE INSERT ON segment WHEN (SELECT count(*) FROM segment) > 0
    BEGIN SELECT raise(ABORT, 'one segment in a file'); END;
CREATE TRIGGER event_follows BEFORE INSERT ON event
    WHEN NEW.sequence <> 1 + max((SELECT first - 1 FROM segment),
        coalesce((SELECT max(sequence) FROM event), 0), coalesce((SELECT max(sequence) FROM transfer), 0))
    BEGIN SELECT raise(ABORT, 'records follow each other'); END;
CREATE TRIGGER transfer_follows BEFORE INSERT ON transfer
    WHEN NEW.sequence <> 1 + max((SELECT first - 1 FROM segment),
        coalesce((SELECT max(sequence) FROM event), 0), coalesce((SELECT max(sequence) FROM transfer), 0))
    BEGIN SELECT raise(ABORT, 'records follow each other'); END;
CREATE TRIGGER transfer_files AFTER INSERT ON transfer
    BEGIN INSERT OR IGNORE INTO file
        SELECT json_extract(value, '$.sha256'), NEW.sequence FROM json_each(NEW.record, '$.body.files'); END;
CREATE TRIGGER checkpoint_is_new BEFORE INSERT ON checkpoint
    WHEN NEW.sequence <= coalesce((SELECT max(sequence) FROM checkpoint), 0)
    BEGIN SELECT raise(ABORT, 'checkpoints follow each other'); END;
CREATE TRIGGER segment_stays BEFORE UPDATE ON segment BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER segment_is_kept BEFORE DELETE ON segment BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER transfer_stays BEFORE UPDATE ON transfer BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER transfer_is_kept BEFORE DELETE ON transfer BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER file_stays BEFORE UPDATE ON file BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER file_is_kept BEFORE DELETE ON file BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint BEGIN SELECT raise(ABORT, 'append-only'); END;
CREATE TRIGGER checkpoint_is_kept BEFORE DELETE ON checkpoint BEGIN SELECT raise(ABORT, 'append-only'); END;
";
