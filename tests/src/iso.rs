//! Optical discs: ISO 9660 with and without Joliet and Rock Ridge, by xorriso and genisoimage. A disc has no partition
//! table; each of its trees names the same bytes in its own way.

use crate::tools::run;
use crate::tree::Tree;
use crate::udf;
use std::path::{Path, PathBuf};

/// Bytes of a sector of a disc.
const SECTOR: usize = 2048;
/// Sessions of a recorder begin at multiples of 32 sectors.
const PACKET: usize = 32;

/// A disc with one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disc {
    /// ISO 9660 alone: names of eight and three capital letters.
    Plain,
    /// With a Joliet tree.
    Joliet,
    /// With Rock Ridge names.
    RockRidge,
    /// With both, as most programs make them.
    JolietRockRidge,
    /// With Joliet, Rock Ridge and UDF. Names have no letters beyond 16 bits.
    UdfBridge,
}

impl Disc {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Joliet, Self::RockRidge, Self::JolietRockRidge, Self::UdfBridge];

    /// The trees that show every name as it was given, called as reports call them.
    #[must_use]
    pub fn trees(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["iso9660"],
            Self::Joliet => &["joliet"],
            Self::RockRidge => &["rock_ridge"],
            Self::JolietRockRidge => &["joliet", "rock_ridge"],
            Self::UdfBridge => &["joliet", "rock_ridge", "udf"],
        }
    }
}

/// Makes a disc under `folder` that holds `tree` and returns its path. Hidden files are hidden in the plain and in the
/// Joliet tree: the others know no such thing.
///
/// # Panics
/// When a tool is missing or fails, or changes a name.
#[must_use]
pub fn disc(folder: &Path, kind: Disc, tree: &Tree) -> PathBuf {
    let source = source(folder, tree);
    let disk = folder.join(format!("{kind:?}.iso").to_lowercase());
    match kind {
        Disc::Plain => xorriso(folder, &["--norock"], source.path(), &disk),
        // Without the option, letters of two UTF-16 units become "_".
        Disc::Joliet => xorriso(folder, &["--norock", "-J", "-joliet-utf16"], source.path(), &disk),
        Disc::RockRidge => xorriso(folder, &["-r"], source.path(), &disk),
        Disc::JolietRockRidge => xorriso(folder, &["-J", "-joliet-utf16", "-r"], source.path(), &disk),
        Disc::UdfBridge => udf::bridge(folder, &["-J", "-r"], source.path(), &disk),
    }
    for file in tree.files().iter().filter(|file| file.hidden) {
        hide(&disk, file.path.rsplit('/').next().expect("a name"));
    }
    disk
}

/// The files of a tree in a temporary folder.
pub(crate) fn source(folder: &Path, tree: &Tree) -> tempfile::TempDir {
    let source = tempfile::tempdir_in(folder).expect("a writable folder");
    tree.write(source.path(), str::to_owned);
    source
}

fn xorriso(folder: &Path, options: &[&str], source: &Path, disk: &Path) {
    let fixed = ["-as", "mkisofs", "-quiet"].iter().chain(options).map(AsRef::as_ref);
    run(folder, "xorriso", fixed.chain(["-o".as_ref(), disk.as_os_str(), source.as_os_str()]));
}

/// Sets the bit "existence" of every record with this name in capital letters or in UCS-2, which xorriso cannot
/// (ECMA-119, 9.1: length at 0, flags at 25, length of the name at 32, the name at 33, ";1" behind it).
fn hide(disk: &Path, name: &str) {
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut bytes = std::fs::read(disk).expect("just made");
    for (name, version) in [(name.as_bytes(), 2), (&wide, 4)] {
        for at in 33..bytes.len() - name.len() {
            let length = usize::from(bytes[at - 1]);
            let whole = length == name.len() || length == name.len() + version;
            if whole && bytes[at..].starts_with(name) && usize::from(bytes[at - 33]) >= 33 + length {
                bytes[at - 8] |= 1;
            }
        }
    }
    std::fs::write(disk, bytes).expect("a writable folder");
}

/// The files of the primary tree as hosts without extensions name them, sorted, without ";1".
#[must_use]
pub fn plain_names(disk: &Path) -> Vec<String> {
    listing(disk, &[]).into_iter().filter_map(|name| name.strip_suffix(";1").map(str::to_owned)).collect()
}

