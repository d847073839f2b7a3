//! Record: the journal of this station, with the signer of this station.
//!
//! `entries` puts what happened into the journal's words; the recorder keeps what the journal does not take, until it
//! does; after each session the end of the chain is signed, in a thread of its own.

mod entries;
#[cfg(test)]
mod tests;
mod unfinished;

use crate::session::Entry;
use blanche_journal::{Checkpointed, Event, EventKind, Journal, JournalError, JournalSettings};
use blanche_keys::SignerClient;
use blanche_scan::settings::Settings;
use blanche_tag::claims::Label;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two attempts to open a journal that cannot be opened.
const AGAIN: Duration = Duration::from_secs(10);
/// Entries that wait for a journal that cannot be written. A station that nobody mends for so long has refused to seal all
/// the while.
const WAITING: usize = 10_000;

/// The journal, and what it has not taken yet. Nothing is lost while the disk is full: it is written, in its order, when
/// there is room again.
pub(crate) struct Recorder {
    settings: JournalSettings,
    journal: Option<Arc<Journal>>,
    tried: Option<Instant>,
    waiting: VecDeque<Entry>,
    /// Entries for which there was no room to wait.
    lost: u64,
    checkpoints: Option<Checkpoints>,
    station: Arc<Settings>,
}

impl Recorder {
    pub(crate) fn new(station: Arc<Settings>) -> Self {
        let settings = settings(&station);
        Self { settings, journal: None, tried: None, waiting: VecDeque::new(), lost: 0, checkpoints: None, station }
    }

    /// Writes one entry after all that wait.
    ///
    /// # Errors
    /// Why the journal cannot be written; the entry waits.
    pub(crate) fn write(&mut self, entry: &Entry) -> Result<(), String> {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(entry.clone());
        } else {
            self.lost = self.lost.saturating_add(1);
        }
        self.flush()
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Why that cannot be done now.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        if self.waiting.is_empty() && self.journal.is_some() {
            return Ok(());
        }
        let journal = self.open()?;
        while let Some(entry) = self.waiting.front() {
            match entries::record(&journal, entry) {
                // Trying again would fail for ever, and keep everything behind it out.
                Err(JournalError::Record(_)) => {
                    tracing::error!("station alarm: an entry that the journal cannot hold: {entry:?}");
                    let alarm = Event::new(EventKind::Alarm).with("reason", "an entry that the journal cannot hold");
                    journal.event(alarm).map_err(|error| error.to_string())?;
                }
                written => written.map_err(|error| error.to_string())?,
            }
            if let (Entry::Concluded(_), Some(checkpoints)) = (entry, &self.checkpoints) {
                checkpoints.due();
            }
            self.waiting.pop_front();
        }
        if self.lost > 0 {
            let alarm = Event::new(EventKind::Alarm)
                .with("reason", "entries were lost while the journal could not be written")
                .with("entries", self.lost.to_string());
            journal.event(alarm).map_err(|error| error.to_string())?;
            self.lost = 0;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<Arc<Journal>, String> {
        if let Some(journal) = &self.journal {
            return Ok(Arc::clone(journal));
        }
        if self.tried.is_some_and(|at| at.elapsed() < AGAIN) {
            return Err("it cannot be opened".to_owned());
        }
        self.tried = Some(Instant::now());
        let journal = Arc::new(Journal::open(&self.settings).map_err(|error| error.to_string())?);
        unfinished::close(&journal).map_err(|error| error.to_string())?;
        self.journal = Some(Arc::clone(&journal));
        self.checkpoints = Some(Checkpoints::start(Arc::clone(&journal), Arc::clone(&self.station)));
        Ok(journal)
    }
}

/// The thread that has the end of the chain signed: a token takes seconds, and nobody waits for it.
struct Checkpoints {
    due: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    fn start(journal: Arc<Journal>, settings: Arc<Settings>) -> Self {
        let (due, wanted) = mpsc::channel();
        let sign = move || {
            while wanted.recv().is_ok() {
                // One signature covers everything before it.
                while wanted.try_recv().is_ok() {}
                let signer = SignerClient::spawn(&settings.children.program("blanche-signer"), &settings.seal.keys);
                let signer = signer.inspect_err(|error| tracing::warn!("the journal is not signed: {error}")).ok();
                if let Err(error) = checkpoint(&journal, signer.as_ref()) {
                    tracing::error!("journal: {error}");
                }
            }
        };
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(sign);
        let thread = thread.inspect_err(|error| tracing::error!("the journal will not be signed: {error}")).ok();
        Self { due: Some(due), thread }
    }

    fn due(&self) {
        if let Some(due) = &self.due {
            // Without its thread, which was told, nothing is signed.
            let _ = due.send(());
        }
    }
}

impl Drop for Checkpoints {
    /// The last session's checkpoint is waited for.
    fn drop(&mut self) {
        self.due = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("station alarm: the thread that signs the journal ended by a panic");
        }
    }
}

/// The journal as the configuration wants it.
#[must_use]
pub fn settings(settings: &Settings) -> JournalSettings {
    let journal = &settings.journal;
    JournalSettings {
        folder: journal.folder.clone(),
        segment_bytes: journal.segment,
        keep: journal.keep,
        max_bytes: journal.max_size,
    }
}

/// Signs the end of the chain: after each closing record. Without a signer, or if it refuses, the journal says so.
///
/// # Errors
/// [`JournalError`]: neither the checkpoint nor its absence could be recorded, and sealing must stop.
pub fn checkpoint(journal: &Journal, signer: Option<&SignerClient>) -> Result<Checkpointed, JournalError> {
    journal.checkpoint(&mut |request| {
        let signer = signer.ok_or("no keys are installed (docs/keys.md)")?;
        let description = signer.describe().map_err(|error| error.to_string())?;
        let label = |text: &str| Label::try_from(text).map_err(|error| error.to_string());
        let (station, site) = (label(&description.station)?, label(&description.site)?);
        let claims = request.claims(station, site, description.next_counter);
        signer.sign_checkpoint(&claims).map_err(|error| error.to_string())
    })
}
