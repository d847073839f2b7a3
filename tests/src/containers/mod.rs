//! One carrier of EICAR for every container that Blanche knows by name.
//!
//! The rule that they serve (security rule 1): whatever a container is, its content is found, or the medium is
//! *Incomplete*; never *Clean*. Containers that only store carry EICAR in gzip, so that nothing but opening them can
//! find it.

mod archives;
mod debian;
mod disks;
mod documents;
mod mail;
mod old_archives;
mod outlook;
mod passed_over;
mod selfextract;
mod tools;

pub use debian::TESTFILES;
pub use documents::pdf_with_late_attachment;

use blanche_sandbox::wire::Container;

/// A file that carries EICAR in a container.
#[derive(Clone, Debug)]
pub struct ContainerSample {
    /// For messages.
    pub name: &'static str,
    /// Name on the medium, with the extension that the format has in the wild; unique in the list.
    pub file_name: String,
    /// What it is.
    pub container: Container,
    /// Content.
    pub bytes: Vec<u8>,
}

impl ContainerSample {
    fn new(name: &'static str, file_name: &str, container: Container, bytes: Vec<u8>) -> Self {
        Self { name, file_name: file_name.to_owned(), container, bytes }
    }
}

/// Every sample, at least one for each container.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn containers() -> Vec<ContainerSample> {
    let groups: [fn() -> Vec<ContainerSample>; 10] = [
        tools::samples,
        archives::samples,
        old_archives::samples,
        disks::samples,
        documents::samples,
        mail::samples,
        outlook::samples,
        debian::samples,
        selfextract::samples,
        passed_over,
    ];
    groups.into_iter().flat_map(|group| group()).collect()
}

/// Those of them that are known formats in a form that libclamav passes over.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn passed_over() -> Vec<ContainerSample> {
    passed_over::samples()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{eicar, eicar_gzipped};
    use crate::tools::{run, try_run};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_sample_has_content() {
        let samples = containers();
        let names: BTreeSet<_> = samples.iter().map(|sample| &sample.file_name).collect();
        assert_eq!(names.len(), samples.len());
        assert!(samples.iter().all(|sample| sample.bytes.len() > 68));
    }

    /// Somebody else's program opens what was made, for every format that one of Debian's programs reads.
    #[test]
    fn other_programs_find_eicar_in_them() {
        const READERS: [(&[&str], &[&str]); 6] = [
            (
                &["bsdtar", "-xOf"],
                &[
                    "archive of pages",
                    "uuencoded far behind",
                    "rar4",
                    "rar5",
                    "lha",
                    "cpio",
                    "ar",
                    "xar",
                    "rpm",
                    "iso",
                    "udf",
                ],
            ),
            (&["7z", "x", "-bd", "-so"], &["arj", "cab", "dmg", "vhd", "wim", "squashfs", "deb"]),
            (
                &["7z", "x", "-bd", "-so", "-pinfected"],
                &[
                    "zip with a password in a pdf",
                    "zip with a password in an rtf",
                    "appimage",
                    "squashfs behind a text",
                    "intel hex",
                    "lzma 86",
                ],
            ),
            (&["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in"], &["signed content"]),
            (
                &["openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-a", "-k", "infected", "-in"],
                &["openssl in base 64"],
            ),
            (&["unzip", "-p"], &["ooxml", "opendocument", "zip behind a PE", "zip behind an ELF"]),
        ];
        let folder = tempfile::tempdir().unwrap();
        let samples = containers();
        for (reader, names) in READERS {
            for name in names {
                let sample = samples.iter().find(|sample| sample.name == *name).expect(name);
                let path = folder.path().join(&sample.file_name);
                std::fs::write(&path, &sample.bytes).unwrap();
                let arguments = reader[1..].iter().map(AsRef::as_ref).chain([path.as_os_str()]);
                let output = try_run(folder.path(), reader[0], arguments).stdout;
                let holds = |needle: &[u8]| output.windows(needle.len()).any(|window| window == needle);
                assert!(holds(&eicar()) || holds(&eicar_gzipped()), "{name}: {}", output.len());
            }
        }
    }

    /// file(1) calls each format by its name.
    #[test]
    fn file_recognises_them() {
        const NAMES: [(&str, &str); 27] = [
            ("rar4", "RAR archive data"),
            ("rar5", "RAR archive data, v5"),
            ("lha", "LHa"),
            ("ace", "ACE archive data"),
            ("zoo", "Zoo archive data"),
            ("alz", "ALZ archive data"),
            ("egg", "EGG archive data"),
            ("stuffit", "StuffIt Archive"),
            ("zpaq", "ZPAQ file"),
            ("lrzip", "LRZIP compressed data"),
            ("xar", "xar archive"),
            ("rpm", "RPM"),
            ("wim", "Windows imaging"),
            ("vhd, dynamic", "Microsoft Disk Image"),
            ("vhdx", "Microsoft Disk Image eXtended"),
            ("vmdk", "VMware4 disk image"),
            ("vdi", "VirtualBox Disk Image"),
            ("qcow2", "QEMU QCOW"),
            ("raw disk", "DOS/MBR boot sector"),
            ("squashfs", "Squashfs filesystem"),
            ("cramfs", "Compressed ROM File System"),
            ("pdf", "PDF document"),
            ("rtf", "Rich Text Format"),
            ("swf", "Macromedia Flash data (compressed)"),
            ("ole2", "Composite Document File V2"),
            ("tnef", "Transport Neutral Encapsulation Format"),
            ("pst", "Microsoft Outlook"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let samples = containers();
        for (name, expected) in NAMES {
            let sample = samples.iter().find(|sample| sample.name == name).expect(name);
            std::fs::write(folder.path().join("sample"), &sample.bytes).unwrap();
            let answer = String::from_utf8(run(folder.path(), "file", ["-b", "sample"])).unwrap();
            assert!(answer.contains(expected), "{name}: {answer}");
        }
    }
}
