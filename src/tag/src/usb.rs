//! Identity of a USB device in one form for every host (section 9 of the specification).

/// Vendor, product and canonical serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usb {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// As [`canonical_serial`] gives it.
    pub serial: String,
}

/// Most characters of a serial: a USB string descriptor holds 126 units (USB 2.0, 9.6.7).
const MAX_SERIAL: usize = 126;

/// The canonical form of a serial as Linux or the device shows it; none if a host would not see the same.
#[must_use]
pub fn canonical_serial(shown: &str) -> Option<String> {
    if !shown.chars().all(|letter| matches!(letter, ' '..='~') && letter != ',') {
        return None;
    }
    let mut serial = String::with_capacity(shown.len());
    for letter in shown.chars().map(|letter| letter.to_ascii_uppercase()) {
        let kept = letter.is_ascii_alphanumeric() || "#+-.:=@_".contains(letter);
        let letter = if kept { letter } else { '_' };
        if letter != '_' || !serial.ends_with('_') {
            serial.push(letter);
        }
    }
    let serial = serial.trim_matches('_');
    (1..=MAX_SERIAL).contains(&serial.len()).then(|| serial.to_owned())
}

/// The serial in a Windows device instance identifier, `USB\VID_…&PID_…\…` or `USBSTOR\…\…`; none if Windows made it up.
#[must_use]
pub fn serial_from_windows_instance(identifier: &str) -> Option<String> {
    let (_, instance) = identifier.rsplit_once('\\')?;
    let storage = identifier.get(..8).is_some_and(|bus| bus.eq_ignore_ascii_case("USBSTOR\\"));
    let instance = match instance.rsplit_once('&') {
        Some((serial, number)) if storage && number.bytes().all(|byte| byte.is_ascii_digit()) => serial,
        _ => instance,
    };
    if instance.chars().nth(1) == Some('&') { None } else { canonical_serial(instance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of section 9: serial, Linux, udev, Windows, canonical.
    #[test]
    fn hosts_agree_on_a_serial() {
        for (linux, udev, windows, canonical) in [
            ("AA00000000000489", "AA00000000000489", "AA00000000000489", Some("AA00000000000489")),
            ("4c530001ab", "4c530001ab", "4C530001AB", Some("4C530001AB")),
            ("WD  12 34 ", "WD_12_34", "WD__12_34_", Some("WD_12_34")),
            ("X/1(2)", "X_1_2_", "X/1(2)", Some("X_1_2")),
            ("É1", "É1", "5&2A3F1B&0&2", None),
        ] {
            let canonical = canonical.map(str::to_owned);
            assert_eq!(canonical_serial(linux), canonical);
            assert_eq!(canonical_serial(udev), canonical);
            assert_eq!(serial_from_windows_instance(&format!("USB\\VID_0781&PID_5567\\{windows}")), canonical);
            let stored = format!("USBSTOR\\DISK&VEN_A&PROD_B&REV_1\\{windows}&0");
            assert_eq!(serial_from_windows_instance(&stored), canonical);
        }
        assert_eq!(canonical_serial("A,1"), None);
        assert_eq!(canonical_serial(""), None);
        assert_eq!(canonical_serial(" /_ "), None);
        assert_eq!(canonical_serial(&"A".repeat(127)), None);
    }

    #[test]
    fn a_canonical_serial_stays_as_it_is() {
        for text in ["A_B-1.2:3=4@5#6+7", "WD_12_34"] {
            assert_eq!(canonical_serial(text).as_deref(), Some(text));
        }
    }
}
