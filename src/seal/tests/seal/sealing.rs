//! The checker finds nothing, everybody's files are as they were, free space differs only by the tag.

use crate::media::{Files, Volume, content, files, looped, read_files};
use crate::oracles::{findings, run};
use crate::recorder::{Event, Recorder};
use blanche_media::ReadAt;
use blanche_seal::{
    Device, FileDevice, FileName, Refusal, Request, Stamp, UncachedFile, plan, plan_removal, read_back,
};
use std::ops::Range;
use time::OffsetDateTime;

/// Options of mkfs.exfat for a small volume of small clusters.
pub(crate) const SMALL: &[&str] = &["-c", "512", "-b", "64K"];

/// A tag of this many bytes.
pub(crate) fn request(length: u64, replace: bool) -> Request {
    let moment = OffsetDateTime::from_unix_timestamp(1_795_535_005).unwrap();
    Request { name: FileName::default(), length, stamp: Stamp::new(moment), replace }
}

/// Seals, and checks that nothing outside of the plan was written.
pub(crate) fn seal(device: &mut Recorder, range: Range<u64>, tag: &[u8], replace: bool) -> Result<(), Refusal> {
    let plan = plan(device, range, &request(tag.len() as u64, replace))?;
    plan.commit(device, &mut &*tag).unwrap();
    for event in &device.events {
        if let crate::recorder::Event::Block(at, _) = event {
            assert!(plan.writes().any(|(_, range)| range.contains(at)), "byte {at} was not planned");
        }
    }
    Ok(())
}

/// Seals a volume, then judges it with other people's programs; seals it again with another tag, then removes that.
/// Returns the bytes by which free space is smaller then.
fn lost(volume: &Volume, length: usize) -> u64 {
    let mut device = volume.device();
    let before = device.bytes.clone();
    for (round, bytes) in [length, length / 2 + 1].into_iter().enumerate() {
        let tag = content(99 + round as u64, bytes);
        device.events.clear();
        seal(&mut device, volume.range(), &tag, round > 0).unwrap();
        std::fs::write(&volume.path, &device.bytes).unwrap();
        assert_eq!(findings(&volume.path, volume.exfat), Vec::<String>::new());
        let mut expected: Files = volume.files.clone();
        expected.insert("blanche.tag".into(), tag.clone());
        let found = read_files(&volume.path, volume.exfat);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(found == expected, "the content of a file changed");
        let view = UncachedFile::open(&volume.path).unwrap();
        let name = FileName::default();
        read_back(&view, volume.block, volume.range(), &name, tag.len() as u64, &mut &*tag).unwrap();
    }
    let plan = plan_removal(&device, volume.range(), &FileName::default()).unwrap();
    plan.commit(&mut device, &mut std::io::empty()).unwrap();
    std::fs::write(&volume.path, &device.bytes).unwrap();
    assert_eq!(findings(&volume.path, volume.exfat), Vec::<String>::new());
    assert!(read_files(&volume.path, volume.exfat) == volume.files);
    // The allocation is as before: what differs are deleted records, old content in free clusters, and counts.
    plan_free(&Recorder::new(before, volume.block), volume) - plan_free(&device, volume)
}

fn check(volume: &Volume, length: usize) {
    assert_eq!(lost(volume, length), 0, "clusters were lost");
}

