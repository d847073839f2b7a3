//! The thread that has the end of the chain signed: a token takes seconds, and nobody waits for it.
//!
//! The journal knows what is not signed yet ([`Journal::unsigned`]), also what a power cut left so. What could not be signed is
//! tried again a few times; after that, with whatever is to be signed next, and at the next start.

use super::checkpoint;
use crate::seal::turn;
use blanche_journal::Journal;
use blanche_keys::{SignerClient, SignerError};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvError, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Before each further attempt to sign the same. One that fails may leave a record: there is an end.
const PAUSES: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600)];

/// See the module.
pub(super) struct Checkpoints {
    look: Option<SyncSender<()>>,
    ending: Cancel,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Begins with what the journal has from before.
    pub(super) fn start(journal: Arc<Journal>, settings: Arc<Settings>) -> Self {
        let ending = Cancel::default();
        let stop = ending.clone();
        Self::signing(journal, ending, PAUSES, move |journal, again| sign(journal, &settings, &stop, again))
    }

    /// `sign` is told whether it was asked to sign the same before.
    pub(super) fn signing(
        journal: Arc<Journal>,
        ending: Cancel,
        pauses: [Duration; 3],
        sign: impl FnMut(&Journal, bool) + Send + 'static,
    ) -> Self {
        let (look, wanted) = mpsc::sync_channel(1);
        let keep_signed = move || keep_signed(&journal, &wanted, &pauses, sign);
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(keep_signed);
        let thread = thread.inspect_err(|error| tracing::error!("the journal will not be signed: {error}")).ok();
        Self { look: Some(look), ending, thread }
    }

    /// Something was recorded.
    pub(super) fn look(&self) {
        if let Some(look) = &self.look {
            // One that waits is enough. Without its thread, which was told, nothing is signed.
            let _ = look.try_send(());
        }
    }
}

impl Drop for Checkpoints {
    /// The last session's checkpoint is waited for.
    fn drop(&mut self) {
        self.look = None;
        self.ending.cancel();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("station alarm: the thread that signs the journal ended by a panic");
        }
    }
}

/// Works until nobody can ask any more.
fn keep_signed(journal: &Journal, wanted: &Receiver<()>, pauses: &[Duration], mut sign: impl FnMut(&Journal, bool)) {
    let mut tried = Tried { record: 0, times: 0, at: Instant::now() };
    loop {
        let unsigned = journal.unsigned().inspect_err(|error| tracing::error!("journal: {error}")).ok().flatten();
        let due = unsigned.and_then(|record| Some((record, tried.pause(record, pauses)?)));
        match due {
            Some((record, Duration::ZERO)) => {
                sign(journal, tried.again(record));
                // The keys may have been waited for.
                tried.at = Instant::now();
            }
            due => {
                if wait(wanted, due.map(|(_, pause)| pause)).is_err() {
                    return;
                }
            }
        }
    }
}

/// Until somebody asks, or a pause is over.
fn wait(wanted: &Receiver<()>, pause: Option<Duration>) -> Result<(), RecvError> {
    match pause.map(|pause| wanted.recv_timeout(pause)) {
        None => wanted.recv(),
        Some(Err(RecvTimeoutError::Disconnected)) => Err(RecvError),
        Some(Ok(()) | Err(RecvTimeoutError::Timeout)) => Ok(()),
    }
}

/// Attempts to sign the newest record that wants a signature.
struct Tried {
    record: u64,
    times: usize,
    at: Instant,
}

impl Tried {
    /// How long until the next one; nothing after the last.
    fn pause(&self, record: u64, pauses: &[Duration]) -> Option<Duration> {
        if record != self.record {
            return Some(Duration::ZERO);
        }
        let pause = pauses.get(self.times)?;
        Some(pause.saturating_sub(self.at.elapsed()))
    }

    /// Takes down the next one; whether there was one before.
    fn again(&mut self, record: u64) -> bool {
        let again = record == self.record;
        let times = if again { self.times.saturating_add(1) } else { 0 };
        *self = Self { record, times, at: Instant::now() };
        again
    }
}

/// Signs the end of the chain with this station's signer.
fn sign(journal: &Journal, settings: &Settings, ending: &Cancel, again: bool) {
    let signer = signer(settings, ending).map_err(|error| match settings.seal.keys.exists() {
        true => error.to_string(),
        false => "no keys are installed (docs/keys.md)".to_owned(),
    });
    match signer {
        // The journal says so already; keys for tags alone sign no checkpoint, however often they are asked (docs/keys.md).
        Err(why) if again => tracing::warn!("the journal is not signed: {why}"),
        Ok(signer) if again && signer.describe().is_ok_and(|keys| !keys.signs_checkpoints) => {}
        signer => {
            if let Err(error) = checkpoint(journal, signer.as_ref().map_err(String::as_str)) {
                tracing::error!("journal: {error}");
            }
        }
    }
}

/// The signer, when it is our turn. At the end of the station nobody waits for that longer than a signer does itself.
fn signer(settings: &Settings, ending: &Cancel) -> Result<SignerClient, SignerError> {
    match turn::signer(settings, ending, &mut || {})? {
        Some(signer) => Ok(signer),
        None => SignerClient::spawn(&settings.children.program("blanche-signer"), &settings.seal.keys),
    }
}
