//! Where a JSON document goes.

use blanche_scan::words::Lang;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Why a report cannot go where it was asked to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsuitable {
    /// It is one of the targets.
    Target,
    /// It is a device or a folder.
    NoFile,
    /// The folder that should hold it does not exist.
    NoFolder,
}

impl Unsuitable {
    /// What happened and what to do.
    pub(crate) fn sentence(self, lang: Lang) -> &'static str {
        match self {
            Self::Target => lang.pick(
                "Le rapport écraserait ce qui doit être vérifié. Donnez un autre nom de fichier après --json=.",
                "The report would overwrite what shall be checked. Give another file name after --json=.",
            ),
            Self::NoFile => lang.pick(
                "Le rapport ne peut pas être écrit sur un support ou un dossier. Donnez un nom de fichier après --json=.",
                "The report cannot be written to a medium or a folder. Give a file name after --json=.",
            ),
            Self::NoFolder => lang.pick(
                "Le dossier prévu pour le rapport n'existe pas. Créez-le, ou corrigez le nom après --json=.",
                "The folder for the report does not exist. Create it, or correct the name after --json=.",
            ),
        }
    }
}

/// Standard output, or a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout,
    File(PathBuf),
}

impl Destination {
    /// Checks a destination before anything is scanned: a mistake must not cost an hour, and a report must never
    /// overwrite a medium.
    pub(crate) fn check(file: &Path, targets: &[PathBuf]) -> Result<Self, Unsuitable> {
        if file == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let real = file.canonicalize().ok();
        if real.is_some() && targets.iter().any(|target| target.canonicalize().ok() == real) {
            return Err(Unsuitable::Target);
        }
        if let Ok(found) = file.metadata()
            && (found.file_type().is_block_device() || found.is_dir())
        {
            return Err(Unsuitable::NoFile);
        }
        let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Unsuitable::NoFolder);
        }
        Ok(Self::File(file.to_owned()))
    }

    /// Writes one document, and a line end.
    pub(crate) fn write(&self, document: &impl Serialize) -> io::Result<()> {
        match self {
            Self::Stdout => super::print(|out| write_json(document, out)),
            Self::File(file) => {
                let mut out = BufWriter::new(File::create(file)?);
                write_json(document, &mut out)?;
                out.flush()
            }
        }
    }
}

/// One indented document, and a line end.
fn write_json(document: &impl Serialize, mut out: &mut dyn Write) -> io::Result<()> {
    // serde_json wraps errors of the output; unwrapped, a broken pipe is recognised.
    serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_report_never_overwrites_what_is_checked() {
        let home = tempfile::tempdir().expect("a folder");
        let medium = home.path().join("key.img");
        std::fs::write(&medium, "medium").expect("written");
        let alias = home.path().join("alias.json");
        std::os::unix::fs::symlink(&medium, &alias).expect("a link");
        for (file, reason) in [
            (&medium, Unsuitable::Target),
            (&alias, Unsuitable::Target),
            (&home.path().to_owned(), Unsuitable::NoFile),
            (&home.path().join("absent/report.json"), Unsuitable::NoFolder),
        ] {
            assert_eq!(Destination::check(file, std::slice::from_ref(&medium)), Err(reason), "{}", file.display());
            assert_ne!(reason.sentence(Lang::Fr), reason.sentence(Lang::En));
        }
        assert_eq!(std::fs::read(&medium).expect("still there"), b"medium");
    }

    #[test]
    fn a_document_is_written_whole() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("report.json");
        let destination = Destination::check(&file, &[]).expect("a good place");
        destination.write(&serde_json::json!({"verdict": "clean"})).expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "{\n  \"verdict\": \"clean\"\n}\n");
        assert_eq!(Destination::check(Path::new("-"), &[]).expect("standard output"), Destination::Stdout);
    }

    #[test]
    fn a_broken_pipe_stays_recognisable() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write_json(&["x"], &mut Gone).expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
