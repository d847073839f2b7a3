//! Who may do what: debian/org.blanche.Station1.conf, judged by dbus-daemon itself. Needs root, to be somebody else.

use crate::client::text;
use blanche_tests::bus::PrivateBus;
use std::path::Path;
use std::process::Output;

const NAME: &str = "org.blanche.Station1";
const ROOT: &str = "/org/blanche/Station1";

/// The policy with groups that every Debian has, because a test makes no groups.
fn policy(folder: &Path) -> std::path::PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../debian/org.blanche.Station1.conf");
    let text = std::fs::read_to_string(file).expect("the policy");
    let text =
        text.replace("group=\"blanche-kiosk\"", "group=\"games\"").replace("group=\"blanche-staff\"", "group=\"news\"");
    let own = folder.join("policy.conf");
    std::fs::write(&own, text).expect("our folder");
    own
}

/// nobody, as a member of one group.
fn as_member<'a>(bus: &PrivateBus, group: &'a str, arguments: &[&'a str]) -> Output {
    bus.busctl_as(&["--reuid=65534", "--regid=65534", "--groups", group], arguments)
}

fn is_denied(output: &Output) -> bool {
    !output.status.success() && text(&output.stderr).contains("Access denied")
}

#[test]
fn root_and_the_kiosk_order_staff_looks_and_everybody_else_is_turned_away() {
    assert!(rustix::process::geteuid().is_root(), "this test becomes other users: run it as root");
    let folder = tempfile::tempdir().expect("a folder");
    let bus = PrivateBus::with_policy(&policy(folder.path()));
    // Whoever owns the name will do: what is let through is judged before the station sees it.
    let address = bus.address();
    let station = zbus::block_on(zbus::connection::Builder::address(address.as_str()).name(NAME).build());
    let station = station.expect("root owns the name");
    zbus::block_on(station.object_server().at(ROOT, zbus::fdo::ObjectManager)).expect("an object");

    let call =
        |group: &str, interface: &str, member: &str| as_member(&bus, group, &["call", NAME, ROOT, interface, member]);
    let looks = [("org.freedesktop.DBus.ObjectManager", "GetManagedObjects"), ("org.freedesktop.DBus.Peer", "Ping")];
    for (interface, member) in looks {
        for group in ["games", "news"] {
            let output = call(group, interface, member);
            assert!(output.status.success(), "{group} {member}: {output:?}");
        }
        assert!(is_denied(&call("audio", interface, member)), "{member}");
    }
    for member in ["Cancel", "Eject", "Copy"] {
        let output = call("games", "org.blanche.Session1", member);
        assert!(!is_denied(&output), "the kiosk may: {output:?}");
        assert!(is_denied(&call("news", "org.blanche.Session1", member)), "staff may not {member}");
        assert!(is_denied(&call("audio", "org.blanche.Session1", member)), "others may not {member}");
    }
    for (interface, member) in [("org.blanche.Station1", "RunSelfTest"), ("org.blanche.Simulation1", "Insert")] {
        let output = call("games", interface, member);
        assert!(!is_denied(&output), "the kiosk may {member}: {output:?}");
        for group in ["news", "audio"] {
            assert!(is_denied(&call(group, interface, member)), "{group} may not {member}");
        }
    }
    assert!(!is_denied(&call("news", "org.blanche.Station1", "SelfTest")), "staff may see what was found");
    for member in ["Words", "Report"] {
        let output = call("news", "org.blanche.Session1", member);
        assert!(!is_denied(&output), "staff may {member}: {output:?}");
    }
    let own = as_member(
        &bus,
        "games",
        &[
            "call",
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus",
            "RequestName",
            "su",
            NAME,
            "2",
        ],
    );
    assert!(is_denied(&own), "nobody but root is the station: {own:?}");
}
