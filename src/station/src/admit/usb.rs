//! The real gate: `authorized` of devices and interfaces in sysfs (kernel: Documentation/usb/authorization.rst).
//!
//! A closed controller lets a device enumerate and binds no driver to it. Admitting lifts that for the device, then for each
//! interface that was judged, and asks the kernel for a driver for that interface only. So a keyboard beside the storage
//! of a device that lied never gets a driver, even if it appears in between: it is not authorised by itself.

use super::decide::{HUB, STORAGE};
use super::{Gate, GateError, protect};
use crate::detect::sysfs::Folder;
use crate::detect::{DevPath, Disk, UsbDevice, descriptors};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a driver may take to bind: its module is perhaps being loaded.
const DRIVER_WAIT: Duration = Duration::from_secs(3);

/// Between two looks.
const DRIVER_LOOK: Duration = Duration::from_millis(20);

/// Which drivers may take a device that is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drivers {
    /// Each interface must get one of these.
    Only(&'static [&'static str]),
    /// Whatever the kernel has for a part of the station.
    Any,
}

impl Drivers {
    /// Those of a device as `decide` admits it: storage and nothing else, a hub and nothing else, or neither of both. Nothing
    /// for any other, whoever asks for it.
    fn of(device: &UsbDevice) -> Option<Self> {
        let classes: BTreeSet<u8> = device.interfaces.as_ref()?.iter().map(|interface| interface.class).collect();
        let only = |class| classes.len() == 1 && classes.contains(&class);
        if only(STORAGE) {
            Some(Self::Only(&["usb-storage", "uas"]))
        } else if only(HUB) {
            Some(Self::Only(&["hub"]))
        } else {
            (!classes.contains(&STORAGE) && !classes.contains(&HUB)).then_some(Self::Any)
        }
    }
}

/// The gate of this machine.
#[derive(Debug)]
pub struct Usb {
    sys: PathBuf,
    dev: PathBuf,
    open_at_start: Vec<String>,
}

impl Default for Usb {
    fn default() -> Self {
        Self::at(Path::new("/sys"), Path::new("/dev"))
    }
}

impl Usb {
    /// The gate of a machine whose sysfs and device nodes are in these folders.
    #[must_use]
    pub fn at(sys: &Path, dev: &Path) -> Self {
        Self { sys: sys.to_owned(), dev: dev.to_owned(), open_at_start: Vec::new() }
    }

    /// The root hubs, each of which has the defaults of its controller.
    fn controllers(&self) -> Result<Vec<PathBuf>, GateError> {
        let folder = self.sys.join("bus/usb/devices");
        let entries = fs::read_dir(&folder).map_err(|source| failed(&folder, source))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| failed(&folder, source))?;
            if crate::detect::is_bus(&entry.file_name().to_string_lossy()) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Closes one controller, and says whether it was open.
    fn close_controller(controller: &Path) -> Result<bool, GateError> {
        let default = controller.join("authorized_default");
        let before = read(&default)?;
        // 0: nothing; 2: only what the firmware calls built in. Anything else is open.
        let open = before != "0" && before != "2";
        if open {
            write(&default, "0")?;
        }
        let interfaces = controller.join("interface_authorized_default");
        if read(&interfaces)? != "0" {
            write(&interfaces, "0")?;
        }
        Ok(open)
    }

    /// The folder of the controller that a device is connected to.
    fn controller_of(&self, device: &DevPath) -> Result<PathBuf, GateError> {
        let place = Folder::of(&self.sys, device);
        let mut above = place.path().ancestors();
        let bus =
            above.find(|folder| folder.file_name().is_some_and(|name| crate::detect::is_bus(&name.to_string_lossy())));
        let missing = || failed(place.path(), io::Error::new(io::ErrorKind::NotFound, "no USB controller above it"));
        bus.map(Path::to_owned).ok_or_else(missing)
    }

