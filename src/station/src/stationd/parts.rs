//! What the daemon of a real station is made of: the one place where its source, gate, policy and journal are chosen.
//!
//! **Not connected yet**: detection through udev, the USB gate and the journal. Until they are, this station sees no device,
//! says so on its board, and seals nothing. Everything else (engines, bus, systemd) is real.

use crate::admit::{Decision, DeviceRefusal, Gate, GateError};
use crate::daemon::Parts;
use crate::detect::{DetectError, DevPath, Disk, Event, Source, UsbDevice};
use crate::session::Rules;
use blanche_scan::settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// Sessions at the same time: two people with a key each.
const AT_ONCE: usize = 2;

/// The parts of a real station.
pub(super) fn parts(settings: &Arc<Settings>) -> Parts {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    Parts {
        settings: Arc::clone(settings),
        source: Box::new(Unconnected),
        gate: Box::new(Unconnected),
        rules: Rules {
            decide: Box::new(|_| Decision::Refuse(DeviceRefusal::Unusable)),
            drive: Box::new(|_| None),
            at_once: AT_ONCE,
            cores: u64::try_from(cores).unwrap_or(1),
        },
        record: Box::new(|_| Err("the journal is not connected".to_owned())),
        problems: Vec::new(),
        simulated: false,
    }
}

/// Neither devices nor a gate.
struct Unconnected;

impl Source for Unconnected {
    fn next(&mut self, _: Duration) -> Result<Option<Event>, DetectError> {
        Err(DetectError::Ended("detection is not connected".to_owned()))
    }
}

fn unconnected() -> GateError {
    GateError::Open("the gate is not connected".to_owned())
}

impl Gate for Unconnected {
    fn close(&mut self) -> Result<(), GateError> {
        Err(unconnected())
    }

    fn admit(&mut self, _: &UsbDevice) -> Result<(), GateError> {
        Err(unconnected())
    }

    fn refuse(&mut self, _: &DevPath) -> Result<(), GateError> {
        Err(unconnected())
    }

    fn protect(&mut self, _: &Disk, _: bool) -> Result<(), GateError> {
        Err(unconnected())
    }

    fn release(&mut self, _: &Disk) -> Result<(), GateError> {
        Err(unconnected())
    }
}
