//! The file `descriptors` of a USB device in sysfs: its device descriptor and every configuration with everything in it
//! (USB 2.0, chapter 9; kernel: Documentation/ABI/stable/sysfs-bus-usb).
//!
//! These bytes come from the device. Whatever the standard does not allow is malformed here, also where the kernel is
//! lenient: what is judged must be all that the kernel, another kernel or another host could see in them.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]

use std::collections::BTreeSet;
use thiserror::Error;

/// Bytes of the longest file: a device descriptor and as many configurations as the kernel keeps (USB_MAXCONFIG), each
/// of 65 535 bytes (wTotalLength has 16 bits).
pub const LONGEST: usize = 18 + 8 * 65_535;

/// Alternate settings in one file, more than any device that a person would plug in has.
const MOST_SETTINGS: usize = 2048;

/// Configurations that the kernel keeps (USB_MAXCONFIG).
const MOST_CONFIGURATIONS: u8 = 8;

// bDescriptorType (USB 2.0, table 9-5; interface association: USB 2.0 ECN "Interface Association Descriptors").
const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
const OTHER_SPEED: u8 = 7;
const ASSOCIATION: u8 = 11;

/// All that is judged of a device's descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice.
    pub release: u16,
    /// bDeviceClass.
    pub class: u8,
    /// Every alternate setting of every interface of every configuration, in their order.
    pub interfaces: Vec<Interface>,
}

/// One alternate setting of an interface (USB 2.0, table 9-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interface {
    /// bConfigurationValue.
    pub configuration: u8,
    /// bInterfaceNumber.
    pub number: u8,
    /// bAlternateSetting.
    pub alternate: u8,
    /// bInterfaceClass.
    pub class: u8,
    /// bInterfaceSubClass.
    pub subclass: u8,
    /// bInterfaceProtocol.
    pub protocol: u8,
}

/// What is wrong with descriptors, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("USB descriptors, byte {offset}: {what}")]
pub struct Malformed {
    /// Bytes from the start of the file.
    pub offset: usize,
    /// What the standard does not allow.
    pub what: &'static str,
}

/// Reads the whole file.
///
/// # Errors
/// [`Malformed`] for whatever is not exactly one device descriptor and its configurations.
pub fn parse(file: &[u8]) -> Result<Descriptors, Malformed> {
    let mut rest = Cursor { bytes: file, offset: 0 };
    if file.len() > LONGEST {
        return Err(rest.wrong("longer than eight configurations can be"));
    }
    let device = rest.descriptor()?;
    let &[
        18,
        DEVICE,
        _usb_low,
        _usb_high,
        class,
        _subclass,
        _protocol,
        _packet,
        vendor_low,
        vendor_high,
        product_low,
        product_high,
        release_low,
        release_high,
        _manufacturer,
        _name,
        _serial,
        configurations,
    ] = device
    else {
        return Err(Malformed { offset: 0, what: "no device descriptor" });
    };
    if !(1..=MOST_CONFIGURATIONS).contains(&configurations) {
        return Err(Malformed { offset: 17, what: "bNumConfigurations is not 1 to 8" });
    }
    let mut interfaces = Vec::new();
    let mut values = BTreeSet::new();
    for _ in 0..configurations {
        let start = rest.offset;
        let value = configuration(&mut rest, &mut interfaces)?;
        if !values.insert(value) {
            return Err(Malformed { offset: start, what: "two configurations of the same bConfigurationValue" });
        }
    }
    if !rest.bytes.is_empty() {
        return Err(rest.wrong("bytes after the last configuration"));
    }
    Ok(Descriptors {
        vendor: u16::from_le_bytes([vendor_low, vendor_high]),
        product: u16::from_le_bytes([product_low, product_high]),
        release: u16::from_le_bytes([release_low, release_high]),
        class,
        interfaces,
    })
}

