//! Reports as memory files: one for each session, whoever asks how often, and a bounded amount of memory for all of them. It
//! is written once, and once more after each copy.
//!
//! Whoever got a file holds its memory for as long as he likes, so one that had to be given up is not written again at once.

use crate::session::SessionId;
use crate::session::view::SessionView;
use blanche_sandbox::content;
use blanche_scan::report::{CopyReport, Report};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that are kept beside the report that was asked for last. One of an ordinary medium has some thousands, one of a hostile
/// medium some ten millions.
const MOST: u64 = 64 << 20;
/// How long a report that was given up is not written again.
const PAUSE: Duration = Duration::from_secs(60);

/// See the module. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Held by who writes: one report at a time, and nobody else waits for it.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    kept: BTreeMap<SessionId, Document>,
    /// When reports were given up, of sessions that are not forgotten.
    given_up: BTreeMap<SessionId, Instant>,
    /// Whose report is being written, unless it was forgotten since.
    written: Option<SessionId>,
}

#[derive(Debug)]
struct Document {
    file: OwnedFd,
    bytes: u64,
    /// The copy that it tells of.
    copy: Option<Arc<CopyReport>>,
}

/// A report as it is given away.
#[derive(Serialize)]
struct Content<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<&'a CopyReport>,
}

impl Documents {
    /// The report of a session; everybody who asks gets a descriptor with an offset of its own (proc(5), `/proc/self/fd`).
    ///
    /// # Errors
    /// The kernel's, when it gives no memory; `NotFound` of a session without a report; `ResourceBusy` of a report that was
    /// given up within the last minute.
    pub(super) fn open(&self, view: &SessionView) -> io::Result<File> {
        let report = view.report().ok_or(io::ErrorKind::NotFound)?;
        let copy = view.copy.report.as_ref();
        if let Some(document) = self.state().find(view.id, copy) {
            return document.open();
        }
        let _alone = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut state = self.state();
            // Who was here before may have written it.
            if let Some(document) = state.find(view.id, copy) {
                return document.open();
            }
            state.may_be_written(view.id)?;
            state.written = Some(view.id);
        }
        self.written(view.id, write(report, copy))
    }

    /// A report was written, or could not be. It is kept unless its session was forgotten meanwhile.
    fn written(&self, id: SessionId, document: io::Result<Document>) -> io::Result<File> {
        let mut state = self.state();
        let wanted = state.written.take().is_some();
        let document = document?;
        let opened = document.open();
        if wanted {
            state.keep(id, document);
        }
        opened
    }

    /// Nobody can ask for the report of this session any more.
    pub(super) fn forget(&self, id: SessionId) {
        let mut state = self.state();
        state.written.take_if(|written| *written == id);
        state.given_up.remove(&id);
        let forgotten = state.kept.remove(&id);
        // The kernel takes a while to free it.
        drop(state);
        drop(forgotten);
    }

    /// Each step leaves the maps whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is kept, if it tells of the last copy.
    fn find(&self, id: SessionId, copy: Option<&Arc<CopyReport>>) -> Option<&Document> {
        let same = |document: &&Document| document.copy.as_ref().map(Arc::as_ptr) == copy.map(Arc::as_ptr);
        self.kept.get(&id).filter(same)
    }

    fn may_be_written(&self, id: SessionId) -> io::Result<()> {
        if self.given_up.get(&id).is_some_and(|at| at.elapsed() < PAUSE) {
            let why = "it is long, and was given up for others a moment ago; ask again in a minute";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
        }
        Ok(())
    }

    /// Keeps a report, and gives others up until there is room: the longest first, of those the oldest.
    fn keep(&mut self, id: SessionId, document: Document) {
        self.given_up.remove(&id);
        self.kept.remove(&id);
        while self.kept.values().map(|document| document.bytes).fold(0, u64::saturating_add) > MOST {
            // The numbers of sessions sort by time.
            let longest = self.kept.iter().max_by_key(|(id, document)| (document.bytes, Reverse(**id)));
            let Some(longest) = longest.map(|(id, _)| *id) else { break };
            self.kept.remove(&longest);
            self.given_up.insert(longest, Instant::now());
        }
        self.kept.insert(id, document);
    }
}

