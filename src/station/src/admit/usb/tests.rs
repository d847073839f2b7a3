#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::detect::simulated::descriptors_of;
use crate::detect::sysfs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

const DEVICE: &str = "devices/pci0000:00/0000:00:14.0/usb1/1-1";
const STORAGE: (u8, u8, u8) = (8, 6, 0x50);
const KEYBOARD: (u8, u8, u8) = (3, 1, 1);

/// A folder that looks like sysfs, with one controller and one device. Attributes keep what is written, as in sysfs.
struct Machine {
    sys: TempDir,
}

impl Machine {
    fn new(interfaces: &[(u8, u8, u8)], shown: &[(u8, u8, u8)], driver: &str) -> Self {
        let machine = Self { sys: tempfile::tempdir().unwrap() };
        machine.put("module/usbcore/parameters/authorized_default", "0");
        machine.put("devices/pci0000:00/0000:00:14.0/usb1/authorized_default", "1");
        machine.put("devices/pci0000:00/0000:00:14.0/usb1/interface_authorized_default", "1");
        machine.put("bus/usb/drivers_probe", "");
        fs::create_dir_all(machine.path("bus/usb/devices")).unwrap();
        symlink(machine.path("devices/pci0000:00/0000:00:14.0/usb1"), machine.path("bus/usb/devices/usb1")).unwrap();
        machine.put(&format!("{DEVICE}/authorized"), "0");
        machine.put(&format!("{DEVICE}/idVendor"), "0951\n");
        machine.put(&format!("{DEVICE}/idProduct"), "1666\n");
        machine.put(&format!("{DEVICE}/bConfigurationValue"), "1\n");
        fs::write(machine.path(&format!("{DEVICE}/descriptors")), descriptors_of(0x0951, 0x1666, interfaces)).unwrap();
        (0..).zip(shown).for_each(|(number, interface)| machine.show(number, *interface, driver));
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sys.path().join(name)
    }

    fn put(&self, name: &str, value: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), value).unwrap();
    }

    fn get(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap().trim().to_owned()
    }

    /// The kernel makes an interface.
    fn show(&self, number: u8, (class, subclass, protocol): (u8, u8, u8), driver: &str) {
        let folder = format!("{DEVICE}/1-1:1.{number}");
        for (name, value) in [
            ("bInterfaceNumber", format!("{number:02x}\n")),
            ("bAlternateSetting", " 0\n".to_owned()),
            ("bInterfaceClass", format!("{class:02x}\n")),
            ("bInterfaceSubClass", format!("{subclass:02x}\n")),
            ("bInterfaceProtocol", format!("{protocol:02x}\n")),
            ("authorized", "0".to_owned()),
        ] {
            self.put(&format!("{folder}/{name}"), &value);
        }
        if !driver.is_empty() {
            symlink(format!("../../bus/usb/drivers/{driver}"), self.path(&format!("{folder}/driver"))).unwrap();
        }
    }

    fn gate(&self) -> Usb {
        Usb::at(self.sys.path(), Path::new("/dev"))
    }

    fn device(&self) -> UsbDevice {
        sysfs::usb_device(self.sys.path(), &DevPath(format!("/{DEVICE}")), None).unwrap()
    }

    fn authorized(&self) -> (String, String) {
        (self.get(&format!("{DEVICE}/authorized")), self.get(&format!("{DEVICE}/1-1:1.0/authorized")))
    }
}

fn is(device: &str, interface: &str) -> (String, String) {
    (device.to_owned(), interface.to_owned())
}

#[test]
fn closing_shuts_every_controller_and_says_which_were_open() {
    let machine = Machine::new(&[STORAGE], &[], "");
    machine.put("module/usbcore/parameters/authorized_default", "1");
    let mut gate = machine.gate();
    gate.close().unwrap();
    assert_eq!(machine.get("module/usbcore/parameters/authorized_default"), "0");
    assert_eq!(machine.get("bus/usb/devices/usb1/authorized_default"), "0");
    assert_eq!(machine.get("bus/usb/devices/usb1/interface_authorized_default"), "0");
    assert_eq!(gate.open_at_start(), ["usb1"]);
}

#[test]
fn ports_that_the_firmware_calls_built_in_may_stay_open() {
    let machine = Machine::new(&[STORAGE], &[], "");
    machine.put("bus/usb/devices/usb1/authorized_default", "2");
    machine.put("module/usbcore/parameters/authorized_default", "2");
    let mut gate = machine.gate();
    gate.close().unwrap();
    assert_eq!(machine.get("bus/usb/devices/usb1/authorized_default"), "2");
    assert_eq!(gate.open_at_start(), Vec::<String>::new());
}

#[test]
fn a_machine_that_cannot_be_closed_says_so() {
    for missing in [
        "module/usbcore/parameters/authorized_default",
        "bus/usb/devices/usb1/authorized_default",
        "bus/usb/devices/usb1/interface_authorized_default",
    ] {
        let machine = Machine::new(&[STORAGE], &[], "");
        fs::remove_file(machine.path(missing)).unwrap();
        let error = machine.gate().close().unwrap_err();
        assert!(matches!(&error, GateError::Open(what) if what.contains("authorized_default")), "{error}");
    }
    let machine = Machine::new(&[STORAGE], &[], "");
    fs::remove_dir_all(machine.path("bus")).unwrap();
    assert!(matches!(machine.gate().close(), Err(GateError::Open(_))));
}

