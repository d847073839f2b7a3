//! What the daemon holds for copying: what scans left, and readers that look at media in output ports.

use super::{LOOK, Message};
use crate::detect::Disk;
use crate::session::copying::look_at;
use crate::session::view::{Contents, OutputId};
use crate::session::work::Kept;
use crate::session::{Input, SessionId};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Longest look at what is on a medium: the person who wants to write it waits.
const LONGEST: Duration = Duration::from_secs(30);
/// Readers at most, with those whose medium does not answer: each of them holds a thread until it does.
const AT_ONCE: usize = 16;

/// See the module.
#[derive(Default)]
pub(super) struct Copies {
    kept: BTreeMap<SessionId, Arc<Kept>>,
    looks: BTreeMap<OutputId, Look>,
}

/// A reader at work.
struct Look {
    cancel: Cancel,
    since: Instant,
    thread: std::thread::JoinHandle<()>,
    /// Its medium did not answer in time, and the machine was told so.
    given_up: bool,
}

impl Copies {
    pub(super) fn keep(&mut self, id: SessionId, kept: Box<Kept>) {
        self.kept.insert(id, Arc::from(kept));
    }

    pub(super) fn kept(&self, id: SessionId) -> Option<Arc<Kept>> {
        self.kept.get(&id).cloned()
    }

    /// Lets the medium of a session and everything that is known of it go.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.kept.remove(&id);
    }

    /// Has a medium looked at; the answer comes as a message.
    pub(super) fn look(&mut self, id: OutputId, disk: Disk, settings: &Arc<Settings>, sender: &Sender<Message>) {
        let settings = Arc::clone(settings);
        self.begin(id, sender, move |stop| look_at(&disk, &settings, stop));
    }

    /// Has `work` look at a medium, in a thread of its own if there may be one more.
    fn begin(
        &mut self,
        id: OutputId,
        sender: &Sender<Message>,
        work: impl FnOnce(&Cancel) -> Contents + Send + 'static,
    ) {
        let cancel = Cancel::default();
        let (answers, stop) = (sender.clone(), cancel.clone());
        let work = move || {
            let contents = work(&stop);
            // A daemon that has ended wants to hear nothing more.
            let _ = answers.send(Message::Input(Input::Looked(id, contents)));
        };
        let started = if self.looks.len() < AT_ONCE {
            std::thread::Builder::new().name("look".to_owned()).spawn(work)
        } else {
            Err(std::io::Error::other("too many media do not answer; pull them out"))
        };
        match started {
            Ok(thread) => {
                self.looks.insert(id, Look { cancel, since: Instant::now(), thread, given_up: false });
            }
            Err(error) => {
                tracing::warn!("no thread to look at a medium: {error}");
                // This very thread hears it.
                let _ = sender.send(Message::Input(Input::Looked(id, Contents::Unknown)));
            }
        }
    }

    pub(super) fn stop_looking(&self, id: OutputId) {
        if let Some(look) = self.looks.get(&id) {
            look.cancel.cancel();
        }
    }

    /// Stops those that take too long, and forgets those that have ended. Gives back those that said nothing, each once: it
    /// ended by a panic, or its medium does not answer.
    pub(super) fn look_no_longer(&mut self, now: Instant) -> Vec<OutputId> {
        let mut silent = Vec::new();
        for (id, look) in &mut self.looks {
            let time = now.saturating_duration_since(look.since);
            if time >= LONGEST {
                look.cancel.cancel();
            }
            if time >= LONGEST + LOOK && !look.given_up && !look.thread.is_finished() {
                tracing::warn!("a medium in an output port does not answer");
                look.given_up = true;
                silent.push(*id);
            }
        }
        let is_over = |(id, look): (&OutputId, &Look)| look.thread.is_finished().then_some(*id);
        let over: Vec<OutputId> = self.looks.iter().filter_map(is_over).collect();
        for id in over {
            let Some(look) = self.looks.remove(&id) else { continue };
            if look.thread.join().is_err() && !look.given_up {
                silent.push(id);
            }
        }
        silent
    }

    /// Whether a reader still works that may be waited for: one whose medium does not answer keeps nobody.
    pub(super) fn is_looking(&self) -> bool {
        self.looks.values().any(|look| !look.given_up)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::sync::mpsc::{self, Receiver};

    /// A reader whose medium answers when the sender is dropped.
    fn silent(copies: &mut Copies, sender: &Sender<Message>) -> (OutputId, Sender<()>) {
        let (id, (wake, waits)) = (OutputId::now_v7(), mpsc::channel::<()>());
        copies.begin(id, sender, move |_| {
            let _ = waits.recv();
            Contents::Blank
        });
        (id, wake)
    }

    fn looked(inbox: &Receiver<Message>) -> (OutputId, Contents) {
        match inbox.recv_timeout(Duration::from_secs(60)).unwrap() {
            Message::Input(Input::Looked(id, contents)) => (id, contents),
            _ => unreachable!("nothing else is sent"),
        }
    }

    #[test]
    fn a_medium_that_does_not_answer_is_given_up_once_and_keeps_nobody() {
        let (mut copies, (sender, inbox)) = (Copies::default(), mpsc::channel());
        let before = Instant::now();
        let (id, wake) = silent(&mut copies, &sender);
        let after = Instant::now();
        assert!(copies.look_no_longer(before + LONGEST).is_empty(), "it is told to stop first");
        assert!(copies.is_looking());
        assert_eq!(copies.look_no_longer(after + LONGEST + LOOK), [id]);
        assert!(copies.look_no_longer(after + 2 * LONGEST).is_empty(), "told once");
        assert!(!copies.is_looking());
        drop(wake);
        assert_eq!(looked(&inbox), (id, Contents::Blank));
        let until = Instant::now() + Duration::from_secs(60);
        while !copies.looks.is_empty() {
            assert!(Instant::now() < until && copies.look_no_longer(after).is_empty(), "nothing more is said");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn media_that_do_not_answer_cost_a_bounded_number_of_threads() {
        let (mut copies, (sender, inbox)) = (Copies::default(), mpsc::channel());
        let held: Vec<_> = (0..AT_ONCE).map(|_| silent(&mut copies, &sender)).collect();
        assert!(inbox.try_recv().is_err());
        let (one_more, _wake) = silent(&mut copies, &sender);
        assert_eq!(looked(&inbox), (one_more, Contents::Unknown));
        assert_eq!(copies.looks.len(), AT_ONCE);
        drop(held);
        assert!((0..AT_ONCE).all(|_| looked(&inbox).1 == Contents::Blank));
    }
}
