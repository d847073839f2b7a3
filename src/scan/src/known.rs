//! Results that are known already: what the engines of this session say about a content, they would say again.
//!
//! A row is a content (both digests and its length), what the engines are told about it (extension, boot area) and
//! everything that shapes their answer (each engine, base, rule set and limit, the containers that are opened, the
//! matcher program and its libraries). Only complete and harmless results are kept, and only those of sessions that came to their
//! end. A row serves no other set of engines: with the first change of a base, all older rows go.
//!
//! Nothing but the engines is skipped: every byte is still read, and hashed by reader and matcher, and the parent
//! compares. Rows of the running session stand in a temporary database, so that the same content under several names
//! is matched once; they join the file when the session has ended well.

use crate::settings::{KnownResults as Settings, SettingsError, guard_own};
use blanche_sandbox::wire::{Cause, Container, ContentType, Digests, EngineSet, Finding, ScanPiece, Scanned, Severity};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Raised when rows mean something else than before.
const FORM: u32 = 1;
/// How long another session may hold the file when ours wants to add to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that shapes an answer of the engines, digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineKey([u8; 32]);

impl EngineKey {
    /// `process` holds the engines: another build of the matcher or of a library may judge otherwise with the same bases,
    /// so every file that it has mapped counts (proc(5), `/proc/PID/maps`). `tmpfs` is the room for unpacking in bytes.
    ///
    /// # Errors
    /// When the process or a file cannot be read.
    pub(crate) fn new(set: &EngineSet, opened: &[Container], tmpfs: u64, process: i32) -> io::Result<Self> {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
        let mapped: BTreeSet<&str> = maps.lines().filter_map(|line| line.get(line.find('/')?..)).collect();
        let mut digest = Sha256::new();
        digest.update(std::fs::read(format!("/proc/{process}/exe"))?);
        for file in mapped.iter().filter(|file| file.contains(".so")) {
            digest.update(Sha256::digest(std::fs::read(file)?));
        }
        let version = env!("CARGO_PKG_VERSION");
        let shaped = postcard::to_allocvec(&(FORM, version, set, opened, tmpfs)).map_err(io::Error::other)?;
        digest.update(shaped);
        Ok(Self(digest.finalize().into()))
    }
}

/// A result without what belongs to one place on one medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    content_type: ContentType,
    findings: Vec<Finding>,
    layers: u32,
}

impl Remembered {
    /// What of an answer may be kept: nothing that was not checked, nothing that a person must see.
    fn of(scanned: &Scanned) -> Option<Self> {
        let harmless = scanned.findings.iter().all(|finding| finding.severity == Severity::Info);
        let complete = scanned.not_checked.is_empty() && !scanned.disk_image;
        (harmless && complete).then(|| Self {
            content_type: scanned.content_type.clone(),
            findings: scanned.findings.clone(),
            layers: scanned.layers,
        })
    }

    /// The answer that the engines would have given for this piece.
    pub(crate) fn answer(self, piece: &ScanPiece, digests: Digests) -> Scanned {
        Scanned {
            entry: piece.entry,
            bytes: piece.length,
            digests,
            content_type: self.content_type,
            findings: self.findings,
            not_checked: Vec::<Cause>::new(),
            layers: self.layers,
            disk_image: false,
            cpu: blanche_sandbox::wire::EngineCpu::default(),
        }
    }
}

/// What the engines would be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question([u8; 32]);

/// The known results during one session.
#[derive(Debug)]
pub(crate) struct KnownResults {
    engines: EngineKey,
    /// Of this session, and what is kept from earlier ones.
    rows: Mutex<Rows>,
    most: u64,
}

#[derive(Debug)]
struct Rows {
    fresh: Option<Connection>,
    kept: Option<Connection>,
}

