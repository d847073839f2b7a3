//! What people may know of a session: the part of the station that the kiosk, the command line and the bus show.

mod copying;

pub use copying::{Contents, CopyProgress, CopyStep, CopyView, NoCopy, OutputId, OutputView};

use super::SessionId;
use crate::admit::{DeviceRefusal, Role};
use crate::detect::{Disk, UsbDevice};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::Progress;
use blanche_scan::report::Report;
use blanche_scan::words::{harmless, visible};
use std::sync::Arc;
use std::time::Duration;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Is read and matched.
    Checking,
    /// Was found clean and gets its tag.
    Sealing,
    /// Somebody cancelled it, or the medium is gone: the children are being stopped.
    Stopping,
    /// The verdict is there; the medium may be taken away.
    Verdict,
    /// Its files are copied to a medium of the station.
    Copying,
    /// The device is not admitted.
    Refused,
    /// The medium is gone.
    Removed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Checking,
        Self::Sealing,
        Self::Stopping,
        Self::Verdict,
        Self::Copying,
        Self::Refused,
        Self::Removed,
    ];

    /// The stable word for buses, journals and programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Checking => "checking",
            Self::Sealing => "sealing",
            Self::Stopping => "stopping",
            Self::Verdict => "verdict",
            Self::Copying => "copying",
            Self::Refused => "refused",
            Self::Removed => "removed",
        }
    }

    /// Whether a thread works on it.
    pub(crate) const fn is_working(self) -> bool {
        matches!(self, Self::Checking | Self::Sealing | Self::Stopping | Self::Copying)
    }
}

/// What came of a session.
#[derive(Clone, Debug)]
pub enum Conclusion {
    /// The medium was looked at: its report says the rest.
    Report(Arc<Report>),
    /// The device was not admitted.
    Refused(DeviceRefusal),
    /// There is no report, because the station itself failed or the medium could not be opened.
    Failed(Failure),
}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable word: "removed", "cancelled", "engines", "station", "unreadable", "restart", "sleep", "changed".
    pub kind: &'static str,
    /// For staff.
    pub detail: String,
    /// The tag that may stand all the same: workstations would accept it until staff revoke it.
    pub tag: Option<String>,
}

impl Failure {
    /// A failure that left no tag.
    pub fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), tag: None }
    }
}

impl Conclusion {
    /// The verdict. What was not checked to its end is *Incomplete*.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Report(report) => report.verdict,
            Self::Refused(_) => Verdict::Refused,
            Self::Failed(_) => Verdict::Incomplete,
        }
    }
}

/// The medium of a session, in words that are harmless to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediumView {
    /// Vendor and product as the device calls itself.
    pub name: String,
    /// Serial number; empty when it has none.
    pub serial: String,
    /// idVendor; 0 for what is no USB device.
    pub vendor: u16,
    /// idProduct; 0 for what is no USB device.
    pub product: u16,
    /// The socket; empty when it is not known.
    pub port: String,
    /// The block device; empty when no driver was bound.
    pub node: String,
    /// Bytes.
    pub capacity: u64,
    /// Logical unit number.
    pub lun: u64,
}

impl MediumView {
    /// Of a device without a disk, or of a disk and the device that it belongs to.
    #[must_use]
    pub fn of(device: Option<&UsbDevice>, disk: Option<&Disk>) -> Self {
        let text = |bytes: &Option<String>| bytes.as_deref().map(|text| visible(text.trim().as_bytes()));
        let names = match (device, disk) {
            (Some(device), _) => [text(&device.manufacturer), text(&device.name)],
            (None, Some(disk)) => [text(&disk.vendor), text(&disk.model)],
            (None, None) => [None, None],
        };
        let port = device.map(|device| &device.port).or(disk.and_then(|disk| disk.port.as_ref()));
        Self {
            name: names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" "),
            serial: device.and_then(|device| text(&device.serial)).unwrap_or_default(),
            vendor: device.map(|device| device.vendor).unwrap_or_default(),
            product: device.map(|device| device.product).unwrap_or_default(),
            port: port.map(|port| harmless(&port.0)).unwrap_or_default(),
            node: disk.map(|disk| harmless(&disk.node.display().to_string())).unwrap_or_default(),
            capacity: disk.map(|disk| disk.capacity).unwrap_or_default(),
            lun: disk.map(|disk| disk.lun).unwrap_or_default(),
        }
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// UUIDv7 (RFC 9562), the same as in report and journal.
    pub id: SessionId,
    /// Where it stands.
    pub state: State,
    /// The medium.
    pub medium: MediumView,
    /// What the port is for.
    pub role: Role,
    /// The last snapshot, once reading began.
    pub progress: Option<Progress>,
    /// How long checking takes in all, told before it begins, from the rate of earlier sessions.
    pub estimate: Option<Duration>,
    /// Bytes of the tag that are written.
    pub tag_bytes: u64,
    /// What came of it.
    pub conclusion: Option<Conclusion>,
    /// The medium was pulled out while it was being worked on.
    pub pulled: bool,
    /// Copying its files.
    pub copy: CopyView,
}

impl SessionView {
    /// A session that begins.
    #[must_use]
    pub fn new(state: State, medium: MediumView) -> Self {
        Self {
            id: SessionId::now_v7(),
            state,
            medium,
            role: Role::Input,
            progress: None,
            estimate: None,
            tag_bytes: 0,
            conclusion: None,
            pulled: false,
            copy: CopyView::default(),
        }
    }

    /// The report, when there is one. What came of copying is beside it.
    #[must_use]
    pub fn report(&self) -> Option<&Arc<Report>> {
        match &self.conclusion {
            Some(Conclusion::Report(report)) => Some(report),
            _ => None,
        }
    }
}
