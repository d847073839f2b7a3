//! Loading a folder of ClamAV bases, and saying what was loaded.
//!
//! Files are digested before and after they are loaded: an update in between would otherwise be loaded half and named
//! wholly. Version and date come from the header of official bases and from `manifest.toml` for local files.

use super::{Clamav, ClamavError, c_path, ffi, header};
use crate::manifest::{self, Manifest, ManifestError};
use blanche_sandbox::wire::BaseInfo;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// How often a folder that changes under our hands is loaded again.
const ATTEMPTS: u32 = 3;

/// Extensions that libclamav 1.4 loads (`CLI_DBEXT` in its readdb.h); it skips every other file in silence.
const EXTENSIONS: [&str; 39] = [
    "db", "hdb", "hsb", "hdu", "hsu", "fp", "sfp", "mdb", "msb", "mdu", "msu", "ndb", "ndu", "ldb", "ldu", "sdb",
    "zmd", "rmd", "idb", "wdb", "pdb", "gdb", "ftm", "cfg", "ign", "ign2", "cat", "imp", "crb", "info", "cvd", "cld",
    "cud", "cdb", "cbc", "ioc", "pwdb", "yar", "yara",
];

/// Those with a header that says when they were made.
const SIGNED: [&str; 3] = ["cvd", "cld", "cud"];

/// Why a folder could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or the folder cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// File or folder.
        path: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Its manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// libclamav refused something.
    #[error(transparent)]
    Clamav(#[from] ClamavError),
    /// The folder changed each time while it was loaded.
    #[error(
        "the folder changed during each of {ATTEMPTS} attempts to load it; update it by renaming a complete folder"
    )]
    Changing,
}

/// SHA-256 of each base file by name.
type Digests = BTreeMap<String, [u8; 32]>;

/// Loads folders (a name for messages, and a path) into one engine, again when their files change meanwhile, and says
/// what is in it. The engine still has to be compiled.
///
/// # Errors
/// [`FolderError`] with the name of the folder.
pub fn load_folders(folders: &[(String, PathBuf)]) -> Result<(Clamav, Vec<BaseInfo>), (String, FolderError)> {
    let start = |error: ClamavError| ("clamav".to_owned(), error.into());
    for _ in 0..ATTEMPTS {
        let before = digest_all(folders)?;
        let mut clamav = Clamav::new().map_err(start)?;
        let mut bases = Vec::new();
        for ((name, folder), files) in folders.iter().zip(&before) {
            bases.extend(load(&mut clamav, folder, files).map_err(|error| (name.clone(), error))?);
        }
        if digest_all(folders)? == before {
            return Ok((clamav, bases));
        }
    }
    Err((folders.first().map(|folder| folder.0.clone()).unwrap_or_default(), FolderError::Changing))
}

fn digest_all(folders: &[(String, PathBuf)]) -> Result<Vec<Digests>, (String, FolderError)> {
    folders.iter().map(|(name, folder)| digest_files(folder).map_err(|error| (name.clone(), error))).collect()
}

fn load(clamav: &mut Clamav, folder: &Path, files: &Digests) -> Result<Vec<BaseInfo>, FolderError> {
    if !files.is_empty() {
        clamav.load(folder)?;
    }
    let manifest = manifest::read(folder)?;
    files.iter().map(|(name, sha256)| describe(&folder.join(name), name, *sha256, manifest.as_ref())).collect()
}

fn digest_files(folder: &Path) -> Result<Digests, FolderError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| FolderError::Read { path, source }
    };
    let mut digests = Digests::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let (Some(name), Some(true)) = (path.file_name(), path.extension().map(is_base)) else { continue };
        let digest = digest_file(&path).map_err(failed(&path))?;
        digests.insert(name.to_string_lossy().into_owned(), digest);
    }
    Ok(digests)
}

fn digest_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0u8; 256 << 10]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => hash.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_base(extension: &std::ffi::OsStr) -> bool {
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn describe(path: &Path, name: &str, sha256: [u8; 32], manifest: Option<&Manifest>) -> Result<BaseInfo, FolderError> {
    let file = c_path(path)?;
    let base = |version, signatures, date| BaseInfo { name: name.to_owned(), version, signatures, date, sha256 };
    if path.extension().is_some_and(|extension| SIGNED.iter().any(|signed| extension.eq_ignore_ascii_case(signed))) {
        let (mut version, mut signatures, mut seconds) = (0, 0, 0);
        // SAFETY: a NUL-terminated path and three places for the answers.
        let code = unsafe {
            ffi::blanche_clamav_cvd_head(file.as_ptr(), &raw mut version, &raw mut signatures, &raw mut seconds)
        };
        if code != 0 {
            let step = format!("reading the header of {name}");
            return Err(ClamavError::Library { step, reason: "no CVD header".into() }.into());
        }
        return Ok(base(Some(version.to_string()), signatures.into(), (seconds > 0).then_some(seconds)));
    }
    let (mut signatures, all) = (0, header!(BLANCHE_CL_COUNTSIGS_ALL));
    // SAFETY: a NUL-terminated path and a place for the number. Files that hold no signatures answer with an error,
    // and count as none.
    unsafe { ffi::cl_countsigs(file.as_ptr(), all, &raw mut signatures) };
    let version = manifest.map(|manifest| manifest.version.clone());
    Ok(base(version, signatures.into(), manifest.map(|manifest| manifest.date)))
}
