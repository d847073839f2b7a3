//! What the journal must keep whatever a medium claims and whenever the power goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::session::CopyEnded;
use crate::session::view::{Conclusion, Contents, Failure, MediumView, OutputId, OutputView, SessionView, State};
use crate::show::samples;
use blanche_journal::{Filter, Log, Order, Row};
use blanche_sandbox::wire::{Cause, Finding, Severity};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::Cancel;
use blanche_scan::report::{
    CopyOutcome, CopyReport, FileFindings, FindingsLeftOut, NotChecked, Report, TargetKind, TargetLine,
};
use blanche_scan::settings::CopyMode;

fn settings(folder: &std::path::Path) -> Arc<Settings> {
    let mut settings = Settings::default();
    settings.journal.folder = folder.join("journal");
    settings.seal.keys = folder.join("no keys");
    Arc::new(settings)
}

fn session(capacity: u64) -> SessionView {
    SessionView::new(State::Queued, MediumView { capacity, ..MediumView::default() })
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
    recorder.write(&Entry::Started { simulated: false }).unwrap();
    recorder.write(&Entry::Opened(Box::new(session(u64::MAX)))).unwrap();
    recorder.write(&Entry::Stopped).unwrap();
    let kinds: Vec<_> = rows(&settings, Log::Event).into_iter().map(|row| row.kind).collect();
    let ours: Vec<_> = kinds.iter().filter(|kind| kind.starts_with("station") || *kind == "arrived").collect();
    assert_eq!(ours, ["station_started", "arrived", "station_stopped"]);
}

#[test]
fn a_tag_that_stands_although_its_session_failed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    recorder.write(&Entry::Started { simulated: false }).unwrap();
    for (kind, tag) in [("sleep", Some("17")), ("removed", Some("18")), ("sleep", None)] {
        let failure = Failure { tag: tag.map(str::to_owned), ..Failure::new(kind, "the station slept") };
        let view = SessionView { conclusion: Some(Conclusion::Failed(failure)), ..session(512) };
        recorder.write(&Entry::Opened(Box::new(view.clone()))).unwrap();
        recorder.write(&Entry::Concluded(Box::new(view))).unwrap();
    }
    let all = rows(&settings, Log::Event);
    let told: Vec<_> = all.iter().filter(|row| ["failed", "removed"].contains(&row.kind.as_str())).collect();
    assert_eq!(told.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["failed", "removed", "failed"]);
    let tags: Vec<_> = told.iter().map(|row| row.body["detail"]["tag"].as_str()).collect();
    assert_eq!(tags, [Some("17"), Some("18"), None]);
}

