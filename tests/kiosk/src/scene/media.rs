//! Media and their sessions.

use blanche_scan::progress::{Progress, Stage};
use blanche_scan::report::Report;
use blanche_station::admit::DeviceRefusal;
use blanche_station::detect::Interface;
use blanche_station::session::SessionId;
use blanche_station::session::view::{Conclusion, Failure, MediumView, SessionView, State};
use std::sync::Arc;
use std::time::Duration;

/// Content of the medium.
pub(super) const FILES: u64 = 1234;
pub(super) const BYTES: u64 = 5_600_000_000;
const RATE: u64 = 53_000_000;
const ESTIMATE: Duration = Duration::from_secs(241);
/// UUIDv7 of a medium that arrived at [`crate::desk::NOW`], and of another one (RFC 9562, 5.7).
const SESSION: u128 = 0x019a_a9f6_c800_7000_8000_0000_0000_0001;
const SECOND: u128 = SESSION + 1;

fn session(state: State) -> SessionView {
    let medium = MediumView {
        name: "SanDisk Ultra Fit".to_owned(),
        serial: "4C530001230519117275".to_owned(),
        vendor: 0x0781,
        product: 0x5583,
        port: "1-2".to_owned(),
        node: "/dev/sdb".to_owned(),
        capacity: 15_376_318_464,
        lun: 0,
    };
    SessionView { id: SessionId::from_u128(SESSION), ..SessionView::new(state, medium) }
}

/// Waits: nothing was read of it.
pub(super) fn queued() -> SessionView {
    session(State::Queued)
}

/// Names that a medium gives itself to be believed, to be obeyed, or to spoil a screen.
pub(super) fn hostile(mut view: SessionView) -> SessionView {
    let long = "W".repeat(200);
    view.medium.name = format!("Clé\\u{{202e}}exe.fdp <b>saine</b> %s & {long}");
    view.medium.serial = "0".repeat(120);
    view
}

/// Folders are read.
pub(super) fn walking() -> SessionView {
    let progress = Progress { stage: Stage::Walking, files: 512, bytes: BYTES / 3, ..at(0, FILES, BYTES) };
    SessionView { progress: Some(progress), state: State::Checking, ..queued() }
}

/// It is known how long the check will take, which has not begun.
pub(super) fn counted() -> SessionView {
    SessionView { estimate: Some(ESTIMATE), ..walking() }
}

/// Checked to that part of a hundred. Files are counted: it is known how long that takes.
pub(super) fn checking(percent: u64) -> SessionView {
    let progress = at(BYTES / 100 * percent, FILES, BYTES);
    SessionView { progress: Some(progress), estimate: Some(ESTIMATE), ..session(State::Checking) }
}

/// A snapshot of a session of so many files and bytes.
pub(super) fn at(bytes_done: u64, files: u64, bytes: u64) -> Progress {
    let left = bytes.saturating_sub(bytes_done);
    let files_done = u128::from(files) * u128::from(bytes_done) / u128::from(bytes.max(1));
    Progress {
        stage: Stage::Checking,
        files,
        bytes,
        bytes_read: bytes_done.saturating_add(8 << 20).min(bytes),
        files_done: u64::try_from(files_done).unwrap_or(files),
        bytes_done,
        files_found: 0,
        rate: RATE,
        remaining: Some(Duration::from_secs(left / RATE)),
    }
}

/// A session that is checked to so many of its bytes.
pub(super) fn replayed(bytes_done: u64, files: u64, bytes: u64) -> SessionView {
    SessionView { progress: Some(at(bytes_done, files, bytes)), ..checking(0) }
}

/// Something was found already.
pub(super) fn found(mut view: SessionView) -> SessionView {
    view.progress = view.progress.map(|progress| Progress { files_found: 3, ..progress });
    view
}

/// Everything was looked at; the ledgers are added up.
pub(super) fn judging() -> SessionView {
    let mut view = checking(100);
    view.progress = view.progress.map(|progress| Progress { stage: Stage::Judging, remaining: None, ..progress });
    view
}

/// The tag is being written.
pub(super) fn sealing() -> SessionView {
    SessionView { state: State::Sealing, tag_bytes: 65_536, ..judging() }
}

/// A session with its report.
pub(super) fn reported(report: Report) -> SessionView {
    SessionView { state: State::Verdict, conclusion: Some(Conclusion::Report(Arc::new(report))), ..checking(100) }
}

/// There was no file.
pub(super) fn empty(view: SessionView) -> SessionView {
    SessionView { progress: Some(at(0, 0, 0)), ..view }
}

/// As many files as a screen must bear.
pub(super) fn large(view: SessionView) -> SessionView {
    SessionView { progress: Some(at(BYTES, 150_000, BYTES)), ..view }
}

/// The device is not admitted.
pub(super) fn refused_device(word: &str) -> Option<SessionView> {
    let interface =
        |class, subclass, protocol| Interface { configuration: 1, number: 1, alternate: 0, class, subclass, protocol };
    let keyboard = || vec![interface(3, 1, 1)];
    let why = match word {
        "not-storage" => DeviceRefusal::NotStorage(keyboard()),
        "composite" => DeviceRefusal::Composite(keyboard()),
        "transport" => DeviceRefusal::Transport(vec![interface(8, 4, 0)]),
        "class" => DeviceRefusal::Class(9),
        "malformed" => DeviceRefusal::Malformed,
        "changed" => DeviceRefusal::Changed,
        "hub" => DeviceRefusal::Hub,
        "port" => DeviceRefusal::Port,
        "list" => DeviceRefusal::List,
        "unusable" => DeviceRefusal::Unusable,
        _ => return None,
    };
    let mut view = SessionView { conclusion: Some(Conclusion::Refused(why)), ..session(State::Refused) };
    view.medium.node.clear();
    view.medium.capacity = 0;
    Some(view)
}

/// There is no report.
pub(super) fn failed(kind: &'static str) -> SessionView {
    let failure = Failure::new(kind, format!("detail of {kind} for staff"));
    SessionView { state: State::Verdict, conclusion: Some(Conclusion::Failed(failure)), ..checking(42) }
}

/// Pulled out while it was read.
pub(super) fn pulled() -> SessionView {
    SessionView { state: State::Removed, pulled: true, ..failed("removed") }
}

/// The medium of a scene that has one of its own.
pub(super) fn another(mut view: SessionView, number: usize) -> SessionView {
    view.id = SessionId::from_u128(SESSION + 16 + number as u128);
    view
}

/// Another medium than that of all other scenes.
pub(super) fn second(mut view: SessionView) -> SessionView {
    view.id = SessionId::from_u128(SECOND);
    view.medium.name = "Kingston DataTraveler 3.0".to_owned();
    view.medium.serial = "E0D55EA574A3F2C1".to_owned();
    view.medium.port = "1-4".to_owned();
    view.medium.node = "/dev/sdc".to_owned();
    view
}