/// What isoinfo lists, sorted; plain names with ";1".
fn listing(disk: &Path, options: &[&str]) -> Vec<String> {
    let folder = disk.parent().expect("a file");
    let fixed = ["-f", "-i", disk.to_str().expect("a path in UTF-8")];
    let answer = run(folder, "isoinfo", [options, &fixed].concat());
    let text = String::from_utf8(answer).expect("names in UTF-8");
    let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect();
    names.sort();
    names
}

/// A rewritable medium with two sessions by xorriso: the second removes the files of `first` and adds those of
/// `second`; a copy of its descriptors stands at the start. Both sessions have Joliet and Rock Ridge.
///
/// # Panics
/// When a tool is missing or fails, or a file is not in the root.
#[must_use]
pub fn grown(folder: &Path, first: &Tree, second: &Tree) -> PathBuf {
    let disk = folder.join("grown.iso");
    let target = disk.to_str().expect("a path in UTF-8");
    let kept = source(folder, &Tree::new().with("lettre.txt", "Bonjour.\r\n"));
    let (one, two) = (source(folder, first), source(folder, second));
    let path = |folder: &tempfile::TempDir| folder.path().to_str().expect("a path in UTF-8").to_owned();
    let add = |folder| ["-map".to_owned(), path(folder), "/".to_owned()];
    let begin = |drive: &str| [drive, target, "-joliet", "on"].map(str::to_owned);
    let session = [&begin("-outdev")[..], &add(&kept), &add(&one), &["-commit".to_owned()]].concat();
    run(folder, "xorriso", session);
    let removed = first.files().iter().map(|file| format!("/{}", file.path));
    let removal = ["-rm".to_owned()].into_iter().chain(removed).chain(["--".to_owned()]).collect::<Vec<_>>();
    let session = [&begin("-dev")[..], &removal, &add(&two), &["-commit".to_owned()]].concat();
    run(folder, "xorriso", session);
    disk
}

/// A write-once medium with two sessions by genisoimage, of which the second does not take over the first. Hosts that
/// know the table of contents show the last session; others, and whoever has an image file, the first.
///
/// # Panics
/// When a tool is missing or fails.
#[must_use]
pub fn recorded(folder: &Path, first: &Tree, second: &Tree) -> PathBuf {
    let session = |tree: &Tree, start: usize| {
        let (source, part) = (source(folder, tree), folder.join("session.iso"));
        let place = format!("0,{start}");
        let more: &[&str] = if start > 0 { &["-C", &place] } else { &[] };
        let fixed = ["-quiet", "-J", "-r"].iter().chain(more).map(AsRef::as_ref);
        run(folder, "genisoimage", fixed.chain(["-o".as_ref(), part.as_os_str(), source.path().as_os_str()]));
        let bytes = std::fs::read(&part).expect("just made");
        std::fs::remove_file(part).expect("just made");
        bytes
    };
    let mut bytes = session(first, 0);
    let start = bytes.len().div_ceil(SECTOR).next_multiple_of(PACKET);
    bytes.resize(start * SECTOR, 0);
    bytes.extend(session(second, start));
    let disk = folder.join("recorded.iso");
    std::fs::write(&disk, bytes).expect("a writable folder");
    disk
}

/// A disc whose two trees have only a letter in common: the files of `joliet` are not in the tree of Rock Ridge, and
/// those of `rock_ridge` not in that of Joliet.
///
/// # Panics
/// When a tool is missing or fails.
#[must_use]
pub fn differing(folder: &Path, joliet: &Tree, rock_ridge: &Tree) -> PathBuf {
    let all = Tree::new().with("lettre.txt", "Bonjour.\r\n");
    let all = joliet.files().iter().chain(rock_ridge.files()).fold(all, |all, file| all.with(&file.path, &*file.bytes));
    let source = source(folder, &all);
    let leaf = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    let hide = joliet.files().iter().flat_map(|file| ["-hide".to_owned(), leaf(&file.path)]);
    let hide_joliet = rock_ridge.files().iter().flat_map(|file| ["-hide-joliet".to_owned(), leaf(&file.path)]);
    let hidden: Vec<String> = hide.chain(hide_joliet).collect();
    let options: Vec<&str> = ["-J", "-r"].into_iter().chain(hidden.iter().map(String::as_str)).collect();
    let disk = folder.join("differing.iso");
    xorriso(folder, &options, source.path(), &disk);
    disk
}