#[test]
fn a_file_that_nobody_could_read_and_files_by_the_hundred_thousand_keep_no_closing_record_out() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    recorder.write(&Entry::Started { simulated: false }).unwrap();
    let mut conclude = |report: Report| {
        let conclusion = Some(Conclusion::Report(Arc::new(report)));
        let view = SessionView { conclusion, ..session(512) };
        recorder.write(&Entry::Concluded(Box::new(view.clone()))).unwrap();
        view.id.to_string()
    };
    let mut unread = report(0, 2);
    unread.findings[0].sha256 = String::new();
    let mut many = report(0, 100_000);
    many.findings.iter_mut().for_each(|file| file.path = "a.pdf.exe".to_owned());
    let mut wrong = report(0, 1);
    wrong.findings[0].sha256 = "what is no digest".to_owned();
    let mut bounded = report(1, 2);
    bounded.findings_left_out = Some(FindingsLeftOut { malicious: 5, suspicious: 70, info: 900 });
    bounded.not_checked_left_out = Some(999_999);
    let mut wrong_and_bounded = wrong.clone();
    wrong_and_bounded.findings_left_out = bounded.findings_left_out;
    let ids = [conclude(unread), conclude(many), conclude(wrong), conclude(bounded), conclude(wrong_and_bounded)];
    let closed: Vec<_> = rows(&settings, Log::Transfer).into_iter().filter(|row| row.kind == "session").collect();
    assert_eq!(closed.iter().map(|row| row.body["session"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert!(closed.iter().all(|row| row.body["verdict"] == "infected"), "{closed:?}");
    assert_eq!(closed[0].body["files"].as_array().unwrap().len(), 2);
    assert!(closed[0].body["files"][0].get("sha256").is_none(), "{}", closed[0].body["files"][0]);
    assert_eq!(
        (&closed[1].body["files_left_out"], &closed[1].body["counts"]["malicious"]),
        (&34_464.into(), &100_000.into())
    );
    assert_eq!((&closed[2].body["files"], &closed[2].body["files_left_out"]), (&serde_json::json!([]), &1.into()));
    assert_eq!(closed[3].body["files_left_out"], 75, "those that the report leaves out are not forgotten");
    let counts = &closed[3].body["counts"];
    assert_eq!((&counts["malicious"], &counts["suspicious"]), (&7.into(), &70.into()));
    assert_eq!(counts["not_checked"], 1_000_000);
    assert_eq!(closed[4].body["files_left_out"], 76);
    let alarms: Vec<_> = rows(&settings, Log::Event).into_iter().filter(|row| row.kind == "alarm").collect();
    assert_eq!(alarms.len(), 2, "only those with a wrong digest could not be kept whole: {alarms:?}");
}

#[test]
fn a_session_that_a_crash_cut_is_closed_at_the_next_start_and_a_tag_that_may_be_there_is_not_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let (checked, sealed) = (session(512), session(512));
    {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started { simulated: false }).unwrap();
        for view in [&checked, &sealed] {
            recorder.write(&Entry::Opened(Box::new(view.clone()))).unwrap();
            recorder.write(&Entry::Entered(view.id, State::Checking)).unwrap();
        }
        recorder.write(&Entry::Entered(sealed.id, State::Sealing)).unwrap();
    }
    for _ in 0..2 {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started { simulated: false }).unwrap();
    }
    let closed: Vec<_> = rows(&settings, Log::Transfer)
        .into_iter()
        .map(|row| (row.body["session"].clone(), row.body["verdict"].clone(), row.body["reason"].clone()))
        .collect();
    let of = |view: &SessionView, reason: &str| (view.id.to_string().into(), "incomplete".into(), reason.into());
    assert_eq!(closed.len(), 2, "each session is closed once: {closed:?}");
    assert!(closed.contains(&of(&checked, "restart")) && closed.contains(&of(&sealed, "restart-while-sealing")));
}

#[test]
fn what_a_start_closes_is_to_be_signed_before_another_session_ends() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    for opens in [true, false] {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started { simulated: false }).unwrap();
        if opens {
            recorder.write(&Entry::Opened(Box::new(session(512)))).unwrap();
        }
    }
    let closed = rows(&settings, Log::Transfer);
    let missing: Vec<_> =
        rows(&settings, Log::Event).into_iter().filter(|row| row.kind == "checkpoint_missing").collect();
    assert_eq!((closed.len(), missing.len()), (1, 1), "{missing:?}");
    assert!(missing[0].sequence > closed[0].sequence);
    assert_eq!(missing[0].body["reason"], "no keys are installed (docs/keys.md)");
}

#[test]
fn what_could_not_be_signed_is_tried_again_a_few_times_and_anew_with_the_next_session() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(&super::settings(&settings(folder.path()))).unwrap());
    let (tell, tries) = std::sync::mpsc::channel();
    let pauses = [1, 2, 3].map(Duration::from_millis);
    let checkpoints = Checkpoints::signing(Arc::clone(&journal), Cancel::default(), pauses, move |journal, again| {
        let _ = journal.checkpoint(&mut |_| Err("the token is out".to_owned())).unwrap();
        tell.send(again).unwrap();
    });
    let under = Under { policy: String::new(), settings: String::new() };
    for _ in 0..2 {
        journal.append(entries::records(&Entry::Concluded(Box::new(session(512))), &under)).unwrap();
        checkpoints.look();
        let tries: Vec<bool> = std::iter::from_fn(|| tries.recv_timeout(Duration::from_secs(1)).ok()).collect();
        assert_eq!(tries, [false, true, true, true]);
    }
}

#[test]
fn a_session_without_a_report_began_when_its_medium_came() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    let came = uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0);
    let conclusion = Some(Conclusion::Failed(Failure::new("removed", "pulled out")));
    let view = SessionView { id: uuid::Uuid::new_v7(came), conclusion, ..session(512) };
    recorder.write(&Entry::Concluded(Box::new(view))).unwrap();
    let closed = &rows(&settings, Log::Transfer)[0].body;
    assert_eq!(closed["started"], "2023-11-14T22:13:20Z");
    assert!(closed["finished"].as_str() != closed["started"].as_str(), "{closed}");
}

