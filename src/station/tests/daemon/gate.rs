//! Gates that do not work: one that some devices keep waiting, as one that does not answer its authorisation does; one that stays open.

use blanche_station::admit::{Gate, GateError, SimulatedGate};
use blanche_station::detect::{DevPath, Disk, UsbDevice};
use std::sync::{Arc, Condvar, Mutex};

/// What is asked of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Admit,
    Protect,
    Unprotect,
    Release,
}

/// Devices that do not answer, and what was done to the others. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Silent(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    /// Sockets by the end of their place, and what they do not answer.
    silent: Vec<(String, Ask)>,
    /// What was done, once it was done.
    done: Vec<(DevPath, Ask)>,
}

impl Silent {
    /// From now on the device in this socket does not answer this.
    pub(crate) fn silence(&self, port: &str, ask: Ask) {
        self.0.0.lock().unwrap().silent.push((port.to_owned(), ask));
    }

    /// Everything answers again, also what is waited for.
    pub(crate) fn wake(&self) {
        self.0.0.lock().unwrap().silent.clear();
        self.0.1.notify_all();
    }

    /// What was done to the device in this socket, in its order.
    pub(crate) fn done(&self, port: &str) -> Vec<Ask> {
        let state = self.0.0.lock().unwrap();
        state.done.iter().filter(|(path, _)| is_in(path, port)).map(|(_, ask)| *ask).collect()
    }

    fn carry_out(&self, path: &DevPath, ask: Ask) {
        let state = self.0.0.lock().unwrap();
        let silent = |state: &mut State| state.silent.iter().any(|(port, what)| is_in(path, port) && *what == ask);
        let mut state = self.0.1.wait_while(state, silent).unwrap();
        state.done.push((path.clone(), ask));
    }
}

/// A machine whose ports stay open, whatever is done about it.
pub(crate) struct Open;

impl Gate for Open {
    fn close(&mut self) -> Result<(), GateError> {
        Err(GateError::Kernel {
            what: "authorized_default".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        })
    }

    fn admit(&self, device: &UsbDevice) -> Result<(), GateError> {
        SimulatedGate.admit(device)
    }

    fn refuse(&self, device: &DevPath) -> Result<(), GateError> {
        SimulatedGate.refuse(device)
    }

    fn protect(&self, disk: &Disk, read_only: bool) -> Result<(), GateError> {
        SimulatedGate.protect(disk, read_only)
    }

    fn release(&self, disk: &Disk) -> Result<(), GateError> {
        SimulatedGate.release(disk)
    }
}

fn is_in(path: &DevPath, port: &str) -> bool {
    path.0.ends_with(&format!("/{port}"))
}

impl Gate for Silent {
    fn close(&mut self) -> Result<(), GateError> {
        SimulatedGate.close()
    }

    fn admit(&self, device: &UsbDevice) -> Result<(), GateError> {
        self.carry_out(&device.path, Ask::Admit);
        SimulatedGate.admit(device)
    }

    fn refuse(&self, device: &DevPath) -> Result<(), GateError> {
        SimulatedGate.refuse(device)
    }

    fn protect(&self, disk: &Disk, read_only: bool) -> Result<(), GateError> {
        self.carry_out(disk.device.as_ref().unwrap(), if read_only { Ask::Protect } else { Ask::Unprotect });
        SimulatedGate.protect(disk, read_only)
    }

    fn release(&self, disk: &Disk) -> Result<(), GateError> {
        self.carry_out(disk.device.as_ref().unwrap(), Ask::Release);
        SimulatedGate.release(disk)
    }
}
