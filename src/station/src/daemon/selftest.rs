//! The self-test that somebody asks for: at most one at a time, in a thread of its own, with a matcher of its own, while
//! sessions go on.
//!
//! It is recorded and shown whatever comes of it. Engines that miss something check no further medium: others are loaded in
//! their place, which have to prove themselves as at the start.

use super::driver::Driver;
use super::{Message, threads};
use crate::board::{ProblemKind, Tested};
use crate::session::{Entry, Input};
use blanche_scan::{ScanError, SelfTest};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// Who waits for the result.
pub(super) type Asker = Sender<Result<SelfTest, SelfTestError>>;

/// Why there is no result of a self-test.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelfTestError {
    /// Nothing is loaded that could be tested.
    #[error("the engines are not loaded; see Problems")]
    NotReady,
    /// One at a time.
    #[error("a self-test is running already; wait for its result")]
    Running,
    /// The engines could not be asked.
    #[error("the engines could not be asked: {0}")]
    Failed(String),
    /// The daemon is ending.
    #[error("the station is being stopped")]
    Stopped,
}

impl Driver {
    /// Begins a self-test, or says why not.
    pub(super) fn test_for(&mut self, asker: Asker) {
        let refused = match &self.room {
            _ if self.tested_for.is_some() => SelfTestError::Running,
            None => SelfTestError::NotReady,
            Some(room) => match self.begin(Arc::clone(room)) {
                Ok(()) => {
                    self.tested_for = Some(asker);
                    return;
                }
                Err(error) => SelfTestError::Failed(format!("no thread: {error}")),
            },
        };
        // Who asked may have gone away.
        let _ = asker.send(Err(refused));
    }

    fn begin(&self, room: Arc<blanche_scan::EngineRoom>) -> std::io::Result<()> {
        let (sender, stop) = (self.sender.clone(), self.stop.clone());
        let test = move || {
            // Whoever asked is answered in any case: nobody else could ask for another test before that. The room is used no more.
            let tested = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| room.self_test(&stop)));
            let result = match tested {
                Ok(tested) => tested.map_err(|error| match error {
                    ScanError::Cancelled => SelfTestError::Stopped,
                    other => SelfTestError::Failed(other.to_string()),
                }),
                Err(_) => Err(SelfTestError::Failed("the thread of the self-test ended by a panic".to_owned())),
            };
            // Before it is told: whoever hears of it may let these engines go, which takes a while.
            drop(room);
            // A daemon that has ended wants to hear nothing more.
            let _ = sender.send(Message::SelfTested(result));
        };
        std::thread::Builder::new().name("self-test".to_owned()).spawn(test).map(|_| ())
    }

    /// A self-test has ended.
    pub(super) fn tested(&mut self, result: Result<SelfTest, SelfTestError>) {
        let why = match &result {
            Ok(test) => (!test.passed).then(|| missed(test)),
            Err(error) => Some(error.to_string()),
        };
        if result != Err(SelfTestError::Stopped) {
            self.keep_record(&Entry::SelfTested(why.clone()));
            let at = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
            let tested = Tested { at, passed: why.is_none() };
            self.board.update(|now| Arc::make_mut(&mut now.station).tested = Some(tested));
            if let Some(why) = why {
                self.distrust(why);
            }
        }
        if let Some(asker) = self.tested_for.take() {
            // Who asked may have gone away.
            let _ = asker.send(result);
        }
    }

    /// Believes nothing that the engines in use say or have said, and has others loaded.
    fn distrust(&mut self, why: String) {
        self.problem(ProblemKind::Engines, why.clone());
        self.input(Input::Engines(Err(why)));
        self.board.update(|now| Arc::make_mut(&mut now.station).engines = None);
        let (old, settings) = (self.room.take(), Arc::clone(&self.settings));
        if let Err(error) = threads::open_engines(old, settings, self.sender.clone(), self.stop.clone()) {
            self.problem(ProblemKind::Engines, format!("no thread to load engines: {error}; restart the station"));
        }
    }
}

