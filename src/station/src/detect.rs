//! Detect: what the kernel and udev say about devices, as typed events.
//!
//! Everything is keyed by [`DevPath`], the only name that every event of a device carries: a `remove` has neither serial
//! number nor bus (seen). A [`Source`] repeats nothing and forgets nothing: what is there at the start arrives first, a
//! device that is gone takes its disks with it, and they go first.
//!
//! * [`Udev`]: the real machine. [`simulated`]: image files instead of media.
//! * `table`: what both have in common: from what is seen to what is new.
//! * [`descriptors`]: what a USB device says that it is. [`is_kept_away`]: whether other programs leave a disk alone.

pub mod descriptors;
mod kept_away;
mod port;
pub(crate) use port::is_bus;
pub mod simulated;
pub(crate) mod sysfs;
mod table;
mod udev;

pub use descriptors::Interface;
pub use kept_away::is_kept_away;
pub use udev::Udev;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Place of a device in the kernel's tree, below `/sys`, as in a uevent's DEVPATH (kernel: Documentation/ABI/testing/sysfs-uevent).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevPath(pub String);

impl fmt::Display for DevPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A socket of the machine, the same at every start: udev's ID_PATH of what is plugged there, as
/// `pci-0000:00:14.0-usb-0:1.2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub String);

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A USB device is plugged in. It may not be authorised yet.
    DeviceArrived(UsbDevice),
    /// The same place, other descriptors: it enumerated again, or shows other interfaces.
    DeviceChanged(UsbDevice),
    /// It was pulled out.
    DeviceGone(DevPath),
    /// A whole disk, drive or card slot is there.
    DiskArrived(Disk),
    /// A card or disc was put in or taken out, or the capacity is another.
    DiskChanged(Disk),
    /// It is gone.
    DiskGone(DevPath),
}

/// One USB device, as its descriptors show it (USB 2.0, chapter 9). Hostile text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbDevice {
    /// Where it is.
    pub path: DevPath,
    /// The socket.
    pub port: Port,
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice.
    pub release: u16,
    /// bDeviceClass.
    pub class: u8,
    /// iManufacturer.
    pub manufacturer: Option<String>,
    /// iProduct.
    pub name: Option<String>,
    /// iSerialNumber.
    pub serial: Option<String>,
    /// Every alternate setting of every interface of every configuration; nothing when the descriptors are malformed.
    pub interfaces: Option<Vec<Interface>>,
    /// Digest of its descriptors (BLAKE3): the device that is admitted is the one that was judged.
    pub descriptors: [u8; 32],
}

impl UsbDevice {
    /// Whether `other`, at the same place, shows what this one shows. The kernel's folders of the same descriptors may be read in a moment
    /// in which they come or go.
    #[must_use]
    pub fn shows_the_same(&self, other: &Self) -> bool {
        self.descriptors == other.descriptors && self.interfaces == other.interfaces
    }
}

/// What a disk is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    /// USB key, disk, card.
    Disk,
    /// CD, DVD.
    Optical,
    /// Floppy.
    Floppy,
}

/// One whole block device (never a partition).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Where it is.
    pub path: DevPath,
    /// The USB device that it belongs to.
    pub device: Option<DevPath>,
    /// The socket, of the USB device or of its own.
    pub port: Option<Port>,
    /// `/dev/sdb`; an image file when it is simulated.
    pub node: PathBuf,
    /// Device number; 0 when it is simulated.
    pub number: u64,
    /// Number that the kernel never uses twice (diskseq): the same node with another number is another medium.
    pub sequence: u64,
    /// Bytes; 0 = no card or disc in it.
    pub capacity: u64,
    /// It has a lock, as far as could be seen before [`Gate::protect`](crate::admit::Gate::protect): the kernel keeps that in the same
    /// place, and forgets it with the drive, not with the card. Of a second card nothing is known.
    pub read_only: bool,
    /// What it is.
    pub kind: DiskKind,
    /// Logical unit number of a device with several.
    pub lun: u64,
    /// Names of vendor and model as the disk itself tells them (SCSI INQUIRY). Hostile text.
    pub vendor: Option<String>,
    /// See `vendor`.
    pub model: Option<String>,
}

impl Disk {
    /// Whether the kernel still has this very medium under this number: diskseq (kernel:
    /// Documentation/ABI/stable/sysfs-block) is never used twice. A simulated medium is an image file without a number.
    ///
    /// # Errors
    /// `NotFound` when the number is nobody's.
    pub fn is_there(&self) -> io::Result<bool> {
        if self.number == 0 {
            return Ok(true);
        }
        let (major, minor) = (rustix::fs::major(self.number), rustix::fs::minor(self.number));
        let text = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/diskseq"))?;
        Ok(text.trim().parse() == Ok(self.sequence))
    }

    /// Whether other programs of the machine leave it alone, so that it may be written: on USB the rules of the package see to
    /// that, in a slot of the machine a rule of the administrator must. What is simulated is seen by nobody else.
    #[must_use]
    pub fn is_ours_alone(&self) -> bool {
        self.device.is_some() || self.number == 0 || is_kept_away(self.number).unwrap_or(false)
    }
}

impl Event {
    /// Whether it tells of a disk that the kernel has taken away meanwhile. What was plugged in before the station started
    /// loses its driver when it is admitted: its disk comes back as another one, and the first is nothing to begin with.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        match self {
            Self::DiskArrived(disk) | Self::DiskChanged(disk) => !disk.is_there().unwrap_or(false),
            Self::DeviceArrived(_) | Self::DeviceChanged(_) | Self::DeviceGone(_) | Self::DiskGone(_) => false,
        }
    }
}

/// Where events come from.
pub trait Source: Send {
    /// The next event; nothing when `limit` has passed.
    ///
    /// # Errors
    /// [`DetectError`] when no further event can come.
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError>;
}

/// Why nothing can be detected.
#[derive(Debug, Error)]
pub enum DetectError {
    /// udev cannot be listened to.
    #[error("udev: {0}; is systemd-udevd running?")]
    Udev(#[source] std::io::Error),
    /// The source has come to its end.
    #[error("no further events: {0}")]
    Ended(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(number: u64) -> Disk {
        Disk {
            path: DevPath("/devices/pci0000:00/usb1/1-1/block/sdb".into()),
            device: None,
            port: None,
            node: PathBuf::from("/dev/sdb"),
            number,
            sequence: 1,
            capacity: 1 << 30,
            read_only: false,
            kind: DiskKind::Disk,
            lun: 0,
            vendor: None,
            model: None,
        }
    }

    #[test]
    fn a_disk_that_is_gone_already_is_not_told_as_one_that_came() {
        // The highest numbers are nobody's (kernel: Documentation/admin-guide/devices.txt).
        let gone = disk(rustix::fs::makedev(4095, 1));
        assert!(Event::DiskArrived(gone.clone()).is_outdated());
        assert!(Event::DiskChanged(gone.clone()).is_outdated());
        assert!(!Event::DiskGone(gone.path).is_outdated(), "that it went is still news");
        assert!(!Event::DiskArrived(disk(0)).is_outdated(), "simulated");
    }
}