/// A report as long as a hostile medium can make it: `lines` entries that only it needs, `found` files that the journal keeps.
fn report(lines: usize, found: usize) -> Report {
    let line = NotChecked {
        volume: Some(0),
        path: Some("a/long/path/on/a/hostile/medium".repeat(4)),
        path_bytes: None,
        offset: 0,
        length: 1,
        cause: Cause::Unreadable,
    };
    let finding =
        Finding { engine: "clamav".into(), name: "Eicar".into(), severity: Severity::Malicious, layer: Vec::new() };
    let file = FileFindings {
        volume: Some(0),
        path: "x".repeat(1000),
        path_bytes: None,
        size: 68,
        sha256: "0".repeat(64),
        media_type: "text/plain".into(),
        findings: vec![finding],
    };
    let mut report = samples::clean();
    report.verdict = Verdict::Infected;
    report.not_checked = vec![line; lines];
    report.findings = vec![file; found];
    report
}

#[test]
fn a_journal_that_cannot_be_written_costs_what_its_records_need_and_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.journal.folder = folder.path().join("missing/journal");
    settings.seal.keys = folder.path().join("no keys");
    let mut recorder = Recorder::new(Arc::new(settings));
    let concluded = |report: &Arc<Report>| {
        let conclusion = Some(Conclusion::Report(Arc::clone(report)));
        Entry::Concluded(Box::new(SessionView { conclusion, ..session(512) }))
    };
    // Each of these reports has 1.3 MB, their records not a hundredth of that.
    let long = Arc::new(report(10_000, 1));
    for _ in 0..500 {
        recorder.write(&concluded(&long)).unwrap_err();
    }
    assert_eq!(Arc::strong_count(&long), 1, "nobody holds a report");
    let (entries, bytes) = recorder.waiting.held();
    assert!(entries == 500 && bytes < 500 * 13_000, "{entries} entries, {bytes} bytes");
    // What is to be recorded itself is long: 11 MB each.
    let many = Arc::new(report(0, 10_000));
    for _ in 0..20 {
        recorder.write(&concluded(&many)).unwrap_err();
    }
    let (entries, bytes) = recorder.waiting.held();
    assert!(bytes <= 64 << 20, "{bytes}");
    assert_eq!(entries as u64 + recorder.waiting.lost, 520, "what is given up is counted");
}

#[test]
fn the_rate_of_the_last_sessions_outlives_a_restart_and_nonsense_in_the_journal_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    recorder.write(&Entry::Started { simulated: false }).unwrap();
    assert_eq!(recorder.rate(), None);
    let mut conclude = |bytes, checked, finished: &str| {
        let mut report = samples::clean();
        (report.content.bytes, report.content.checked) = (bytes, checked);
        (report.started, report.finished) = ("2026-11-22T11:00:00Z".into(), finished.into());
        let conclusion = Some(Conclusion::Report(Arc::new(report)));
        recorder.write(&Entry::Concluded(Box::new(SessionView { conclusion, ..session(512) }))).unwrap();
        recorder.rate()
    };
    // Too little, not all of it, and a clock that was set back say nothing.
    assert_eq!(conclude(1 << 20, 1 << 20, "2026-11-22T11:00:10Z"), None);
    assert_eq!(conclude(1 << 30, 1 << 29, "2026-11-22T11:00:10Z"), None);
    assert_eq!(conclude(1 << 30, 1 << 30, "2026-11-22T10:00:00Z"), None);
    assert_eq!(conclude(400_000_000, 400_000_000, "2026-11-22T11:00:10Z"), Some(40_000_000));
    assert_eq!(conclude(800_000_000, 800_000_000, "2026-11-22T11:00:10Z"), Some(60_000_000));
    assert_eq!(conclude(1 << 52, 1 << 52, "2026-11-22T11:00:00Z"), Some((10_000_000_000 + 60_000_000) / 2));
    drop(recorder);
    let mut next = Recorder::new(settings);
    next.write(&Entry::Started { simulated: false }).unwrap();
    assert_eq!(next.rate(), Some((10_000_000_000 + 60_000_000) / 2));
}

