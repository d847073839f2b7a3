//! Devices and disks: who is admitted, and when a session begins or ends with them.

use super::{Device, Machine, Session, failure};
use crate::admit::{Decision, DeviceRefusal, Role};
use crate::detect::{DevPath, Disk, UsbDevice};
use crate::session::SessionId;
use crate::session::messages::{Effect, Entry};
use crate::session::view::{Conclusion, MediumView, SessionView, State};

impl Machine {
    /// A device is there, or shows other descriptors than before.
    pub(super) fn device(&mut self, device: UsbDevice) {
        let path = device.path.clone();
        let known = self.devices.remove(&path);
        let decision = match &known {
            Some(before) if before.device.descriptors == device.descriptors => {
                self.devices.extend(known.map(|before| (path, before)));
                return;
            }
            Some(before) if before.role.is_some() || before.suspect => Decision::Refuse(DeviceRefusal::Changed),
            _ => (self.rules.decide)(&device),
        };
        if let Some(id) = known.and_then(|before| before.refused) {
            self.remove(id);
        }
        self.effects.push(Effect::Record(Entry::Judged(Box::new(device.clone()), decision.clone())));
        let suspect = decision == Decision::Refuse(DeviceRefusal::Changed);
        let entry = Device { device: device.clone(), role: None, refused: None, suspect, asked: false };
        self.devices.insert(path, entry);
        match decision {
            Decision::Admit(_) | Decision::Hub | Decision::Own => {
                if let Some(entry) = self.devices.get_mut(&device.path) {
                    entry.asked = true;
                }
                self.effects.push(Effect::Admit(device));
            }
            Decision::Refuse(why) => self.refuse(&device.path, why),
        }
    }

    /// Takes a device out of service, and every session of its disks with it.
    fn refuse(&mut self, path: &DevPath, why: DeviceRefusal) {
        self.effects.push(Effect::Refuse(path.clone()));
        let changed = failure("changed", "the device became another one during the session");
        let disks = self.disks.values().filter(|disk| disk.device.as_ref() == Some(path)).map(|disk| disk.path.clone());
        for session in disks.filter_map(|disk| self.session_of(&disk)).collect::<Vec<_>>() {
            self.stop(session, changed.clone());
        }
        let Some(device) = self.devices.get_mut(path) else { return };
        device.role = None;
        let medium = MediumView::of(Some(&device.device), None);
        let id = SessionId::now_v7();
        device.refused = Some(id);
        self.open(Session {
            view: SessionView {
                id,
                state: State::Refused,
                medium,
                role: Role::Input,
                progress: None,
                estimate: None,
                tag_bytes: 0,
                conclusion: Some(Conclusion::Refused(why)),
                pulled: false,
            },
            disk: None,
            stopping: None,
        });
        self.concluded(id);
    }

    /// The gate has answered.
    pub(super) fn admitted(&mut self, path: &DevPath, result: Result<(), DeviceRefusal>) {
        let Some(device) = self.devices.get_mut(path) else { return };
        device.asked = false;
        match result {
            Ok(()) => {
                if let Decision::Admit(role) = (self.rules.decide)(&device.device) {
                    device.role = Some(role);
                }
            }
            Err(why) => {
                self.effects.push(Effect::Record(Entry::Withdrawn(path.clone(), why.clone())));
                self.refuse(path, why);
            }
        }
        // A disk may be told before the answer of the gate that made it possible.
        let waiting: Vec<Disk> =
            self.disks.values().filter(|disk| disk.device.as_ref() == Some(path)).cloned().collect();
        for disk in waiting {
            if self.session_of(&disk.path).is_none() {
                self.begin(disk);
            }
        }
    }

    pub(super) fn device_gone(&mut self, path: &DevPath) {
        let disks: Vec<DevPath> = self
            .disks
            .values()
            .filter(|disk| disk.device.as_ref() == Some(path))
            .map(|disk| disk.path.clone())
            .collect();
        for disk in disks {
            self.disk_gone(&disk);
        }
        if let Some(id) = self.devices.remove(path).and_then(|device| device.refused) {
            self.remove(id);
        }
    }

    /// A disk is there, or has another medium in it.
    pub(super) fn disk(&mut self, disk: Disk) {
        let before = self.disks.insert(disk.path.clone(), disk.clone());
        let same = |before: &Disk| before.sequence == disk.sequence && before.capacity == disk.capacity;
        if before.as_ref().is_some_and(same) && self.session_of(&disk.path).is_some() {
            return;
        }
        if let Some(session) = self.session_of(&disk.path) {
            self.remove(session);
        }
        self.begin(disk);
    }

    /// Begins a session if there is a medium in the disk and somebody admitted it.
    fn begin(&mut self, disk: Disk) {
        let device = disk.device.as_ref().and_then(|path| self.devices.get(path));
        let role = match (&disk.device, device) {
            (None, _) => (self.rules.drive)(&disk),
            // The gate is being asked: see `admitted`.
            (Some(_), Some(device)) if device.asked => return,
            (Some(_), device) => device.and_then(|device| device.role),
        };
        let Some(role) = role else {
            self.stray(disk);
            return;
        };
        if role == Role::Output {
            return;
        }
        self.effects.push(Effect::Protect(disk.clone()));
        if disk.capacity == 0 {
            return;
        }
        let view = SessionView {
            id: SessionId::now_v7(),
            state: State::Queued,
            medium: MediumView::of(device.map(|device| &device.device), Some(&disk)),
            role,
            progress: None,
            estimate: None,
            tag_bytes: 0,
            conclusion: None,
            pulled: false,
        };
        self.open(Session { view, disk: Some(disk), stopping: None });
    }

    /// A disk of a USB device that was not admitted as a medium: a hub or a part of the station, or one that is refused. It is
    /// protected and recorded, and the device goes out of service.
    fn stray(&mut self, disk: Disk) {
        let Some(path) = disk.device.clone() else { return };
        self.effects.push(Effect::Protect(disk.clone()));
        self.effects.push(Effect::Record(Entry::Stray(Box::new(disk))));
        if self.devices.get(&path).is_some_and(|device| device.refused.is_none()) {
            self.refuse(&path, DeviceRefusal::Changed);
        }
    }

    pub(super) fn disk_gone(&mut self, path: &DevPath) {
        self.disks.remove(path);
        if let Some(session) = self.session_of(path) {
            self.remove(session);
        }
    }
}
