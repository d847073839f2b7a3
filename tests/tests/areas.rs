//! Boot code and tables are matched like contents, and named by their place; what may look like a container in them is
//! none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::samples::eicar;
use blanche_tests::{Format, Layout, Station, Tree, image};
use std::os::unix::fs::FileExt;

const MIB: u64 = 1 << 20;

/// EICAR as boot code: in the MBR, in the boot sector of a volume behind it, in the reserved sectors of a FAT32, and in
/// the first sector of a GPT medium.
#[test]
fn eicar_in_boot_code_is_found_and_named_by_its_place() {
    let cases = [
        (Format::Fat12, Layout::MbrPrimary, 0, "[table 0+512]"),
        (Format::Fat12, Layout::MbrPrimary, MIB + 0x3e, "[boot 1048576+512]"),
        (Format::Fat32, Layout::Superfloppy, 13 * 512, "[boot 0+16384]"),
        (Format::ExFat, Layout::Superfloppy, 0x78, "[boot 0+12288]"),
        (Format::Fat16, Layout::Gpt, 0, "[table 0+512]"),
    ];
    for (format, layout, at, place) in cases {
        let folder = tempfile::tempdir().unwrap();
        let disk = image(folder.path(), format, layout, &Tree::new().with("lettre.txt", "Bonjour.\r\n"));
        let file = std::fs::File::options().write(true).open(&disk).unwrap();
        file.write_all_at(&eicar(), at).unwrap();
        let scan = Station::new(folder.path()).scan(&disk);
        assert_eq!(scan.found(), [place], "{format:?} {layout:?}: {:#}", scan.report);
        assert_eq!((scan.verdict(), scan.code), ("infected", 20), "{format:?} {layout:?}");
        let volume = &scan.report["findings"][0]["volume"];
        assert_eq!(volume.is_null(), place.starts_with("[table"), "{volume}");
    }
}
