//! ext2, ext3 and ext4 by mke2fs, which fills them from a folder without a mount, and debugfs.

use crate::image::{Format, Unusual, sparse};
use crate::tools::run;
use crate::tree::Tree;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Makes an ext filesystem in the file `part` and fills it. ext has no hidden attribute: a hidden file keeps its name
/// and is like any other.
pub(crate) fn make(folder: &Path, part: &Path, format: Format, tree: &Tree) {
    let source = tempfile::tempdir_in(folder).expect("a writable folder");
    tree.write(source.path(), str::to_owned);
    // mke2fs would take 1 KiB for volumes this small; keys of today have 4.
    let options: &[&str] = match format {
        Format::Ext2 => &["-t", "ext2"],
        Format::Ext3 => &["-t", "ext3"],
        _ => &["-t", "ext4", "-b", "4096"],
    };
    format_from(folder, part, options, source.path());
}

fn format_from(folder: &Path, part: &Path, options: &[&str], source: &Path) {
    let fixed = ["-q", "-F", "-L", "BLANCHE"].iter().chain(options).map(AsRef::as_ref);
    run(folder, "mke2fs", fixed.chain(["-d".as_ref(), source.as_os_str(), part.as_os_str()]));
}

/// An ext4 superfloppy with a letter in a folder, and what `write` adds.
fn unusual(folder: &Path, options: &[&str], names: &'static [&'static str], write: impl FnOnce(&Path)) -> Unusual {
    let disk = folder.join("unusual.img");
    let source = tempfile::tempdir_in(folder).expect("a writable folder");
    Tree::new().with("dossier/lettre.txt", "Bonjour.\r\n").write(source.path(), str::to_owned);
    write(source.path());
    sparse(&disk, 16 << 20);
    format_from(folder, &disk, &[&["-t", "ext4", "-b", "4096"], options].concat(), source.path());
    Unusual { disk, names }
}

/// In an extended attribute that lies in the inode.
#[must_use]
pub fn attribute(folder: &Path, bytes: &[u8]) -> Unusual {
    with_attribute(folder, &["dossier/lettre.txt:user.note"], "/dossier/lettre.txt", bytes)
}

/// In an extended attribute that needs a block of its own.
#[must_use]
pub fn long_attribute(folder: &Path, bytes: &[u8]) -> Unusual {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len() + 3000, b' ');
    with_attribute(folder, &["dossier/lettre.txt:user.note"], "/dossier/lettre.txt", &bytes)
}

/// In an extended attribute of a folder.
#[must_use]
pub fn attribute_of_a_folder(folder: &Path, bytes: &[u8]) -> Unusual {
    with_attribute(folder, &["dossier:user.note"], "/dossier", bytes)
}

/// By debugfs: the filesystem on which the tests run may have no such attributes.
fn with_attribute(folder: &Path, names: &'static [&'static str], file: &str, bytes: &[u8]) -> Unusual {
    let place = unusual(folder, &[], names, |_| {});
    std::fs::write(folder.join("attribute"), bytes).expect("a writable folder");
    let request = format!("ea_set -f attribute {file} user.note");
    run(folder, "debugfs", ["-w".as_ref(), "-R".as_ref(), request.as_ref(), place.disk.as_os_str()]);
    place
}

/// In a file whose content lies in its inode, beyond the 60 bytes of the block map also in an attribute of the system.
#[must_use]
pub fn inline_file(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &["-O", "inline_data"], &["dossier/dedans.txt"], |root| {
        std::fs::write(root.join("dossier/dedans.txt"), bytes).expect("a writable folder");
    })
}

/// In a file with two names in two folders.
#[must_use]
pub fn hard_link(folder: &Path, bytes: &[u8]) -> Unusual {
    linked(folder, &["dossier/second.txt", "premier.txt"], bytes)
}

/// Two names of one content; the second of `names` comes first.
#[must_use]
pub fn linked(folder: &Path, names: &'static [&'static str; 2], bytes: &[u8]) -> Unusual {
    let [second, first] = names;
    unusual(folder, &[], names, |root| {
        std::fs::write(root.join(first), bytes).expect("a writable folder");
        std::fs::hard_link(root.join(first), root.join(second)).expect("a writable folder");
    })
}

