//! What each USB socket of the station is for, and which devices are let in or kept out: `[[ports]]`, and the lists of
//! `[admit]`.

use super::units;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::collections::BTreeSet;

/// One socket of the station.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortSettings {
    /// Its name as udev gives it (ID_PATH): `pci-0000:00:14.0-usb-0:2`.
    #[serde(deserialize_with = "text")]
    pub port: String,
    /// What it is for.
    pub role: PortRole,
    /// What people call it: for whoever reads the file.
    #[serde(default)]
    pub name: String,
    /// Only a device of this idVendor may be there.
    #[serde(default, deserialize_with = "some_usb_number")]
    pub vendor: Option<u16>,
    /// Only a device of this idProduct may be there.
    #[serde(default, deserialize_with = "some_usb_number")]
    pub product: Option<u16>,
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortRole {
    /// Media that are checked.
    Input,
    /// Keys of the station, onto which checked files are copied.
    Output,
    /// A part of the station: keyboard, touch screen.
    Own,
    /// A hub of the station; what is plugged into it has ports of its own.
    Hub,
}

/// Which devices an entry of a list means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// idVendor.
    #[serde(deserialize_with = "usb_number")]
    pub vendor: u16,
    /// idProduct; `None` = every one.
    #[serde(default, deserialize_with = "some_usb_number")]
    pub product: Option<u16>,
    /// iSerialNumber, exactly; `None` = every one.
    #[serde(default)]
    pub serial: Option<String>,
}

/// Reads `[[ports]]`; no socket may be declared twice.
pub(super) fn ports<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PortSettings>, D::Error> {
    let ports = Vec::<PortSettings>::deserialize(from)?;
    let mut seen = BTreeSet::new();
    for port in &ports {
        if !seen.insert(&port.port) {
            return Err(D::Error::custom(format!("port \"{}\" is declared twice; keep one of them", port.port)));
        }
    }
    Ok(ports)
}

/// A text that is not empty.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        Err(D::Error::custom("a port has a name; udevadm info shows it as ID_PATH"))
    } else {
        Ok(text)
    }
}

/// Four hexadecimal digits, as lsusb(8) shows them.
fn usb_number<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    const HINT: &str = "four hexadecimal digits in quotes, such as \"0951\"";
    let text = units::text(from, HINT)?;
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u16::from_str_radix(&text, 16).ok().filter(|_| digits);
    number.ok_or_else(|| D::Error::custom(format!("\"{text}\" is not {HINT}")))
}

fn some_usb_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    usb_number(from).map(Some)
}
