//! Gates of machines that are made up: nothing can bind a driver there, and images are protected by nobody else using them.

use super::{Gate, GateError};
use crate::detect::{DevPath, Disk, UsbDevice};
use std::num::NonZeroU64;

/// A machine that is made up: its gate lets everything in. What it does in its own way, it says here.
pub trait MadeUp: Send + Sync {
    /// See [`Gate::release`].
    fn release(&self, _: &Disk) {}

    /// See [`Gate::pace`].
    fn pace(&self, _: &Disk) -> Option<NonZeroU64> {
        None
    }
}

impl<M: MadeUp> Gate for M {
    fn close(&mut self) -> Result<(), GateError> {
        Ok(())
    }

    fn admit(&self, _: &UsbDevice) -> Result<(), GateError> {
        Ok(())
    }

    fn refuse(&self, _: &DevPath) -> Result<(), GateError> {
        Ok(())
    }

    fn protect(&self, _: &Disk, _: bool) -> Result<(), GateError> {
        Ok(())
    }

    fn release(&self, disk: &Disk) -> Result<(), GateError> {
        MadeUp::release(self, disk);
        Ok(())
    }

    fn pace(&self, disk: &Disk) -> Option<NonZeroU64> {
        MadeUp::pace(self, disk)
    }
}

/// Nothing in its own way.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedGate;

impl MadeUp for SimulatedGate {}
