//! What the journal must keep whatever a medium claims and whenever the power goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::admit::Role;
use crate::session::SessionId;
use crate::session::view::{MediumView, SessionView, State};
use blanche_journal::{Filter, Log, Order, Row};

fn settings(folder: &std::path::Path) -> Arc<Settings> {
    let mut settings = Settings::default();
    settings.journal.folder = folder.join("journal");
    settings.seal.keys = folder.join("no keys");
    Arc::new(settings)
}

fn session(capacity: u64) -> SessionView {
    SessionView {
        id: SessionId::now_v7(),
        state: State::Queued,
        medium: MediumView { capacity, ..MediumView::default() },
        role: Role::Input,
        progress: None,
        estimate: None,
        tag_bytes: 0,
        conclusion: None,
        pulled: false,
    }
}

fn rows(settings: &Settings, log: Log) -> Vec<Row> {
    let reader = blanche_journal::Reader::open(&settings.journal.folder).unwrap();
    let filter = Filter { log: Some(log), ..Filter::default() };
    reader.page(&filter, Order::OldestFirst, None, 1000).unwrap().rows
}

#[test]
fn a_capacity_that_no_medium_has_does_not_stop_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    recorder.write(&Entry::Started).unwrap();
    recorder.write(&Entry::Opened(Box::new(session(u64::MAX)))).unwrap();
    recorder.write(&Entry::Stopped).unwrap();
    let kinds: Vec<_> = rows(&settings, Log::Event).into_iter().map(|row| row.kind).collect();
    let ours: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("station") || *kind == "arrived").collect();
    assert_eq!(ours, ["station_started", "arrived", "station_stopped"]);
}

#[test]
fn a_session_that_a_crash_cut_is_closed_at_the_next_start_and_a_tag_that_may_be_there_is_not_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let (checked, sealed) = (session(512), session(512));
    {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started).unwrap();
        for view in [&checked, &sealed] {
            recorder.write(&Entry::Opened(Box::new(view.clone()))).unwrap();
            recorder.write(&Entry::Entered(view.id, State::Checking)).unwrap();
        }
        recorder.write(&Entry::Entered(sealed.id, State::Sealing)).unwrap();
    }
    for _ in 0..2 {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started).unwrap();
    }
    let closed: Vec<_> = rows(&settings, Log::Transfer)
        .into_iter()
        .map(|row| (row.body["session"].clone(), row.body["verdict"].clone(), row.body["reason"].clone()))
        .collect();
    let of = |view: &SessionView, reason: &str| (view.id.to_string().into(), "incomplete".into(), reason.into());
    assert_eq!(closed.len(), 2, "each session is closed once: {closed:?}");
    assert!(closed.contains(&of(&checked, "restart")) && closed.contains(&of(&sealed, "restart-while-sealing")));
}
