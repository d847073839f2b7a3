//! Copying on the bus: what is shown of it, its report, and its errors.

use super::*;
use crate::session::view::{Contents, CopyProgress, CopyStep, CopyView, MediumView, OutputId, OutputView};
use crate::show::samples;
use blanche_scan::report::{CopyOutcome, CopyReport, TargetKind, TargetLine};
use blanche_scan::settings::CopyMode;
use std::io::Read;
use std::os::fd::OwnedFd;

fn medium(contents: Contents) -> OutputView {
    let medium = MediumView { name: "Key of the station".to_owned(), capacity: 1 << 30, ..MediumView::default() };
    OutputView { id: OutputId::now_v7(), medium, read_only: false, contents, busy: false }
}

fn report(files: u64) -> Arc<CopyReport> {
    let output = TargetLine { path: "/dev/sdz".into(), kind: TargetKind::Device, capacity: None, logical_block: None };
    let untouched = CopyReport::untouched(CopyMode::AllOrNothing, output);
    Arc::new(CopyReport { outcome: CopyOutcome::Copied, files, ..untouched })
}

/// The document that Report gives.
fn document(scene: &Scene, view: &SessionView) -> serde_json::Value {
    let path = path_of(view.id).expect("a path");
    let reply = scene.call(path.as_str(), "org.blanche.Session1", "Report").expect("a report");
    let fd = reply.body().deserialize::<zbus::OwnedFd>().expect("a descriptor");
    let mut text = String::new();
    std::fs::File::from(OwnedFd::from(fd)).read_to_string(&mut text).expect("a document");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_copy_is_shown_from_the_medium_to_its_end_and_its_report_is_part_of_the_document() {
    let scene = Scene::new();
    let client = scene.client();
    let mut stream = listen(&client);
    let mut view = session(State::Verdict);
    view.conclusion = Some(Conclusion::Report(Arc::new(samples::clean())));
    view.copy.cannot = None;
    let to = medium(Contents::Filled { files: 2, bytes: 9 });
    scene
        .board
        .update(|now| now.station = Arc::new(StationView { outputs: vec![to.clone()], ..StationView::default() }));
    scene.show(&[&view]);
    eventually("it can be copied", || scene.property(view.id, "CanCopy") == "b true");
    let outputs = || {
        let read = scene.bus.busctl(&["get-property", NAME, ROOT, "org.blanche.Station1", "Outputs"]);
        String::from_utf8_lossy(&read.stdout).into_owned()
    };
    eventually("the medium is shown", || outputs().contains(&to.id.to_string()) && outputs().contains("\"filled\""));
    assert!(document(&scene, &view).get("copy").is_none());

    view.state = State::Copying;
    let progress = Some(CopyProgress { step: CopyStep::ReadingBack, done: 1, all: 4 });
    view.copy = CopyView { to: Some(to), progress, ..CopyView::default() };
    scene.show(&[&view]);
    eventually("its stage", || scene.property(view.id, "CopyStage") == "s \"reading-back\"");
    assert_eq!(scene.property(view.id, "CopyPercent"), "y 25");
    assert_eq!(scene.property(view.id, "CannotCopy"), "s \"unfinished\"");

    view.state = State::Verdict;
    (view.copy.progress, view.copy.report) = (None, Some(report(3)));
    scene.show(&[&view]);
    let copied = signals(&mut stream, "Copied");
    let (_, _, last) = copied.last().expect("a signal");
    let (path, outcome): (zbus::OwnedObjectPath, String) = last.body().deserialize().expect("two values");
    assert_eq!((path, outcome.as_str()), (path_of(view.id).expect("a path"), "copied"));
    assert_eq!(scene.property(view.id, "CopyOutcome"), "s \"copied\"");
    let told = document(&scene, &view);
    assert_eq!((&told["copy"]["files"], &told["verdict"]), (&3.into(), &"clean".into()));
    // A second copy has a document of its own, and a signal.
    view.copy.report = Some(report(5));
    scene.show(&[&view]);
    signals(&mut stream, "Copied");
    assert_eq!(document(&scene, &view)["copy"]["files"], 5);
}

#[test]
fn an_order_to_copy_is_judged_by_the_daemon_and_its_errors_have_names_that_stay() {
    let (scene, view) = (Scene::new(), session(State::Verdict));
    scene.show(&[&view]);
    eventually("the session has an object", || scene.property(view.id, "State") == "s \"verdict\"");
    let path = path_of(view.id).expect("a path");
    let client = scene.client();
    let copy = |output: &str| {
        let body = (output, false);
        let called = client.call_method(Some(NAME), path.as_str(), Some("org.blanche.Session1"), "Copy", &body);
        match zbus::block_on(called) {
            Err(zbus::Error::MethodError(name, ..)) => name.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(copy("/dev/sdb; rm"), "org.blanche.Error.NoSuchOutput");
    // The daemon of this scene has no sessions.
    assert_eq!(copy(&OutputId::now_v7().to_string()), "org.blanche.Error.NoSuchSession");
}
