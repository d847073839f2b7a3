//! The bench: a machine with a station, and hands that plug things in.

use crate::device::Device;
use crate::failure::{Failure, Result};
use crate::guest::Guest;
use crate::screen::Screen;
use crate::station::{Outcome, Session, Station};
use std::path::PathBuf;
use std::time::Duration;

/// From plugging in to a node in /dev; 0.9 to 2.4 s were seen.
const APPEARS: Duration = Duration::from_secs(120);

/// From the beginning of a session to its reading.
const BEGUN: Duration = Duration::from_secs(120);

/// Names of disks that hang on USB, one per line.
const DISKS: &str = r#"for disk in /sys/block/*; do
    case $(readlink -f "$disk") in */usb[0-9]*/*) [ "$(cat "$disk/size")" = 0 ] || echo "${disk##*/}" ;; esac
done"#;

/// Devices that are no hub and no controller, each with its interfaces as their descriptors name them and the drivers that
/// hold one: "3-1 :080650:030101: usb-storage". Input devices behind USB follow: "input QEMU USB Keyboard".
const DEVICES: &str = r#"udevadm settle --timeout=30
for device in /sys/bus/usb/devices/*-*; do
    case $device in *:*) continue ;; esac
    drivers=$(readlink "$device"/*:*/driver | sed 's|.*/||' | sort -u | xargs)
    faces=$(udevadm info -q property "$device" | sed -n 's/^ID_USB_INTERFACES=//p')
    echo "${device##*/} $faces ${drivers:-no driver}"
done
for input in /sys/class/input/input*; do
    case $(readlink -f "$input") in */usb[0-9]*/*) echo "input" ;; esac
done"#;

/// What nobody but Blanche may have done with a medium (security rule 3), whether or not it is still there: one line for each thing
/// that was. Mounts are the kernel's own word (guest/prepare), what blkid found is in udev's events.
const TRACES: &str = r#"sed -nE 's|.* path="(/dev/(sd\|sr\|md\|dm-\|mapper)[^"]*)".*|mounted: \1|p' /sys/kernel/tracing/trace
sed 's/^/ran: /' /run/foreign-programs
ls -d /sys/block/md* /sys/block/dm-* 2>/dev/null | grep -v "dm-$(cat /run/own-dm 2>/dev/null)$" | sed 's|.*/|active: |'
udevadm settle --timeout=30
awk -v RS= '/\nDEVPATH=[^\n]*\/usb[0-9]/' /run/udev-said |
    sed -n 's/^\(ID_FS_TYPE\|ID_PART_TABLE_TYPE\|ID_BTRFS_READY\)=/blkid: \1=/p'"#;
/// From now on only what is new is a trace.
const FORGET: &str = ": >/run/foreign-programs; : >/run/udev-said; : >/sys/kernel/tracing/trace";

/// A machine with a station.
#[derive(Debug)]
pub struct Bench {
    /// The machine.
    pub guest: Guest,
    /// The station in it.
    pub station: Station,
    /// Its screen, of a machine that has one.
    pub screen: Screen,
    plugged: Vec<Device>,
}

impl Bench {
    /// Installs a station in `guest`.
    ///
    /// # Errors
    /// [`Failure`] when that fails.
    pub fn new(mut guest: Guest) -> Result<Self> {
        let station = Station::install(&mut guest)?;
        let screen = Screen::of(&guest);
        Ok(Self { guest, station, screen, plugged: Vec::new() })
    }

