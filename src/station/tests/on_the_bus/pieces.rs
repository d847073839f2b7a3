//! A station whose devices the test makes up; everything behind them is real: engines, sandbox, scan, bus.

use blanche_station::admit::{Decision, MadeUp, Role};
use blanche_station::daemon::{Daemon, MachineClocks, Parts};
use blanche_station::detect::{DetectError, DevPath, Disk, DiskKind, Event, Interface, Port, Source, UsbDevice};
use blanche_station::service::{Bus, Presence, Service};
use blanche_station::session::Rules;
use blanche_tests::bus::PrivateBus;
use blanche_tests::{Station, program};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Events that the test sends.
struct Told(Receiver<Event>);

impl Source for Told {
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError> {
        match self.0.recv_timeout(limit) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(DetectError::Ended("the test is over".to_owned())),
        }
    }
}

/// Lets everything in, and remembers what it let go.
struct Remembering(Arc<Mutex<Vec<DevPath>>>);

impl MadeUp for Remembering {
    fn release(&self, disk: &Disk) {
        self.0.lock().unwrap().push(disk.path.clone());
    }
}

/// A running station.
pub(crate) struct Running {
    pub(crate) bus: PrivateBus,
    pub(crate) released: Arc<Mutex<Vec<DevPath>>>,
    events: Sender<Event>,
    daemon: Option<Daemon>,
    service: Option<Service>,
}

impl Running {
    /// On a bus of its own, with the bases of the tests.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut station = Station::new(folder);
        let programs = program("blanche-reader").parent().expect("a folder").to_owned();
        station.set("children", "directory", &format!("{programs:?}"));
        station.set("journal", "folder", &format!("{:?}", folder.join("journal")));
        let settings = blanche_scan::settings::Settings::load(&station.configuration()).expect("valid settings");
        let settings = Arc::new(settings);
        let (events, told) = mpsc::channel();
        let released = Arc::default();
        let daemon = Daemon::start(Parts {
            settings: Arc::clone(&settings),
            source: Box::new(Told(told)),
            gate: Box::new(Remembering(Arc::clone(&released))),
            rules: Rules {
                decide: Box::new(|_| Decision::Admit(Role::Input)),
                drive: Box::new(|_| None),
                at_once: 2,
                cores: 2,
                copies: None,
            },
            signer: None,
            clocks: Box::new(MachineClocks),
            logind: None,
            simulated: true,
        })
        .expect("threads");
        let bus = PrivateBus::start();
        let to = Bus::Address(bus.address());
        let service = Service::start(Arc::clone(&daemon.board), daemon.orders.clone(), settings, to).expect("a thread");
        assert_eq!(service.presence(crate::SOON), Presence::Present);
        Self { bus, released, events, daemon: Some(daemon), service: Some(service) }
    }

    /// Plugs a key in.
    pub(crate) fn plug(&self, image: &Path) {
        let capacity = image.metadata().expect("an image").len();
        for event in [Event::DeviceArrived(key()), Event::DiskArrived(disk(image, capacity))] {
            self.events.send(event).expect("a running daemon");
        }
    }

    /// Pulls it out.
    pub(crate) fn pull(&self) {
        for event in [Event::DiskGone(disk_path()), Event::DeviceGone(key().path)] {
            self.events.send(event).expect("a running daemon");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            drop(daemon);
        }
        if let Some(service) = self.service.take() {
            service.join();
        }
    }
}

fn disk_path() -> DevPath {
    DevPath("/devices/test/usb1/1-1/block/sdx".to_owned())
}

/// A plain key whose name would like to be obeyed.
fn key() -> UsbDevice {
    let storage = Interface { configuration: 1, number: 0, alternate: 0, class: 8, subclass: 6, protocol: 80 };
    UsbDevice {
        path: DevPath("/devices/test/usb1/1-1".to_owned()),
        port: Port("pci-0000:00:14.0-usb-0:1".to_owned()),
        vendor: 0x0951,
        product: 0x1666,
        release: 0x0100,
        class: 0,
        manufacturer: Some("King\u{1B}[2Jston".to_owned()),
        name: Some("DataTraveler \u{202E}3.0".to_owned()),
        serial: Some("60A44C413FAE".to_owned()),
        interfaces: Some(vec![storage]),
        descriptors: [7; 32],
    }
}

fn disk(image: &Path, capacity: u64) -> Disk {
    Disk {
        path: disk_path(),
        device: Some(key().path),
        port: Some(key().port),
        node: image.to_owned(),
        number: 0,
        sequence: 0,
        capacity,
        read_only: false,
        kind: DiskKind::Disk,
        lun: 0,
        vendor: None,
        model: None,
    }
}