/// The first thing that was not found.
fn missed(test: &SelfTest) -> String {
    let marker = test.results.iter().find(|result| !result.found);
    let closed = test.containers.iter().find(|proof| proof.opener.is_some() && !proof.proved);
    match (marker, closed) {
        (Some(result), _) => format!("self-test: {} did not find {}", result.engine, result.marker),
        (None, Some(proof)) => {
            let opener = proof.opener.as_deref().unwrap_or_default();
            format!("self-test: {opener} did not open the sample of {:?}", proof.container)
        }
        (None, None) => "self-test: nothing was tested".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::admit::SimulatedGate;
    use crate::daemon::{Daemon, MachineClocks, Parts};
    use crate::detect::simulated::machine;
    use crate::seal::Act;
    use crate::session::{Rules, SessionId};
    use blanche_journal::{Filter, Order, Reader};
    use blanche_sandbox::wire::{EngineLimits, EngineSet, SelfTestResult};
    use blanche_scan::EngineRoomDescription;
    use blanche_scan::settings::Settings;
    use std::time::{Duration, Instant};

    /// A station without bases: its engines are never loaded.
    fn station(folder: &std::path::Path) -> Daemon {
        let mut settings = Settings::default();
        (settings.bases.clamav, settings.bases.rules) = (Vec::new(), Vec::new());
        settings.journal.folder = folder.join("journal");
        let settings = Arc::new(settings);
        let (source, gate, rules) = (Box::new(machine().0), Box::new(SimulatedGate), Rules::of(&settings));
        let clocks = Box::new(MachineClocks);
        Daemon::start(Parts { settings, source, gate, rules, signer: None, clocks, logind: None, simulated: true })
            .unwrap()
    }

    /// Engines as they are shown while they are in use.
    fn described() -> EngineRoomDescription {
        let limits = EngineLimits {
            max_file_size: 0,
            max_scan_size: 0,
            max_files: 0,
            max_recursion: 1,
            max_scan_time: 1,
            max_rules_time: 1,
            max_matcher_memory: 1,
        };
        EngineRoomDescription {
            engine_set: EngineSet { engines: Vec::new(), limits },
            self_test: Vec::new(),
            containers: Vec::new(),
            base_rejected: None,
        }
    }

    fn missing() -> SelfTest {
        let missed = SelfTestResult { engine: "clamav".into(), marker: "EICAR".into(), found: false };
        SelfTest { passed: false, results: vec![missed], containers: Vec::new() }
    }

    #[test]
    fn without_engines_nobody_can_be_tested() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(station(folder.path()).orders.self_test(), Err(SelfTestError::NotReady));
    }

    #[test]
    fn engines_that_miss_something_are_shown_recorded_and_used_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = station(folder.path());
        daemon.board.update(|now| Arc::make_mut(&mut now.station).engines = Some(Arc::new(described())));
        daemon.orders.0.send(Message::SelfTested(Ok(missing()))).unwrap();
        let start = Instant::now();
        let tested = loop {
            let station = daemon.board.newer(0, Duration::from_millis(50)).station;
            if let Some(tested) = station.tested {
                break tested;
            }
            assert!(start.elapsed() < Duration::from_secs(60));
        };
        assert!(!tested.passed && tested.at > 0);
        let (reply, answer) = std::sync::mpsc::channel();
        daemon.orders.0.send(Message::Permit(SessionId::now_v7(), Act::Seal, reply)).unwrap();
        let refused = answer.recv().unwrap().unwrap_err();
        assert!(refused.starts_with("engines: "), "{refused}");
        assert!(daemon.board.snapshot().station.engines.is_none(), "they are shown no more");
        drop(daemon);
        let filter = Filter { kind: Some("self_test_failed".into()), ..Filter::default() };
        let page = Reader::open(&folder.path().join("journal")).unwrap().page(&filter, Order::OldestFirst, None, 10);
        let rows = page.unwrap().rows;
        let reasons: Vec<_> = rows.iter().map(|row| row.body["detail"]["reason"].to_string()).collect();
        assert!(reasons.iter().any(|reason| reason.contains("clamav did not find EICAR")), "{reasons:?}");
        assert!(rows.iter().any(|row| row.body["detail"]["occasion"] == "asked"), "{rows:?}");
    }

    #[test]
    fn a_test_without_results_is_none_that_was_passed() {
        let nothing = SelfTest { passed: false, results: Vec::new(), containers: Vec::new() };
        assert!(missed(&nothing).contains("nothing was tested"));
    }
}
