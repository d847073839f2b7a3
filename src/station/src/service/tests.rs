//! The service on a bus of its own, with a board that the test writes: what is told, when, how often, to whom.
//!
//! After an intended change of the interface: `UPDATE_GOLDEN=1 cargo test --release --workspace --locked service`, then read the
//! difference.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod copying;
mod scene;

use super::publish::{OBJECTS, path_of};
use super::*;
use crate::admit::DeviceRefusal;
use crate::board::{Problem, ProblemKind, StationView};
use crate::session::view::{Conclusion, Contents, CopyStep, NoCopy, SessionView, State};
use blanche_tests::bus::PrivateBus;
use scene::{SOON, Scene, at, cancelled, eventually, listen, session, signals};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use zbus::{Message, OwnedVariant};

/// One interface of what an object says about itself, as a document of its own; everything else is zbus's.
fn interface_of(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<interface name=\"{name}\">")).expect("the interface");
    let (body, _) = rest.split_once("</interface>").expect("its end");
    let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("<node>\n<interface name=\"{name}\">\n{}\n</interface>\n</node>\n", lines.join("\n"))
}

fn names_of_interfaces(xml: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        xml.split("<interface name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    names.sort_unstable();
    names
}

fn is_golden(name: &str, text: &str) {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "golden", name].iter().collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).expect("the repository");
    }
    let golden = std::fs::read_to_string(&file).expect("the golden file");
    assert!(golden == text, "{} differs:\n{text}", file.display());
}

#[test]
fn the_interfaces_are_the_golden_ones() {
    let (scene, view) = (Scene::new(), session(State::Queued));
    scene.show(&[&view]);
    eventually("the session has an object", || scene.property(view.id, "State") == "s \"queued\"");
    let introspect = |path: &str| {
        let reply = scene.call(path, "org.freedesktop.DBus.Introspectable", "Introspect").expect("an answer");
        reply.body().deserialize::<String>().expect("XML")
    };
    let station = introspect(ROOT);
    let path = path_of(view.id).expect("a path");
    let of_session = introspect(path.as_str());
    is_golden("org.blanche.Station1.xml", &interface_of(&station, "org.blanche.Station1"));
    is_golden("org.blanche.Session1.xml", &interface_of(&of_session, "org.blanche.Session1"));
    // zbus writes what stands below an object into the same document.
    let (station, _) = station.split_once("<node name").expect("the sessions below it");
    let standard =
        ["Introspectable", "ObjectManager", "Peer", "Properties"].map(|name| format!("org.freedesktop.DBus.{name}"));
    let ours = "org.blanche.Station1".to_owned();
    assert_eq!(names_of_interfaces(station), [&[ours], &standard[..]].concat());
    assert_eq!(names_of_interfaces(&of_session)[0], "org.blanche.Session1");
}