impl Document {
    fn open(&self) -> io::Result<File> {
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

/// Writes a report into a memory file that nobody can change.
fn write(report: &Report, copy: Option<&Arc<CopyReport>>) -> io::Result<Document> {
    let mut file = BufWriter::new(content::writable()?);
    serde_json::to_writer(&mut file, &Content { report, copy: copy.map(AsRef::as_ref) })?;
    file.flush()?;
    let file = content::seal(file.into_inner().map_err(io::IntoInnerError::into_error)?)?;
    let bytes = rustix::fs::fstat(&file)?.st_size.try_into().unwrap_or(u64::MAX);
    Ok(Document { file, bytes, copy: copy.cloned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::session::view::{Conclusion, MediumView, State};
    use crate::show::samples;
    use blanche_sandbox::wire::Cause;
    use blanche_scan::report::NotChecked;
    use std::collections::BTreeSet;
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    fn session(report: &Arc<Report>) -> SessionView {
        let conclusion = Some(Conclusion::Report(Arc::clone(report)));
        SessionView { conclusion, ..SessionView::new(State::Verdict, MediumView::default()) }
    }

    #[test]
    fn all_who_ask_share_one_memory_file_and_none_moves_the_place_of_another() {
        let (documents, report) = (Documents::default(), Arc::new(samples::clean()));
        let view = session(&report);
        let mut files: Vec<File> = (0..200).map(|_| documents.open(&view).unwrap()).collect();
        let different: BTreeSet<u64> = files.iter().map(|file| file.metadata().unwrap().ino()).collect();
        assert_eq!(different.len(), 1);
        let texts: BTreeSet<String> = files.iter_mut().map(|file| io::read_to_string(file).unwrap()).collect();
        assert_eq!(texts, BTreeSet::from([serde_json::to_string(&*report).unwrap()]));
        documents.forget(view.id);
        assert!(documents.state().kept.is_empty());
        // Who has it, has it.
        let mut late = [0; 1];
        assert!(files.pop().unwrap().read(&mut late).is_ok());
    }

    /// One of 11 MB.
    fn long() -> Arc<Report> {
        let mut report = samples::clean();
        let line = NotChecked {
            volume: Some(0),
            path: Some("x".repeat(1000)),
            path_bytes: None,
            offset: 0,
            length: 1,
            cause: Cause::Unreadable,
        };
        report.not_checked = vec![line; 10_000];
        Arc::new(report)
    }

    #[test]
    fn reports_of_many_hostile_media_cost_a_bounded_amount_of_memory() {
        let (documents, report) = (Documents::default(), long());
        let ordinary = session(&Arc::new(samples::clean()));
        documents.open(&ordinary).unwrap();
        let sessions: Vec<SessionView> = (0..30).map(|_| session(&report)).collect();
        for view in &sessions {
            documents.open(view).unwrap();
        }
        let kept: Vec<u64> = documents.state().kept.values().map(|document| document.bytes).collect();
        let all: u64 = kept.iter().sum();
        let longest = kept.iter().max().unwrap();
        assert!(kept.len() >= 6 && all <= MOST + longest, "{} files, {all} bytes", kept.len());
        assert!(documents.state().kept.contains_key(&ordinary.id), "it makes no room");
        // The oldest is given up, and can be had again, but not at once.
        assert!(!documents.state().kept.contains_key(&sessions[0].id));
        assert_eq!(documents.open(&sessions[0]).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        later(&documents);
        assert!(documents.open(&sessions[0]).unwrap().metadata().unwrap().len() > 10_000_000);
    }

    /// A minute later.
    fn later(documents: &Documents) {
        for at in documents.state().given_up.values_mut() {
            *at = at.checked_sub(PAUSE).unwrap();
        }
    }

    #[test]
    fn who_asks_for_long_reports_by_turns_and_keeps_them_gets_each_once_a_minute() {
        let documents = Documents::default();
        let report = long();
        let sessions: Vec<SessionView> = (0..10).map(|_| session(&report)).collect();
        let ask = |_| sessions.iter().filter_map(|view| documents.open(view).ok());
        let files: Vec<File> = (0..5).flat_map(ask).collect();
        let different =
            |files: &[File]| files.iter().map(|file| file.metadata().unwrap().ino()).collect::<BTreeSet<_>>();
        assert_eq!(different(&files).len(), sessions.len());
        assert!(files.len() >= sessions.len() + 4 * 5, "those that are kept can be had at any time");
        later(&documents);
        assert!(documents.open(&sessions[0]).is_ok());
        for view in &sessions {
            documents.forget(view.id);
        }
        let state = documents.state();
        assert!(state.kept.is_empty() && state.given_up.is_empty());
    }

    #[test]
    fn who_writes_a_report_keeps_nobody_waiting() {
        let (documents, report) = (Documents::default(), Arc::new(samples::clean()));
        let (ready, other) = (session(&report), session(&report));
        documents.open(&ready).unwrap();
        let writing = documents.0.writing.lock().unwrap();
        let (ours, its) = (documents.clone(), other.clone());
        let waits = std::thread::spawn(move || ours.open(&its).map(drop));
        documents.open(&ready).unwrap();
        documents.forget(ready.id);
        drop(writing);
        waits.join().unwrap().unwrap();
        assert!(documents.state().kept.keys().eq([&other.id]));
    }

    #[test]
    fn a_session_that_is_forgotten_while_its_report_is_written_leaves_nothing() {
        let (documents, report) = (Documents::default(), samples::clean());
        let id = SessionId::now_v7();
        for forgotten in [true, false] {
            documents.state().written = Some(id);
            let document = write(&report, None);
            if forgotten {
                documents.forget(id);
            }
            assert!(documents.written(id, document).unwrap().metadata().unwrap().len() > 0, "who asked gets it");
            assert_eq!(documents.state().kept.is_empty(), forgotten);
        }
    }
}
