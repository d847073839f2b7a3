//! A station that plays scenes: the real service of a station on a bus, with a board that is written by commands.
//!
//! | line on standard input | does |
//! |---|---|
//! | `scene NAME` | puts that scene on the board |
//! | `progress PERCENT` | moves the session of the scene that is being checked |
//! | `replay FILES MILLISECONDS` | checks a medium of so many files in that time, then its verdict is *Clean* |
//! | `unplug` | every medium is pulled out |
//! | `forget` | no session is left |
//!
//! Each is answered by its own words once it stands on the board, an unknown one by `? LINE`. Orders that arrive over the bus
//! are carried out as a station would, at once, and printed: `order cancel SESSION`. It ends with its input.

use crate::scene::{self, Scene, replayed};
use blanche_bus::Bus;
use blanche_scan::SelfTest;
use blanche_scan::settings::Settings;
use blanche_station::board::{Board, Snapshot};
use blanche_station::daemon::{Orders, SelfTestError};
use blanche_station::service::Service;
use blanche_station::session::view::{Conclusion, Failure, SessionView, State};
use blanche_station::session::{Order, OrderRefused, SessionId};
use blanche_station::training;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As often as a real session tells how far it is.
const PACE: Duration = Duration::from_millis(100);
/// Bytes of one file of a replayed medium.
const FILE: u64 = 20_000;

/// The program `show-station`: plays on the bus of that name or address until its input ends.
#[must_use]
pub fn main(bus: Option<String>) -> ExitCode {
    let Some(bus) = bus else {
        say("usage: show-station system|session|ADDRESS");
        return ExitCode::from(2);
    };
    let to = bus.parse::<Bus>().unwrap_or_default();
    let show = Show::start(to);
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        show.command(line.trim());
    }
    show.end();
    ExitCode::SUCCESS
}

/// A station on its stage.
#[derive(Debug)]
pub struct Show {
    board: Arc<Board>,
    service: Service,
}

impl Show {
    /// Opens it with nothing on the board.
    ///
    /// # Panics
    /// When the kernel gives no threads.
    #[must_use]
    pub fn start(bus: Bus) -> Self {
        let board = Arc::new(Board::default());
        let ordered = Arc::clone(&board);
        let tested = Arc::clone(&board);
        let orders =
            Orders::answered_by(move |order| carry_out(&ordered, order), move || test(&tested)).expect("a thread");
        let settings = Arc::new(settings());
        // A training station has something in a socket, which needs no image.
        let hand = training::hand(&settings, std::env::temp_dir());
        hand.insert("keyboard", "front-1").expect("a free socket");
        let service = Service::simulated(Arc::clone(&board), orders, settings, bus, hand).expect("a thread");
        Self { board, service }
    }

    /// Does what a line says, and answers.
    pub fn command(&self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = match words.as_slice() {
            ["scene", name] => scene::scene(name).map(|scene| self.put(scene)),
            ["progress", percent] => percent.parse().ok().map(|percent| self.progress(percent)),
            ["replay", files, milliseconds] => {
                let numbers = files.parse().ok().zip(milliseconds.parse().ok());
                numbers.map(|(files, time)| self.replay(files, Duration::from_millis(time)))
            }
            ["unplug"] => {
                self.board.update(unplug);
                Some(())
            }
            ["forget"] => {
                self.board.update(|now| now.sessions.clear());
                Some(())
            }
            _ => None,
        };
        match done {
            Some(()) => say(line),
            None => say(&format!("? {line}")),
        }
    }

    /// Leaves the bus.
    pub fn end(self) {
        self.board.update(|now| now.closed = true);
        self.service.join();
    }

    fn put(&self, scene: Scene) {
        self.board.update(|now| {
            now.station = Arc::new(scene.station);
            now.sessions = scene.sessions.into_iter().map(Arc::new).collect();
        });
    }

    fn progress(&self, percent: u64) {
        let at = scene::checked_to(percent.min(100));
        self.board.update(|now| {
            let checked = now.sessions.iter_mut().find(|session| session.state == State::Checking);
            if let Some(session) = checked {
                *session = Arc::new(SessionView { progress: Some(at), ..SessionView::clone(session) });
            }
        });
    }

