//! The decision: a pure function of what a device shows and what the administrator declared (security rule 6).
//!
//! Only the descriptors count, all of them: a device that could be something else in another configuration or alternate
//! setting is that as well. Names and serial numbers are the device's own words; they can only make it refused.

use super::policy::Policy;
use super::{Decision, DeviceRefusal};
use crate::detect::{Interface, UsbDevice};
use blanche_scan::settings::PortRole;

/// Mass storage (USB-IF, "Defined Class Codes").
pub(super) const STORAGE: u8 = 0x08;

/// Hub (USB 2.0, section 11.23.1).
pub(super) const HUB: u8 = 0x09;

/// bDeviceClass of a device whose interfaces say what it is (USB 2.0, table 9-8).
const BY_INTERFACE: u8 = 0x00;

/// Kinds of storage that are admitted: subclass and protocol ("Mass Storage Class Specification Overview" 1.4, tables 1
/// and 2).
///
/// SCSI over Bulk-Only and over UAS is what keys, disks, card readers and most drives speak. CD and DVD drives also
/// announce MMC-5 (ATAPI), which is a part of SCSI over the same Bulk-Only transport. The rest is refused: floppy drives
/// (UFI, over CBI) and tapes are not what people bring, and each is one more path in the kernel's driver that nobody tries any more.
const TRANSPORTS: [(u8, u8); 3] = [(0x06, 0x50), (0x06, 0x62), (0x02, 0x50)];

/// What becomes of a device.
pub fn decide(device: &UsbDevice, policy: &Policy) -> Decision {
    if policy.denies(device) {
        return Decision::Refuse(DeviceRefusal::List);
    }
    let Some(interfaces) = &device.interfaces else {
        return Decision::Refuse(DeviceRefusal::Malformed);
    };
    if is_hub(device, interfaces) {
        let declared = policy.declared_for(device) == Some(PortRole::Hub);
        return if declared { Decision::Hub } else { Decision::Refuse(DeviceRefusal::Hub) };
    }
    if policy.declared(&device.port).is_some_and(|port| port.role == PortRole::Own) {
        return own(device, interfaces, policy);
    }
    match medium(device, interfaces).and_then(|()| policy.media_role(device).ok_or(DeviceRefusal::Port)) {
        Ok(_) if !policy.allows(device) => Decision::Refuse(DeviceRefusal::List),
        Ok(role) => Decision::Admit(role),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// A hub and nothing else.
fn is_hub(device: &UsbDevice, interfaces: &[Interface]) -> bool {
    device.class == HUB && interfaces.iter().all(|interface| interface.class == HUB)
}

/// A part of the station may be anything but a medium, which would escape being checked, or a hub, which would open sockets.
fn own(device: &UsbDevice, interfaces: &[Interface], policy: &Policy) -> Decision {
    let foreign = |class: u8| class == STORAGE || class == HUB;
    let harmless = !foreign(device.class) && !interfaces.iter().any(|interface| foreign(interface.class));
    if harmless && policy.declared_for(device) == Some(PortRole::Own) {
        Decision::Own
    } else {
        Decision::Refuse(DeviceRefusal::Port)
    }
}

/// Whether a device is storage and nothing else.
fn medium(device: &UsbDevice, interfaces: &[Interface]) -> Result<(), DeviceRefusal> {
    let (storage, others): (Vec<Interface>, Vec<Interface>) =
        interfaces.iter().partition(|interface| interface.class == STORAGE);
    if storage.is_empty() {
        return Err(DeviceRefusal::NotStorage(others));
    }
    if !others.is_empty() {
        return Err(DeviceRefusal::Composite(others));
    }
    // Some keys say of the whole device what the standard has them say of its interface: it changes nothing.
    if ![BY_INTERFACE, STORAGE].contains(&device.class) {
        return Err(DeviceRefusal::Class(device.class));
    }
    let odd = |interface: &&Interface| !TRANSPORTS.contains(&(interface.subclass, interface.protocol));
    match storage.iter().filter(odd).copied().collect::<Vec<_>>() {
        odd if odd.is_empty() => Ok(()),
        odd => Err(DeviceRefusal::Transport(odd)),
    }
}

#[cfg(test)]
mod tests;