#[test]
fn a_closing_record_names_the_policy_that_a_tag_carries() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = (*settings(folder.path())).clone();
    (settings.seal.policy, settings.seal.policy_version) = ("prison".to_owned(), 7);
    let settings = Arc::new(settings);
    let mut recorder = Recorder::new(Arc::clone(&settings));
    let conclusion = Some(Conclusion::Report(Arc::new(samples::clean())));
    recorder.write(&Entry::Concluded(Box::new(SessionView { conclusion, ..session(512) }))).unwrap();
    assert_eq!(rows(&settings, Log::Transfer)[0].body["policy"], "prison 7");
}

fn medium(port: &str) -> MediumView {
    MediumView { port: port.to_owned(), ..MediumView::default() }
}

fn output() -> OutputView {
    let (id, contents) = (OutputId::now_v7(), Contents::Blank);
    OutputView { id, medium: medium("out"), read_only: false, contents, busy: true }
}

#[test]
fn a_copy_during_which_the_station_was_killed_gets_its_record_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let line = TargetLine { path: "/dev/sdz".into(), kind: TargetKind::Device, capacity: None, logical_block: None };
    let untouched = CopyReport::untouched(CopyMode::AllOrNothing, line);
    let report = Arc::new(CopyReport { outcome: CopyOutcome::Copied, files: 3, bytes: 9, ..untouched });
    let (first, second) = (session(1), session(2));
    {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started { simulated: false }).unwrap();
        for view in [&first, &second] {
            recorder.write(&Entry::Opened(Box::new(view.clone()))).unwrap();
            recorder.write(&Entry::Concluded(Box::new(view.clone()))).unwrap();
            recorder.write(&Entry::CopyOrdered(view.id, Box::new(output()), true)).unwrap();
            let ended = CopyEnded { session: view.id, medium: medium("in"), to: output(), report: Arc::clone(&report) };
            recorder.write(&Entry::Copied(Box::new(ended))).unwrap();
        }
        // A second copy of the second session; and the power goes.
        recorder.write(&Entry::CopyOrdered(second.id, Box::new(output()), true)).unwrap();
    }
    for _ in 0..2 {
        let mut recorder = Recorder::new(Arc::clone(&settings));
        recorder.write(&Entry::Started { simulated: false }).unwrap();
    }
    let copies: Vec<_> =
        rows(&settings, Log::Transfer).into_iter().filter(|row| row.kind == "session_copies").collect();
    let told: Vec<_> = copies
        .iter()
        .map(|row| {
            let made = &row.body["copies"][0];
            assert_eq!(made["medium"]["port"], "out");
            (
                row.body["session"].as_str().unwrap(),
                made["complete"].as_bool().unwrap(),
                made["files"].as_u64().unwrap(),
            )
        })
        .collect();
    let (first, second) = (first.id.to_string(), second.id.to_string());
    let expected = [(first.as_str(), true, 3), (second.as_str(), true, 3), (second.as_str(), false, 0)];
    assert_eq!(told, expected, "each copy ends once");
    assert_eq!(copies[2].body["copies"][0]["cause"], "restart-while-copying");
    let events: Vec<_> = rows(&settings, Log::Event).into_iter().filter(|row| row.kind == "copied").collect();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].body["detail"]["outcome"], "unknown", "the key may be whole, and carry a valid tag");
}

/// A station whose journal cannot be opened until that folder is made.
fn without_a_folder(folder: &std::path::Path) -> (std::path::PathBuf, Arc<Settings>) {
    let (missing, mut settings) = (folder.join("missing"), Settings::default());
    settings.journal.folder = missing.join("journal");
    settings.seal.keys = folder.join("no keys");
    (missing, Arc::new(settings))
}