    /// Blocks until the verdict: commands wait, as people do.
    fn replay(&self, files: u64, time: Duration) {
        let (start, bytes) = (Instant::now(), files.saturating_mul(FILE));
        while start.elapsed() < time {
            let part = start.elapsed().as_secs_f64() / time.as_secs_f64();
            // Far below 2^52: a session of some gigabytes.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let done = (bytes as f64 * part) as u64;
            let view = Arc::new(replayed(done, files, bytes));
            self.board.update(|now| now.sessions = vec![view]);
            std::thread::sleep(PACE);
        }
        if let Some(scene) = scene::scene("clean") {
            self.put(scene);
        }
    }
}

/// A station without a journal, bases or keys: it only shows.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.journal.folder = "/nonexistent/journal".into();
    settings.bases.required = Vec::new();
    settings.bases.fresh = Vec::new();
    settings
}

/// What the engines on the board found when they were loaded.
fn test(board: &Board) -> Result<SelfTest, SelfTestError> {
    let engines = board.snapshot().station.engines.clone().ok_or(SelfTestError::NotReady)?;
    let (results, containers) = (engines.self_test.clone(), engines.containers.clone());
    Ok(SelfTest { passed: results.iter().all(|result| result.found), results, containers })
}

fn carry_out(board: &Board, order: Order) -> Result<(), OrderRefused> {
    let (word, id) = match order {
        Order::Cancel(id) => ("cancel", id),
        Order::Eject(id) => ("eject", id),
        Order::Copy { session, .. } => ("copy", session),
    };
    say(&format!("order {word} {id}"));
    let mut answer = Err(OrderRefused::NoSuchSession);
    board.update(|now| answer = obey(now, order, id));
    answer
}

fn obey(now: &mut Snapshot, order: Order, id: SessionId) -> Result<(), OrderRefused> {
    let session = now.sessions.iter_mut().find(|session| session.id == id).ok_or(OrderRefused::NoSuchSession)?;
    let mut view = SessionView::clone(session);
    match (order, view.state) {
        (Order::Cancel(_), State::Copying) => view.state = State::Verdict,
        (Order::Cancel(_), State::Queued) => {
            let failure = Failure::new("cancelled", "somebody cancelled");
            view.conclusion = Some(Conclusion::Failed(failure));
            view.state = State::Verdict;
        }
        // What was read until then is reported.
        (Order::Cancel(_), State::Checking | State::Sealing) => {
            view.conclusion = Some(Conclusion::Report(Arc::new(scene::stopped())));
            view.state = State::Verdict;
        }
        (Order::Cancel(_), _) => return Err(OrderRefused::NothingToCancel),
        (Order::Eject(_), State::Verdict) => view.state = State::Removed,
        (Order::Eject(_), State::Refused | State::Removed) => return Err(OrderRefused::NoSuchSession),
        (Order::Eject(_), _) => return Err(OrderRefused::InUse),
        (Order::Copy { .. }, State::Verdict) => return copying(now),
        (Order::Copy { .. }, _) => return Err(OrderRefused::NoSuchOutput),
    }
    *session = Arc::new(view);
    Ok(())
}

/// The medium of the scenes of copying is copied.
fn copying(now: &mut Snapshot) -> Result<(), OrderRefused> {
    let Scene { station, sessions } = scene::scene("copying").ok_or(OrderRefused::NoSuchOutput)?;
    now.station = Arc::new(station);
    now.sessions = sessions.into_iter().map(Arc::new).collect();
    Ok(())
}

fn unplug(now: &mut Snapshot) {
    for session in &mut now.sessions {
        let mut view = SessionView::clone(session);
        view.pulled = view.conclusion.is_none();
        if view.pulled {
            let failure = Failure::new("removed", "the medium was pulled out");
            view.conclusion = Some(Conclusion::Failed(failure));
        }
        view.state = State::Removed;
        *session = Arc::new(view);
    }
}

fn say(line: &str) {
    // Who played it may be gone; then nobody misses the line.
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