/// A disc with a letter, which starts the program `boot` (El Torito, no emulation); no tree names it.
///
/// # Panics
/// When a tool is missing or fails.
#[must_use]
pub fn bootable(folder: &Path, boot: &[u8]) -> PathBuf {
    let source = source(folder, &Tree::new().with("lettre.txt", "Bonjour.\r\n").with("boot.img", boot));
    let options = ["-J", "-r", "-b", "boot.img", "-c", "boot.cat", "-no-emul-boot"];
    // The firmware loads so many pieces of 512 bytes; one more than the program has would be refused.
    let load = boot.len().div_ceil(512).to_string();
    let hidden = ["-boot-load-size", &load, "-hide", "boot.img", "-hide-joliet", "boot.img"];
    let disk = folder.join("bootable.iso");
    xorriso(folder, &[&options[..], &hidden].concat(), source.path(), &disk);
    disk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::try_run;
    use crate::tree::deep;

    const ROCK_RIDGE: &[&str] = &["-R"];
    const JOLIET: &[&str] = &["-J"];

    fn tree(kind: Disc) -> Tree {
        match kind {
            Disc::Plain => Tree::new().with("RACINE.TXT", "racine").with(deep(30, "FOND.TXT").to_uppercase(), "fond"),
            Disc::UdfBridge => Tree::new().with(deep(30, "fond.txt"), "fond").with("été/naïve clé.txt", "accents"),
            _ => Tree::new().with(deep(30, "fond.txt"), "fond").with("été/naïve 🦠 clé.txt", "accents"),
        }
    }

    fn paths(tree: &Tree) -> Vec<String> {
        let mut paths: Vec<_> = tree.files().iter().map(|file| file.path.clone()).collect();
        paths.sort();
        paths
    }

    /// 7z reads one tree by its own choice, and decodes the names.
    fn seen_by_7z(disk: &Path, kind: &str) -> Vec<String> {
        let output = try_run(disk.parent().unwrap(), "7z", ["l", "-slt", kind, disk.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        let list = text.split("----------").nth(1).unwrap_or_else(|| panic!("{text}"));
        let entries = list.split("\n\n").filter(|entry| !entry.contains("Folder = +"));
        let mut names: Vec<_> =
            entries.filter_map(|entry| Some(entry.split("Path = ").nth(1)?.lines().next()?.to_owned())).collect();
        names.sort();
        names
    }

    /// Whether isoinfo finds these extensions.
    fn extensions(disk: &Path) -> (bool, bool) {
        let answer = run(disk.parent().unwrap(), "isoinfo", ["-d".as_ref(), "-i".as_ref(), disk.as_os_str()]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        (text.contains("Joliet with UCS level"), text.contains("Rock Ridge signatures version"))
    }

    fn files(disk: &Path, options: &[&str], expected: &Tree) -> Vec<String> {
        let all = listing(disk, options);
        all.into_iter().filter(|name| expected.files().iter().any(|file| file.path == *name)).collect()
    }

    #[test]
    fn isoinfo_and_7z_see_the_trees() {
        let folder = tempfile::tempdir().unwrap();
        for kind in Disc::ALL {
            let tree = tree(kind);
            let disk = disc(folder.path(), kind, &tree);
            let has = |name: &str| kind.trees().contains(&name);
            assert_eq!(extensions(&disk), (has("joliet"), has("rock_ridge")), "{kind:?}");
            assert_eq!(plain_names(&disk).len(), tree.files().len(), "{kind:?}");
            if has("rock_ridge") {
                assert_eq!(files(&disk, ROCK_RIDGE, &tree), paths(&tree), "{kind:?}");
            }
            // Where there are both trees, 7z takes Joliet.
            assert_eq!(seen_by_7z(&disk, "-tiso"), paths(&tree), "{kind:?}");
            if has("udf") {
                assert_eq!(seen_by_7z(&disk, "-tudf"), paths(&tree), "{kind:?}");
            }
        }
    }

    #[test]
    fn isoinfo_sees_the_hidden_bit() {
        let folder = tempfile::tempdir().unwrap();
        for (kind, name, options) in [(Disc::Plain, "CACHE.SYS", &[][..]), (Disc::Joliet, "cache.sys", JOLIET)] {
            let tree = Tree::new().with_hidden(name, "caché").with("lettre.txt", "bonjour");
            let disk = disc(folder.path(), kind, &tree);
            let fixed = ["-l", "-i", disk.to_str().unwrap()];
            let answer = run(folder.path(), "isoinfo", [options, &fixed].concat());
            let text = String::from_utf8_lossy(&answer).into_owned();
            // Flags of the record in hexadecimal, behind its sector.
            let flags = |name: &str| {
                let line = text.lines().find(|line| line.to_lowercase().contains(name)).unwrap();
                line.split(']').next().unwrap().split_whitespace().last().unwrap().to_owned()
            };
            assert_eq!((flags("cache.sys"), flags("lettre.txt")), ("01".to_owned(), "00".to_owned()), "{text}");
        }
    }

    #[test]
    fn xorriso_sees_two_sessions_on_the_grown_disc() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["premier.txt", "second.txt"].map(|name| Tree::new().with(name, name));
        let disk = grown(folder.path(), &first, &second);
        let path = disk.to_str().unwrap();
        for (session, names) in [("1", ["lettre.txt", "premier.txt"]), ("2", ["lettre.txt", "second.txt"])] {
            let load = ["-load", "session", session, "-indev", path, "-find", "/", "-type", "f", "-exec", "echo"];
            let text = String::from_utf8(run(folder.path(), "xorriso", load)).unwrap();
            let mut seen: Vec<_> = text.lines().map(|line| line.trim_matches('\'').trim_start_matches('/')).collect();
            seen.sort_unstable();
            assert_eq!(seen, names, "session {session}");
        }
        // What hosts show that know nothing of sessions.
        assert_eq!(listing(&disk, ROCK_RIDGE), ["lettre.txt", "second.txt"]);
    }

    #[test]
    fn isoinfo_sees_each_session_of_the_recorded_disc() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["premier.txt", "second.txt"].map(|name| Tree::new().with(name, name));
        let disk = recorded(folder.path(), &first, &second);
        assert_eq!(listing(&disk, ROCK_RIDGE), ["premier.txt"]);
        let sectors = std::fs::read(&disk).unwrap().len() / SECTOR;
        let start = (PACKET..sectors).step_by(PACKET).find(|start| {
            let start = start.to_string();
            let options = ["-R", "-f", "-T", &start, "-i", disk.to_str().unwrap()];
            try_run(folder.path(), "isoinfo", options).stdout == b"/second.txt\n"
        });
        assert!(start.is_some());
    }

    #[test]
    fn each_tree_of_the_differing_disc_has_its_own_file() {
        let folder = tempfile::tempdir().unwrap();
        let [joliet, rock] = ["joliet.txt", "rock.txt"].map(|name| Tree::new().with(name, name));
        let disk = differing(folder.path(), &joliet, &rock);
        assert_eq!(listing(&disk, JOLIET), ["joliet.txt", "lettre.txt"]);
        assert_eq!(listing(&disk, ROCK_RIDGE), ["lettre.txt", "rock.txt"]);
    }

    #[test]
    fn xorriso_sees_the_boot_image_that_no_tree_names() {
        let folder = tempfile::tempdir().unwrap();
        let boot = [&[0x90; 3000][..], b"the end"].concat();
        let disk = bootable(folder.path(), &boot);
        for options in [ROCK_RIDGE, JOLIET] {
            assert_eq!(listing(&disk, options), ["boot.cat", "lettre.txt"]);
        }
        let ask = ["-indev", disk.to_str().unwrap(), "-report_el_torito", "plain"];
        let text = String::from_utf8(run(folder.path(), "xorriso", ask)).unwrap();
        let line = text.lines().find(|line| line.starts_with("El Torito boot img")).unwrap();
        let block: usize = line.split_whitespace().last().unwrap().parse().unwrap();
        assert!(std::fs::read(&disk).unwrap()[block * SECTOR..].starts_with(&boot));
    }
}