/// As the target of a symbolic link, in a block of its own if it has more than 59 bytes.
#[must_use]
pub fn symbolic_link(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &[], &["lien"], |root| {
        std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(bytes), root.join("lien")).expect("a writable folder");
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Layout, image};
    use crate::samples::eicar;
    use crate::tree::deep;

    fn ask(folder: &Path, disk: &Path, request: &str) -> Vec<u8> {
        run(folder, "debugfs", ["-R".as_ref(), request.as_ref(), disk.as_os_str()])
    }

    fn stat(folder: &Path, disk: &Path, file: &str) -> String {
        String::from_utf8(ask(folder, disk, &format!("stat \"/{file}\""))).unwrap()
    }

    #[test]
    fn debugfs_sees_the_tree_and_what_kind_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new().with(deep(30, "fond.txt"), "fond").with("été/naïve 🦠.txt", "bonjour");
        for (format, journal, extents) in
            [(Format::Ext2, false, false), (Format::Ext3, true, false), (Format::Ext4, true, true)]
        {
            let disk = image(folder.path(), format, Layout::Superfloppy, &tree);
            for file in tree.files() {
                assert_eq!(ask(folder.path(), &disk, &format!("cat \"/{}\"", file.path)), file.bytes, "{format:?}");
            }
            let shown = String::from_utf8(ask(folder.path(), &disk, "stats -h")).unwrap();
            let features = shown.lines().find(|line| line.starts_with("Filesystem features")).unwrap();
            let has = |name| features.split_whitespace().any(|feature| feature == name);
            assert_eq!((has("has_journal"), has("extent")), (journal, extents), "{format:?}: {features}");
        }
    }

    #[test]
    fn debugfs_sees_the_attributes() {
        let folder = tempfile::tempdir().unwrap();
        type Make = fn(&Path, &[u8]) -> Unusual;
        let makers: [(Make, bool); 3] = [(attribute, false), (attribute_of_a_folder, false), (long_attribute, true)];
        for (make, in_block) in makers {
            let place = make(folder.path(), &eicar());
            let file = place.names[0].strip_suffix(":user.note").unwrap();
            ask(folder.path(), &place.disk, &format!("ea_get -f out /{file} user.note"));
            assert!(std::fs::read(folder.path().join("out")).unwrap().starts_with(&eicar()));
            let shown = stat(folder.path(), &place.disk, file);
            assert_eq!(!shown.contains("File ACL: 0\n"), in_block, "{shown}");
            run(folder.path(), "e2fsck", ["-fn".as_ref(), place.disk.as_os_str()]);
        }
    }

    #[test]
    fn debugfs_calls_the_inline_file_inline() {
        let folder = tempfile::tempdir().unwrap();
        let place = inline_file(folder.path(), &eicar());
        assert_eq!(ask(folder.path(), &place.disk, &format!("cat /{}", place.names[0])), eicar());
        let shown = stat(folder.path(), &place.disk, place.names[0]);
        assert!(shown.contains("Size of inline data: 68") && shown.contains("Blockcount: 0"), "{shown}");
    }

    #[test]
    fn both_names_of_a_hard_link_are_one_inode() {
        let folder = tempfile::tempdir().unwrap();
        let place = hard_link(folder.path(), &eicar());
        let stats: Vec<_> = place.names.iter().map(|name| stat(folder.path(), &place.disk, name)).collect();
        assert!(stats[0] == stats[1] && stats[0].contains("Links: 2"), "{stats:?}");
        assert_eq!(ask(folder.path(), &place.disk, "cat /dossier/second.txt"), eicar());
    }

    #[test]
    fn debugfs_sees_the_target_in_a_block() {
        let folder = tempfile::tempdir().unwrap();
        let place = symbolic_link(folder.path(), &eicar());
        let shown = stat(folder.path(), &place.disk, "lien");
        assert!(shown.contains("Type: symlink") && shown.contains("Size: 68"), "{shown}");
        assert!(shown.contains("EXTENTS:\n(0):"), "{shown}");
        assert_eq!(ask(folder.path(), &place.disk, "cat /lien"), eicar());
    }
}
