//! USB devices that QEMU plays, plugged in and pulled out while the machine runs.
//!
//! A [`Device`] is only a list of QMP commands, built up from parts: what a disk is read from ([`Backing`]), what carries it
//! to the guest, in which port.

use crate::failure::Result;
use crate::qmp::Qmp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between pulling a device out and QEMU having let go of it.
const GONE: Duration = Duration::from_secs(60);

/// What a disk is read from.
#[derive(Clone, Debug)]
pub enum Backing {
    /// An image file.
    Image(PathBuf),
    /// An image file that cannot be written.
    ReadOnly(PathBuf),
    /// An image file of which one sector of 512 bytes cannot be read.
    BadSector(PathBuf, u64),
    /// An image file, so many bytes per second.
    Slow(PathBuf, u64),
    /// A program that speaks NBD on this socket.
    Program(PathBuf),
}

/// One step of plugging in.
#[derive(Clone, Debug)]
enum Step {
    Object(Value),
    Node(Value),
    Device(Value),
    Set(Value),
    Network(Value),
    Character(Value),
}

/// A device that may be plugged in.
#[derive(Clone, Debug)]
pub struct Device {
    id: String,
    steps: Vec<Step>,
}

impl Device {
    /// A USB key: usb-storage, bulk only.
    #[must_use]
    pub fn key(id: &str, port: &str, backing: &Backing) -> Self {
        let mut device = Self::empty(id);
        let node = device.back(backing);
        let read_only = matches!(backing, Backing::ReadOnly(_));
        let mut properties =
            json!({"driver": "usb-storage", "id": id, "bus": "xhci.0", "port": port, "drive": node, "serial": id});
        if !read_only {
            properties["rerror"] = "report".into();
        }
        device.with(Step::Device(properties))
    }

    /// A disk behind USB Attached SCSI.
    #[must_use]
    pub fn uas(id: &str, port: &str, backing: &Backing) -> Self {
        Self::scsi(id, port, backing, "usb-uas", "scsi-hd")
    }

    /// An optical drive with a disc in it.
    #[must_use]
    pub fn optical(id: &str, port: &str, backing: &Backing) -> Self {
        Self::scsi(id, port, backing, "usb-bot", "scsi-cd")
    }

    /// QEMU keeps such a bridge unplugged until its units are there.
    fn scsi(id: &str, port: &str, backing: &Backing, bridge: &str, unit: &str) -> Self {
        let mut device = Self::empty(id);
        let node = device.back(backing);
        let unit = json!({"driver": unit, "id": format!("{id}-unit"), "bus": format!("{id}.0"), "drive": node,
                          "scsi-id": 0, "lun": 0});
        let attached = json!({"path": format!("/machine/peripheral/{id}"), "property": "attached", "value": true});
        device
            .with(Step::Device(json!({"driver": bridge, "id": id, "bus": "xhci.0", "port": port})))
            .with(Step::Device(unit))
            .with(Step::Set(attached))
    }

    /// A keyboard.
    #[must_use]
    pub fn keyboard(id: &str, port: &str) -> Self {
        Self::empty(id).with(Step::Device(json!({"driver": "usb-kbd", "id": id, "bus": "xhci.0", "port": port})))
    }

    /// A hub; what is behind it has a port like "3.1".
    #[must_use]
    pub fn hub(id: &str, port: &str) -> Self {
        Self::empty(id).with(Step::Device(json!({"driver": "usb-hub", "id": id, "bus": "xhci.0", "port": port})))
    }

    /// A serial adapter.
    #[must_use]
    pub fn serial(id: &str, port: &str) -> Self {
        let character = json!({"id": format!("{id}-line"), "backend": {"type": "null", "data": {}}});
        let properties = json!({"driver": "usb-serial", "id": id, "bus": "xhci.0", "port": port,
                                "chardev": format!("{id}-line"), "always-plugged": true});
        Self::empty(id).with(Step::Character(character)).with(Step::Device(properties))
    }

