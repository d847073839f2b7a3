//! Power is cut after every single block write, and the writes since the last flush are lost in any subset. At
//! each point there is the old state or the new one, every file of the user is as it was, and the checker reports
//! nothing but lost clusters, differing copies of the FAT, counts and the dirty flag.
//!
//! `BLANCHE_CUTS=1000` takes that many random subsets after each flush instead of a few (soak), `BLANCHE_SEED` another
//! seed.

use crate::media::{Files, Volume, content, files, inspected, read_files};
use crate::oracles::{findings, may_stay};
use crate::recorder::{Recorder, State, states};
use crate::sealing::{SMALL, many, request, seal};
use blanche_seal::{FileName, Refusal, plan, plan_removal};
use std::os::unix::fs::FileExt;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// The file of a volume, in one state after the other.
struct Bench<'v> {
    volume: &'v Volume,
    file: std::fs::File,
    base: Vec<u8>,
    written: Vec<u64>,
}

impl<'v> Bench<'v> {
    fn new(volume: &'v Volume, base: Vec<u8>) -> Self {
        std::fs::write(&volume.path, &base).unwrap();
        let file = std::fs::File::options().write(true).open(&volume.path).unwrap();
        Self { volume, file, base, written: Vec::new() }
    }

    fn set(&mut self, state: &State) {
        let block = self.volume.block as usize;
        for at in self.written.drain(..) {
            let old = &self.base[at as usize..at as usize + block];
            self.file.write_all_at(old, at).unwrap();
        }
        for (at, bytes) in state {
            self.file.write_all_at(bytes, *at).unwrap();
            self.written.push(*at);
        }
    }

    /// The tag as it stands, after every promise about the rest was checked.
    fn judge(&mut self, state: &State) -> Option<Vec<u8>> {
        self.set(state);
        let exfat = self.volume.exfat;
        for finding in findings(&self.volume.path, exfat) {
            assert!(may_stay(&finding, exfat), "{finding}");
        }
        if exfat { self.exfat_files(state) } else { self.fat_files() }
    }

    fn fat_files(&self) -> Option<Vec<u8>> {
        let mut found = read_files(&self.volume.path, false);
        let tag = found.remove("blanche.tag");
        assert!(found == self.volume.files, "a file of the user changed");
        tag
    }

    /// exfat-fuse would take a second for each state: our reader surveys the volume (no fault anywhere), and every file that
    /// it finds, in whatever folder, is compared byte for byte.
    fn exfat_files(&self, state: &State) -> Option<Vec<u8>> {
        let mut bytes = self.base.clone();
        for (at, block) in state {
            bytes[*at as usize..*at as usize + block.len()].copy_from_slice(block);
        }
        // VolumeFlags: what the bitmap says is looked at as if the volume were clean.
        bytes[106] &= !2;
        let device = Recorder::new(bytes, self.volume.block);
        let refusal = plan(&device, self.volume.range(), &request(1 << 40, true)).unwrap_err();
        assert!(matches!(refusal, Refusal::NoSpace { .. }), "clusters in use must be marked: {refusal}");
        let mut found = inspected(&device);
        let tag = found.remove("blanche.tag");
        assert!(found == self.volume.files, "a file of the user changed");
        tag
    }
}

/// Judges every state between `before` and what `device` recorded: the tag is `old` first and `new` at the end.
fn cut(volume: &Volume, before: &[u8], device: &Recorder, old: Option<&[u8]>, new: Option<&[u8]>) -> usize {
    let mut random = fastrand::Rng::with_seed(setting("BLANCHE_SEED", 1));
    let epochs = device.epochs();
    let all = states(&epochs, setting("BLANCHE_CUTS", 6) as usize, &mut random);
    let mut bench = Bench::new(volume, before.to_vec());
    let mut seen = [0usize; 2];
    for state in &all {
        let tag = bench.judge(state);
        assert!(tag.as_deref() == old || tag.as_deref() == new, "half a tag: {:?} bytes", tag.map(|tag| tag.len()));
        seen[usize::from(tag.as_deref() == new)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "the switch was not seen: {seen:?}");
    all.len()
}

/// Sealing, sealing again and removing, each cut everywhere.
fn cut_everything(volume: &Volume) {
    let (first, second) = (content(21, 6_000), content(22, 3_500));
    let mut device = volume.device();
    let before = device.bytes.clone();
    seal(&mut device, volume.range(), &first, false).unwrap();
    cut(volume, &before, &device, None, Some(&first));
    let before = device.bytes.clone();
    device.events.clear();
    seal(&mut device, volume.range(), &second, true).unwrap();
    cut(volume, &before, &device, Some(&first), Some(&second));
    let before = device.bytes.clone();
    device.events.clear();
    let plan = plan_removal(&device, volume.range(), &FileName::default()).unwrap();
    plan.commit(&mut device, &mut std::io::empty()).unwrap();
    cut(volume, &before, &device, Some(&second), None);
}

#[test]
fn a_cut_on_fat12_leaves_the_old_or_the_new_state() {
    cut_everything(&Volume::fat(1440, &["-F", "12"], files()));
}

#[test]
fn a_cut_on_fat16_leaves_the_old_or_the_new_state() {
    cut_everything(&Volume::fat(8192, &["-F", "16", "-s", "1"], files()));
}

#[test]
fn a_cut_on_fat32_leaves_the_old_or_the_new_state() {
    cut_everything(&Volume::fat(34 * 1024, &["-F", "32", "-s", "1"], files()));
}

#[test]
fn a_cut_while_the_root_folder_of_fat32_grows_loses_nothing() {
    cut_everything(&Volume::fat(34 * 1024, &["-F", "32", "-s", "1"], many(16)));
}

#[test]
fn a_cut_on_exfat_leaves_the_old_or_the_new_state() {
    cut_everything(&Volume::exfat(4096, &["-c", "4096"], &Files::new(), files()));
}

#[test]
fn a_cut_on_exfat_in_pieces_or_with_a_full_root_folder_loses_nothing() {
    let goes: Files = (0..40).map(|number| (format!("g{number:02}.bin"), content(number, 600))).collect();
    cut_everything(&Volume::exfat(2048, SMALL, &goes, files()));
    for count in 4..7 {
        cut_everything(&Volume::exfat(2048, SMALL, &Files::new(), many(count)));
    }
}

/// A medium that is pulled out: the error says what stands, and that is true.
#[test]
fn a_medium_that_is_pulled_out_is_told_apart_by_what_stands() {
    let volume = Volume::fat(1440, &["-F", "12"], files());
    let tag = content(5, 4_000);
    let mut full = volume.device();
    seal(&mut full, volume.range(), &tag, false).unwrap();
    let untouched = volume.device();
    for limit in 0..full.events.len() {
        let mut device = untouched.clone();
        let plan = plan(&device, volume.range(), &request(4_000, false)).unwrap();
        device.fails_after = Some(limit);
        let Err(error) = plan.commit(&mut device, &mut &*tag) else { continue };
        std::fs::write(&volume.path, &device.bytes).unwrap();
        let sealed = read_files(&volume.path, false).contains_key("blanche.tag");
        assert!(sealed || error.to_string().contains("nothing was sealed") || error.to_string().contains("not known"));
        assert_eq!(sealed, error.to_string().contains("the change was made"), "{error}");
    }
}
