//! The real source of events: udev's monitor, and one look around at the start.
//!
//! The monitor listens before the look around, so that nothing is missed in between; the [`Table`] sees to it that nothing
//! comes twice. An event only says *where* to look: what a device is, is read from sysfs at that moment. So a flood of
//! events costs time and no memory. Where the kernel drops events because too many wait (ENOBUFS, netlink(7)), one more look around
//! brings everything back.

use super::sysfs::{self, DiskNames, Folder};
use super::table::{MOST, Table};
use super::{DetectError, DevPath, Event, Source, port};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use udev::{Device, Enumerator, EventType, MonitorBuilder, MonitorSocket};

/// Where udevd listens for `udevadm control`: without it nobody sends events.
const CONTROL: &str = "/run/udev/control";

/// Bytes of events that may wait in the kernel, some thousand of them. libudev asks for 128 MiB, which a flood would fill.
const MOST_WAITING: usize = 4 << 20;

/// Failures of the monitor in a row after which it is given up.
const MOST_FAILURES: u32 = 64;

/// Devices and disks that one look around takes in.
const MOST_SEEN: usize = 64 * MOST;

/// Events of udev.
pub struct Udev {
    monitor: MonitorSocket,
    sys: PathBuf,
    table: Table,
    waiting: VecDeque<Event>,
    failures: u32,
}

/// What came of asking the monitor.
enum Heard {
    Event(udev::Event),
    /// Events were lost.
    Overrun,
    /// Nothing for us.
    Nothing,
}

impl Udev {
    /// Starts to listen, and looks around.
    ///
    /// # Errors
    /// [`DetectError::Udev`] when udevd does not run, or does not let us listen.
    pub fn open() -> Result<Self, DetectError> {
        std::fs::metadata(CONTROL).map_err(DetectError::Udev)?;
        Self::listen()
    }

    /// As [`Udev::open`], without asking whether udevd runs: for a test bed that speaks in its place.
    ///
    /// # Errors
    /// [`DetectError::Udev`].
    pub fn listen() -> Result<Self, DetectError> {
        let monitor = MonitorBuilder::new()
            .and_then(|builder| builder.match_subsystem("usb"))
            .and_then(|builder| builder.match_subsystem_devtype("block", "disk"))
            .and_then(MonitorBuilder::listen)
            .map_err(DetectError::Udev)?;
        // Larger needs CAP_NET_ADMIN; what is lost for want of room is made up for.
        if set_socket_recv_buffer_size_force(&monitor, MOST_WAITING).is_err() {
            set_socket_recv_buffer_size(&monitor, MOST_WAITING).map_err(|error| DetectError::Udev(error.into()))?;
        }
        let sys = PathBuf::from("/sys");
        let mut udev = Self { monitor, sys, table: Table::default(), waiting: VecDeque::new(), failures: 0 };
        udev.look_around()?;
        Ok(udev)
    }

    /// Compares everything that is there with what was reported.
    fn look_around(&mut self) -> Result<(), DetectError> {
        let mut enumerator = Enumerator::new().map_err(DetectError::Udev)?;
        for subsystem in ["usb", "block"] {
            enumerator.match_subsystem(subsystem).map_err(DetectError::Udev)?;
        }
        // In the order of dependency: a device before what is below it.
        let found: Vec<Device> = enumerator.scan_devices().map_err(DetectError::Udev)?.take(MOST_SEEN).collect();
        let there: BTreeSet<DevPath> = found.iter().map(path_of).collect();
        self.table.sweep(|path, _| there.contains(path), &mut self.waiting);
        for device in &found {
            self.look_at(device);
        }
        Ok(())
    }

    /// Takes in what one device is now.
    fn look_at(&mut self, device: &Device) {
        let path = path_of(device);
        match (text(device.subsystem()).as_deref(), text(device.devtype()).as_deref()) {
            (Some("usb"), Some("usb_device")) => self.look_at_usb(&path, property(device, "ID_PATH")),
            (Some("usb"), Some("usb_interface")) => {
                if let Some((parent, _)) = path.0.rsplit_once('/') {
                    self.look_again_at(&DevPath(parent.to_owned()));
                }
            }
            (Some("block"), Some("disk")) => self.look_at_disk(path, device),
            _ => {}
        }
    }

    /// A device of which something else tells: an interface, a disk.
    fn look_again_at(&mut self, path: &DevPath) {
        let id_path = Device::from_syspath(Folder::of(&self.sys, path).path()).ok();
        self.look_at_usb(path, id_path.and_then(|device| property(&device, "ID_PATH")));
    }

