//! NTFS volumes made by mkntfs and filled by ntfs-3g, and a hand that changes their records.

use crate::images::run;
use crate::reading::{Reading, read_image};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) const FILE_NAME: u32 = 0x30;
pub(crate) const DATA: u32 = 0x80;
pub(crate) const INDEX_ROOT: u32 = 0x90;
pub(crate) const INDEX_ALLOCATION: u32 = 0xa0;
pub(crate) const BITMAP: u32 = 0xb0;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Mounts an image with ntfs-3g, lets `work` work in it, unmounts it and waits until everything is written.
pub(crate) fn mounted<T>(image: &Path, options: &str, work: impl FnOnce(&Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let options = format!("no_detach,streams_interface=windows,compression,{options}");
    let mut daemon = Command::new("/usr/bin/ntfs-3g")
        .args(["-o", &options, text(image), text(folder.path())])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("ntfs-3g: {error}; install it"));
    let mount = Mount(folder.path());
    wait_for_mount(&mut daemon, mount.0);
    let outcome = work(mount.0);
    drop(mount);
    assert!(daemon.wait().unwrap().success(), "ntfs-3g writes everything");
    outcome
}

/// Ends a mount, also when a test fails in it.
struct Mount<'m>(&'m Path);

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // A program that another test starts at this moment holds our open files until it runs.
        for _ in 0..500 {
            if Command::new("fusermount").args(["-u", text(self.0)]).stderr(Stdio::null()).status().unwrap().success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        run("fusermount", &["-u", "-z", text(self.0)], "");
    }
}

fn wait_for_mount(daemon: &mut Child, folder: &Path) {
    for _ in 0..6000 {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        if mounts.lines().any(|line| line.split(' ').nth(1) == Some(text(folder))) {
            return;
        }
        assert!(daemon.try_wait().unwrap().is_none(), "ntfs-3g did not mount");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("ntfs-3g is not there");
}

/// A volume that `fill` fills while it is mounted.
pub(crate) fn ntfs(bytes: u64, more: &[&str], fill: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    make(&image, bytes, more);
    mounted(&image, "rw", fill);
    fs::read(&image).unwrap()
}

/// An empty volume in a file.
pub(crate) fn make(image: &Path, bytes: u64, more: &[&str]) {
    fs::File::create(image).unwrap().set_len(bytes).unwrap();
    let mut arguments = vec!["-F", "-Q", "-q", "-L", "BLANCHE"];
    arguments.extend_from_slice(more);
    arguments.push(text(image));
    run("mkntfs", &arguments, "");
}

/// Sets an extended attribute of ntfs-3g.
pub(crate) fn set(path: &Path, name: &str, value: &str) {
    run("setfattr", &["-h", "-n", name, "-v", value, text(path)], "");
}

/// An image whose records can be changed.
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cluster: usize,
    mft: Vec<(usize, usize)>,
}

pub(crate) const RECORD: usize = 1024;

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Takes the fixups out of a record or block, or puts them in.
pub(crate) fn fix(record: &mut [u8], into: bool) {
    let (array, count) = (u16_at(record, 4), u16_at(record, 6));
    for stride in 1..count {
        let (last, kept) = (stride * 512 - 2, array + 2 * stride);
        if into {
            record.copy_within(last..last + 2, kept);
            record.copy_within(array..array + 2, last);
        } else {
            record.copy_within(kept..kept + 2, last);
        }
    }
}

impl Image {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let cluster = u16_at(&bytes, 11) * usize::from(bytes[13]);
        let mft = vec![(u64_at(&bytes, 48) as usize * cluster, RECORD)];
        let mut image = Self { bytes, cluster, mft };
        let record = image.record(0);
        image.mft = image.runs(&record, DATA, "");
        image
    }

    pub(crate) fn new(fill: impl FnOnce(&Path)) -> Self {
        Self::of(ntfs(8 * MIB, &["-c", "4096"], fill))
    }

    /// Bytes of the image where a record begins.
    pub(crate) fn place(&self, number: usize) -> usize {
        let mut at = number * RECORD;
        for (start, length) in &self.mft {
            if at < *length {
                return start + at;
            }
            at -= length;
        }
        panic!("no record {number}");
    }

    pub(crate) fn records(&self) -> usize {
        self.mft.iter().map(|run| run.1).sum::<usize>() / RECORD
    }

    /// A record with its own last bytes.
    pub(crate) fn record(&self, number: usize) -> Vec<u8> {
        let place = self.place(number);
        let mut record = self.bytes[place..place + RECORD].to_vec();
        fix(&mut record, false);
        record
    }

    pub(crate) fn write(&mut self, number: usize, record: &[u8]) {
        let place = self.place(number);
        let mut record = record.to_vec();
        fix(&mut record, true);
        self.bytes[place..place + RECORD].copy_from_slice(&record);
    }

    /// Changes a record.
    pub(crate) fn change(&mut self, number: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let mut record = self.record(number);
        change(&mut record);
        self.write(number, &record);
    }

    /// The record in use that has this name in some folder.
    pub(crate) fn find(&self, name: &str) -> usize {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let named = |number: &usize| {
            let place = self.place(*number);
            if self.bytes[place..place + 4] != *b"FILE" || self.bytes[place + 22] & 1 == 0 {
                return false;
            }
            let record = self.record(*number);
            attributes(&record).into_iter().any(|(at, length)| {
                let value = &record[at..at + length];
                u32_at(value, 0) as u32 == FILE_NAME
                    && value[24 + 66..].starts_with(&units)
                    && usize::from(value[24 + 64]) * 2 == units.len()
            })
        };
        let found = (0..self.records()).find(named).unwrap_or_else(|| panic!("no {name}"));
        // The name may stand in a record that continues another one.
        match u32_at(&self.record(found), 32) {
            0 => found,
            base => base,
        }
    }

    /// Runs of a non-resident attribute: places and lengths in bytes.
    pub(crate) fn runs(&self, record: &[u8], kind: u32, name: &str) -> Vec<(usize, usize)> {
        let (at, _) = attribute(record, kind, name);
        let mut list = &record[at + u16_at(record, at + 32)..];
        let (mut runs, mut current) = (Vec::new(), 0i64);
        while list[0] != 0 {
            let (count, distance) = (usize::from(list[0] & 15), usize::from(list[0] >> 4));
            let number = |bytes: &[u8]| {
                bytes
                    .iter()
                    .rev()
                    .fold(if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { -1i64 } else { 0 }, |sum, byte| {
                        sum << 8 | i64::from(*byte)
                    })
            };
            current += number(&list[1 + count..1 + count + distance]);
            if distance > 0 {
                runs.push((current as usize * self.cluster, number(&list[1..1 + count]) as usize * self.cluster));
            }
            list = &list[1 + count + distance..];
        }
        runs
    }

    pub(crate) fn read(self) -> Reading {
        read_image(self.bytes)
    }
}

