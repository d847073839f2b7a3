//! Record: the journal of this station, with the signer of this station.
//!
//! `entries` puts what happened into the journal's words; `repeats` counts what is only more of the same; the recorder keeps
//! what the journal does not take (`waiting`), until it does; what closes a session is signed with the end of the chain, in
//! a thread of its own (`checkpoints`).

mod checkpoints;
mod configuration;
mod copies;
mod entries;
mod rate;
mod repeats;
#[cfg(test)]
mod tests;
mod unfinished;
mod waiting;

use crate::session::Entry;
use blanche_journal::{Checkpointed, Event, EventKind, Journal, JournalError, JournalSettings, Record};
use blanche_keys::SignerClient;
use blanche_scan::settings::Settings;
use blanche_tag::claims::Label;
use checkpoints::Checkpoints;
use entries::Under;
use repeats::Repeats;
use std::sync::Arc;
use std::time::{Duration, Instant};
use waiting::Waiting;

/// Between two attempts to open a journal that cannot be opened.
const AGAIN: Duration = Duration::from_secs(10);
/// How long one call writes of what waits, beyond the first entry: each is flushed to the disk, thousands may wait, and a thread that
/// does not turn is ended by the watchdog (WatchdogSec=).
const TURN: Duration = Duration::from_millis(500);
/// The same for the end of the station, after which there is no other turn.
pub(crate) const LAST_TURN: Duration = Duration::from_secs(10);
/// Why the journal is behind although it can be written.
const BEHIND: &str = "what waited for it is being written";

/// The journal, and what it has not taken yet. Nothing is lost while the disk is full: it is written, in its order, when
/// there is room again.
pub(crate) struct Recorder {
    settings: JournalSettings,
    journal: Option<Arc<Journal>>,
    /// When it could not be opened, and why.
    tried: Option<(Instant, String)>,
    waiting: Waiting,
    /// When a turn ended before everything was written.
    turned: Option<Instant>,
    repeats: Repeats,
    under: Under,
    checkpoints: Option<Checkpoints>,
    station: Arc<Settings>,
}

impl Recorder {
    pub(crate) fn new(station: Arc<Settings>) -> Self {
        let settings = settings(&station);
        let policy = format!("{} {}", station.seal.policy, station.seal.policy_version);
        let under = Under { policy, settings: configuration::digest(&station) };
        let (waiting, repeats) = (Waiting::default(), Repeats::default());
        Self { settings, journal: None, tried: None, waiting, turned: None, repeats, under, checkpoints: None, station }
    }

    /// Bytes per second of the last sessions; nothing when the journal tells of none, or cannot be read.
    pub(crate) fn rate(&self) -> Option<u64> {
        let reader = self.journal.as_ref()?.reader();
        let rate = reader.and_then(|reader| rate::of(&reader));
        rate.inspect_err(|error| tracing::warn!("journal: {error}")).ok().flatten()
    }

    /// Writes one entry after all that wait.
    ///
    /// # Errors
    /// Why the entry is not in the journal; it waits.
    pub(crate) fn write(&mut self, entry: &Entry) -> Result<(), String> {
        let (behind, last) = (self.is_behind(), matches!(entry, Entry::Stopped));
        if last {
            self.count(true);
        }
        if self.repeats.is_recorded(entry, Instant::now()) {
            self.waiting.push(entries::records(entry, &self.under));
        }
        match last {
            true => self.write_last(),
            false => self.turn(behind),
        }
    }

