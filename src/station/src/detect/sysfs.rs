//! Reads one device's folder in sysfs. Everything in it may be text from the device: it is bounded and never trusted.
//!
//! Reading is by the standard library only: under umockdev, which stands between a program and its C library, the tests see
//! the same code.

use super::descriptors::{self, Descriptors, Interface};
use super::port;
use super::table::Generation;
use super::{DevPath, Disk, DiskKind, Port, UsbDevice};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes of one attribute that are read. A USB string has 126 characters (USB 2.0, section 9.6.7).
const LONGEST_TEXT: usize = 4096;

/// Interface folders of one device that are looked at; the kernel makes at most 32 (USB_MAXINTERFACES).
const MOST_FOLDERS: usize = 64;

/// The folder of one device.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder of what is at `path`; `sys` is where sysfs is mounted.
    pub(crate) fn of(sys: &Path, path: &DevPath) -> Self {
        Self(sys.join(path.0.trim_start_matches('/')))
    }

    /// An attribute's bytes.
    ///
    /// # Errors
    /// What the kernel says, and `FileTooLarge` when it is longer than `most`.
    pub(crate) fn bytes(&self, name: &str, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        File::open(self.0.join(name))?.take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    /// An attribute as text, without blanks around it; nothing when it is empty or not there.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let bytes = self.bytes(name, LONGEST_TEXT).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_matches(|character: char| character.is_ascii_whitespace() || character == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A decimal attribute.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A hexadecimal attribute.
    fn hexadecimal(&self, name: &str) -> Option<u16> {
        u16::from_str_radix(&self.text(name)?, 16).ok()
    }

    fn byte(&self, name: &str) -> Option<u8> {
        u8::try_from(self.hexadecimal(name)?).ok()
    }

    /// Number of this folder: kernfs gives none twice (64 bits, of which 32 count how often the lower 32 were given).
    ///
    /// # Errors
    /// `NotFound` when the device is gone.
    pub(crate) fn generation(&self) -> io::Result<Generation> {
        Ok(fs::metadata(&self.0)?.ino())
    }

    /// The folders of the interfaces that the kernel made, as `1-4:1.0`, at most twice as many as a device can have.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn interface_folders(&self) -> io::Result<Vec<(String, Self)>> {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?.file_name().to_string_lossy().into_owned();
            if entry.strip_prefix(&name).is_some_and(|rest| rest.starts_with(':')) {
                found.push((entry.clone(), Self(self.0.join(entry))));
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        if found.len() > MOST_FOLDERS { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(found) }
    }

    /// What an interface's folder says that it is; `configuration` is the active one.
    pub(crate) fn interface(&self, configuration: u8) -> Option<Interface> {
        Some(Interface {
            configuration,
            number: self.byte("bInterfaceNumber")?,
            alternate: u8::try_from(self.number("bAlternateSetting")?).ok()?,
            class: self.byte("bInterfaceClass")?,
            subclass: self.byte("bInterfaceSubClass")?,
            protocol: self.byte("bInterfaceProtocol")?,
        })
    }

    /// Whether every interface that the kernel made stands in the descriptors that were judged.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn shows_only(&self, judged: &[Interface]) -> io::Result<bool> {
        let configuration = self.number("bConfigurationValue").and_then(|value| u8::try_from(value).ok());
        let known = |folder: &Self| {
            let seen = configuration.and_then(|value| folder.interface(value));
            // A folder that vanishes while it is read shows nothing.
            seen.map_or(!folder.0.exists(), |seen| judged.contains(&seen))
        };
        Ok(self.interface_folders()?.iter().all(|(_, folder)| known(folder)))
    }

    /// Name of the driver that is bound.
    pub(crate) fn driver(&self) -> Option<String> {
        let target = fs::read_link(self.0.join("driver")).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// What a device shows now; `id_path` is udev's name of its socket, if it has one.
///
/// # Errors
/// When it is gone, or its descriptors cannot be read: then nothing is known of it, and it is not admitted.
pub(crate) fn usb_device(sys: &Path, path: &DevPath, id_path: Option<String>) -> io::Result<UsbDevice> {
    let folder = Folder::of(sys, path);
    let bytes = match folder.bytes("descriptors", descriptors::LONGEST) {
        // Longer than any device's: malformed, and still one device.
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => vec![0; descriptors::LONGEST.saturating_add(1)],
        other => other?,
    };
    let mut device = of_descriptors(path.clone(), port::of_device(path, id_path), &bytes);
    let incomplete = || io::Error::from(io::ErrorKind::InvalidData);
    let vendor = folder.hexadecimal("idVendor").ok_or_else(incomplete)?;
    let product = folder.hexadecimal("idProduct").ok_or_else(incomplete)?;
    let judged = device.interfaces.take();
    if (device.vendor, device.product) == (vendor, product) {
        device.interfaces = judged.filter(|judged| folder.shows_only(judged).unwrap_or(false));
    }
    (device.vendor, device.product) = (vendor, product);
    device.manufacturer = folder.text("manufacturer");
    device.name = folder.text("product");
    device.serial = folder.text("serial");
    Ok(device)
}

/// A device with nothing but its descriptors.
pub(super) fn of_descriptors(path: DevPath, port: Port, bytes: &[u8]) -> UsbDevice {
    let parsed = descriptors::parse(bytes).ok();
    let numbers =
        parsed.as_ref().map_or((0, 0, 0, 0), |found| (found.vendor, found.product, found.release, found.class));
    UsbDevice {
        path,
        port,
        vendor: numbers.0,
        product: numbers.1,
        release: numbers.2,
        class: numbers.3,
        manufacturer: None,
        name: None,
        serial: None,
        interfaces: parsed.map(|Descriptors { interfaces, .. }| interfaces),
        descriptors: *blake3::hash(bytes).as_bytes(),
    }
}

/// What udev says of a disk, beside what stands in sysfs.
pub(super) struct DiskNames<'a> {
    /// Where it is.
    pub(super) path: DevPath,
    /// Its node.
    pub(super) node: PathBuf,
    /// Its device number.
    pub(super) number: u64,
    /// A property of udev's.
    pub(super) property: &'a dyn Fn(&str) -> Option<String>,
}

