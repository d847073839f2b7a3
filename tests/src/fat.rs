//! FAT12, FAT16 and FAT32 by mkfs.vfat and mtools.

use crate::image::Format;
use crate::tools::run;
use crate::tree::Tree;
use std::path::Path;

/// mtools writes 16 bits of a character and drops the rest. Surrogates therefore travel as private-use characters,
/// this far above them, and are moved back in the image.
const SURROGATE_SHIFT: u16 = 0x0800;

/// Makes a FAT filesystem in the file `part` and fills it. `start` is the first sector of its partition.
pub(crate) fn make(folder: &Path, part: &Path, format: Format, start: u64, tree: &Tree) {
    let (bits, sectors_per_cluster) = match format {
        Format::Fat12 => ("12", "4"),
        Format::Fat16 => ("16", "4"),
        _ => ("32", "1"),
    };
    let start = start.to_string();
    let image = part.to_str().expect("a path in UTF-8");
    let options =
        ["--invariant", "-n", "BLANCHE", "-i", "b1a2c3d4", "-h", &start, "-F", bits, "-s", sectors_per_cluster];
    run(folder, "mkfs.vfat", options.into_iter().chain([image]));
    if tree.files().is_empty() {
        return;
    }
    let source = tempfile::tempdir_in(folder).expect("a writable folder");
    tree.write(source.path(), shifted);
    let mut roots: Vec<_> =
        std::fs::read_dir(source.path()).expect("just made").map(|entry| entry.expect("just made").path()).collect();
    roots.sort();
    let mut arguments: Vec<std::ffi::OsString> = ["-s", "-Q", "-m", "-i", image].map(Into::into).into();
    arguments.extend(roots.into_iter().map(Into::into));
    arguments.push("::/".into());
    run(folder, "mcopy", arguments);
    for file in tree.files().iter().filter(|file| file.hidden) {
        run(folder, "mattrib", ["-i", image, "+h", "+s", &format!("::/{}", shifted(&file.path))]);
    }
    if tree.has_surrogates() {
        unshift(part);
    }
}

/// A path whose surrogates are private-use characters.
fn shifted(path: &str) -> String {
    path.encode_utf16()
        .map(|unit| if is_surrogate(unit) { unit + SURROGATE_SHIFT } else { unit })
        .map(|unit| char::from_u32(u32::from(unit)).expect("no surrogate is left"))
        .collect()
}

fn is_surrogate(unit: u16) -> bool {
    (0xd800..0xe000).contains(&unit)
}

/// Moves the units back in every long-name entry (FAT specification 1.03, "long directory entries"): attribute byte 11
/// is 0x0f, bytes 12, 26 and 27 are zero, the name's units stand at 1, 14 and 28.
fn unshift(part: &Path) {
    let mut bytes = std::fs::read(part).expect("just made");
    for entry in bytes.chunks_exact_mut(32) {
        if entry[11] != 0x0f || entry[12] != 0 || entry[26] != 0 || entry[27] != 0 {
            continue;
        }
        for at in (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]) {
            let unit = u16::from_le_bytes([entry[at], entry[at + 1]]).wrapping_sub(SURROGATE_SHIFT);
            if is_surrogate(unit) {
                entry[at..at + 2].copy_from_slice(&unit.to_le_bytes());
            }
        }
    }
    std::fs::write(part, bytes).expect("a writable folder");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_path_has_only_letters_of_one_unit() {
        let path = shifted("clé/🦠.txt");
        assert!(path.starts_with("clé/") && path.chars().all(|letter| letter.len_utf16() == 1));
        assert_eq!(path.encode_utf16().count(), "clé/🦠.txt".encode_utf16().count());
    }
}
