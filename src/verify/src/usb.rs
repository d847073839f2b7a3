//! Which USB device a block device is (docs/tag-format.md, section 9).

use blanche_tag::{Seen, Usb};
#[cfg(target_os = "linux")]
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the identity of USB devices can be asked for.
pub(crate) trait UsbBus {
    /// The USB device that *is* the block device with this number.
    fn identity(&self, device: u64) -> Seen<Option<Usb>>;
}

/// Nothing can be asked: Windows, where it takes calls that this program does not make.
#[cfg(not(target_os = "linux"))]
pub(crate) struct NoBus;

#[cfg(not(target_os = "linux"))]
impl UsbBus for NoBus {
    fn identity(&self, _: u64) -> Seen<Option<Usb>> {
        Seen::NotAvailable
    }
}

/// The kernel's device tree, sysfs(5).
#[cfg(target_os = "linux")]
pub(crate) struct Sysfs {
    root: PathBuf,
}

#[cfg(target_os = "linux")]
impl Sysfs {
    pub(crate) fn new() -> Self {
        Self { root: PathBuf::from("/sys") }
    }

    fn folder(&self, device: u64) -> Option<PathBuf> {
        let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        fs::canonicalize(self.root.join("dev/block").join(number)).ok()
    }

    /// The name of the whole disk, if this is a partition.
    pub(crate) fn partition_of(&self, device: u64) -> Option<String> {
        let folder = self.folder(device).filter(|folder| folder.join("partition").exists())?;
        Some(folder.parent()?.file_name()?.to_string_lossy().into_owned())
    }

    fn usb(&self, device: u64) -> Option<Option<Usb>> {
        let folder = self.folder(device)?;
        // SCSI peripheral device type 5 is a drive (SPC-4, 6.6.2): the disc in it is the medium.
        if read(&folder.join("device/type")).is_some_and(|kind| kind == "5") {
            return None;
        }
        let device = folder.ancestors().find(|above| above.join("idVendor").is_file())?;
        if logical_units(&folder, device) > 1 {
            // A card reader: the card is the medium.
            return None;
        }
        let number = |name: &str| u16::from_str_radix(&read(&device.join(name))?, 16).ok();
        let (vendor, product) = (number("idVendor")?, number("idProduct")?);
        // Not trimmed beyond the line end: spaces are part of a serial.
        let serial = fs::read_to_string(device.join("serial")).ok();
        let serial = serial.and_then(|serial| blanche_tag::canonical_serial(serial.trim_end_matches('\n')));
        Some(serial.map(|serial| Usb { vendor, product, serial }))
    }
}

/// The USB device that *is* the block device with this number, as a tag claims it; nothing for card readers, drives, other
/// buses, and devices without a usable serial.
#[cfg(target_os = "linux")]
#[must_use]
pub fn usb_device(number: u64) -> Option<Usb> {
    Sysfs::new().usb(number).flatten()
}

#[cfg(target_os = "linux")]
impl UsbBus for Sysfs {
    fn identity(&self, device: u64) -> Seen<Option<Usb>> {
        self.usb(device).map_or(Seen::NotAvailable, Seen::As)
    }
}

#[cfg(target_os = "linux")]
fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// SCSI logical units beside this disk: folders `H:C:T:L` in the target's folder below the USB device.
#[cfg(target_os = "linux")]
fn logical_units(disk: &Path, device: &Path) -> usize {
    let is_target = |folder: &&Path| {
        folder.starts_with(device)
            && folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("target"))
    };
    let Some(target) = disk.ancestors().find(is_target) else { return 1 };
    let is_unit = |name: &str| name.split(':').count() == 4;
    let entries = fs::read_dir(target).into_iter().flatten().flatten();
    entries.filter(|entry| is_unit(&entry.file_name().to_string_lossy())).count()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A tree as the kernel makes it for a USB mass-storage device, with the given units and serial.
    fn tree(units: &[&str], serial: Option<&str>, kind: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let usb = root.path().join("devices/pci0000:00/0000:00:14.0/usb1/1-2");
        let target = usb.join("1-2:1.0/host4/target4:0:0");
        for unit in units {
            let disk = target.join(unit).join("block/sdb");
            fs::create_dir_all(disk.join("sdb1")).unwrap();
            fs::write(target.join(unit).join("type"), kind).unwrap();
            symlink("../..", disk.join("device")).unwrap();
            fs::write(disk.join("sdb1/partition"), "1\n").unwrap();
        }
        fs::write(usb.join("idVendor"), "0781\n").unwrap();
        fs::write(usb.join("idProduct"), "5567\n").unwrap();
        if let Some(serial) = serial {
            fs::write(usb.join("serial"), format!("{serial}\n")).unwrap();
        }
        let block = root.path().join("dev/block");
        fs::create_dir_all(&block).unwrap();
        let disk = target.join(units[0]).join("block/sdb");
        symlink(&disk, block.join("8:16")).unwrap();
        symlink(disk.join("sdb1"), block.join("8:17")).unwrap();
        root
    }

    fn identity(root: &tempfile::TempDir) -> Seen<Option<Usb>> {
        Sysfs { root: root.path().to_owned() }.identity(rustix::fs::makedev(8, 16))
    }

    #[test]
    fn a_usb_key_shows_its_canonical_serial() {
        let expected = Usb { vendor: 0x0781, product: 0x5567, serial: "WD_12_34".into() };
        assert_eq!(identity(&tree(&["4:0:0:0"], Some("wd  12 34 "), "0\n")), Seen::As(Some(expected)));
        assert_eq!(identity(&tree(&["4:0:0:0"], None, "0\n")), Seen::As(None));
    }

    #[test]
    fn card_readers_and_drives_are_not_the_medium() {
        assert_eq!(identity(&tree(&["4:0:0:0", "4:0:0:1"], Some("A1"), "0\n")), Seen::NotAvailable);
        assert_eq!(identity(&tree(&["4:0:0:0"], Some("A1"), "5\n")), Seen::NotAvailable);
    }

    #[test]
    fn a_partition_is_told_from_its_disk() {
        let root = tree(&["4:0:0:0"], Some("A1"), "0\n");
        let sysfs = Sysfs { root: root.path().to_owned() };
        assert_eq!(sysfs.partition_of(rustix::fs::makedev(8, 17)), Some("sdb".to_owned()));
        assert_eq!(sysfs.partition_of(rustix::fs::makedev(8, 16)), None);
        assert_eq!(sysfs.identity(rustix::fs::makedev(9, 0)), Seen::NotAvailable);
    }
}
