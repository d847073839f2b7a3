//! What is accepted: clean media and folders, and what ordinary hosts write.

use crate::media::{Kind, Made, content, files, write_tree};
use crate::program::is_native;
use crate::sealed::{seal_on, tag};
use crate::world::World;
use blanche_tag::Usb;
use std::fs;

#[test]
fn a_sealed_image_is_accepted_at_every_level() {
    let world = World::new();
    for kind in [Kind::Fat12, Kind::Fat16, Kind::Fat32, Kind::ExFat] {
        let made = Made::new(kind, &files());
        seal_on(&world, &made, &files());
        for level in ["identity", "inventory", "full"] {
            let answer = world.verify(&made.image(), &["--level", level]);
            assert_eq!(answer.verdict(), "accepted", "{kind:?} {answer:?}");
            let json = answer.json();
            assert_eq!((&json["level"], &json["compared"]["boot"]), (&level.into(), &"match".into()), "{json}");
            assert_eq!((&json["compared"]["capacity"], &json["tag"]["files"]), (&"match".into(), &5.into()), "{json}");
            assert_eq!(json["tolerated"].as_array().unwrap().len(), 0, "{json}");
        }
    }
}

#[test]
fn a_mounted_folder_is_accepted_and_says_what_it_does_not_show() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let tag = tag(&world, &made, &files(), |claims| {
        claims.medium.usb = Some(Usb { vendor: 0x781, product: 0x5567, serial: "A1".into() });
    });
    let folder = world.path("mounted");
    write_tree(&folder, &files());
    fs::write(folder.join("blanche.tag"), tag).unwrap();
    let answer = world.verify(&folder, &[]);
    assert_eq!(answer.verdict(), "accepted", "{answer:?}");
    let compared = answer.json()["compared"].clone();
    for what in ["capacity", "usb", "boot", "streams"] {
        assert_eq!(compared[what], "not_available", "{what}");
    }
    let text = world.run(&[folder.as_os_str()]);
    let missing =
        "Not available here, so not verified: capacity and block size, USB identity, boot areas, named streams.";
    assert!(text.out.contains(missing), "{text:?}");
    assert!(text.out.starts_with("ACCEPTED: this medium is what station-1 (site-a) checked on "), "{text:?}");
}

#[test]
fn a_detached_tag_is_accepted_from_elsewhere() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let detached = tag(&world, &made, &files(), |claims| claims.medium.tag_volume = None);
    let file = world.path("detached.tag");
    fs::write(&file, detached).unwrap();
    let answer = world.verify(&made.image(), &["--tag", file.to_str().unwrap()]);
    assert_eq!(answer.verdict(), "accepted", "{answer:?}");
    assert_eq!(answer.json()["tag"]["detached"], true);
}

#[test]
fn what_windows_writes_is_tolerated_and_named() {
    let world = World::new();
    let made = Made::new(Kind::Fat32, &files());
    let tag = seal_on(&world, &made, &files());
    let folder = world.path("windows");
    let mut all = files();
    let guid: Vec<u8> = "{0A1B2C3D-0000-1111-2222-333344445555}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (path, content) in [
        ("System Volume Information/WPSettings.dat", b"\x0c\0\0\0\x5f\x01\x02\x03\x04\x05\x06\x07".to_vec()),
        ("System Volume Information/IndexerVolumeGuid", guid),
    ] {
        all.insert(path.into(), content);
    }
    write_tree(&folder, &all);
    made.put(&folder.join("System Volume Information"), "");
    fs::write(folder.join("blanche.tag"), tag).unwrap();
    for target in [made.image(), folder] {
        for level in ["inventory", "full"] {
            let answer = world.verify(&target, &["--level", level]);
            assert_eq!(answer.verdict(), "accepted", "{answer:?}");
            let tolerated = answer.json()["tolerated"].clone();
            let tolerated: Vec<_> = tolerated.as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
            let folder = "System Volume Information";
            let expected =
                [folder.to_owned(), format!("{folder}/IndexerVolumeGuid"), format!("{folder}/WPSettings.dat")];
            assert_eq!(tolerated, expected);
        }
    }
}

#[test]
fn a_host_that_marks_the_volume_as_in_use_changes_nothing() {
    let world = World::new();
    let made = Made::new(Kind::Fat32, &files());
    seal_on(&world, &made, &files());
    let mut bytes = fs::read(made.partition()).unwrap();
    // BS_Reserved1 (dirty) of the boot sector and its copy; FSI_Free_Count.
    for at in [65, 6 * 512 + 65, 512 + 488] {
        bytes[at] ^= 1;
    }
    fs::write(made.partition(), bytes).unwrap();
    assert_eq!(world.verify(&made.image(), &[]).verdict(), "accepted");
}

#[test]
fn ten_thousand_files_in_folders_are_accepted() {
    let world = World::new();
    let mut many = files();
    for number in 0..10_000u32 {
        many.insert(format!("many/{:02}/a file {number}.txt", number % 100), content(number.into(), 20));
    }
    let made = Made::new(Kind::Fat32, &many);
    seal_on(&world, &made, &many);
    let answer = world.verify(&made.image(), &[]);
    assert_eq!(answer.verdict(), "accepted", "{answer:?}");
    assert_eq!(answer.json()["tag"]["files"], 10_005);
}

/// A tag on one of several volumes is found whichever it is; here the medium has one, and a copy of an older tag beside
/// it under another name must not confuse.
#[test]
fn the_tag_is_read_once_and_may_be_given_as_a_copy() {
    let world = World::new();
    let made = Made::new(Kind::Fat16, &files());
    let tag = seal_on(&world, &made, &files());
    let copy = world.path("copy.tag");
    fs::write(&copy, &tag).unwrap();
    let answer = world.verify(&made.image(), &["--tag", copy.to_str().unwrap()]);
    assert_eq!(answer.verdict(), "accepted", "{answer:?}");
    if is_native() {
        assert_eq!(answer.json()["notices"].as_array().unwrap().len(), 0);
    }
}
