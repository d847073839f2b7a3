//! Whether udevd keeps other programs away from a disk (security rule 3): the rules of the package (debian/blanche-station.udev)
//! leave a mark in its record of each medium that they took for one. Disks on USB are all taken for media; a slot of the machine only
//! by a rule of the administrator (docs/configuration.md, "Ports").

use std::io;
use udev::{Device, DeviceType};

/// The mark.
const MARK: &str = "BLANCHE_MEDIUM";

/// Whether the disk with this number is marked.
///
/// # Errors
/// When nobody knows a disk with this number any more.
pub fn is_kept_away(number: u64) -> io::Result<bool> {
    let device = Device::from_devnum(DeviceType::Block, number)?;
    Ok(device.property_value(MARK).is_some_and(|value| value == "1"))
}
