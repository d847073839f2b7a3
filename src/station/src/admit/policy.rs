//! What the administrator declared of sockets and devices.

use super::{DeviceRefusal, Role};
use crate::detect::{Disk, Port, UsbDevice};
use blanche_scan::settings::{DeviceEntry, PortRole, PortSettings, Settings};

/// What the administrator declared: `[[ports]]` and the lists of `[admit]` (docs/configuration.md).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Sockets; none = every socket is for media that are checked.
    pub ports: Vec<PortSettings>,
    /// The only devices that may bring media; none = every one.
    pub allow: Vec<DeviceEntry>,
    /// Devices that are refused whatever they are.
    pub deny: Vec<DeviceEntry>,
}

impl From<&Settings> for Policy {
    fn from(settings: &Settings) -> Self {
        Self { ports: settings.ports.clone(), allow: settings.admit.allow.clone(), deny: settings.admit.deny.clone() }
    }
}

impl Policy {
    /// How a socket was declared.
    #[must_use]
    pub fn declared(&self, port: &Port) -> Option<&PortSettings> {
        self.ports.iter().find(|declared| declared.port == port.0)
    }

    /// What a device's socket is for, if it was declared and this device may be there.
    pub(super) fn declared_for(&self, device: &UsbDevice) -> Option<PortRole> {
        let declared = self.declared(&device.port)?;
        let vendor = declared.vendor.is_none_or(|vendor| vendor == device.vendor);
        let product = declared.product.is_none_or(|product| product == device.product);
        (vendor && product).then_some(declared.role)
    }

    /// For which use a socket brings media.
    pub(super) fn media_role(&self, device: &UsbDevice) -> Option<Role> {
        if self.ports.is_empty() {
            return Some(Role::Input);
        }
        role(self.declared_for(device)?)
    }

    /// What becomes of a disk that belongs to no USB device: a card slot or drive of the machine. It has no descriptors to
    /// judge and its driver is bound already, so it is used only where its socket was declared for media.
    ///
    /// # Errors
    /// [`DeviceRefusal::Port`] anywhere else, and for a disk of a USB device, which is judged by its device.
    pub fn role_of_slot(&self, disk: &Disk) -> Result<Role, DeviceRefusal> {
        let port = disk.port.as_ref().filter(|_| disk.device.is_none());
        let declared = port.and_then(|port| self.declared(port));
        declared.and_then(|declared| role(declared.role)).ok_or(DeviceRefusal::Port)
    }

    /// Whether a device is kept out by name.
    pub(super) fn denies(&self, device: &UsbDevice) -> bool {
        self.deny.iter().any(|entry| means(entry, device))
    }

    /// Whether a device may bring media, by name.
    pub(super) fn allows(&self, device: &UsbDevice) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|entry| means(entry, device))
    }
}

fn role(declared: PortRole) -> Option<Role> {
    match declared {
        PortRole::Input => Some(Role::Input),
        PortRole::Output => Some(Role::Output),
        PortRole::Own | PortRole::Hub => None,
    }
}

/// Whether an entry of a list means a device.
fn means(entry: &DeviceEntry, device: &UsbDevice) -> bool {
    entry.vendor == device.vendor
        && entry.product.is_none_or(|product| product == device.product)
        && entry.serial.as_ref().is_none_or(|serial| device.serial.as_ref() == Some(serial))
}