    /// Lets one interface have its driver, and checks which one it got.
    fn admit_interface(&self, name: &str, interface: &Folder, drivers: Drivers) -> Result<(), GateError> {
        write(&interface.path().join("authorized"), "1")?;
        let Drivers::Only(allowed) = drivers else {
            return self.probe(name).or_else(nothing_to_bind);
        };
        let until = Instant::now().checked_add(DRIVER_WAIT);
        loop {
            self.probe(name).or_else(nothing_to_bind)?;
            let wrong = |driver: &str| {
                let why = format!("driver {driver} instead of {}; is that module installed?", allowed.join(" or "));
                Err(failed(interface.path(), io::Error::other(why)))
            };
            match interface.driver() {
                Some(driver) if allowed.contains(&driver.as_str()) => return Ok(()),
                Some(driver) => return wrong(&driver),
                None if until.is_none_or(|until| Instant::now() >= until) => return wrong("none"),
                None => std::thread::sleep(DRIVER_LOOK),
            }
        }
    }

    /// Asks the kernel for a driver for one interface.
    fn probe(&self, interface: &str) -> Result<(), GateError> {
        let file = self.sys.join("bus/usb/drivers_probe");
        write_only(&file, interface)
    }

    /// Whether a disk is a slot that stays when its medium is taken out: deleted, it would be dead until the reader is plugged in
    /// again, or the machine starts again. That is one of the machine itself, of a device that is built in (kernel:
    /// Documentation/ABI/testing/sysfs-bus-usb, `removable`), or of a device with several logical units.
    fn stays(&self, disk: &Disk) -> bool {
        let Some(device) = &disk.device else { return true };
        let built_in = Folder::of(&self.sys, device).text("removable").is_some_and(|text| text == "fixed");
        // …/target6:0:0/6:0:0:1/block/sdc: beside a logical unit stand the others (SAM-5: host:channel:target:LUN).
        let disk = Folder::of(&self.sys, &disk.path);
        let target = disk.path().ancestors().nth(3).and_then(|target| fs::read_dir(target).ok());
        let is_unit =
            |name: &str| name.split(':').count() == 4 && name.bytes().all(|b| b.is_ascii_digit() || b == b':');
        let units =
            target.into_iter().flatten().flatten().filter(|entry| is_unit(&entry.file_name().to_string_lossy()));
        built_in || units.count() > 1
    }

    /// Everything after the check that it is the same device.
    fn authorise(&self, device: &UsbDevice) -> Result<(), GateError> {
        let drivers = Drivers::of(device).ok_or(GateError::Changed)?;
        let folder = Folder::of(&self.sys, &device.path);
        let authorized = folder.path().join("authorized");
        let is_medium = device.interfaces.iter().flatten().any(|interface| interface.class == STORAGE);
        if is_medium && read(&authorized)? != "0" {
            // It was there before the controller was closed: whatever driver it got is taken away first.
            write(&authorized, "0")?;
        }
        if read(&authorized)? != "1" {
            write(&authorized, "1")?;
        }
        // The kernel reads a device's descriptor again when it authorises it, and makes its interfaces only then.
        self.check_same(device)?;
        if is_medium {
            forget_in_sleep(&folder)?;
        }
        let interfaces = folder.interface_folders().map_err(|source| failed(folder.path(), source))?;
        if interfaces.is_empty() {
            return Err(failed(folder.path(), io::Error::other("the kernel makes no interface of it")));
        }
        interfaces.iter().try_for_each(|(name, interface)| self.admit_interface(name, interface, drivers))?;
        self.check_same(device)
    }

    /// The descriptors are those that were judged, and the kernel shows no interface that is not in them.
    fn check_same(&self, device: &UsbDevice) -> Result<(), GateError> {
        let folder = Folder::of(&self.sys, &device.path);
        let judged = device.interfaces.as_deref().ok_or(GateError::Changed)?;
        let now = folder.bytes("descriptors", descriptors::LONGEST);
        let now = now.map_err(|source| failed(&folder.path().join("descriptors"), source))?;
        let same = *blake3::hash(&now).as_bytes() == device.descriptors;
        let shown = folder.shows_only(judged).map_err(|source| failed(folder.path(), source))?;
        if same && shown { Ok(()) } else { Err(GateError::Changed) }
    }
}

impl Gate for Usb {
    /// A station whose kernel is started with `usbcore.authorized_default=2` (or 0) has none.
    fn open_at_start(&self) -> Vec<String> {
        self.open_at_start.clone()
    }

