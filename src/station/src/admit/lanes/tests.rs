//! What holds however long a device takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::detect::{DiskKind, Port};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// What a gate did, and which devices do not answer at the moment.
#[derive(Default)]
struct Slow {
    log: Mutex<Vec<String>>,
    silent: Mutex<BTreeSet<String>>,
    begun: Condvar,
    again: Condvar,
}

impl Slow {
    fn did(&self, device: &DevPath, what: &str) {
        self.log.lock().unwrap().push(format!("{what} {device}"));
        self.begun.notify_all();
        let silent = self.silent.lock().unwrap();
        drop(self.again.wait_while(silent, |silent| silent.contains(&device.0)).unwrap());
    }

    fn silence(&self, device: &str) {
        self.silent.lock().unwrap().insert(device.to_owned());
    }

    fn wake(&self, device: &str) {
        self.silent.lock().unwrap().remove(device);
        self.again.notify_all();
    }

    /// Waits until so much was begun.
    fn begun(&self, count: usize) {
        let log = self.log.lock().unwrap();
        assert!(!self.begun.wait_timeout_while(log, LONG, |log| log.len() < count).unwrap().1.timed_out());
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

struct Station(Arc<Slow>);

impl Gate for Station {
    fn close(&mut self) -> Result<(), GateError> {
        Ok(())
    }
    fn admit(&self, device: &UsbDevice) -> Result<(), GateError> {
        self.0.did(&device.path, "admit");
        Ok(())
    }
    fn refuse(&self, device: &DevPath) -> Result<(), GateError> {
        self.0.did(device, "refuse");
        assert!(device.0 != "panics", "a gate that panics");
        Ok(())
    }
    fn protect(&self, disk: &Disk, read_only: bool) -> Result<(), GateError> {
        self.0.did(disk.device.as_ref().unwrap(), if read_only { "protect" } else { "open" });
        Ok(())
    }
    fn release(&self, disk: &Disk) -> Result<(), GateError> {
        self.0.did(disk.device.as_ref().unwrap(), "release");
        Ok(())
    }
}

fn lanes() -> (Lanes, Arc<Slow>) {
    let slow = Arc::new(Slow::default());
    (Lanes::new(Box::new(Station(Arc::clone(&slow)))), slow)
}

fn device(path: &str) -> Work {
    Work::Admit(Box::new(UsbDevice {
        path: DevPath(path.into()),
        port: Port(path.into()),
        vendor: 1,
        product: 2,
        release: 0,
        class: 0,
        manufacturer: None,
        name: None,
        serial: None,
        interfaces: None,
        descriptors: [0; 32],
    }))
}

fn refusal(path: &str) -> Work {
    Work::Refuse(DevPath(path.into()))
}

fn disk(device: &str, sequence: u64) -> Disk {
    Disk {
        path: DevPath(format!("{device}/sda")),
        device: Some(DevPath(device.into())),
        port: None,
        node: "/dev/sda".into(),
        number: 2048,
        sequence,
        capacity: 512,
        read_only: false,
        kind: DiskKind::Disk,
        lun: 0,
        vendor: None,
        model: None,
    }
}

fn ask(lanes: &Lanes, work: Work) -> Receiver<Result<(), GateError>> {
    let (sender, answer) = channel();
    lanes.ask(work, Box::new(move |result| sender.send(result).unwrap()));
    answer
}

#[test]
fn a_device_that_does_not_answer_holds_up_nobody_else_and_is_served_in_its_order_when_it_does() {
    let (lanes, slow) = lanes();
    slow.silence("a");
    let first = ask(&lanes, device("a"));
    let second = ask(&lanes, Work::Protect(disk("a", 1)));
    slow.begun(1);
    assert!(ask(&lanes, device("b")).recv_timeout(LONG).unwrap().is_ok());
    assert!(first.try_recv().is_err() && second.try_recv().is_err());
    assert!(!lanes.settle(SHORT));
    slow.wake("a");
    assert!(second.recv_timeout(LONG).unwrap().is_ok() && first.recv_timeout(LONG).unwrap().is_ok());
    assert_eq!(slow.log(), ["admit a", "admit b", "protect a"]);
    assert!(lanes.settle(LONG));
}

#[test]
fn a_refusal_takes_back_an_admission_that_waits_and_goes_before_everything_else() {
    let (lanes, slow) = lanes();
    slow.silence("a");
    let running = ask(&lanes, device("a"));
    slow.begun(1);
    let (protected, admitted) = (ask(&lanes, Work::Protect(disk("a", 1))), ask(&lanes, device("a")));
    let opened = ask(&lanes, Work::Unprotect(disk("a", 1)));
    let refused = [ask(&lanes, refusal("a")), ask(&lanes, refusal("a"))];
    for taken_back in [&admitted, &opened, &refused[0]] {
        assert!(matches!(taken_back.recv_timeout(LONG).unwrap(), Err(GateError::TakenBack)));
    }
    let again = ask(&lanes, device("a"));
    slow.wake("a");
    for done in [&running, &refused[1], &protected, &again] {
        assert!(done.recv_timeout(LONG).unwrap().is_ok());
    }
    assert_eq!(slow.log(), ["admit a", "refuse a", "protect a", "admit a"]);
}

#[test]
fn a_medium_that_becomes_writable_too_late_does_not_stay_so() {
    let (lanes, slow) = lanes();
    slow.silence("a");
    assert!(matches!(lanes.unprotect(&disk("a", 1), SHORT), Err(GateError::Late)));
    // What has not begun is taken back.
    slow.begun(1);
    assert!(matches!(lanes.protect(&disk("a", 1), SHORT), Err(GateError::Late)));
    slow.wake("a");
    assert!(lanes.settle(LONG));
    assert_eq!(slow.log(), ["open a", "protect a"], "the last word is the protection");
}

#[test]
fn a_lifting_that_has_not_begun_when_nobody_waits_for_it_any_more_never_begins() {
    let (lanes, slow) = lanes();
    slow.silence("a");
    let admitted = ask(&lanes, device("a"));
    slow.begun(1);
    assert!(matches!(lanes.unprotect(&disk("a", 1), SHORT), Err(GateError::Late)));
    assert!(matches!(lanes.protect(&disk("a", 1), SHORT), Err(GateError::Late)));
    slow.wake("a");
    assert!(lanes.settle(LONG));
    assert!(admitted.recv_timeout(LONG).unwrap().is_ok());
    assert_eq!(slow.log(), ["admit a", "protect a"]);
}

#[test]
fn a_flood_of_questions_about_silent_devices_costs_a_bounded_number_of_threads_and_places() {
    let (lanes, slow) = lanes();
    let names: Vec<String> = (0..2 * AT_ONCE).map(|number| format!("d{number:03}")).collect();
    names.iter().for_each(|name| slow.silence(name));
    let admitted: Vec<_> = names.iter().map(|name| ask(&lanes, device(name))).collect();
    slow.begun(AT_ONCE);
    let disks: Vec<_> =
        (0..2 * LONGEST).map(|number| ask(&lanes, Work::Protect(disk("d000", number as u64)))).collect();
    let turned_away = disks.iter().filter(|answer| matches!(answer.try_recv(), Ok(Err(GateError::TooMany)))).count();
    assert_eq!(turned_away, LONGEST);
    assert_eq!((slow.log().len(), lanes.0.lock().threads), (AT_ONCE, AT_ONCE));
    // Refusing, and the protection of a medium that was being sealed, find a place all the same.
    let refused = ask(&lanes, refusal("d000"));
    assert!(matches!(lanes.protect(&disk("d000", 1), SHORT), Err(GateError::Late)));
    names.iter().for_each(|name| slow.wake(name));
    assert!(lanes.settle(LONG));
    assert!(refused.recv_timeout(LONG).unwrap().is_ok());
    assert!(admitted.iter().all(|answer| answer.recv_timeout(LONG).unwrap().is_ok()));
    assert_eq!(slow.log().iter().filter(|line| *line == "protect d000").count(), LONGEST + 1);
}

#[test]
fn a_gate_that_panics_costs_one_answer_and_not_the_lane() {
    let (lanes, slow) = lanes();
    let lost = ask(&lanes, refusal("panics"));
    assert!(lost.recv_timeout(LONG).is_err());
    assert!(lanes.settle(LONG));
    assert!(ask(&lanes, device("panics")).recv_timeout(LONG).unwrap().is_ok());
    assert_eq!(slow.log(), ["refuse panics", "admit panics"]);
}
