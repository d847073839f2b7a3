//! How soon the station sees a medium: in the guest's time, from the kernel's event to the bus.

use crate::failure::{Failure, Result};
use crate::guest::Guest;
use jiff::Timestamp;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Seconds from the kernel's first event of a device.
#[derive(Clone, Copy, Debug)]
pub struct Promptness {
    /// To the event of its disk: the device was judged and has a driver.
    pub disk: f64,
    /// To `Arrived` on the bus, as a client has it.
    pub arrived: f64,
    /// To the first byte that was scanned.
    pub scanned: f64,
}

/// From the monotonic clock, which the kernel's events have, to the time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(f64);

impl Clock {
    pub(crate) fn of(guest: &mut Guest) -> Result<Self> {
        // Both by the shell itself: between two programs there would be tenths of a second.
        let said = guest.run("bash -c 'read -r up idle </proc/uptime; echo $up $EPOCHREALTIME'")?;
        let mut numbers = said.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
        let (Some(up), Some(day)) = (numbers.next(), numbers.next()) else {
            return Err(Failure::format(format!("the guest's clocks: {said}")));
        };
        Ok(Self(day - up))
    }
}

/// Bytes of the kernel's log so far.
pub(crate) fn place(kernel: &Path) -> u64 {
    fs::metadata(kernel).map_or(0, |data| data.len())
}

/// From the kernel's events behind `from` and the lines of a session that follow them; nothing before its first byte.
pub(crate) fn measure<'a>(
    kernel: &Path,
    from: u64,
    clock: Clock,
    lines: impl Iterator<Item = &'a Value>,
) -> Option<Promptness> {
    let text = String::from_utf8_lossy(&fs::read(kernel).ok()?).into_owned();
    let events = text.get(usize::try_from(from).ok()?..)?;
    let device = added(events, "(usb)")? + clock.0;
    let disk = added(events, "(block)")? + clock.0;
    let (mut arrived, mut scanned) = (None, None);
    for line in lines {
        let time = time(line)?;
        if line["event"] == "arrived" {
            arrived.get_or_insert(time);
        }
        if line["progress"]["bytes_read"].as_u64().is_some_and(|bytes| bytes > 0) {
            scanned.get_or_insert(time);
        }
    }
    Some(Promptness { disk: disk - device, arrived: arrived? - device, scanned: scanned? - device })
}

/// `KERNEL[12.345678] add      /devices/…/usb1/… (usb)`: the first one on USB. A medium that the guest plays for itself stands on
/// other block devices, which are there before.
fn added(events: &str, subsystem: &str) -> Option<f64> {
    let is_one = |line: &&str| line.contains("] add ") && line.contains("/usb") && line.ends_with(subsystem);
    let line = events.lines().find(is_one)?;
    line.strip_prefix("KERNEL[")?.split_once(']')?.0.parse().ok()
}

fn time(line: &Value) -> Option<f64> {
    let time: Timestamp = line["time"].as_str()?.parse().ok()?;
    Some(time.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use serde_json::json;

    #[test]
    fn times_run_from_the_first_event_of_the_device() {
        let folder = tempfile::tempdir().expect("a folder");
        let kernel = folder.path().join("kernel");
        let old = "KERNEL[1.0] add      /devices/usb1/old (usb)\n";
        let events = "KERNEL[10.2] add      /devices/virtual/block/dm-0 (block)\nKERNEL[10.5] add      /devices/usb1/1-1 (usb)\n\
                      KERNEL[10.75] add      /devices/usb1/1-1/block/sda (block)\n";
        fs::write(&kernel, format!("{old}{events}")).expect("room");
        let lines = [
            json!({"event": "arrived", "time": "1970-01-01T00:01:51.000Z"}),
            json!({"event": "changed", "time": "1970-01-01T00:01:51.250Z", "progress": {"bytes_read": 0}}),
            json!({"event": "changed", "time": "1970-01-01T00:01:51.500Z", "progress": {"bytes_read": 512}}),
        ];
        let seen = measure(&kernel, old.len() as u64, Clock(100.0), lines.iter()).expect("everything is there");
        assert_eq!((seen.disk, seen.arrived, seen.scanned), (0.25, 0.5, 1.0));
        assert!(measure(&kernel, old.len() as u64, Clock(100.0), lines[..2].iter()).is_none());
    }
}