    fn close(&mut self) -> Result<(), GateError> {
        // For controllers that appear later.
        let module = self.sys.join("module/usbcore/parameters/authorized_default");
        let usable = |error| match error {
            GateError::Kernel { what, source } => GateError::Open(format!("{what}: {source}")),
            other => other,
        };
        let default = read(&module).map_err(usable)?;
        if default != "0" && default != "2" {
            write(&module, "0").map_err(usable)?;
        }
        for controller in self.controllers().map_err(usable)? {
            if Self::close_controller(&controller).map_err(usable)? {
                let name = controller.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.open_at_start.push(name);
            }
        }
        Ok(())
    }

    fn admit(&self, device: &UsbDevice) -> Result<(), GateError> {
        self.check_same(device)?;
        // A controller that appeared after the start has its own default for interfaces, which is open.
        Self::close_controller(&self.controller_of(&device.path)?)?;
        // What is half admitted is refused; the first error says why.
        self.authorise(device).inspect_err(|_| {
            if let Err(error) = self.refuse(&device.path) {
                tracing::error!("{}: {error}", device.path);
            }
        })
    }

    fn refuse(&self, device: &DevPath) -> Result<(), GateError> {
        let authorized = Folder::of(&self.sys, device).path().join("authorized");
        match write(&authorized, "0") {
            // It was pulled out, and its drivers went with it.
            Err(GateError::Kernel { source, .. }) if is_gone(&source) => Ok(()),
            other => other,
        }
    }

    fn protect(&self, disk: &Disk, read_only: bool) -> Result<(), GateError> {
        protect::disk(&self.sys, &self.dev, disk, read_only)
    }

    fn release(&self, disk: &Disk) -> Result<(), GateError> {
        protect::flush(disk)?;
        if self.stays(disk) {
            return Ok(());
        }
        // The kernel waits for what is under way, and lets the drive park (kernel: scsi_remove_device, sd_shutdown).
        let delete = Folder::of(&self.sys, &disk.path).path().join("device/delete");
        match write_only(&delete, "1") {
            Err(GateError::Kernel { source, .. }) if is_gone(&source) => Ok(()),
            other => other,
        }
    }
}

/// A medium that is swapped while the machine sleeps is another one. Otherwise the kernel takes whatever shows the same descriptors
/// for the device that was there before, with its disk and everything that was opened on it (kernel:
/// Documentation/driver-api/usb/persist.rst). A kernel that cannot sleep has no such file.
fn forget_in_sleep(device: &Folder) -> Result<(), GateError> {
    match write(&device.path().join("power/persist"), "0") {
        Err(GateError::Kernel { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A driver refuses an interface that it does not serve, and a part of the station may have one without any (`ENODEV`,
/// `EINVAL`; kernel: bus_rescan_devices_helper): which driver is bound is looked at, not this answer.
fn nothing_to_bind(error: GateError) -> Result<(), GateError> {
    match error {
        GateError::Kernel { source, .. } if [Errno::NODEV, Errno::INVAL].map(Some).contains(&errno(&source)) => Ok(()),
        other => Err(other),
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || errno(error) == Some(Errno::NODEV)
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

pub(super) fn failed(file: &Path, source: io::Error) -> GateError {
    GateError::Kernel { what: file.display().to_string(), source }
}

/// An attribute as text.
fn read(file: &Path) -> Result<String, GateError> {
    let text = fs::read_to_string(file).map_err(|source| failed(file, source))?;
    Ok(text.trim().to_owned())
}

/// Sets an attribute, and makes sure that it is set.
fn write(file: &Path, value: &str) -> Result<(), GateError> {
    write_only(file, value)?;
    let now = read(file)?;
    let kept = || io::Error::other(format!("it stays {now} although {value} was written"));
    if now == value { Ok(()) } else { Err(failed(file, kept())) }
}

/// An attribute is written in one call, and is never made.
fn write_only(file: &Path, value: &str) -> Result<(), GateError> {
    let open = OpenOptions::new().write(true).open(file);
    let written = open.and_then(|mut open| open.write_all(value.as_bytes()));
    written.map_err(|source| failed(file, source))
}

#[cfg(test)]
mod tests;