#[test]
fn what_waited_is_written_in_several_turns_and_the_journal_is_behind_until_all_of_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, settings) = without_a_folder(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    let views: Vec<_> = (0..20).map(session).collect();
    for view in &views {
        recorder.write(&Entry::Opened(Box::new(view.clone()))).unwrap_err();
    }
    std::fs::create_dir(&missing).unwrap();
    recorder.tried = None;
    // The shortest turn writes one entry, and the last one says that nothing waits any more.
    for waiting in (1..20).rev() {
        recorder.flush_within(Duration::ZERO).unwrap_err();
        assert_eq!(recorder.waiting.held().0, waiting);
    }
    recorder.flush_within(Duration::ZERO).unwrap();
    let arrived: Vec<_> = rows(&settings, Log::Event).into_iter().filter(|row| row.kind == "arrived").collect();
    let written: Vec<_> = arrived.iter().map(|row| row.body["session"].as_str().unwrap().to_owned()).collect();
    assert_eq!(written, views.iter().map(|view| view.id.to_string()).collect::<Vec<_>>(), "in their order");
}

#[test]
fn a_journal_that_is_written_again_loses_nothing_between_turns_and_what_the_last_one_leaves_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, settings) = without_a_folder(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    let opened = || Entry::Opened(Box::new(session(512)));
    for _ in 0..10_000 {
        recorder.write(&opened()).unwrap_err();
    }
    std::fs::create_dir(&missing).unwrap();
    recorder.tried = None;
    recorder.waiting.push(entries::records(&opened(), &recorder.under));
    recorder.waiting.push(entries::records(&opened(), &recorder.under));
    recorder.flush_within(Duration::ZERO).unwrap_err();
    assert_eq!((recorder.waiting.held().0, recorder.waiting.lost), (10_001, 0), "one more than may wait");
    recorder.flush().unwrap_err();
    assert_eq!(recorder.waiting.held().0, 10_001, "messages are heard between two turns");
    recorder.waiting.keep_newest();
    recorder.flush_within(Duration::ZERO).unwrap();
    let rows = rows(&settings, Log::Event);
    let of = |kind: &str| rows.iter().filter(|row| row.kind == kind).collect::<Vec<_>>();
    assert_eq!((of("arrived").len(), of("alarm").len()), (2, 1));
    assert_eq!(of("alarm")[0].body["detail"]["entries"], "10000");
}

#[test]
fn what_was_lost_is_told_before_the_journal_is_said_to_be_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut recorder = Recorder::new(Arc::clone(&settings));
    recorder.write(&Entry::Started { simulated: false }).unwrap();
    // The only entry that waited was too long to wait.
    recorder.waiting.lost = 1;
    recorder.flush().unwrap();
    assert_eq!(recorder.waiting.lost, 0);
    let told: Vec<_> = rows(&settings, Log::Event).into_iter().filter(|row| row.kind == "alarm").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].body["detail"]["entries"], "1");
}

#[test]
fn a_start_under_another_configuration_says_so_and_one_under_the_same_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blanche.toml");
    let start = |text: Option<&str>| {
        let mut settings = (*settings(folder.path())).clone();
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
            let read = Settings::load(&file).unwrap();
            settings = Settings { journal: settings.journal, seal: settings.seal, ..read };
        }
        let settings = Arc::new(settings);
        Recorder::new(Arc::clone(&settings)).write(&Entry::Started { simulated: false }).unwrap();
        settings
    };
    for text in
        [None, None, Some("[matchers]\ncount = 2\n"), Some("[matchers]\ncount = 2\n"), Some("[matchers]\ncount = 1\n")]
    {
        start(text);
    }
    let settings = start(None);
    let all = rows(&settings, Log::Event);
    let told: Vec<_> = all.iter().filter(|row| row.kind == "settings_changed").map(|row| &row.body["detail"]).collect();
    let digest = |text: &str| {
        use sha2::Digest;
        sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (two, one) = (digest("[matchers]\ncount = 2\n"), digest("[matchers]\ncount = 1\n"));
    let changes: Vec<_> = told.iter().map(|detail| (detail["from"].clone(), detail["to"].clone())).collect();
    let expected = [("none", two.as_str()), (&two, &one), (&one, "none")].map(|(from, to)| (from.into(), to.into()));
    assert_eq!(changes, expected);
    assert_eq!(told[0]["file"], file.to_str().unwrap());
    assert!(told[0]["modified"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{told:?}");
    let started: Vec<_> = all.iter().filter(|row| row.kind == "station_started").collect();
    assert_eq!((started.len(), &started[4].body["detail"]["settings"]), (6, &serde_json::json!(one)));
}
