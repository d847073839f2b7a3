//! The gate of a simulated machine: nothing can bind a driver there, and images are protected by nobody else using them.

use super::{Gate, GateError};
use crate::detect::{DevPath, Disk, UsbDevice};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedGate;

impl Gate for SimulatedGate {
    fn close(&mut self) -> Result<(), GateError> {
        Ok(())
    }

    fn admit(&mut self, _: &UsbDevice) -> Result<(), GateError> {
        Ok(())
    }

    fn refuse(&mut self, _: &DevPath) -> Result<(), GateError> {
        Ok(())
    }

    fn protect(&mut self, _: &Disk, _: bool) -> Result<(), GateError> {
        Ok(())
    }

    fn release(&mut self, _: &Disk) -> Result<(), GateError> {
        Ok(())
    }
}