    fn look_at_usb(&mut self, path: &DevPath, id_path: Option<String>) {
        // The root hub is the controller itself, not something that was plugged in.
        if path.0.rsplit('/').next().is_none_or(port::is_bus) {
            return;
        }
        let seen = Folder::of(&self.sys, path).generation();
        // What cannot be read is on its way out, and its removal will be told; or it is never reported, and never admitted.
        if let (Ok(generation), Ok(device)) = (seen, sysfs::usb_device(&self.sys, path, id_path)) {
            self.table.device(generation, device, &mut self.waiting);
        }
    }

    fn look_at_disk(&mut self, path: DevPath, device: &Device) {
        if let Some(owner) = port::usb_ancestor(&path).filter(|owner| !self.table.knows(owner)) {
            self.look_again_at(&owner);
        }
        let (Some(node), Some(number)) = (device.devnode(), device.devnum()) else { return };
        let property = |name: &str| property(device, name);
        let names = DiskNames { path: path.clone(), node: node.to_owned(), number, property: &property };
        let seen = Folder::of(&self.sys, &path).generation();
        match (seen, sysfs::disk(&self.sys, &names)) {
            (Ok(generation), Ok(Some(disk))) => self.table.disk(generation, disk, &mut self.waiting),
            (_, Ok(None)) => self.table.gone(&path, &mut self.waiting),
            _ => {}
        }
    }

    /// Takes in one event of the monitor.
    fn take_in(&mut self, event: &udev::Event) -> Result<(), DetectError> {
        let removed = event.event_type() == EventType::Remove;
        let whole = matches!(text(event.devtype()).as_deref(), Some("usb_device" | "disk"));
        if !(removed && whole) {
            self.look_at(event);
            return Ok(());
        }
        self.table.gone(&path_of(event), &mut self.waiting);
        if self.table.has_room_again() { self.look_around() } else { Ok(()) }
    }

    /// Asks the monitor once.
    fn hear(&mut self) -> Result<Heard, DetectError> {
        if let Some(event) = self.monitor.iter().next() {
            self.failures = 0;
            return Ok(Heard::Event(event));
        }
        // udev_monitor_receive_device(3) leaves the reason in errno, and nothing was called since.
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOBUFS) => Ok(Heard::Overrun),
            // EAGAIN is also what libudev says of a message that is not for us or not from root.
            None | Some(Errno::AGAIN | Errno::INTR) => Ok(Heard::Nothing),
            Some(_) if self.failures < MOST_FAILURES => {
                self.failures = self.failures.saturating_add(1);
                Ok(Heard::Nothing)
            }
            Some(_) => Err(DetectError::Udev(error)),
        }
    }

    /// Waits for the monitor; false when `until` has come.
    fn wait(&self, until: Instant) -> Result<bool, DetectError> {
        let left = until.saturating_duration_since(Instant::now());
        // A limit too long for the kernel's clock is no limit.
        let left = rustix::event::Timespec::try_from(left).ok();
        let mut monitor = [PollFd::new(&self.monitor, PollFlags::IN)];
        match poll(&mut monitor, left.as_ref()) {
            Ok(0) => Ok(false),
            Ok(_) | Err(Errno::INTR) => Ok(true),
            Err(error) => Err(DetectError::Udev(error.into())),
        }
    }
}

impl Source for Udev {
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError> {
        let until = Instant::now().checked_add(limit).unwrap_or_else(far_away);
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if !self.wait(until)? {
                // Quiet: time to see whether everything is still there, should its removal have been lost with udevd itself.
                let sys = &self.sys;
                let there = |path: &DevPath, generation| match Folder::of(sys, path).generation() {
                    Ok(now) => now == generation,
                    Err(error) => error.kind() != io::ErrorKind::NotFound,
                };
                self.table.sweep(there, &mut self.waiting);
                if !self.waiting.is_empty() && self.table.has_room_again() {
                    self.look_around()?;
                }
                return Ok(self.waiting.pop_front());
            }
            match self.hear()? {
                Heard::Event(event) => self.take_in(&event)?,
                Heard::Overrun => self.look_around()?,
                Heard::Nothing => {}
            }
            // A flood of events that are not ours must not keep the caller.
            if Instant::now() >= until {
                return Ok(self.waiting.pop_front());
            }
        }
    }
}

/// Readable when an event may be there; ask [`Source::next`] first, which may already hold some.
impl AsFd for Udev {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.monitor.as_fd()
    }
}

/// A moment that no program waits for.
fn far_away() -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(3600 * 24 * 365)).unwrap_or(now)
}

fn path_of(device: &Device) -> DevPath {
    DevPath(device.devpath().to_string_lossy().into_owned())
}

fn property(device: &Device, name: &str) -> Option<String> {
    text(device.property_value(name)).filter(|value| !value.is_empty())
}

fn text(value: Option<&OsStr>) -> Option<String> {
    value.map(|value| value.to_string_lossy().into_owned())
}