impl KnownResults {
    /// Opens the file of known results; whatever is wrong with it costs time, never a check.
    pub(crate) fn open(settings: &Settings, engines: EngineKey) -> Self {
        let complain = |error: &dyn std::error::Error| tracing::warn!("known results are not used: {error}");
        let fresh = temporary().inspect_err(|error| complain(error)).ok();
        let kept = settings.file_in_use().and_then(|file| match keep(file, engines) {
            Ok(kept) => Some(kept),
            Err(error) => {
                tracing::warn!("known results in {} are not used: {error}", file.display());
                None
            }
        });
        Self { engines, rows: Mutex::new(Rows { fresh, kept }), most: u64::from(settings.max) }
    }

    /// No results, neither now nor later.
    pub(crate) fn none() -> Self {
        Self { engines: EngineKey([0; 32]), rows: Mutex::new(Rows { fresh: None, kept: None }), most: 0 }
    }

    pub(crate) fn question(&self, piece: &ScanPiece, digests: &Digests) -> Question {
        let mut digest = Sha256::new();
        digest.update(self.engines.0);
        digest.update(digests.sha256);
        digest.update(digests.blake3);
        digest.update(piece.length.to_le_bytes());
        digest.update([u8::from(piece.area)]);
        digest.update(piece.extension.as_bytes());
        Question(digest.finalize().into())
    }

