//! What the daemon of a real station is made of: the one place where its source, gate and rules are chosen.

use crate::admit::Usb;
use crate::daemon::{AskSigner, MachineClocks, Parts};
use crate::detect::{DetectError, Event, Source, Udev};
use crate::seal::turn;
use crate::session::Rules;
use blanche_bus::Bus;
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// The parts of a real station.
pub(super) fn parts(settings: &Arc<Settings>) -> Parts {
    Parts {
        settings: Arc::clone(settings),
        source: Box::new(Devices::Closed),
        gate: Box::new(Usb::default()),
        rules: Rules::of(settings),
        signer: Some(signer(Arc::clone(settings))),
        clocks: Box::new(MachineClocks),
        logind: Some(Bus::System),
        simulated: false,
    }
}

/// What keeps the signer from signing: told before the first medium is clean.
pub(super) fn signer(settings: Arc<Settings>) -> AskSigner {
    Box::new(move || {
        let signer = turn::signer(&settings, &Cancel::default(), &mut || {});
        let described = signer.and_then(|signer| signer.map_or(Ok(()), |signer| signer.describe().map(drop)));
        described.map_err(|error| error.to_string())
    })
}

/// The devices of this machine. They are looked at only when the gate is closed, that is with the first question: a device
/// that is judged before could be authorised by the kernel meanwhile.
enum Devices {
    Closed,
    Open(Box<Udev>),
}

impl Source for Devices {
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError> {
        match self {
            Self::Closed => {
                *self = Self::Open(Box::new(Udev::open()?));
                Ok(None)
            }
            Self::Open(udev) => udev.next(limit),
        }
    }
}
