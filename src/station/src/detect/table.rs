//! What is there now, and the events that lead from one state to the next.
//!
//! Whoever sees a device or disk, by an event or by looking around, tells the table what it sees; the table tells what is
//! new in it. So nothing comes twice, whatever the kernel repeats; nothing comes out of order: a device before its disks,
//! and gone after them; and what it holds is bounded.

use super::{DevPath, Disk, Event, UsbDevice};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// Devices, and as many disks, that are followed at once. A USB bus has 127 addresses; nobody plugs in more than this but
/// an attacker, and what is not followed is never admitted.
pub(super) const MOST: usize = 512;

/// Tells one device from the next one at the same place: a number that is not used again soon.
pub(super) type Generation = u64;

/// Devices and disks that were reported.
#[derive(Debug, Default)]
pub(super) struct Table {
    devices: BTreeMap<DevPath, (Generation, UsbDevice)>,
    disks: BTreeMap<DevPath, (Generation, Disk)>,
    /// Something was there and had no room.
    turned_away: bool,
}

impl Table {
    /// A device that is there.
    pub(super) fn device(&mut self, generation: Generation, device: UsbDevice, events: &mut VecDeque<Event>) {
        if self.devices.get(&device.path).is_some_and(|(known, _)| *known != generation) {
            self.gone(&device.path, events);
        }
        let room = self.devices.len() < MOST;
        match self.devices.get_mut(&device.path) {
            Some((_, known)) if *known == device => {}
            Some((_, known)) => {
                known.clone_from(&device);
                events.push_back(Event::DeviceChanged(device));
            }
            None if room => {
                self.devices.insert(device.path.clone(), (generation, device.clone()));
                events.push_back(Event::DeviceArrived(device));
            }
            None => self.turned_away = true,
        }
    }

    /// A disk that is there. One of a device that is not followed is not followed either.
    ///
    /// Only the first word on whether a disk can be written counts: sysfs does not tell a switch on the medium from the protection that
    /// the station then puts on it itself, and that stays when another card comes. Of the next one (`sequence`) nothing is known;
    /// whoever writes it finds out.
    pub(super) fn disk(&mut self, generation: Generation, mut disk: Disk, events: &mut VecDeque<Event>) {
        if self.disks.get(&disk.path).is_some_and(|(known, _)| *known != generation) {
            self.gone(&disk.path, events);
        }
        if let Some((_, known)) = self.disks.get(&disk.path) {
            disk.read_only = known.sequence == disk.sequence && known.read_only;
        }
        let orphan = disk.device.as_ref().is_some_and(|device| !self.devices.contains_key(device));
        let room = self.disks.len() < MOST && !orphan;
        match self.disks.get_mut(&disk.path) {
            Some((_, known)) if *known == disk => {}
            Some((_, known)) => {
                known.clone_from(&disk);
                events.push_back(Event::DiskChanged(disk));
            }
            None if room => {
                self.disks.insert(disk.path.clone(), (generation, disk.clone()));
                events.push_back(Event::DiskArrived(disk));
            }
            None => self.turned_away = true,
        }
    }

    /// A place is empty, and so is every place below it: disks go first, then devices, the farthest first.
    pub(super) fn gone(&mut self, path: &DevPath, events: &mut VecDeque<Event>) {
        for disk in at_or_below(&self.disks, path) {
            self.disks.remove(&disk);
            events.push_back(Event::DiskGone(disk));
        }
        for device in at_or_below(&self.devices, path).into_iter().rev() {
            self.devices.remove(&device);
            events.push_back(Event::DeviceGone(device));
        }
    }

    /// Empties every place at which nothing is any more.
    pub(super) fn sweep(&mut self, is_there: impl Fn(&DevPath, Generation) -> bool, events: &mut VecDeque<Event>) {
        let disks = self.disks.iter().map(|(path, (generation, _))| (path, *generation));
        let devices = self.devices.iter().map(|(path, (generation, _))| (path, *generation));
        let absent = disks.chain(devices).filter(|(path, generation)| !is_there(path, *generation));
        for path in absent.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            self.gone(&path, events);
        }
    }

    /// Whether a device is followed.
    pub(super) fn knows(&self, device: &DevPath) -> bool {
        self.devices.contains_key(device)
    }

    /// A device that is followed.
    pub(super) fn device_at(&self, path: &DevPath) -> Option<(Generation, UsbDevice)> {
        self.devices.get(path).cloned()
    }

    /// A disk that is followed.
    pub(super) fn disk_at(&self, path: &DevPath) -> Option<(Generation, Disk)> {
        self.disks.get(path).cloned()
    }

    /// Whether something that was turned away would find room now; asking forgets it.
    pub(super) fn has_room_again(&mut self) -> bool {
        let again = self.turned_away && self.devices.len() < MOST && self.disks.len() < MOST;
        self.turned_away &= !again;
        again
    }
}

/// Keys that are `path` or below it.
fn at_or_below<T>(map: &BTreeMap<DevPath, T>, path: &DevPath) -> Vec<DevPath> {
    // Not every key between is below: "/1-1.2" stands between "/1-1" and "/1-1/x".
    let below =
        |key: &DevPath| key.0.strip_prefix(&path.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let from = map.range((Bound::Included(path), Bound::Unbounded)).map(|(key, _)| key);
    from.take_while(|key| key.0.starts_with(&path.0)).filter(|key| below(key)).cloned().collect()
}

#[cfg(test)]
mod tests;