/// Reads one configuration with all that belongs to it, and gives its bConfigurationValue (USB 2.0, section 9.6.3).
fn configuration(rest: &mut Cursor<'_>, interfaces: &mut Vec<Interface>) -> Result<u8, Malformed> {
    let start = rest.offset;
    let &[length, CONFIGURATION, total_low, total_high, announced, value, ..] = rest.bytes else {
        return Err(rest.wrong("no configuration descriptor"));
    };
    let total = usize::from(u16::from_le_bytes([total_low, total_high]));
    if length < 9 || usize::from(length) > total {
        return Err(rest.wrong("a configuration descriptor that is too short"));
    }
    let mut inside = rest.split(total)?;
    inside.descriptor()?;
    let mut own = Vec::new();
    let mut groups = Vec::new();
    while !inside.bytes.is_empty() {
        let offset = inside.offset;
        let wrong = |what| Err(Malformed { offset, what });
        match inside.descriptor()? {
            &[_, INTERFACE, number, alternate, _endpoints, class, subclass, protocol, _name, ..] => {
                own.push(Interface { configuration: value, number, alternate, class, subclass, protocol });
            }
            &[_, ASSOCIATION, first, count, class, _subclass, _protocol, _name, ..] => {
                groups.push((offset, first, count, class));
            }
            [_, ENDPOINT, _, _, _, _, _, ..] if !own.is_empty() => {}
            [_, INTERFACE | ASSOCIATION | ENDPOINT, ..] => {
                return wrong("a descriptor that is too short or out of place");
            }
            [_, DEVICE | CONFIGURATION | OTHER_SPEED, ..] => {
                return wrong("a device or configuration in a configuration");
            }
            // Descriptors of a class or vendor (HID, audio functions, UAS pipes) say nothing about which driver is bound.
            _ => {}
        }
        if interfaces.len().saturating_add(own.len()) > MOST_SETTINGS {
            return wrong("more than 2048 alternate settings");
        }
    }
    let sound = check_interfaces(&own, announced).and_then(|()| {
        groups.iter().try_for_each(|group| check_association(*group, &own).map_err(|what| (group.0, what)))
    });
    sound.map_err(|(offset, what)| Malformed { offset: start.max(offset), what })?;
    interfaces.append(&mut own);
    Ok(value)
}

/// As many interfaces as announced, each with its default setting, none twice (USB 2.0, section 9.6.5).
fn check_interfaces(own: &[Interface], announced: u8) -> Result<(), (usize, &'static str)> {
    let settings: BTreeSet<(u8, u8)> = own.iter().map(|setting| (setting.number, setting.alternate)).collect();
    let numbers: BTreeSet<u8> = own.iter().map(|setting| setting.number).collect();
    if settings.len() != own.len() {
        return Err((0, "the same alternate setting twice"));
    }
    if numbers.len() != usize::from(announced) {
        return Err((0, "bNumInterfaces is not the number of its interfaces"));
    }
    if numbers.iter().any(|number| !settings.contains(&(*number, 0))) {
        return Err((0, "an interface without its default setting"));
    }
    Ok(())
}

/// An association names interfaces that are there, and a class that one of them has: it must not announce to one host what
/// another does not see.
fn check_association((_, first, count, class): (usize, u8, u8, u8), own: &[Interface]) -> Result<(), &'static str> {
    let group: Vec<&Interface> =
        own.iter().filter(|setting| setting.number.checked_sub(first).is_some_and(|place| place < count)).collect();
    let numbers: BTreeSet<u8> = group.iter().map(|setting| setting.number).collect();
    if count == 0 || numbers.len() != usize::from(count) {
        return Err("an association of interfaces that are not there");
    }
    if !group.iter().any(|setting| setting.class == class) {
        return Err("an association of a class that none of its interfaces has");
    }
    Ok(())
}

/// What is still to be read.
struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn wrong(&self, what: &'static str) -> Malformed {
        Malformed { offset: self.offset, what }
    }

    /// The next descriptor, bLength bytes of it.
    fn descriptor(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.bytes.first().copied().map_or(0, usize::from);
        if length < 2 {
            return Err(self.wrong("a descriptor shorter than its head"));
        }
        Ok(self.split(length)?.bytes)
    }

    /// Takes the next `length` bytes off.
    fn split(&mut self, length: usize) -> Result<Cursor<'a>, Malformed> {
        let cut = self.bytes.split_at_checked(length);
        let (taken, rest) = cut.ok_or(self.wrong("a descriptor longer than what is left"))?;
        let taken = Self { bytes: taken, offset: self.offset };
        self.bytes = rest;
        self.offset = self.offset.saturating_add(length);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
