//! The jack of a headset: an input device of the sound card whose switch `SW_HEADPHONE_INSERT` goes on when something is plugged
//! in (Linux, Documentation/input/event-codes.rst, "EV_SW"; input.rst, "Event interface").
//!
//! Only what changes is told: a headset that stays plugged in begins nothing. Where no sound card has a jack that tells, or its
//! device may not be read, the key on the keyboard starts speech. While a machine starts, the screen may be there before the sound card,
//! and udev gives the device to us after it is there (debian/blanche-kiosk.udev): it is looked for again and again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// `EV_SW` and `SW_HEADPHONE_INSERT` (linux/input-event-codes.h).
const SWITCH: u16 = 0x05;
const HEADPHONE: u16 = 0x02;
/// `struct input_event` (linux/input.h): two longs of time, type, code, value.
const TIME: usize = 2 * size_of::<usize>();
const EVENT: usize = TIME + 8;

/// Between two looks for a jack that was not there.
const LOOK: Duration = Duration::from_secs(3);

/// Tells of every jack of this machine when something is plugged in (true) or pulled out, each from a thread of its own.
///
/// # Errors
/// The kernel's, when it gives no thread.
pub fn watch(told: impl Fn(bool) + Clone + Send + 'static) -> io::Result<()> {
    let follow = move || {
        let mut heard = BTreeMap::new();
        loop {
            hear(jacks(Path::new("/sys/class/input"), Path::new("/dev/input")), &mut heard, &told);
            thread::sleep(LOOK);
        }
    };
    thread::Builder::new().name("headsets".to_owned()).spawn(follow).map(drop)
}

/// Listens to those of the devices that nobody listens to, each on a thread that lasts as long as its device.
fn hear(
    devices: Vec<PathBuf>,
    heard: &mut BTreeMap<PathBuf, JoinHandle<()>>,
    told: &(impl Fn(bool) + Clone + Send + 'static),
) {
    heard.retain(|_, listening| !listening.is_finished());
    for device in devices {
        // One that may not be read yet, or for which there is no thread, is tried at the next look.
        let Some(jack) = (!heard.contains_key(&device)).then(|| File::open(&device).ok()).flatten() else { continue };
        let told = told.clone();
        let listening = thread::Builder::new().name("headset".to_owned()).spawn(move || listen(jack, told));
        heard.extend(listening.ok().map(|listening| (device, listening)));
    }
}

/// The devices of `devices` whose `capabilities/sw` in sysfs has the bit of a headset.
fn jacks(sysfs: &Path, devices: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(sysfs).into_iter().flatten().flatten();
    let events = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("event"));
    let has_jack = |entry: &fs::DirEntry| {
        let switches = fs::read_to_string(entry.path().join("device/capabilities/sw")).unwrap_or_default();
        // Words of the bitmap in hexadecimal, the lowest last.
        let lowest = switches.split_whitespace().next_back().and_then(|word| u64::from_str_radix(word, 16).ok());
        lowest.is_some_and(|bits| bits >> HEADPHONE & 1 == 1)
    };
    let mut found: Vec<PathBuf> = events.filter(has_jack).map(|entry| devices.join(entry.file_name())).collect();
    found.sort();
    found
}

/// Until the sound card goes away.
fn listen(mut jack: impl Read, told: impl Fn(bool)) {
    let mut event = [0; EVENT];
    while jack.read_exact(&mut event).is_ok() {
        plugged(&event).into_iter().for_each(&told);
    }
}

/// What an event says of a headset: it is in, or out; nothing of something else.
fn plugged(event: &[u8; EVENT]) -> Option<bool> {
    let (_, what) = event.split_at(TIME);
    let [kind_low, kind_high, code_low, code_high, value @ ..] = what else { return None };
    let kind = u16::from_ne_bytes([*kind_low, *kind_high]);
    let code = u16::from_ne_bytes([*code_low, *code_high]);
    (kind == SWITCH && code == HEADPHONE).then(|| value.iter().any(|byte| *byte != 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::sync::Mutex;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let time = [7; TIME];
        [&time[..], &kind.to_ne_bytes(), &code.to_ne_bytes(), &value.to_ne_bytes()].concat()
    }

    #[test]
    fn only_the_switch_of_a_headset_says_something_and_a_card_that_goes_away_ends_it() {
        // In, synchronisation (EV_SYN), microphone (SW_MICROPHONE_INSERT), a key with the same code, out, half an event.
        let events =
            [event(5, 2, 1), event(0, 0, 0), event(5, 4, 1), event(1, 2, 1), event(5, 2, 0), vec![5; EVENT / 2]];
        let told = Mutex::new(Vec::new());
        listen(events.concat().as_slice(), |is_in| told.lock().expect("a list").push(is_in));
        assert_eq!(told.into_inner().expect("a list"), [true, false]);
    }

    #[test]
    fn a_jack_that_comes_later_or_comes_back_is_heard() {
        let device = std::env::temp_dir().join(format!("blanche-jack-{}", std::process::id()));
        let (sender, told) = std::sync::mpsc::channel();
        let tell = move |is_in| sender.send(is_in).expect("the test listens");
        let mut heard = BTreeMap::new();
        hear(vec![device.clone()], &mut heard, &tell);
        assert!(heard.is_empty(), "it is not there yet");
        for is_in in [true, false] {
            fs::write(&device, event(5, 2, i32::from(is_in))).expect("a file");
            hear(vec![device.clone()], &mut heard, &tell);
            assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(is_in));
            // The card goes away: a file ends where a device would.
            while !heard.values().all(JoinHandle::is_finished) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        fs::remove_file(&device).expect("our file");
    }

    #[test]
    fn jacks_are_found_by_what_the_kernel_says_of_their_switches() {
        let folder = std::env::temp_dir().join(format!("blanche-headset-{}", std::process::id()));
        for (name, switches) in
            [("event0", "0\n"), ("event3", "14\n"), ("event4", "1 10\n"), ("event7", "4\n"), ("mouse0", "4\n")]
        {
            let inner = folder.join(name).join("device/capabilities");
            fs::create_dir_all(&inner).expect("a folder");
            fs::write(inner.join("sw"), switches).expect("a file");
        }
        let found = jacks(&folder, Path::new("/dev/input"));
        fs::remove_dir_all(&folder).expect("our folder");
        assert_eq!(found, [Path::new("/dev/input/event3"), Path::new("/dev/input/event7")]);
    }
}
