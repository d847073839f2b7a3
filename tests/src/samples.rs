//! What has to be found, and what it is wrapped in.

use crate::tools::run;
use std::path::Path;

/// The EICAR anti-malware test file (eicar.org, "Intended use"): 68 bytes, harmless, found by every engine. Put together
/// here so that no scanner takes this source for it.
#[must_use]
pub fn eicar() -> Vec<u8> {
    let halves = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-", r"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
    halves.concat().into_bytes()
}

/// EICAR followed by spaces up to the 128 bytes that its definition allows. The 68 bytes alone are too short for
/// packers, which store them as they are: then a scanner finds them without opening anything.
#[must_use]
pub fn eicar_padded() -> Vec<u8> {
    let mut bytes = eicar();
    bytes.resize(128, b' ');
    bytes
}

/// EICAR in gzip: no byte of it can be recognised without unpacking. What containers that only store are given to carry.
#[must_use]
pub fn eicar_gzipped() -> Vec<u8> {
    crate::bytes::gzip(&eicar_padded())
}

/// Password of every archive that has one.
pub const PASSWORD: &str = "infected";

/// Name of the file in archives.
pub const NAME: &str = "eicar.com";

/// EICAR in a zip, in a tar.gz, in a 7z.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn nested() -> Vec<u8> {
    let folder = packed_folder();
    let at = folder.path();
    run(at, "zip", ["-q", "-X", "eicar.zip", NAME]);
    run(at, "tar", ["--create", "--gzip", "--file=inner.tar.gz", "eicar.zip"]);
    run(at, "7z", ["a", "-bd", "nested.7z", "inner.tar.gz"]);
    result(at, "nested.7z")
}

/// EICAR in a plain zip made by Info-ZIP.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn plain_zip() -> Vec<u8> {
    made_by("zip", &["-q", "-X", "out.zip", NAME], "out.zip")
}

/// EICAR in a zip with the traditional encryption (APPNOTE 6.1).
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn password_zip() -> Vec<u8> {
    made_by("zip", &["-q", "-X", "-P", PASSWORD, "out.zip", NAME], "out.zip")
}

/// EICAR in a zip with AES-256 (WinZip AE-2).
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn password_zip_aes() -> Vec<u8> {
    made_by("7z", &["a", "-bd", "-tzip", "-mem=AES256", "-pinfected", "out.zip", NAME], "out.zip")
}

/// EICAR in a 7z whose content is encrypted and whose names are not.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn password_7z() -> Vec<u8> {
    made_by("7z", &["a", "-bd", "-pinfected", "out.7z", NAME], "out.7z")
}

/// EICAR in a 7z with encrypted names.
///
/// # Panics
/// When a tool is missing.
#[must_use]
pub fn password_7z_names() -> Vec<u8> {
    made_by("7z", &["a", "-bd", "-pinfected", "-mhe=on", "out.7z", NAME], "out.7z")
}

/// Runs `program` in a fresh folder that holds [`NAME`] and "eicar.com.gz", and returns the file `output`.
pub(crate) fn made_by(program: &str, arguments: &[&str], output: &str) -> Vec<u8> {
    let folder = packed_folder();
    run(folder.path(), program, arguments);
    result(folder.path(), output)
}

/// A fresh folder with EICAR, plain and gzipped.
pub(crate) fn packed_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a writable folder for temporary files");
    std::fs::write(folder.path().join(NAME), eicar_padded()).expect("a writable folder");
    std::fs::write(folder.path().join("eicar.com.gz"), eicar_gzipped()).expect("a writable folder");
    folder
}

pub(crate) fn result(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("the tool wrote it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::try_run;

    /// The length and the checksum that eicar.org publishes.
    #[test]
    fn eicar_is_whole() {
        assert_eq!(eicar().len(), 68);
        assert_eq!(crate::bytes::crc32(&eicar()), 0x6851_cf3c);
    }

    /// Otherwise containers that store it would prove nothing.
    #[test]
    fn packed_eicar_does_not_show() {
        for packed in [eicar_gzipped(), plain_zip()] {
            assert!(!packed.windows(12).any(|window| eicar().windows(12).any(|part| part == window)));
        }
    }

    #[test]
    fn nested_opens_layer_by_layer() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("nested.7z"), nested()).unwrap();
        run(folder.path(), "7z", ["x", "-bd", "nested.7z"]);
        run(folder.path(), "tar", ["--extract", "--file=inner.tar.gz"]);
        assert_eq!(run(folder.path(), "unzip", ["-p", "eicar.zip"]), eicar_padded());
    }

    #[test]
    fn password_archives_open_with_the_password_only() {
        let folder = tempfile::tempdir().unwrap();
        for archive in [password_zip(), password_zip_aes(), password_7z(), password_7z_names()] {
            std::fs::write(folder.path().join("a"), archive).unwrap();
            run(folder.path(), "7z", ["t", "-bd", "-pinfected", "a"]);
            assert!(!try_run(folder.path(), "7z", ["t", "-bd", "-pwrong", "a"]).status.success());
        }
    }
}