    /// Writes what waits, or begins to.
    ///
    /// # Errors
    /// Why something waits still.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        // Whoever writes in between hears its messages for as long as it has written.
        if self.is_behind() && self.turned.is_some_and(|at| at.elapsed() < TURN) {
            return Err(BEHIND.to_owned());
        }
        self.turn(self.is_behind())
    }

    fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A slow disk holds nobody up who was not behind.
    fn turn(&mut self, behind: bool) -> Result<(), String> {
        self.flush_within(if behind { TURN } else { Duration::MAX })
    }

    /// What is not written within the last turn is counted as lost.
    fn write_last(&mut self) -> Result<(), String> {
        self.flush_within(LAST_TURN).or_else(|_| {
            self.waiting.keep_newest();
            self.flush_within(Duration::ZERO)
        })
    }

    fn flush_within(&mut self, limit: Duration) -> Result<(), String> {
        self.count(false);
        match self.flush_all(limit) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.turned = Some(Instant::now());
                Err(BEHIND.to_owned())
            }
            Err(why) => {
                self.waiting.shorten();
                Err(why)
            }
        }
    }

    /// Takes down what was only counted, when it is time for that.
    fn count(&mut self, all: bool) {
        for count in self.repeats.due(Instant::now(), all) {
            self.waiting.push(vec![entries::repeated(&count)]);
        }
    }

    /// Whether nothing waits any more.
    fn flush_all(&mut self, limit: Duration) -> Result<bool, String> {
        if self.waiting.is_empty() && self.waiting.lost == 0 && self.journal.is_some() {
            return Ok(true);
        }
        let journal = self.open()?;
        let begun = Instant::now();
        while let Some(entry) = self.waiting.front() {
            match journal.append(entry.records.clone()).map(|_| ()) {
                // Trying again would fail for ever, and keep everything behind it out.
                Err(JournalError::Record(why)) => {
                    tracing::error!("station alarm: the journal cannot hold {}: {why}", entry.described());
                    let alarm = Event::new(EventKind::Alarm).with("reason", "an entry that the journal cannot hold");
                    let bare = std::iter::once(Record::Event(alarm.clone())).chain(entries::bare(&entry.records));
                    match journal.append(bare.collect()).map(|_| ()) {
                        Err(JournalError::Record(_)) => journal.event(alarm).map(|_| ()),
                        written => written,
                    }
                    .map_err(|error| error.to_string())?;
                }
                written => written.map_err(|error| error.to_string())?,
            }
            self.waiting.pop();
            self.checkpoints.iter().for_each(Checkpoints::look);
            if begun.elapsed() >= limit && !self.waiting.is_empty() {
                return Ok(false);
            }
        }
        if self.waiting.lost > 0 {
            let alarm = Event::new(EventKind::Alarm)
                .with("reason", "entries were lost while the journal could not be written")
                .with("entries", self.waiting.lost.to_string());
            journal.event(alarm).map_err(|error| error.to_string())?;
            self.waiting.lost = 0;
        }
        Ok(true)
    }

    fn open(&mut self) -> Result<Arc<Journal>, String> {
        if let Some(journal) = &self.journal {
            return Ok(Arc::clone(journal));
        }
        if let Some((_, why)) = self.tried.as_ref().filter(|(at, _)| at.elapsed() < AGAIN) {
            return Err(why.clone());
        }
        self.begin().inspect_err(|why| self.tried = Some((Instant::now(), why.clone())))
    }

    fn begin(&mut self) -> Result<Arc<Journal>, String> {
        let journal = Arc::new(Journal::open(&self.settings).map_err(|error| error.to_string())?);
        unfinished::close(&journal).map_err(|error| error.to_string())?;
        let changed = configuration::change(&journal, &self.station).map_err(|error| error.to_string())?;
        if let Some(changed) = changed {
            journal.event(changed).map_err(|error| error.to_string())?;
        }
        self.journal = Some(Arc::clone(&journal));
        self.checkpoints = Some(Checkpoints::start(Arc::clone(&journal), Arc::clone(&self.station)));
        Ok(journal)
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

/// Signs the end of the chain. Why there is no signer, or why it refused, the journal says.
///
/// # Errors
/// [`JournalError`]: neither the checkpoint nor its absence could be recorded, and sealing must stop.
pub fn checkpoint(journal: &Journal, signer: Result<&SignerClient, &str>) -> Result<Checkpointed, JournalError> {
    journal.checkpoint(&mut |request| {
        let signer = signer?;
        let description = signer.describe().map_err(|error| error.to_string())?;
        let label = |text: &str| Label::try_from(text).map_err(|error| error.to_string());
        let (station, site) = (label(&description.station)?, label(&description.site)?);
        let claims = request.claims(station, site, description.next_counter);
        signer.sign_checkpoint(&claims).map_err(|error| error.to_string())
    })
}