#[test]
fn an_attribute_that_does_not_keep_its_value_is_an_error() {
    // /dev/zero takes every write and keeps none; its text is no value.
    let machine = Machine::new(&[STORAGE], &[], "");
    let file = machine.path("bus/usb/devices/usb1/authorized_default");
    fs::remove_file(&file).unwrap();
    symlink("/dev/null", &file).unwrap();
    let error = machine.gate().close().unwrap_err().to_string();
    assert!(error.contains("stays"), "{error}");
}

#[test]
fn storage_is_authorised_interface_by_interface() {
    let machine = Machine::new(&[STORAGE], &[STORAGE], "usb-storage");
    machine.gate().admit(&machine.device()).unwrap();
    assert_eq!(machine.authorized(), is("1", "1"));
    assert_eq!(machine.get("bus/usb/drivers_probe"), "1-1:1.0");
    assert_eq!(machine.get("bus/usb/devices/usb1/interface_authorized_default"), "0", "closed again before");
    machine.gate().refuse(&machine.device().path).unwrap();
    assert_eq!(machine.get(&format!("{DEVICE}/authorized")), "0");
}

#[test]
fn a_medium_that_is_swapped_while_the_machine_sleeps_is_not_taken_for_the_one_before() {
    let persist = format!("{DEVICE}/power/persist");
    for (interface, driver, after) in [(STORAGE, "usb-storage", "0"), (KEYBOARD, "usbhid", "1")] {
        let machine = Machine::new(&[interface], &[interface], driver);
        machine.put(&persist, "1");
        machine.gate().admit(&machine.device()).unwrap();
        assert_eq!(machine.get(&persist), after, "{driver}");
    }
    let machine = Machine::new(&[STORAGE], &[STORAGE], "usb-storage");
    fs::create_dir_all(machine.path(&persist)).unwrap();
    machine.gate().admit(&machine.device()).unwrap_err();
    assert_eq!(machine.authorized(), is("0", "0"), "what cannot be told apart is not admitted");
}

#[test]
fn a_device_that_changed_is_not_authorised() {
    let machine = Machine::new(&[STORAGE], &[STORAGE], "usb-storage");
    let judged = machine.device();
    fs::write(machine.path(&format!("{DEVICE}/descriptors")), descriptors_of(0x0951, 0x1666, &[KEYBOARD])).unwrap();
    assert!(matches!(machine.gate().admit(&judged), Err(GateError::Changed)));
    assert_eq!(machine.authorized(), is("0", "0"));
    assert_eq!(machine.get("bus/usb/drivers_probe"), "");
}

#[test]
fn an_interface_that_was_not_judged_refuses_the_whole_device() {
    let machine = Machine::new(&[STORAGE], &[STORAGE], "usb-storage");
    let judged = machine.device();
    machine.show(1, KEYBOARD, "");
    assert!(matches!(machine.gate().admit(&judged), Err(GateError::Changed)));
    assert_eq!(machine.authorized(), is("0", "0"));
    // The same to whoever looks at it first: what sysfs shows and the descriptors do not is malformed.
    assert_eq!(machine.device().interfaces, None);
}

#[test]
fn any_other_driver_than_those_of_storage_refuses_the_whole_device() {
    for driver in ["usbhid", "ums-realtek"] {
        let machine = Machine::new(&[STORAGE], &[STORAGE], driver);
        let error = machine.gate().admit(&machine.device()).unwrap_err();
        assert!(error.to_string().contains(&format!("driver {driver} instead of usb-storage or uas")), "{error}");
        assert_eq!(machine.get(&format!("{DEVICE}/authorized")), "0");
    }
}

#[test]
fn without_a_driver_nothing_is_admitted() {
    let machine = Machine::new(&[STORAGE], &[STORAGE], "");
    let error = machine.gate().admit(&machine.device()).unwrap_err();
    assert!(error.to_string().contains("driver none instead of"), "{error}");
    assert_eq!(machine.get(&format!("{DEVICE}/authorized")), "0");
}

#[test]
fn malformed_descriptors_are_never_authorised() {
    let machine = Machine::new(&[STORAGE], &[STORAGE], "usb-storage");
    fs::write(machine.path(&format!("{DEVICE}/descriptors")), b"\x12\x01").unwrap();
    let device = machine.device();
    assert_eq!(device.interfaces, None);
    assert!(matches!(machine.gate().admit(&device), Err(GateError::Changed)));
}

#[test]
fn a_part_of_the_station_may_have_any_driver_or_none() {
    for driver in ["usbhid", ""] {
        let machine = Machine::new(&[KEYBOARD], &[KEYBOARD], driver);
        machine.gate().admit(&machine.device()).unwrap();
        assert_eq!(machine.authorized(), is("1", "1"));
    }
}

#[test]
fn a_hub_gets_the_driver_of_hubs_and_no_other() {
    for (driver, admitted) in [("hub", true), ("usbhid", false)] {
        let machine = Machine::new(&[(9, 0, 0)], &[(9, 0, 0)], driver);
        assert_eq!(machine.gate().admit(&machine.device()).is_ok(), admitted, "{driver}");
    }
}

#[test]
fn storage_with_anything_else_is_not_authorised_whoever_asks_for_it() {
    for other in [KEYBOARD, (9, 0, 0)] {
        let machine = Machine::new(&[STORAGE, other], &[STORAGE], "usb-storage");
        assert!(matches!(machine.gate().admit(&machine.device()), Err(GateError::Changed)));
        assert_eq!(machine.authorized(), is("0", "0"));
    }
}

#[test]
fn refusing_what_is_already_gone_is_fine() {
    let machine = Machine::new(&[STORAGE], &[], "");
    machine.gate().refuse(&DevPath("/devices/pci0000:00/0000:00:14.0/usb1/1-7".into())).unwrap();
}