/// What a disk is now; nothing when it is none that a person plugs in: the machine's own disks, loop devices, memory.
///
/// # Errors
/// When it is gone.
pub(super) fn disk(sys: &Path, names: &DiskNames<'_>) -> io::Result<Option<Disk>> {
    let folder = Folder::of(sys, &names.path);
    let generation = folder.generation()?;
    let property = names.property;
    let device = port::usb_ancestor(&names.path);
    let kind = kind(&folder, names);
    if device.is_none() && !is_removable(&folder, kind, names) {
        return Ok(None);
    }
    let port = match &device {
        Some(device) => Some(port::of_device(device, None)),
        None => property("ID_PATH").map(Port),
    };
    // 512: the unit of `size`, whatever the disk's sector is (kernel: Documentation/ABI/stable/sysfs-block).
    let capacity = folder.number("size").unwrap_or(0).saturating_mul(512);
    // A drive without a disc reports the capacity of a full one.
    let empty = kind == DiskKind::Optical && property("ID_CDROM_MEDIA").as_deref() != Some("1");
    Ok(Some(Disk {
        node: names.node.clone(),
        number: names.number,
        sequence: folder.number("diskseq").unwrap_or(generation),
        capacity: if empty { 0 } else { capacity },
        read_only: folder.number("ro").unwrap_or(0) != 0,
        kind,
        lun: logical_unit(&names.path),
        vendor: folder.text("device/vendor"),
        model: folder.text("device/model"),
        path: names.path.clone(),
        device,
        port,
    }))
}

fn kind(folder: &Folder, names: &DiskNames<'_>) -> DiskKind {
    let name = names.path.0.rsplit('/').next().unwrap_or_default();
    // SCSI peripheral device type 5: CD and DVD (SPC-5, table 143).
    if name.starts_with("sr") || folder.number("device/type") == Some(5) {
        DiskKind::Optical
    } else if name.starts_with("fd") || (names.property)("ID_TYPE").as_deref() == Some("floppy") {
        DiskKind::Floppy
    } else {
        DiskKind::Disk
    }
}

/// Whether a disk that is not on USB is a medium: a drive with a door, a card slot, or what a rule calls USB.
fn is_removable(folder: &Folder, kind: DiskKind, names: &DiskNames<'_>) -> bool {
    if (names.property)("ID_BUS").as_deref() == Some("usb") {
        return true;
    }
    let card = folder.text("device/type").as_deref() == Some("SD");
    let opens = kind != DiskKind::Disk || folder.number("removable") == Some(1) || card;
    opens && !names.path.0.starts_with("/devices/virtual/")
}

/// The last number of a SCSI address, host:channel:target:unit, on the way to the disk.
fn logical_unit(path: &DevPath) -> u64 {
    let address = path.0.split('/').rev().find(|part| part.split(':').count() == 4);
    address.and_then(|address| address.rsplit(':').next()?.parse().ok()).unwrap_or(0)
}
