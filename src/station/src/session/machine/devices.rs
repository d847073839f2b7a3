//! Devices and disks: who is admitted, and when a session begins or ends with them.

use super::{Device, Machine, Session, output_removed};
use crate::admit::{Decision, DeviceRefusal, Role};
use crate::detect::{DevPath, Disk, UsbDevice};
use crate::session::messages::{Effect, Entry, Ticket};
use crate::session::view::{Conclusion, Failure, MediumView, SessionView, State};

impl Machine {
    /// A device is there, or shows other descriptors than before.
    pub(super) fn device(&mut self, device: UsbDevice) {
        let path = device.path.clone();
        let known = self.devices.remove(&path);
        let decision = match &known {
            Some(before) if before.device.shows_the_same(&device) => {
                self.devices.extend(known.map(|before| (path, before)));
                return;
            }
            // Also while the gate is asked: what it lets in is what was judged.
            Some(before) if before.role.is_some() || before.suspect || before.asked.is_some() => {
                Decision::Refuse(DeviceRefusal::Changed)
            }
            _ => (self.rules.decide)(&device),
        };
        if let Some(id) = known.and_then(|before| before.refused) {
            self.remove(id);
        }
        self.effects.push(Effect::Record(Entry::Judged(Box::new(device.clone()), decision.clone())));
        let suspect = decision == Decision::Refuse(DeviceRefusal::Changed);
        let entry = Device { device: device.clone(), role: None, refused: None, suspect, asked: None };
        self.devices.insert(path, entry);
        match decision {
            Decision::Admit(_) | Decision::Hub | Decision::Own => {
                let ticket = self.next_ticket();
                if let Some(entry) = self.devices.get_mut(&device.path) {
                    entry.asked = Some(ticket);
                }
                self.effects.push(Effect::Admit(ticket, device));
            }
            Decision::Refuse(why) => self.refuse(&device.path, why),
        }
    }

    pub(super) fn next_ticket(&mut self) -> Ticket {
        self.ticket = self.ticket.next();
        self.ticket
    }

    /// Takes a device out of service, and every session of its disks with it.
    fn refuse(&mut self, path: &DevPath, why: DeviceRefusal) {
        self.effects.push(Effect::Refuse(path.clone()));
        let changed = Failure::new("changed", "the device became another one during the session");
        for disk in self.disks_of(path) {
            if let Some(session) = self.session_of(&disk) {
                self.stop(session, changed.clone());
            }
            self.output_gone(&disk, changed.clone());
        }
        let Some(device) = self.devices.get_mut(path) else { return };
        device.role = None;
        // Whatever the gate still says: it was refused since.
        device.asked = None;
        // Also where the gate saw it first: whatever it shows now, it stays out until it is pulled out.
        device.suspect |= why == DeviceRefusal::Changed;
        let medium = MediumView::of(Some(&device.device), None);
        let mut view = SessionView::new(State::Refused, medium);
        view.conclusion = Some(Conclusion::Refused(why));
        let id = view.id;
        device.refused = Some(id);
        self.open(Session { view, disk: None, protecting: None, stopping: None, signed: None });
        self.concluded(id);
    }

    /// The gate has answered.
    pub(super) fn admitted(&mut self, ticket: Ticket, result: Result<(), DeviceRefusal>) {
        let Some(device) = self.devices.values_mut().find(|device| device.asked == Some(ticket)) else { return };
        device.asked = None;
        let path = device.device.path.clone();
        match result {
            Ok(()) => {
                if let Decision::Admit(role) = (self.rules.decide)(&device.device) {
                    device.role = Some(role);
                }
            }
            Err(why) => {
                self.effects.push(Effect::Record(Entry::Withdrawn(path.clone(), why.clone())));
                self.refuse(&path, why);
            }
        }
        // A disk may be told before the answer of the gate that made it possible.
        let waiting: Vec<Disk> =
            self.disks.values().filter(|disk| disk.device.as_ref() == Some(&path)).cloned().collect();
        for disk in waiting {
            if self.session_of(&disk.path).is_none() && !self.is_output(&disk.path) {
                self.begin(disk);
            }
        }
    }

    /// The gate has protected a disk, or could not.
    pub(super) fn protected(&mut self, ticket: Ticket, result: Result<(), String>) {
        let Some(session) = self.sessions.values_mut().find(|session| session.protecting == Some(ticket)) else {
            return;
        };
        session.protecting = None;
        let id = session.view.id;
        if let Err(why) = result {
            self.stop(id, Failure::new("station", format!("the disk could not be made read-only: {why}")));
        }
    }

    pub(super) fn device_gone(&mut self, path: &DevPath) {
        for disk in self.disks_of(path) {
            self.disk_gone(&disk);
        }
        if let Some(id) = self.devices.remove(path).and_then(|device| device.refused) {
            self.remove(id);
        }
    }

    fn disks_of(&self, device: &DevPath) -> Vec<DevPath> {
        let of_it = |disk: &&Disk| disk.device.as_ref() == Some(device);
        self.disks.values().filter(of_it).map(|disk| disk.path.clone()).collect()
    }

    /// A disk is there, or has another medium in it.
    pub(super) fn disk(&mut self, disk: Disk) {
        let before = self.disks.insert(disk.path.clone(), disk.clone());
        let same = |before: &Disk| before.sequence == disk.sequence && before.capacity == disk.capacity;
        let known = self.session_of(&disk.path).is_some() || self.is_output(&disk.path);
        if before.as_ref().is_some_and(same) && known {
            return;
        }
        if let Some(session) = self.session_of(&disk.path) {
            self.remove(session);
        }
        self.output_gone(&disk.path, output_removed());
        self.begin(disk);
    }

    /// Begins a session if there is a medium in the disk and somebody admitted it.
    fn begin(&mut self, disk: Disk) {
        let device = disk.device.as_ref().and_then(|path| self.devices.get(path));
        let role = match (&disk.device, device) {
            (None, _) => (self.rules.drive)(&disk),
            // The gate is being asked: see `admitted`.
            (Some(_), Some(device)) if device.asked.is_some() => return,
            (Some(_), device) => device.and_then(|device| device.role),
        };
        let Some(role) = role else {
            self.stray(disk);
            return;
        };
        if role == Role::Output {
            self.output(disk);
            return;
        }
        let medium = MediumView::of(device.map(|device| &device.device), Some(&disk));
        let ticket = self.protect(&disk);
        if disk.capacity == 0 {
            return;
        }
        let view = SessionView::new(State::Queued, medium);
        self.open(Session { view, disk: Some(disk), protecting: Some(ticket), stopping: None, signed: None });
    }

    pub(super) fn protect(&mut self, disk: &Disk) -> Ticket {
        let ticket = self.next_ticket();
        self.effects.push(Effect::Protect(ticket, disk.clone()));
        ticket
    }

    /// A disk of a USB device that was not admitted as a medium: a hub or a part of the station, or one that is refused. It is
    /// protected and recorded, and the device goes out of service.
    fn stray(&mut self, disk: Disk) {
        let Some(path) = disk.device.clone() else { return };
        self.protect(&disk);
        self.effects.push(Effect::Record(Entry::Stray(Box::new(disk))));
        if self.devices.get(&path).is_some_and(|device| device.refused.is_none()) {
            self.refuse(&path, DeviceRefusal::Changed);
        }
    }

    pub(super) fn disk_gone(&mut self, path: &DevPath) {
        self.disks.remove(path);
        self.output_gone(path, output_removed());
        if let Some(session) = self.session_of(path) {
            self.remove(session);
        }
    }
}