#[test]
fn everything_of_the_interfaces_is_documented() {
    let text = include_str!("../../../../docs/station.md");
    for file in ["org.blanche.Station1.xml", "org.blanche.Session1.xml", "org.blanche.Simulation1.xml"] {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "golden", file].iter().collect();
        let xml = std::fs::read_to_string(path).expect("the golden file");
        for kind in ["<method name=\"", "<property name=\"", "<signal name=\""] {
            for name in xml.split(kind).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(text.contains(&format!("`{name}`")) || text.contains(&format!("`{name}(")), "{file}: {name}");
            }
        }
    }
    for state in State::ALL {
        assert!(text.contains(&format!("`{}`", state.word())), "{state:?}");
    }
    for kind in ProblemKind::ALL {
        assert!(text.contains(&format!("`{}`", kind.word())), "{kind:?}");
    }
    let contents = [Contents::Looking, Contents::Blank, Contents::Filled { files: 0, bytes: 0 }, Contents::Unknown];
    let words = NoCopy::ALL.map(NoCopy::word).into_iter().chain(CopyStep::ALL.map(CopyStep::word));
    for word in words.chain(contents.map(Contents::word)) {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn a_session_is_told_from_its_arrival_to_its_end_and_its_object_goes_with_it() {
    let scene = Scene::new();
    let client = scene.client();
    let mut stream = listen(&client);
    let mut view = session(State::Queued);
    let start = Instant::now();
    scene.show(&[&view]);
    let arrived = signals(&mut stream, "Arrived");
    // A second is allowed from the kernel's event on a machine that has nothing else to do; printed, not asserted.
    println!("Arrived {} ms after the board knew", start.elapsed().as_millis());
    assert!(arrived.iter().any(|(_, member, _)| member == "InterfacesAdded"));
    view.state = State::Verdict;
    view.conclusion = Some(cancelled());
    scene.show(&[&view]);
    let concluded = signals(&mut stream, "Concluded");
    let (_, _, last) = concluded.last().expect("a signal");
    let (path, verdict): (zbus::OwnedObjectPath, String) = last.body().deserialize().expect("two values");
    assert_eq!((path, verdict.as_str()), (path_of(view.id).expect("a path"), "incomplete"));
    assert_eq!(scene.property(view.id, "State"), "s \"verdict\"", "what is read is what was told");
    assert_eq!(scene.property(view.id, "Failure"), "(ss) \"cancelled\" \"somebody cancelled\"");
    view.state = State::Removed;
    scene.show(&[&view]);
    signals(&mut stream, "Removed");
    scene.show(&[]);
    let end = signals(&mut stream, "InterfacesRemoved");
    assert!(!end.iter().any(|(_, member, _)| member == "Removed" || member == "Concluded"), "told once: {end:?}");
    assert_eq!(scene.property(view.id, "State"), "", "the object is gone");
}

#[test]
fn at_most_ten_changes_a_second_are_told_and_the_last_one_always() {
    let scene = Scene::new();
    let client = scene.client();
    let mut stream = listen(&client);
    let mut view = session(State::Checking);
    let start = Instant::now();
    for step in 0..400u64 {
        view.progress = Some(at(step * 1000));
        scene.show(&[&view]);
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nothing happens after this: the last state must come by itself.
    view.progress = Some(at(987_654));
    scene.show(&[&view]);
    eventually("the last state can be read", || scene.property(view.id, "Percent") == "y 98");
    let took = start.elapsed();
    view.state = State::Removed;
    view.conclusion = Some(cancelled());
    scene.show(&[&view]);
    let path = path_of(view.id).expect("a path");
    let seen = signals(&mut stream, "Removed");
    let changes: Vec<&Message> = seen
        .iter()
        .filter(|(_, member, message)| {
            member == "PropertiesChanged" && message.header().path().is_some_and(|told| *told == *path)
        })
        .map(|(_, _, message)| message)
        .collect();
    let most = took.as_millis() / 100 + 2;
    assert!(u128::try_from(changes.len()).expect("few") <= most, "{} in {took:?}", changes.len());
    assert!(changes.len() >= 5, "something must be told: {}", changes.len());
    let told = |message: &&Message| {
        let (_, changed, _): (String, HashMap<String, OwnedVariant>, Vec<String>) =
            message.body().deserialize().expect("three values");
        changed.get("Percent").and_then(|value| u8::try_from(value).ok())
    };
    assert_eq!(changes.iter().filter_map(told).max(), Some(98));
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    let (scene, view) = (Scene::new(), session(State::Queued));
    scene.show(&[&view]);
    eventually("the session has an object", || scene.property(view.id, "State") == "s \"queued\"");
    let path = path_of(view.id).expect("a path");
    let reply = zbus::block_on(scene.client().call_method(
        Some(NAME),
        path.as_str(),
        Some("org.freedesktop.DBus.Properties"),
        "GetAll",
        &("org.blanche.Session1",),
    ))
    .expect("an answer");
    let text = format!("{:?}", reply.body().deserialize::<HashMap<String, OwnedVariant>>().expect("properties"));
    assert!(text.contains("fdp.exe") && !text.contains("u{202e}\"") && !text.contains('\u{202E}'), "{text}");
}

#[test]
fn errors_have_names_that_stay() {
    let (scene, view) = (Scene::new(), session(State::Checking));
    scene.show(&[&view]);
    eventually("the session has an object", || scene.property(view.id, "State") == "s \"checking\"");
    let path = path_of(view.id).expect("a path");
    let name = |result: zbus::Result<Message>| match result {
        Err(zbus::Error::MethodError(name, ..)) => name.to_string(),
        other => panic!("{other:?}"),
    };
    let of_session = |member| name(scene.call(path.as_str(), "org.blanche.Session1", member));
    assert_eq!(of_session("Report"), "org.blanche.Error.NoReport");
    // The daemon of this scene has no sessions.
    assert_eq!(of_session("Cancel"), "org.blanche.Error.NoSuchSession");
    assert_eq!(of_session("Eject"), "org.blanche.Error.NoSuchSession");
    assert_eq!(name(scene.call(ROOT, "org.blanche.Station1", "SelfTest")), "org.blanche.Error.NotReady");
    let client = scene.client();
    let words = |lang: &str| {
        zbus::block_on(client.call_method(Some(NAME), ROOT, Some("org.blanche.Station1"), "Words", &(lang,)))
    };
    assert_eq!(name(words("de")), "org.blanche.Error.UnknownLanguage");
    let problem = Problem { kind: ProblemKind::Signer, detail: "x".to_owned() };
    scene.board.update(|now| now.station = Arc::new(StationView { problems: vec![problem], ..StationView::default() }));
    eventually("the problem is said in French", || {
        let said = words("fr").expect("an answer").body().deserialize::<Vec<(String, String, String)>>();
        said.expect("sayings").first().is_some_and(|(kind, what, _)| kind == "signer" && what.contains("signer"))
    });
    let reply = scene.call(path.as_str(), "org.freedesktop.DBus.Peer", "Ping");
    assert!(reply.is_ok(), "{reply:?}");
    scene.daemon.as_ref().expect("running").orders.quit();
    eventually("orders are refused with their own name when the station ends", || {
        of_session("Cancel") == "org.blanche.Error.Stopping"
    });
}

#[test]
fn a_client_that_floods_is_refused_on_every_interface_and_others_are_served() {
    let (scene, view) = (Scene::new(), session(State::Queued));
    scene.show(&[&view]);
    let flooder = scene.client();
    // By several threads over one connection: calls of which each waits for the answer to the one before are no flood
    // on a slow machine.
    let refused = || {
        zbus::block_on(async {
            let mut refused = 0_u32;
            for _ in 0..30 {
                let call = flooder.call_method(
                    Some(NAME),
                    ROOT,
                    Some("org.freedesktop.DBus.ObjectManager"),
                    "GetManagedObjects",
                    &(),
                );
                match call.await {
                    Ok(_) => {}
                    Err(zbus::Error::MethodError(name, ..)) if name == "org.blanche.Error.TooMany" => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            refused
        })
    };
    let refused: u32 = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..20).map(|_| scope.spawn(refused)).collect();
        asking.into_iter().map(|asking| asking.join().expect("an answer to each")).sum()
    });
    assert!(refused > 100, "{refused} of 600 calls were refused");
    eventually("others are served", || scene.property(view.id, "State") == "s \"queued\"");
}

#[test]
fn a_call_that_is_too_large_is_refused_and_the_station_goes_on() {
    let scene = Scene::new();
    let client = scene.client();
    let long = "x".repeat(1 << 20);
    let argument = (long.as_str(),);
    let call = client.call_method(Some(NAME), ROOT, Some("org.blanche.Station1"), "Words", &argument);
    match zbus::block_on(call) {
        Err(zbus::Error::MethodError(name, ..)) => assert_eq!(name, "org.blanche.Error.TooLarge"),
        other => panic!("{other:?}"),
    }
    assert!(scene.call(ROOT, "org.freedesktop.DBus.Peer", "Ping").is_ok());
}

#[test]
fn a_descriptor_in_a_call_does_not_cost_the_station_its_bus() {
    let scene = Scene::new();
    let client = scene.client();
    let file = std::fs::File::open("/dev/null").expect("a file");
    let argument = (zbus::Fd::from(std::os::fd::AsFd::as_fd(&file)),);
    for _ in 0..3 {
        let call = client.call_method(Some(NAME), ROOT, Some("org.blanche.Station1"), "SelfTest", &argument);
        assert!(matches!(zbus::block_on(call), Err(zbus::Error::MethodError(..))), "SelfTest takes no argument");
    }
    assert_eq!(scene.service.as_ref().expect("running").presence(Duration::ZERO), Presence::Present);
    assert!(scene.call(ROOT, "org.freedesktop.DBus.Peer", "Ping").is_ok());
}

#[test]
fn a_client_that_never_reads_costs_the_others_nothing() {
    let scene = Scene::new();
    // A client by hand: it says who it is, asks for signals, asks a thousand questions, and never reads an answer.
    let mut deaf = UnixStream::connect(scene.bus.address().trim_start_matches("unix:path=")).expect("our bus");
    let me: String = rustix::process::getuid().as_raw().to_string().bytes().map(|byte| format!("{byte:02x}")).collect();
    deaf.write_all(format!("\0AUTH EXTERNAL {me}\r\nBEGIN\r\n").as_bytes()).expect("our bus");
    let call = |path: &'static str, interface: &'static str, member: &'static str, to: &'static str| {
        Message::method_call(path, member).interface(interface).destination(to)
    };
    let bus = ("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus");
    let hello = call(bus.0, bus.1, "Hello", bus.2).build(&()).expect("a message");
    let add = call(bus.0, bus.1, "AddMatch", bus.2).build(&("type='signal'",)).expect("a message");
    deaf.write_all(hello.data().bytes()).expect("our bus");
    deaf.write_all(add.data().bytes()).expect("our bus");
    let introspect =
        call(ROOT, "org.freedesktop.DBus.Introspectable", "Introspect", NAME).build(&()).expect("a message");
    for _ in 0..1000 {
        deaf.write_all(introspect.data().bytes()).expect("our bus");
    }
    let mut view = session(State::Checking);
    for step in 0..50u64 {
        view.progress = Some(at(step * 10_000));
        scene.show(&[&view]);
        std::thread::sleep(Duration::from_millis(20));
    }
    eventually("others are told the last state", || scene.property(view.id, "Percent") == "y 49");
}

#[test]
fn a_bus_that_is_absent_at_first_and_breaks_later_is_found_again() {
    let mut bus = PrivateBus::start();
    bus.stop();
    let mut scene = Scene::on(bus);
    assert_eq!(scene.service.as_ref().expect("running").presence(SOON), Presence::Absent);
    let view = session(State::Queued);
    scene.show(&[&view]);
    scene.bus.restart();
    eventually("the station is seen once there is a bus", || scene.property(view.id, "State") == "s \"queued\"");
    scene.bus.stop();
    eventually("the loss is noticed", || {
        scene.service.as_ref().expect("running").presence(Duration::ZERO) == Presence::Absent
    });
    let mut later = view.clone();
    later.state = State::Checking;
    scene.show(&[&later]);
    scene.bus.restart();
    eventually("the station is back with what happened meanwhile", || {
        scene.property(view.id, "State") == "s \"checking\""
    });
}

#[test]
fn a_bus_that_hangs_keeps_nobody_but_itself_waiting() {
    let scene = Scene::new();
    let pid = rustix::process::Pid::from_raw(i32::try_from(scene.bus.pid()).expect("a pid")).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("our child");
    // More than a socket holds: whoever writes to this bus now hangs.
    let mut views: Vec<SessionView> = (0..60).map(|_| session(State::Checking)).collect();
    for step in 0..100u64 {
        for view in &mut views {
            view.progress = Some(at(step * 1000));
        }
        scene.show(&views.iter().collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(5));
    }
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("our child");
    let last = views.last().expect("sixty").id;
    eventually("it is told everything once it reads again", || scene.property(last, "Percent") == "y 9");
}

#[test]
fn a_device_that_arrives_for_ever_has_a_bounded_number_of_objects() {
    let scene = Scene::new();
    let mut views: Vec<SessionView> = (0..300)
        .map(|number| {
            let mut view = session(if number == 0 { State::Checking } else { State::Removed });
            view.conclusion = (number > 0).then_some(Conclusion::Refused(DeviceRefusal::Hub));
            view
        })
        .collect();
    scene.show(&views.iter().collect::<Vec<_>>());
    let count = || {
        let output = scene.bus.busctl(&["get-property", NAME, ROOT, "org.blanche.Station1", "Sessions"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.matches("/sessions/").count()
    };
    eventually("there are as many objects as there may be", || count() == OBJECTS);
    assert_eq!(scene.property(views[0].id, "State"), "s \"checking\"", "the one that is worked on is among them");
    assert_eq!(scene.property(views[299].id, "State"), "s \"removed\"", "so is the newest");
    assert_eq!(scene.property(views[1].id, "State"), "", "an old one is not");
    views.truncate(1);
    scene.show(&[&views[0]]);
    eventually("objects go with their sessions", || count() == 1);
}
