//! One key from its arrival to its removal, as clients see it.

use crate::client::{Watch, blanche, text};
use crate::eventually;
use crate::pieces::Running;
use blanche_tests::bus::PrivateBus;
use blanche_tests::{Format, Layout, Tree, image, samples};
use rustix::fs::SealFlags;
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use zbus::OwnedFd as Received;

/// Asks for the report by hand: a descriptor cannot be had from busctl.
fn report(bus: &str, session: &str) -> File {
    let path = format!("/org/blanche/Station1/sessions/{}", session.replace('-', "_"));
    let reply = zbus::block_on(async {
        let client = zbus::connection::Builder::address(bus).build().await.expect("our bus");
        let name = Some("org.blanche.Station1");
        client.call_method(name, path.as_str(), Some("org.blanche.Session1"), "Report", &()).await.expect("a report")
    });
    let received: Received = reply.body().deserialize().expect("a descriptor");
    File::from(OwnedFd::from(received))
}

#[test]
fn an_infected_key_is_seen_checked_reported_and_let_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let station = Running::start(folder.path());
    let bus = station.bus.address();
    let watch = Watch::start(&station.bus);
    watch.until("station");
    let tree = Tree::new().with("letter.txt", b"nothing".to_vec()).with("bad/eicar.com", samples::eicar());
    station.plug(&image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree));

    let arrived = watch.until("arrived").pop().expect("a line");
    let session = arrived["session"].as_str().expect("a number").to_owned();
    let medium = &arrived["medium"];
    assert_eq!(
        (&medium["vendor"], &medium["product"], &medium["serial"]),
        (&2385.into(), &5734.into(), &"60A44C413FAE".into())
    );
    let name = medium["name"].as_str().expect("a name");
    assert!(name.contains("DataTraveler") && !name.contains(['\u{1B}', '\u{202E}']), "{name:?}");

    let mut lines = watch.until("concluded");
    let concluded = lines.pop().expect("a line");
    assert_eq!(
        (&concluded["verdict"], &concluded["percent"], &concluded["state"]),
        (&"infected".into(), &100.into(), &"verdict".into())
    );
    // How many is a question of speed: what changes within a tenth of a second is told together.
    assert!(lines.iter().any(|line| line["event"] == "changed"), "the way is told: {lines:#?}");

    // A client that is not ours says the same.
    let path = format!("/org/blanche/Station1/sessions/{}", session.replace('-', "_"));
    let property =
        |name| station.bus.busctl(&["get-property", "org.blanche.Station1", &path, "org.blanche.Session1", name]);
    assert_eq!(text(&property("Verdict").stdout).trim(), "s \"infected\"");
    let words =
        station.bus.busctl(&["call", "org.blanche.Station1", &path, "org.blanche.Session1", "Words", "s", "fr"]);
    assert!(text(&words.stdout).contains("\"INFECT"), "{words:?}");
    let tested = station.bus.busctl(&[
        "call",
        "org.blanche.Station1",
        "/org/blanche/Station1",
        "org.blanche.Station1",
        "SelfTest",
    ]);
    assert!(text(&tested.stdout).starts_with("ba(ssb) true "), "{tested:?}");

    let mut document = report(&bus, &session);
    let seals = rustix::fs::fcntl_get_seals(&document).expect("a memory file");
    assert!(seals.contains(SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL), "{seals:?}");
    assert!(document.write(b"x").is_err(), "nobody changes it");
    let mut json = String::new();
    document.read_to_string(&mut json).expect("readable");
    let parsed: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&parsed["schema"], &parsed["session"]), (&"blanche-report/1".into(), &session.as_str().into()));
    let mut again = String::new();
    report(&bus, &session).read_to_string(&mut again).expect("readable");
    assert_eq!(json, again, "everybody reads from the beginning");

    forge(&station.bus, &path);
    is_let_go(&station, &session);
    station.pull();
    let lines = watch.until("removed");
    let of_ours = lines.iter().filter(|line| line["session"] == session.as_str());
    assert!(of_ours.clone().count() > 0, "{lines:#?}");
    assert!(
        of_ours.clone().all(|line| line["verdict"] == "infected"),
        "others say what the station does not: {lines:#?}"
    );
    assert!(lines.iter().all(|line| line["event"] != "forgotten"), "{lines:#?}");
    assert_eq!(watch.interrupt(), Some(130));
}

/// Signals as the station gives them, from another connection and to each connection alone: a bus hands them over.
fn forge(bus: &PrivateBus, session: &str) {
    let the_bus = "org.freedesktop.DBus";
    let names = bus.busctl(&["call", the_bus, "/org/freedesktop/DBus", the_bus, "ListNames"]);
    let names = text(&names.stdout);
    let clients: Vec<&str> = names.split('"').filter(|name| name.starts_with(':')).collect();
    assert!(clients.len() > 2, "{names}");
    for client in clients {
        let to = format!("--destination={client}");
        let emit = |signal: &[&str]| bus.busctl(&[&[to.as_str(), "emit"], signal].concat());
        let properties = ["org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", "org.blanche.Session1"];
        let told = emit(&[&[session], &properties[..], &["1", "Verdict", "s", "clean", "0"]].concat());
        // A client that was asked for its name only is gone by now.
        if !told.status.success() {
            continue;
        }
        let gone = ["/org/blanche/Station1", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", session];
        emit(&[&gone[..], &["1", "org.blanche.Session1"]].concat());
    }
}

/// The orders of a person, by the command line.
fn is_let_go(station: &Running, session: &str) {
    let status = blanche(&station.bus, &["status"]);
    assert!(matches!(status.status.code(), Some(0 | 6)), "it checks: {status:?}");
    assert!(text(&status.stdout).contains("INFECTED"), "{status:?}");
    let status = blanche(&station.bus, &["status", "--json"]);
    let document: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(
        (&document["schema"], &document["sessions"][0]["session"]),
        (&"blanche-station/1".into(), &session.into())
    );
    assert_eq!(document["station"]["simulated"], true);
    let late = blanche(&station.bus, &["cancel", session]);
    assert_eq!(late.status.code(), Some(4), "{late:?}");
    assert!(text(&late.stderr).contains("nothing left to cancel"), "{late:?}");
    let ejected = blanche(&station.bus, &["eject"]);
    assert_eq!(ejected.status.code(), Some(0), "{ejected:?}");
    eventually("the medium is let go", || station.released.lock().unwrap().first().cloned());
    let unknown = blanche(&station.bus, &["eject", "01890000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.status.code(), Some(4), "{unknown:?}");
}