    /// Folder of the host for images; it goes with the machine.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.guest.folder().to_owned()
    }

    /// Plugs `device` in.
    ///
    /// # Errors
    /// [`Failure`] when QEMU refuses it.
    pub fn plug(&mut self, device: Device) -> Result<()> {
        device.plug(self.guest.qmp())?;
        self.plugged.push(device);
        Ok(())
    }

    /// Pulls out what was plugged in last.
    ///
    /// # Errors
    /// [`Failure`] when QEMU keeps it.
    pub fn pull(&mut self) -> Result<()> {
        match self.plugged.pop() {
            Some(device) => device.pull(self.guest.qmp()),
            None => Ok(()),
        }
    }

    /// Waits until there is a disk on USB that holds something, and udev is done with it; its name, as "sda".
    ///
    /// # Errors
    /// [`Failure::Late`] when none comes.
    pub fn disk(&mut self) -> Result<String> {
        self.guest.until(&format!("[ -n \"$({DISKS})\" ]"), APPEARS)?;
        let names = self.guest.run(&format!("udevadm settle --timeout=30\n{DISKS}"))?;
        let first = names.lines().next().map(str::to_owned);
        first.ok_or_else(|| Failure::format("the disk went away again"))
    }

    /// Names of the disks on USB, after udev is done with all.
    ///
    /// # Errors
    /// [`Failure`] when the guest does not answer.
    pub fn disks(&mut self) -> Result<Vec<String>> {
        let names = self.guest.run(&format!("udevadm settle --timeout=30\n{DISKS}"))?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Plugs a device in and waits for the station to say that it is there.
    ///
    /// # Errors
    /// [`Failure`] when the station does not see it.
    pub fn insert(&mut self, device: Device) -> Result<Session> {
        self.arrival(|bench| bench.plug(device))
    }

    /// The first session that begins after `plug` did.
    ///
    /// # Errors
    /// [`Failure`] when none does.
    pub fn arrival(&mut self, plug: impl FnOnce(&mut Self) -> Result<()>) -> Result<Session> {
        let mark = self.station.mark()?;
        plug(self)?;
        self.station.arrival(mark)
    }

    /// Waits until each of `parts` is in a line of [`Bench::devices`]: a driver holds a device before it has made all
    /// of it.
    ///
    /// # Errors
    /// [`Failure::Late`] when one does not come.
    pub fn with_devices(&mut self, parts: &[&str]) -> Result<String> {
        let there: Vec<String> = parts.iter().map(|part| format!("echo \"$devices\" | grep -qF '{part}'")).collect();
        self.guest.until(&format!("devices=$({DEVICES}); {}", there.join(" && ")), APPEARS)?;
        self.devices()
    }

    /// Every USB device that is no hub of the machine, with interfaces and drivers, without its place: sorted, ", " between.
    ///
    /// # Errors
    /// [`Failure`] when the guest does not answer.
    pub fn devices(&mut self) -> Result<String> {
        let lines = self.guest.run(DEVICES)?;
        let words = |line: &str| line.split_once(' ').map_or(line, |(_, rest)| rest).trim().to_owned();
        let mut devices: Vec<String> = lines.lines().map(words).collect();
        devices.sort();
        Ok(devices.join(", "))
    }

    /// Plugs a device in and waits for its result.
    ///
    /// # Errors
    /// [`Failure`] when the station does not see it or is stuck.
    pub fn check(&mut self, device: Device) -> Result<Outcome> {
        let session = self.insert(device)?;
        self.end(&session)
    }

    /// Waits until so many bytes of a disk have been read, by anybody.
    ///
    /// # Errors
    /// [`Failure::Late`] when nobody reads it.
    pub fn read_behind(&mut self, disk: &str, bytes: u64) -> Result<()> {
        // The third number counts sectors of 512 bytes (Linux, Documentation/block/stat.rst).
        let condition = format!("[ \"$(awk '{{print $3}}' /sys/block/{disk}/stat)\" -gt {} ]", bytes / 512);
        self.guest.until(&condition, BEGUN)
    }

    /// Waits for the result of a session.
    ///
    /// # Errors
    /// [`Failure`] when the station is stuck.
    pub fn end(&mut self, session: &Session) -> Result<Outcome> {
        self.station.end(&mut self.guest, session)
    }

    /// The station works, and judges what is plugged in; or it does not, and the ports are as open as on any computer.
    ///
    /// # Errors
    /// [`Failure`] when the station or the kernel does not do it.
    pub fn duty(&mut self, on: bool) -> Result<()> {
        if on == self.station.is_on_duty() {
            return Ok(());
        }
        if on {
            self.open_ports(false)?;
            return self.station.start(&mut self.guest);
        }
        self.station.stop(&mut self.guest)?;
        Ok(())
    }

    /// Whether USB devices are used without anybody's word: on every controller.
    ///
    /// # Errors
    /// [`Failure`] when the kernel does not take it.
    pub fn open_ports(&mut self, open: bool) -> Result<()> {
        let value = if open { 1 } else { 2 };
        self.guest.run(&format!(
            "for bus in /sys/bus/usb/devices/usb*; do
                echo {value} >$bus/authorized_default; echo {} >$bus/interface_authorized_default
            done
            echo {value} >/sys/module/usbcore/parameters/authorized_default",
            u8::from(open)
        ))?;
        Ok(())
    }

    /// What somebody else than Blanche did with a medium, in the order found; forgets it.
    ///
    /// # Errors
    /// [`Failure`] when the guest does not answer.
    pub fn traces(&mut self) -> Result<Vec<String>> {
        let lines = self.guest.run(&format!("{TRACES}\n{FORGET}"))?;
        let mut traces: Vec<String> = lines.lines().map(str::to_owned).collect();
        traces.sort();
        traces.dedup();
        Ok(traces)
    }

    /// Pulls everything out and waits until the guest has noticed.
    ///
    /// # Errors
    /// [`Failure`] when something stays.
    pub fn clear(&mut self) -> Result<()> {
        while !self.plugged.is_empty() {
            self.pull()?;
        }
        self.guest.until("[ -z \"$(ls -d /sys/bus/usb/devices/[12]-* 2>/dev/null | grep -v :)\" ]", APPEARS)?;
        if self.station.is_on_duty() { self.station.empty() } else { Ok(()) }
    }
}
