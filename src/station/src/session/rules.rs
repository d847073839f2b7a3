//! What the administrator decided, as the machine of states asks for it.

use crate::admit::{Decision, Policy, Role, decide};
use crate::detect::{Disk, UsbDevice};
use blanche_scan::settings::{CopyMode, PortRole, Settings};

/// Sessions that work at the same time: with more, everybody waits longer, and matchers share the memory of the machine.
const AT_ONCE: usize = 2;

/// Says what becomes of a device.
pub type Decide = Box<dyn Fn(&UsbDevice) -> Decision + Send>;
/// Says what a port is for that has a drive without USB: nothing when it is not declared.
pub type RoleOfDrive = Box<dyn Fn(&Disk) -> Option<Role> + Send>;

/// What the machine needs to know of the world.
pub struct Rules {
    /// The decision on a device.
    pub decide: Decide,
    /// What a port is for that has a drive without USB: nothing when it is not declared.
    pub drive: RoleOfDrive,
    /// Sessions that work at the same time.
    pub at_once: usize,
    /// Cores that check.
    pub cores: u64,
    /// Whose files may be copied; nothing where no port is for media that are written.
    pub copies: Option<CopyMode>,
}

impl Rules {
    /// What the administrator declared.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let policy = Policy::from(settings);
        let slots = policy.clone();
        Self {
            decide: Box::new(move |device| decide(device, &policy)),
            drive: Box::new(move |disk| slots.role_of_slot(disk).ok()),
            at_once: AT_ONCE,
            cores: u64::from(settings.matchers.resolved()),
            copies: settings.ports.iter().any(|port| port.role == PortRole::Output).then_some(settings.copy.mode),
        }
    }
}