/// Places and lengths of the attributes of a record.
pub(crate) fn attributes(record: &[u8]) -> Vec<(usize, usize)> {
    let (mut at, mut found) = (u16_at(record, 20), Vec::new());
    while u32_at(record, at) != 0xffff_ffff {
        let length = u32_at(record, at + 4);
        found.push((at, length));
        at += length;
    }
    found
}

/// Place and length of an attribute.
pub(crate) fn attribute(record: &[u8], kind: u32, name: &str) -> (usize, usize) {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let is = |(at, _): &(usize, usize)| {
        let start = at + u16_at(record, at + 10);
        let own = &record[start..start + usize::from(record[at + 9]) * 2];
        u32_at(record, *at) as u32 == kind && own == units
    };
    attributes(record).into_iter().find(is).unwrap_or_else(|| panic!("no attribute {kind:x} {name:?}"))
}

/// A resident attribute.
pub(crate) fn resident(kind: u32, name: &str, instance: u16, value: &[u8]) -> Vec<u8> {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let value_at = (24 + units.len()).next_multiple_of(8);
    let length = (value_at + value.len()).next_multiple_of(8);
    let mut bytes = vec![0u8; length];
    bytes[..4].copy_from_slice(&kind.to_le_bytes());
    bytes[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[9] = (units.len() / 2) as u8;
    bytes[10] = 24;
    bytes[14..16].copy_from_slice(&instance.to_le_bytes());
    bytes[16..20].copy_from_slice(&(value.len() as u32).to_le_bytes());
    bytes[20..22].copy_from_slice(&(value_at as u16).to_le_bytes());
    bytes[24..24 + units.len()].copy_from_slice(&units);
    bytes[value_at..value_at + value.len()].copy_from_slice(value);
    bytes
}

/// A non-resident attribute without compression.
pub(crate) fn non_resident(kind: u32, name: &str, instance: u16, clusters: u64, size: u64, runs: &[u8]) -> Vec<u8> {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let runs_at = (64 + units.len()).next_multiple_of(8);
    let length = (runs_at + runs.len()).next_multiple_of(8);
    let mut bytes = vec![0u8; length];
    bytes[..4].copy_from_slice(&kind.to_le_bytes());
    bytes[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    bytes[8] = 1;
    bytes[9] = (units.len() / 2) as u8;
    bytes[10] = 64;
    bytes[14..16].copy_from_slice(&instance.to_le_bytes());
    bytes[24..32].copy_from_slice(&clusters.wrapping_sub(1).to_le_bytes());
    bytes[32..34].copy_from_slice(&(runs_at as u16).to_le_bytes());
    bytes[40..48].copy_from_slice(&(clusters * 4096).to_le_bytes());
    bytes[48..56].copy_from_slice(&size.to_le_bytes());
    bytes[56..64].copy_from_slice(&size.to_le_bytes());
    bytes[64..64 + units.len()].copy_from_slice(&units);
    bytes[runs_at..runs_at + runs.len()].copy_from_slice(runs);
    bytes
}

/// Puts an attribute behind those of its kind and the ones before.
pub(crate) fn insert(record: &mut Vec<u8>, new: &[u8]) {
    let kind = u32_at(new, 0);
    let end = u32_at(record, 24);
    let after = attributes(record).into_iter().find(|(at, _)| u32_at(record, *at) > kind);
    let at = after.map_or(end - 8, |(at, _)| at);
    record.splice(at..at, new.iter().copied());
    record.truncate(RECORD);
    set_used(record, end + new.len());
}

/// Takes an attribute out.
pub(crate) fn remove(record: &mut Vec<u8>, kind: u32, name: &str) {
    let (at, length) = attribute(record, kind, name);
    let end = u32_at(record, 24);
    record.drain(at..at + length);
    record.resize(RECORD, 0);
    set_used(record, end - length);
}

fn set_used(record: &mut [u8], used: usize) {
    assert!(used <= RECORD - 8, "the record is full");
    record[24..28].copy_from_slice(&(used as u32).to_le_bytes());
}