    /// A network adapter.
    #[must_use]
    pub fn network(id: &str, port: &str) -> Self {
        let net = format!("{id}-net");
        let properties = json!({"driver": "usb-net", "id": id, "bus": "xhci.0", "port": port, "netdev": net});
        Self::empty(id)
            .with(Step::Network(json!({"type": "hubport", "id": net, "hubid": 0})))
            .with(Step::Device(properties))
    }

    /// A phone that shows `folder` by MTP.
    #[must_use]
    pub fn phone(id: &str, port: &str, folder: &Path) -> Self {
        let properties = json!({"driver": "usb-mtp", "id": id, "bus": "xhci.0", "port": port, "rootdir": folder,
                                "readonly": true});
        Self::empty(id).with(Step::Device(properties))
    }

    fn empty(id: &str) -> Self {
        Self { id: id.to_owned(), steps: Vec::new() }
    }

    fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds what the disk is read from; returns the name of its topmost node.
    fn back(&mut self, backing: &Backing) -> String {
        let (node, lower) = (format!("{}-disk", self.id), format!("{}-below", self.id));
        let image = |path: &Path| json!({"driver": "file", "filename": path});
        let top = match backing {
            Backing::Image(path) => json!({"driver": "raw", "file": image(path)}),
            Backing::ReadOnly(path) => {
                let file = json!({"driver": "file", "filename": path, "read-only": true});
                json!({"driver": "raw", "read-only": true, "file": file})
            }
            Backing::BadSector(path, sector) => {
                let errors = json!([{"event": "read_aio", "sector": sector, "errno": 5}]);
                let debug = json!({"driver": "blkdebug", "node-name": lower, "image": image(path),
                                   "inject-error": errors});
                self.steps.push(Step::Node(debug));
                // Without raw on top of it the event never comes.
                json!({"driver": "raw", "file": lower})
            }
            Backing::Slow(path, rate) => {
                let group = format!("{}-rate", self.id);
                let limits = json!({"bps-total": rate});
                self.steps.push(Step::Object(json!({"qom-type": "throttle-group", "id": group, "limits": limits})));
                json!({"driver": "throttle", "throttle-group": group, "file": image(path)})
            }
            Backing::Program(socket) => {
                let server = json!({"type": "unix", "path": socket});
                json!({"driver": "raw", "file": {"driver": "nbd", "server": server, "export": ""}})
            }
        };
        let mut top = top;
        top["node-name"] = node.clone().into();
        self.steps.push(Step::Node(top));
        node
    }

    /// Plugs it in.
    ///
    /// # Errors
    /// [`crate::Failure::Qemu`] when QEMU refuses a part of it.
    pub fn plug(&self, qmp: &mut Qmp) -> Result<()> {
        for step in &self.steps {
            let (command, arguments) = match step {
                Step::Object(arguments) => ("object-add", arguments),
                Step::Node(arguments) => ("blockdev-add", arguments),
                Step::Device(arguments) => ("device_add", arguments),
                Step::Set(arguments) => ("qom-set", arguments),
                Step::Network(arguments) => ("netdev_add", arguments),
                Step::Character(arguments) => ("chardev-add", arguments),
            };
            qmp.execute(command, arguments)?;
        }
        Ok(())
    }

    /// Pulls it out, as a hand does: the guest is not asked.
    ///
    /// # Errors
    /// [`crate::Failure`] when QEMU keeps it.
    pub fn pull(&self, qmp: &mut Qmp) -> Result<()> {
        qmp.execute("device_del", &json!({"id": self.id}))?;
        qmp.event("DEVICE_DELETED", "device", &self.id, GONE)?;
        // What a device was made of may only go when nothing uses it any more.
        for step in self.steps.iter().rev() {
            match step {
                Step::Object(value) => qmp.execute("object-del", &json!({"id": value["id"]}))?,
                Step::Node(value) => qmp.execute("blockdev-del", &json!({"node-name": value["node-name"]}))?,
                Step::Network(value) => qmp.execute("netdev_del", &json!({"id": value["id"]}))?,
                Step::Character(value) => qmp.execute("chardev-remove", &json!({"id": value["id"]}))?,
                Step::Device(_) | Step::Set(_) => Value::Null,
            };
        }
        Ok(())
    }

    /// Its name in QEMU, and its serial number where it has one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