    /// What is known about it.
    pub(crate) fn look_up(&self, question: &Question) -> Option<Remembered> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let stores = [&rows.fresh, &rows.kept];
        let row = stores.into_iter().flatten().find_map(|store| {
            let found: rusqlite::Result<Option<Vec<u8>>> = store
                .prepare_cached("SELECT result FROM known WHERE question = ?1")
                .and_then(|mut select| select.query_row([question.0], |row| row.get(0)).optional());
            found.unwrap_or_else(|error| {
                tracing::warn!("a known result cannot be read: {error}");
                None
            })
        })?;
        postcard::from_bytes(&row).ok()
    }

    /// Keeps an answer, if it is one to be kept.
    pub(crate) fn remember(&self, question: &Question, scanned: &Scanned) {
        let Some(row) = Remembered::of(scanned).and_then(|kept| postcard::to_allocvec(&kept).ok()) else { return };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fresh) = &rows.fresh else { return };
        let added = fresh
            .prepare_cached("INSERT OR IGNORE INTO known (question, result) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![question.0, row]));
        if let Err(error) = added {
            tracing::warn!("known results are not kept any more: {error}");
            rows.fresh = None;
        }
    }

    /// The session has ended well: what it found out is kept for later ones.
    pub(crate) fn keep(self) {
        let rows = self.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (Some(fresh), Some(mut kept)) = (rows.fresh, rows.kept) else { return };
        if let Err(error) = merge(&fresh, &mut kept, self.engines, self.most) {
            tracing::warn!("known results of this session are not kept: {error}");
        }
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS known (
    number INTEGER PRIMARY KEY,
    question BLOB NOT NULL UNIQUE,
    result BLOB NOT NULL
) STRICT";

/// A database of its own that goes with its connection: in memory first, in an unlinked file when it grows.
fn temporary() -> rusqlite::Result<Connection> {
    let fresh = Connection::open("")?;
    fresh.pragma_update(None, "cache_size", -8192)?;
    fresh.execute_batch(TABLE)?;
    fresh.execute_batch("BEGIN")?;
    Ok(fresh)
}

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Guard(#[from] SettingsError),
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error("{0}")]
    File(#[from] io::Error),
}

/// Opens the file; one that is damaged is replaced by an empty one. Rows of other engines are thrown away.
fn keep(file: &Path, engines: EngineKey) -> Result<Connection, Unusable> {
    for beside in beside(file) {
        guard_own(&beside)?;
    }
    create(file)?;
    let kept = match prepare(file, engines) {
        Err(error) if is_damage(&error) => {
            tracing::warn!("{} is damaged ({error}), an empty one takes its place", file.display());
            remove(file)?;
            create(file)?;
            prepare(file, engines)?
        }
        other => other?,
    };
    Ok(kept)
}

/// Makes the file, if it is not there: nobody else needs to know which contents were here. SQLite gives its other files
/// the same rights.
fn create(file: &Path) -> io::Result<()> {
    File::options().create(true).append(true).mode(0o600).open(file).map(drop)
}

/// A database with its logs and the index of one (SQLite, "Temporary Files Used By SQLite").
fn beside(file: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

/// Removes a database with everything beside it.
fn remove(file: &Path) -> io::Result<()> {
    for name in beside(file) {
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn prepare(file: &Path, engines: EngineKey) -> rusqlite::Result<Connection> {
    let mut kept = Connection::open(file)?;
    kept.busy_timeout(PATIENCE)?;
    kept.pragma_update(None, "journal_mode", "WAL")?;
    let change = kept.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    change.execute_batch(TABLE)?;
    change.execute_batch("CREATE TABLE IF NOT EXISTS engines (key BLOB NOT NULL) STRICT")?;
    if key_of(&change)? != Some(engines.0) {
        change.execute_batch("DELETE FROM known; DELETE FROM engines")?;
        change.execute("INSERT INTO engines (key) VALUES (?1)", [engines.0])?;
    }
    change.commit()?;
    Ok(kept)
}

fn key_of(store: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    store.query_row("SELECT key FROM engines", [], |row| row.get(0)).optional()
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Adds the rows of a session. A file that has got other engines meanwhile stays as it is.
fn merge(fresh: &Connection, kept: &mut Connection, engines: EngineKey, most: u64) -> rusqlite::Result<()> {
    let change = kept.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if key_of(&change)? != Some(engines.0) {
        return Ok(());
    }
    {
        let mut insert = change.prepare("INSERT OR IGNORE INTO known (question, result) VALUES (?1, ?2)")?;
        let mut select = fresh.prepare("SELECT question, result FROM known ORDER BY number")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            insert.execute(params![row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?])?;
        }
    }
    // The oldest go first.
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    change.execute("DELETE FROM known WHERE number <= (SELECT max(number) FROM known) - ?1", [most])?;
    change.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{BaseInfo, EngineInfo, EngineLimits};

    const DIGESTS: Digests = Digests { sha256: [3; 32], blake3: [4; 32] };

    fn set(base: u8) -> EngineSet {
        EngineSet {
            engines: vec![EngineInfo {
                name: "clamav".to_owned(),
                version: "1".to_owned(),
                bases: vec![BaseInfo {
                    name: "daily.cvd".to_owned(),
                    version: None,
                    signatures: 1,
                    date: None,
                    sha256: [base; 32],
                }],
            }],
            limits: EngineLimits {
                max_file_size: 0,
                max_scan_size: 0,
                max_files: 0,
                max_recursion: 1,
                max_scan_time: 1,
                max_rules_time: 1,
                max_matcher_memory: 1,
            },
        }
    }

    fn key(base: u8) -> EngineKey {
        EngineKey::new(&set(base), &[Container::Zip], 1, i32::try_from(std::process::id()).expect("a number"))
            .expect("maps")
    }

    fn piece() -> ScanPiece {
        ScanPiece { area: false, entry: 7, offset: 0, length: 5, extension: "txt".into(), hash_only: false }
    }

    fn clean() -> Scanned {
        Remembered { content_type: ContentType::default(), findings: Vec::new(), layers: 1 }.answer(&piece(), DIGESTS)
    }

    fn settings(folder: &Path) -> Settings {
        Settings { file: Some(folder.join("known.sqlite")), ..Settings::default() }
    }

    fn kept(settings: &Settings, base: u8) -> bool {
        let known = KnownResults::open(settings, key(base));
        known.look_up(&known.question(&piece(), &DIGESTS)).is_some()
    }

    fn session(settings: &Settings, base: u8) {
        let known = KnownResults::open(settings, key(base));
        known.remember(&known.question(&piece(), &DIGESTS), &clean());
        known.keep();
    }

    #[test]
    fn a_result_serves_the_same_engines_and_dies_with_a_base() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        assert!(!kept(&settings, 1));
        session(&settings, 1);
        assert!(kept(&settings, 1));
        assert!(!kept(&settings, 2), "a new base asks its engines");
        assert!(!kept(&settings, 1), "and the rows of the old one are gone");
    }

    #[test]
    fn a_session_that_did_not_end_well_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let known = KnownResults::open(&settings, key(1));
        let question = known.question(&piece(), &DIGESTS);
        known.remember(&question, &clean());
        assert!(known.look_up(&question).is_some(), "within the session it is known");
        drop(known);
        assert!(!kept(&settings, 1));
    }

    #[test]
    fn a_session_that_ends_after_a_base_changed_adds_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let old = KnownResults::open(&settings, key(1));
        old.remember(&old.question(&piece(), &DIGESTS), &clean());
        assert!(!kept(&settings, 2));
        old.keep();
        let new = KnownResults::open(&settings, key(2));
        let rows = new.rows.lock().expect("rows");
        let count: i64 = rows
            .kept
            .as_ref()
            .expect("a file")
            .query_row("SELECT count(*) FROM known", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(count, 0);
    }

    #[test]
    fn what_is_not_complete_and_harmless_is_never_kept() {
        let known = KnownResults::open(&Settings { file: None, ..Settings::default() }, key(1));
        let question = known.question(&piece(), &DIGESTS);
        let finding = |severity| Finding { engine: "e".into(), name: "n".into(), severity, layer: Vec::new() };
        for bad in [
            Scanned { findings: vec![finding(Severity::Malicious)], ..clean() },
            Scanned { findings: vec![finding(Severity::Suspicious)], ..clean() },
            Scanned { not_checked: vec![Cause::EngineTimeout], ..clean() },
            Scanned { disk_image: true, ..clean() },
        ] {
            known.remember(&question, &bad);
            assert_eq!(known.look_up(&question), None, "{bad:?}");
        }
        known.remember(&question, &Scanned { findings: vec![finding(Severity::Info)], ..clean() });
        assert_eq!(known.look_up(&question).expect("harmless").findings.len(), 1);
    }

    #[test]
    fn every_part_of_a_question_counts() {
        let known = KnownResults::none();
        let question = known.question(&piece(), &DIGESTS);
        let others = [
            known.question(&ScanPiece { length: 6, ..piece() }, &DIGESTS),
            known.question(&ScanPiece { area: true, ..piece() }, &DIGESTS),
            known.question(&ScanPiece { extension: "exe".into(), ..piece() }, &DIGESTS),
            known.question(&piece(), &Digests { sha256: [0; 32], ..DIGESTS }),
            known.question(&piece(), &Digests { blake3: [0; 32], ..DIGESTS }),
            KnownResults::open(&Settings { file: None, ..Settings::default() }, key(9)).question(&piece(), &DIGESTS),
        ];
        assert!(others.iter().all(|other| *other != question));
        let elsewhere = known.question(&ScanPiece { entry: 9, offset: 512, ..piece() }, &DIGESTS);
        assert_eq!(elsewhere, question, "the place does not");
    }

    #[test]
    fn a_damaged_file_is_replaced_and_a_folder_of_others_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        std::fs::write(folder.path().join("known.sqlite"), [7; 9999]).expect("written");
        session(&settings, 1);
        assert!(kept(&settings, 1));
        let mode = std::fs::metadata(folder.path().join("known.sqlite")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A sticky folder as well: others could put a log beside the file.
        for rights in [0o777, 0o1777] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(rights)).expect("rights");
            assert!(!kept(&settings, 1));
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("rights");
        assert!(kept(&settings, 1));
    }

    #[test]
    fn the_oldest_rows_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings { max: 10, ..settings(folder.path()) };
        let known = KnownResults::open(&settings, key(1));
        let question = |length| known.question(&ScanPiece { length, ..piece() }, &DIGESTS);
        let questions: Vec<Question> = (0..30).map(question).collect();
        questions.iter().for_each(|question| known.remember(question, &clean()));
        known.keep();
        let known = KnownResults::open(&settings, key(1));
        let found: Vec<bool> = questions.iter().map(|question| known.look_up(question).is_some()).collect();
        assert_eq!(found, [[false; 20].as_slice(), &[true; 10]].concat());
    }
}
