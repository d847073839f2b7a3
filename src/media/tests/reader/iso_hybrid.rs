//! Installer discs that are also disks, by the recipes of distributions: xorriso writes them, with boot images that the
//! test makes. Every view of them is read, and nothing of them stays unchecked.

use crate::images::{Numbers, empty_fat, run};
use crate::reading::read_image;
use blanche_sandbox::wire::{FilesystemKind, Tree};
use std::fs;

const ISOLINUX: &[&str] =
    &["-b", "isolinux/isolinux.bin", "-c", "boot/cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"];
const EFI_FILE: &[&str] = &["-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot"];
const EFI_PARTITION: &[&str] = &["-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];

/// The image that xorriso makes with these options, in which `EFI` and `MBR` stand for the boot images.
fn hybrid(options: &[&[&str]]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["tree", "tree/boot", "tree/isolinux"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("tree/file.txt"), [1; 3000]).unwrap();
    fs::write(path("tree/isolinux/isolinux.bin"), Numbers(3).bytes(30_000)).unwrap();
    fs::write(path("mbr"), Numbers(4).bytes(432)).unwrap();
    let efi = empty_fat(12, 2 << 20, &[]);
    fs::write(path("efi"), &efi).unwrap();
    fs::write(path("tree/boot/efi.img"), &efi).unwrap();
    let (mbr, efi, image, tree) = (path("mbr"), path("efi"), path("image"), path("tree"));
    let mut arguments = vec!["-as", "mkisofs", "-quiet", "-r", "-J", "-V", "BLANCHE", "-o", &image];
    arguments.extend(options.concat().into_iter().map(|option| match option {
        "MBR" => mbr.as_str(),
        "EFI" => efi.as_str(),
        other => other,
    }));
    arguments.push(&tree);
    run("xorriso", &arguments, "");
    fs::read(&image).unwrap()
}

#[test]
fn discs_of_distributions_are_read_as_a_whole() {
    let basdat: &[&str] = &["-isohybrid-gpt-basdat"];
    let appended: &[&str] =
        &["-partition_offset", "16", "-append_partition", "2", "0xef", "EFI", "-appended_part_as_gpt"];
    let forced: &[&str] = &["--mbr-force-bootable"];
    let recipes: [(&str, &[&[&str]]); 5] = [
        ("Debian", &[&["-isohybrid-mbr", "MBR"], ISOLINUX, EFI_FILE, basdat]),
        ("Ubuntu", &[&["--grub2-mbr", "MBR"], forced, appended, ISOLINUX, EFI_PARTITION]),
        ("Fedora", &[&["-isohybrid-mbr", "MBR"], appended, ISOLINUX, EFI_PARTITION]),
        ("Arch", &[&["-isohybrid-mbr", "MBR"], forced, appended, ISOLINUX, EFI_PARTITION, basdat]),
        ("MBR only", &[&["-isohybrid-mbr", "MBR", "-append_partition", "2", "0xef", "EFI"], ISOLINUX]),
    ];
    for (name, options) in recipes {
        let reading = read_image(hybrid(options));
        assert_eq!(reading.not_read, [], "{name}: {:?}", reading.layout());
        let volumes = &reading.layout().volumes;
        for tree in [Tree::RockRidge, Tree::Joliet] {
            let is = |number: &usize| volumes[*number].view.is_some_and(|view| view.tree == tree);
            let found: Vec<usize> = (0..volumes.len()).filter(is).collect();
            assert!(!found.is_empty(), "{name}: {tree:?}");
            for number in found {
                assert_eq!(reading.files(u16::try_from(number).unwrap())["file.txt"], vec![1; 3000], "{name}");
            }
        }
        let efi = volumes.iter().any(|volume| volume.filesystem == FilesystemKind::Fat12);
        assert!(efi, "{name}: {volumes:?}");
    }
}
