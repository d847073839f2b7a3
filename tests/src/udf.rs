//! UDF by genisoimage: the only free program that fills one without a driver of the kernel. It always stands beside ISO
//! 9660 on the same disc (a "bridge").

use crate::iso::source;
use crate::tools::run;
use crate::tree::Tree;
use std::path::{Path, PathBuf};

/// A bridge with these further trees (options of genisoimage). Its UDF has the names of Joliet.
pub(crate) fn bridge(folder: &Path, options: &[&str], source: &Path, disk: &Path) {
    let fixed = ["-quiet", "-udf", "-D", "-input-charset", "utf-8"].iter().chain(options).map(AsRef::as_ref);
    run(folder, "genisoimage", fixed.chain(["-o".as_ref(), disk.as_os_str(), source.as_os_str()]));
}

/// A disc with a letter in ISO 9660, Rock Ridge and UDF; the files of `tree` are in UDF only.
///
/// # Panics
/// When a tool is missing or fails.
#[must_use]
pub fn only_in_udf(folder: &Path, tree: &Tree) -> PathBuf {
    let letter = Tree::new().with("lettre.txt", "Bonjour.\r\n");
    let all = tree.files().iter().fold(letter, |all, file| all.with(&file.path, &*file.bytes));
    let leaf = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    let hidden: Vec<String> = tree.files().iter().flat_map(|file| ["-hide".to_owned(), leaf(&file.path)]).collect();
    let options: Vec<&str> = ["-r"].into_iter().chain(hidden.iter().map(String::as_str)).collect();
    let disk = folder.join("udf.iso");
    bridge(folder, &options, source(folder, &all).path(), &disk);
    disk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::try_run;

    #[test]
    fn udfinfo_and_7z_see_the_udf_and_isoinfo_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let disk = only_in_udf(folder.path(), &Tree::new().with("seul.txt", "seul"));
        let path = disk.to_str().unwrap();
        let iso = String::from_utf8(run(folder.path(), "isoinfo", ["-R", "-f", "-i", path])).unwrap();
        assert_eq!(iso.trim(), "/lettre.txt");
        // 7z frowns at what lies behind the UDF, and lists it all the same.
        let output = try_run(folder.path(), "7z", ["l", "-tudf", path]);
        let udf = String::from_utf8(output.stdout).unwrap();
        assert!(udf.contains(" lettre.txt\n") && udf.contains(" seul.txt\n"), "{udf}");
        let facts = String::from_utf8(run(folder.path(), "udfinfo", [path])).unwrap();
        assert!(facts.contains("numfiles=2") && facts.contains("integrity=closed"), "{facts}");
    }
}
