//! Admit: which devices may be used at all (security rule 6).
//!
//! [`decide`] is a pure function of a device's descriptors and the policy. A [`Gate`] carries the decision out: no driver is bound
//! before it, and only storage drivers after it.

mod decide;
pub(crate) mod lanes;
mod policy;
mod protect;
mod simulated;
mod usb;
mod words;

pub use decide::decide;
pub use policy::Policy;
pub use simulated::{MadeUp, SimulatedGate};
pub use usb::Usb;
pub use words::{class_name, device_refusal};

use crate::detect::{DevPath, Disk, Interface, UsbDevice};
use std::io;
use std::num::NonZeroU64;
use thiserror::Error;

/// What becomes of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// Plain storage on a port for media.
    Admit(Role),
    /// A hub that the administrator declared.
    Hub,
    /// Part of the station (keyboard, touch screen, …), declared by port.
    Own,
    /// Everything else.
    Refuse(DeviceRefusal),
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Media that are checked.
    Input,
    /// Keys of the station, onto which checked files are copied.
    Output,
}

/// Why a device is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceRefusal {
    /// Not one interface is storage: what it is instead.
    NotStorage(Vec<Interface>),
    /// Storage and something else: what else.
    Composite(Vec<Interface>),
    /// Storage of a kind that is not read here, such as a floppy drive or a tape.
    Transport(Vec<Interface>),
    /// Its interfaces are storage, but the device as a whole says that it is something else (bDeviceClass).
    Class(u8),
    /// The descriptors are malformed.
    Malformed,
    /// It changed after it was judged.
    Changed,
    /// A hub that is not declared.
    Hub,
    /// The port is not declared, or not for such a device.
    Port,
    /// Named in the list of devices that are denied, or not in the list of those that are allowed.
    List,
    /// The kernel could not put it into service.
    Unusable,
}

impl DeviceRefusal {
    /// The stable word for journals, buses and programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotStorage(_) => "not-storage",
            Self::Composite(_) => "composite",
            Self::Transport(_) => "transport",
            Self::Class(_) => "class",
            Self::Malformed => "malformed",
            Self::Changed => "changed",
            Self::Hub => "hub",
            Self::Port => "port",
            Self::List => "list",
            Self::Unusable => "unusable",
        }
    }
}

/// Carries decisions out: several devices at the same time, each device one after the other.
pub trait Gate: Send + Sync {
    /// Sees to it that nothing new is authorised by itself from now on.
    ///
    /// # Errors
    /// [`GateError`] when this machine cannot do that: then no tag may be written.
    fn close(&mut self) -> Result<(), GateError>;

    /// Controllers that were open before [`Gate::close`]: what was plugged in there has had a driver.
    fn open_at_start(&self) -> Vec<String> {
        Vec::new()
    }

    /// Authorises a device that was judged, interface by interface, after comparing its descriptors with those that were
    /// judged. Storage gets a driver for storage and no other, a hub the hub's, a part of the station whatever serves it.
    ///
    /// # Errors
    /// [`GateError`]; then the device stays without a driver.
    fn admit(&self, device: &UsbDevice) -> Result<(), GateError>;

    /// Takes every driver away from a device.
    ///
    /// # Errors
    /// [`GateError`] when the kernel does not.
    fn refuse(&self, device: &DevPath) -> Result<(), GateError>;

    /// Makes a disk and its partitions read-only (BLKROSET), or lifts that for the sealer.
    ///
    /// # Errors
    /// [`GateError`] when the kernel does not.
    fn protect(&self, disk: &Disk, read_only: bool) -> Result<(), GateError>;

    /// Lets a disk go: what was not written yet is written. Of a device that is pulled out as a whole the kernel then forgets
    /// it, and the device may power down; a slot that stays goes on working with the next card.
    ///
    /// # Errors
    /// [`GateError`] when the kernel does not.
    fn release(&self, disk: &Disk) -> Result<(), GateError>;

    /// Bytes of content that are taken from a disk in a second, at most. Nothing holds a real one back.
    fn pace(&self, _: &Disk) -> Option<NonZeroU64> {
        None
    }
}

/// Why a decision could not be carried out.
#[derive(Debug, Error)]
pub enum GateError {
    /// What the kernel says, and of what.
    #[error("{what}: {source}")]
    Kernel {
        /// The file or call.
        what: String,
        /// The reason.
        source: io::Error,
    },
    /// The device is not the one that was judged.
    #[error("the device changed after it was judged")]
    Changed,
    /// The kernel has not answered within the time that is allowed; it may yet do what it was asked for.
    #[error("the device did not answer in time")]
    Late,
    /// A later decision about the same device took it back before it was begun.
    #[error("a later decision about the device took it back")]
    TakenBack,
    /// Decisions about the same device wait already, more than a working one ever leaves.
    #[error("too much is asked of this device")]
    TooMany,
    /// The ports of this machine cannot be closed.
    #[error("USB ports are open by themselves ({0}); start the kernel with usbcore.authorized_default=2")]
    Open(String),
}