/// Free bytes, as the refusal of a tag that is too large says.
fn plan_free(device: &Recorder, volume: &Volume) -> u64 {
    let length = u64::from(u32::MAX).min(device.bytes.len() as u64);
    match plan(device, volume.range(), &request(length, true)) {
        Err(Refusal::NoSpace { free, .. }) => free,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fat_is_sealed() {
    let media: [(u64, &[&str]); 7] = [
        (1440, &["-F", "12"]),
        (4096, &["-F", "12", "-s", "4", "-f", "1"]),
        (8192, &["-F", "16", "-s", "1"]),
        (33 * 1024, &["-F", "16", "-s", "4"]),
        (34 * 1024, &["-F", "32", "-s", "1"]),
        (270 * 1024, &["-F", "32", "-s", "8"]),
        (270 * 1024, &["-F", "32", "-S", "4096", "-s", "1"]),
    ];
    for (size, options) in media {
        check(&Volume::fat(size, options, files()), 20_000);
    }
}

#[test]
fn every_exfat_is_sealed() {
    for cluster in ["512", "4096", "32768", "131072"] {
        check(&Volume::exfat(16 * 1024, &["-c", cluster], &Files::new(), files()), 20_000);
    }
    check(&Volume::exfat(16 * 1024, &["-c", "4096"], &Files::new(), Files::new()), 1);
}

/// Clusters between files that stayed.
fn aged(count: usize, length: usize) -> (Files, Files) {
    let file = |number: usize| (format!("f{number:03}.bin"), content(number as u64, length));
    let stays = (0..count).step_by(2).map(file).collect();
    let goes = (1..count).step_by(2).map(file).collect();
    (stays, goes)
}

#[test]
fn an_aged_volume_is_sealed_in_pieces() {
    let (stays, goes) = aged(160, 1000);
    let together: Files = stays.clone().into_iter().chain(goes.clone()).collect();
    let mut volume = Volume::fat(320, &["-F", "12", "-s", "1"], together);
    for name in goes.keys() {
        run("mdel", &["-i", volume.path.to_str().unwrap(), &format!("::/{name}")]);
    }
    volume.files = stays;
    check(&volume, 90_000);
    let (stays, goes) = aged(120, 4000);
    let volume = Volume::exfat(2048, SMALL, &goes, stays);
    let free = plan_free(&volume.device(), &volume);
    check(&volume, (free / 2 - 1024) as usize);
}

#[test]
fn a_volume_without_room_is_refused_with_the_numbers() {
    let volume = Volume::fat(1440, &["-F", "12"], files());
    let free = plan_free(&volume.device(), &volume);
    let mut device = volume.device();
    let refusal = seal(&mut device, volume.range(), &content(1, free as usize + 1), false).unwrap_err();
    assert_eq!(refusal, Refusal::NoSpace { needed: free + 512, free });
    assert!(device.events.is_empty());
    seal(&mut device, volume.range(), &content(1, free as usize), false).unwrap();
    std::fs::write(&volume.path, &device.bytes).unwrap();
    assert_eq!(findings(&volume.path, false), Vec::<String>::new());
    let again = seal(&mut device, volume.range(), &content(2, 1), true).unwrap_err();
    assert_eq!(again, Refusal::NoSpace { needed: 512, free: 0 });
}

/// Files with short names, as many as fill the root folder.
pub(crate) fn many(count: usize) -> Files {
    (0..count).map(|number| (format!("F{number:04}.BIN"), Vec::new())).collect()
}

#[test]
fn a_full_root_folder_grows_where_it_can() {
    // 224 records on a floppy, 112 with -r; a cluster of 512 bytes holds 16.
    let full = Volume::fat(1440, &["-F", "12", "-r", "112"], many(112));
    let refusal = seal(&mut full.device(), full.range(), b"tag", false).unwrap_err();
    assert_eq!(refusal, Refusal::RootFull { records: 112 });
    // A cluster that the root folder got stays its own.
    for (count, growth) in [(15, 0), (16, 512), (32, 512)] {
        let volume = Volume::fat(34 * 1024, &["-F", "32", "-s", "1"], many(count));
        assert_eq!(lost(&volume, 3_000), growth, "{count} files");
    }
    // Bitmap, up-case table and perhaps a label; three records for each file: every distance to the end of a cluster.
    let growth = |count| lost(&Volume::exfat(2048, SMALL, &Files::new(), many(count)), 3_000);
    let all: Vec<u64> = (3..11).map(growth).collect();
    assert!(all.contains(&512) && all.contains(&0) && all.iter().all(|bytes| matches!(bytes, 0 | 512)), "{all:?}");
}

#[test]
fn a_partition_is_sealed_and_its_neighbours_are_not_touched() {
    for volume in [
        Volume::fat(8192, &["-F", "16", "-s", "1"], files()),
        Volume::exfat(8192, &["-c", "4096"], &Files::new(), files()),
    ] {
        let bytes = std::fs::read(&volume.path).unwrap();
        let start = 1 << 20;
        let mut disk = vec![0xa5u8; start];
        disk.extend_from_slice(&bytes);
        disk.extend_from_slice(&vec![0x5a; start]);
        let end = start + bytes.len();
        let path = volume.folder.path().join("disk.img");
        std::fs::write(&path, &disk).unwrap();
        let tag = content(7, 30_000);
        let mut device = FileDevice::open(&path).unwrap();
        let range = start as u64..end as u64;
        let plan = plan(&device, range.clone(), &request(30_000, false)).unwrap();
        plan.commit(&mut device, &mut &*tag).unwrap();
        let view = UncachedFile::open(&path).unwrap();
        read_back(&view, device.block(), range, &FileName::default(), 30_000, &mut &*tag).unwrap();
        let after = std::fs::read(&path).unwrap();
        assert!(after[..start] == disk[..start] && after[end..] == disk[end..]);
        std::fs::write(&volume.path, &after[start..end]).unwrap();
        assert_eq!(findings(&volume.path, volume.exfat), Vec::<String>::new());
    }
}

/// The kernel's block layer: logical block, exclusive use, flush, and reading back past the page cache.
#[test]
fn a_block_device_is_sealed_and_read_back_from_itself() {
    for (sector, options) in [("512", &["-F", "16", "-s", "1"][..]), ("4096", &["-F", "32", "-S", "4096", "-s", "1"])] {
        let size = if sector == "512" { 8192 } else { 270 * 1024 };
        let volume = Volume::fat(size, options, files());
        let tag = content(7, 300_001);
        looped(&volume.path, sector, |path| {
            let mut device = FileDevice::open(path).unwrap();
            assert_eq!((device.block().to_string().as_str(), volume.range().end), (sector, device.capacity()));
            let busy = FileDevice::open(path).unwrap_err();
            assert!(busy.to_string().contains("busy"), "{busy}");
            let plan = plan(&device, volume.range(), &request(300_001, false)).unwrap();
            plan.commit(&mut device, &mut &*tag).unwrap();
            let view = UncachedFile::open(path).unwrap();
            let name = FileName::default();
            read_back(&view, device.block(), volume.range(), &name, 300_001, &mut &*tag).unwrap();
            let mut other = tag.clone();
            other[290_000] ^= 1;
            let error = read_back(&view, device.block(), volume.range(), &name, 300_001, &mut &*other).unwrap_err();
            assert!(error.to_string().contains("differs at byte 290000"), "{error}");
        });
        assert_eq!(findings(&volume.path, false), Vec::<String>::new());
    }
}

#[test]
fn content_that_ends_too_early_leaves_the_volume_as_clean_as_it_was() {
    // On exFAT the first stage says that the volume is dirty: the next sealing, and the next host, must not find it so.
    let volume = Volume::exfat(4096, &["-c", "4096"], &Files::new(), files());
    let mut device = volume.device();
    let before = device.bytes.clone();
    let stopped = plan(&device, volume.range(), &request(3_000, false)).unwrap();
    stopped.commit(&mut device, &mut &*content(1, 2_999)).unwrap_err();
    let boot = 512 * 12;
    assert!(before[..boot] == device.bytes[..boot], "the boot region is as it was");
    let changes = |event: &Event| match event {
        Event::Block(at, bytes) => before[*at as usize..][..bytes.len()] != bytes[..],
        Event::Flush => false,
    };
    assert!(device.events.iter().any(changes), "something had been written");
    plan(&device, volume.range(), &request(3_000, false))
        .unwrap()
        .commit(&mut device, &mut &*content(1, 3_000))
        .unwrap();
}

#[test]
fn content_of_another_length_never_becomes_a_tag() {
    let volume = Volume::fat(1440, &["-F", "12"], files());
    for given in [2_999, 3_001] {
        let mut device = volume.device();
        let plan = plan(&device, volume.range(), &request(3_000, false)).unwrap();
        let error = plan.commit(&mut device, &mut &*content(1, given)).unwrap_err();
        assert!(error.to_string().contains("3000 bytes long; nothing was sealed"), "{error}");
        std::fs::write(&volume.path, &device.bytes).unwrap();
        assert_eq!(findings(&volume.path, false), Vec::<String>::new());
        assert!(read_files(&volume.path, false) == volume.files);
    }
}
