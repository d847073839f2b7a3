//! A source without hardware: for the demonstration, for training, and for tests of the whole station.
//!
//! [`Sockets`] stands for the machine's sockets and the hand that plugs things in; [`Simulated`] tells what happens there,
//! under the same contract as the real source, because the same [`Table`] keeps it. Media are image files.

use super::sysfs::of_descriptors;
use super::table::{Generation, Table};
use super::{DetectError, DevPath, Disk, DiskKind, Event, Port, Source};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something to plug in.
#[derive(Clone, Debug, Default)]
pub struct Plug {
    /// Its file `descriptors`. See [`descriptors_of`].
    pub descriptors: Vec<u8>,
    /// iManufacturer.
    pub manufacturer: Option<String>,
    /// iProduct.
    pub name: Option<String>,
    /// iSerialNumber.
    pub serial: Option<String>,
    /// Its disks, one for each logical unit.
    pub units: Vec<Unit>,
}

/// One logical unit of something to plug in.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The image that is in it; nothing = no card or disc.
    pub image: Option<PathBuf>,
    /// It cannot be written.
    pub read_only: bool,
    /// What it is.
    pub kind: DiskKind,
}

/// The sockets of a simulated machine. Clones are the same sockets.
#[derive(Clone, Debug)]
pub struct Sockets(Arc<Shared>);

/// Events of the sockets of a simulated machine.
#[derive(Debug)]
pub struct Simulated(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    waiting: VecDeque<Event>,
    /// Last number that was given to a device or medium.
    number: Generation,
    closed: bool,
}

/// A simulated machine with nothing plugged in.
#[must_use]
pub fn machine() -> (Simulated, Sockets) {
    let shared = Arc::new(Shared::default());
    (Simulated(Arc::clone(&shared)), Sockets(shared))
}

/// The file `descriptors` of a device with one configuration and these interfaces (class, subclass, protocol); two
/// interfaces make a composite device.
#[must_use]
pub fn descriptors_of(vendor: u16, product: u16, interfaces: &[(u8, u8, u8)]) -> Vec<u8> {
    let ([vendor_low, vendor_high], [product_low, product_high]) = (vendor.to_le_bytes(), product.to_le_bytes());
    let (hub, count) = (interfaces.iter().any(|interface| interface.0 == 9), interfaces.len());
    let device_class = if hub { 9 } else { 0 };
    // A device descriptor (USB 2.0, table 9-8) and one configuration (table 9-10) with interfaces without endpoints.
    let mut file = vec![18, 1, 0, 2, device_class, 0, 0, 64, vendor_low, vendor_high, product_low, product_high];
    file.extend([0, 1, 1, 2, 3, 1]);
    let total = count.saturating_mul(9).saturating_add(9);
    let [total_low, total_high] = u16::try_from(total).unwrap_or(u16::MAX).to_le_bytes();
    file.extend([9, 2, total_low, total_high, u8::try_from(count).unwrap_or(u8::MAX), 1, 0, 0x80, 50]);
    for (number, (class, subclass, protocol)) in (0..=u8::MAX).zip(interfaces) {
        file.extend([9, 4, number, 0, 0, *class, *subclass, *protocol, 0]);
    }
    file
}

impl Shared {
    /// A panic of another thread leaves nothing half done here that matters: each step is an event of its own.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_number(&mut self) -> Generation {
        self.number = self.number.saturating_add(1);
        self.number
    }
}

impl Sockets {
    /// Plugs something into a socket, and says where it is now.
    ///
    /// # Errors
    /// When an image cannot be looked at.
    pub fn insert(&self, port: &str, plug: &Plug) -> io::Result<DevPath> {
        let images: Vec<u64> =
            plug.units.iter().map(|unit| size_of(unit.image.as_deref())).collect::<Result<_, _>>()?;
        let mut state = self.0.lock();
        let path = DevPath(format!("/devices/simulated/{}", port.replace('/', "_")));
        let generation = state.next_number();
        let State { table, waiting, .. } = &mut *state;
        let mut device = of_descriptors(path.clone(), Port(port.to_owned()), &plug.descriptors);
        device.manufacturer.clone_from(&plug.manufacturer);
        device.name.clone_from(&plug.name);
        device.serial.clone_from(&plug.serial);
        table.device(generation, device, waiting);
        for (lun, (unit, capacity)) in (0_u64..).zip(plug.units.iter().zip(images)) {
            let sequence = state.next_number();
            let disk = Disk {
                path: DevPath(format!("{path}/{lun}")),
                device: Some(path.clone()),
                port: Some(Port(port.to_owned())),
                node: unit.image.clone().unwrap_or_default(),
                number: 0,
                sequence,
                capacity,
                read_only: unit.read_only,
                kind: unit.kind,
                lun,
                vendor: plug.manufacturer.clone(),
                model: plug.name.clone(),
            };
            let State { table, waiting, .. } = &mut *state;
            table.disk(generation, disk, waiting);
        }
        self.0.news.notify_all();
        Ok(path)
    }

    /// Pulls something out; nothing happens when nothing is there.
    pub fn remove(&self, device: &DevPath) {
        let mut state = self.0.lock();
        let State { table, waiting, .. } = &mut *state;
        table.gone(device, waiting);
        self.0.news.notify_all();
    }

    /// A device shows other descriptors from now on.
    pub fn change(&self, device: &DevPath, descriptors: &[u8]) {
        let mut state = self.0.lock();
        let State { table, waiting, .. } = &mut *state;
        if let Some((generation, before)) = table.device_at(device) {
            let mut after = of_descriptors(device.clone(), before.port.clone(), descriptors);
            after.manufacturer.clone_from(&before.manufacturer);
            after.name.clone_from(&before.name);
            after.serial.clone_from(&before.serial);
            table.device(generation, after, waiting);
        }
        self.0.news.notify_all();
    }

    /// Puts a card or disc into a unit of a device, or takes it out (`None`).
    ///
    /// # Errors
    /// When the image cannot be looked at.
    pub fn card(&self, device: &DevPath, lun: u64, image: Option<&Path>) -> io::Result<()> {
        let capacity = size_of(image)?;
        let mut state = self.0.lock();
        let sequence = state.next_number();
        let State { table, waiting, .. } = &mut *state;
        if let Some((generation, before)) = table.disk_at(&DevPath(format!("{device}/{lun}"))) {
            let node = image.map(Path::to_owned).unwrap_or_default();
            let after = Disk { node, sequence, capacity, ..before.clone() };
            table.disk(generation, after, waiting);
        }
        self.0.news.notify_all();
        Ok(())
    }

    /// No further event comes: the source ends after those that wait.
    pub fn close(&self) {
        self.0.lock().closed = true;
        self.0.news.notify_all();
    }
}

/// Bytes of an image; 0 when there is none.
fn size_of(image: Option<&Path>) -> io::Result<u64> {
    image.map_or(Ok(0), |image| fs::metadata(image).map(|found| found.len()))
}

impl Source for Simulated {
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError> {
        let until = Instant::now().checked_add(limit);
        let mut state = self.0.lock();
        loop {
            if let Some(event) = state.waiting.pop_front() {
                return Ok(Some(event));
            }
            if state.closed {
                return Err(DetectError::Ended("the simulated machine was switched off".to_owned()));
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            state = self.0.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests;
