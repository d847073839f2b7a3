//! The one configuration of a station: strict TOML with units (security rule 11).
//!
//! Unknown keys, numbers without a unit, values out of range and files that others may write are errors at start-up;
//! each names file, line and column, and says what to write instead. Every key and its default stand in
//! docs/configuration.md, and a test keeps both the same.

mod document;
mod engines;
mod error;
mod journal;
mod ports;
mod units;

pub use engines::{Bases, EngineSettings, Matchers};
pub use error::{Place, SettingsError};
pub use journal::Journal;
pub use ports::{DeviceEntry, PortRole, PortSettings};
pub use units::{size_notation, time_notation};

use crate::judge::SuspiciousPolicy;
use blanche_sandbox::wire::ReadLimits;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the configuration is looked for when none is named.
pub const STANDARD_FILE: &str = "/etc/blanche/blanche.toml";

/// Largest `max_file_size` that libclamav 1.4 keeps as it was set, in bytes; above, it silently takes this one.
pub const LARGEST_FILE_LIMIT: u64 = 2_147_483_645;

/// Where known results are kept when nothing else is said.
const KNOWN_RESULTS: &str = "/var/lib/blanche/known-results.sqlite";

/// Bytes of configuration that are read at most.
const LARGEST_DOCUMENT: u64 = 1 << 20;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Signature bases and rules.
    pub bases: Bases,
    /// Budgets of one reading.
    #[serde(deserialize_with = "document::read_limits")]
    pub reader: ReadLimits,
    /// Limits of the engines for one file.
    pub engines: EngineSettings,
    /// How many matchers work side by side.
    pub matchers: Matchers,
    /// Where long content waits for a matcher.
    pub spool: Spool,
    /// Which devices and media are read at all.
    pub admit: Admit,
    /// What each socket is for; none = every one is for media that are checked.
    #[serde(deserialize_with = "ports::ports")]
    pub ports: Vec<PortSettings>,
    /// How findings are weighed.
    pub verdict: VerdictPolicy,
    /// Results that need not be asked for again.
    pub known_results: KnownResults,
    /// Tags for clean media.
    pub seal: Seal,
    /// What is recorded.
    pub journal: Journal,
    /// Copies to media of the station.
    pub copy: Copying,
    /// The sandboxed programs.
    pub children: Children,
    /// The file that says all of this; `None` = nobody does, and all is as it comes.
    #[serde(skip)]
    pub read_from: Option<SettingsFile>,
}

/// A configuration file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// Its name.
    pub file: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// When it was changed last, in seconds since 1970.
    pub modified: i64,
}

/// Where long content waits for a matcher.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spool {
    /// Bytes; `None` = half of the machine's memory ("auto"). Use [`Spool::quota_bytes`].
    #[serde(deserialize_with = "units::spool_quota")]
    pub quota: Option<u64>,
}

impl Spool {
    /// Bytes that the spool may hold: as configured, or half of the machine's memory (proc(5), `MemTotal`), or 1 GiB
    /// when the kernel does not tell.
    #[must_use]
    pub fn quota_bytes(&self) -> u64 {
        self.quota.unwrap_or_else(|| memory_bytes().map_or(1 << 30, |bytes| bytes / 2))
    }
}

/// Bytes of memory of this machine.
fn memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Which devices and media are read at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admit {
    /// Bytes; larger media are refused. `None` = any size.
    #[serde(deserialize_with = "units::capacity_limit")]
    pub max_capacity: Option<u64>,
    /// The only devices that may bring media; none = every one.
    pub allow: Vec<DeviceEntry>,
    /// Devices that are refused whatever they are.
    pub deny: Vec<DeviceEntry>,
}

/// How findings are weighed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerdictPolicy {
    /// What a suspicious finding means.
    #[serde(deserialize_with = "units::suspicious_policy")]
    pub suspicious: SuspiciousPolicy,
}

/// Results that need not be asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnownResults {
    /// Where they are kept between sessions; `None` = nowhere. Use [`KnownResults::file_in_use`].
    #[serde(deserialize_with = "units::file_or_none")]
    pub file: Option<PathBuf>,
    /// Rows in that file.
    #[serde(deserialize_with = "units::count::<_, _, 1, 1_000_000_000>")]
    pub max: u32,
}

impl Default for KnownResults {
    fn default() -> Self {
        Self { file: Some(KNOWN_RESULTS.into()), max: 2_000_000 }
    }
}

impl KnownResults {
    /// The file to use. The standard one is left alone by people who may not write it, and where Blanche is not
    /// installed.
    #[must_use]
    pub fn file_in_use(&self) -> Option<&Path> {
        let file = self.file.as_deref()?;
        let folder = file.parent()?;
        let ours = || rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
        (file != Path::new(KNOWN_RESULTS) || ours()).then_some(file)
    }
}

/// Tags for clean media.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seal {
    /// Folder with the station's keys (docs/keys.md).
    pub keys: PathBuf,
    /// Folder with what this station trusts (docs/verify.md): a tag that it would refuse itself is not called sealed.
    pub trust: PathBuf,
    /// Folder for tags that cannot be written on their medium.
    pub detached: PathBuf,
    /// How long a tag is valid.
    #[serde(deserialize_with = "units::age")]
    pub validity: Duration,
    /// Identifier of the policy under which media are checked; stands in every tag.
    #[serde(deserialize_with = "units::policy")]
    pub policy: String,
    /// Its version.
    #[serde(deserialize_with = "units::count::<_, _, 0, 4_294_967_295>")]
    pub policy_version: u32,
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            keys: "/etc/blanche/keys".into(),
            trust: "/etc/blanche/trust".into(),
            detached: "/var/lib/blanche/tags".into(),
            validity: Duration::from_secs(30 * 24 * 3600),
            policy: "default".into(),
            policy_version: 1,
        }
    }
}

/// Copies to media of the station.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Copying {
    /// Of which media files may be copied.
    #[serde(deserialize_with = "units::copy_mode")]
    pub mode: CopyMode,
}

/// Of which media files may be copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyMode {
    /// Of clean media, all of them (the ANSSI profile).
    #[default]
    AllOrNothing,
    /// Also the clean files of other media, labelled as outside the ANSSI profile.
    CleanFiles,
}

/// The sandboxed programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Children {
    /// Folder that holds `blanche-reader`, `blanche-matcher` and the others; `None` = see [`Children::program`].
    pub directory: Option<PathBuf>,
}

impl Children {
    /// Where a child program is: in the configured folder, else beside the running program, else in
    /// `/usr/libexec/blanche`. The file need not exist.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        if let Some(directory) = &self.directory {
            return directory.join(name);
        }
        let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join(name)));
        beside.filter(|program| program.is_file()).unwrap_or_else(|| Path::new("/usr/libexec/blanche").join(name))
    }
}

impl Settings {
    /// Finds and loads the configuration: `named` if given, else [`STANDARD_FILE`] if it exists, else the defaults.
    ///
    /// # Errors
    /// See [`Settings::load`].
    pub fn discover(named: Option<&Path>) -> Result<Self, SettingsError> {
        match named {
            Some(file) => Self::load(file),
            None if Path::new(STANDARD_FILE).try_exists().unwrap_or(true) => Self::load(Path::new(STANDARD_FILE)),
            None => Ok(Self::default()),
        }
    }

    /// Loads one file. Relative folders in it start at the folder that holds it.
    ///
    /// # Errors
    /// When the file cannot be read, when others could change it, when it holds an unknown key, a value without its
    /// unit or out of range, or names a folder that does not exist.
    pub fn load(file: &Path) -> Result<Self, SettingsError> {
        let (text, modified) = read_guarded(file)?;
        let mut settings = Self::parse(&text, file)?;
        let sha256 = Sha256::digest(&text).into();
        settings.read_from = Some(SettingsFile { file: file.to_owned(), sha256, modified });
        let home = file.parent().unwrap_or(Path::new(""));
        document::check_named_folders(&text, file, home)?;
        let absolute = |folder: &mut PathBuf| *folder = home.join(&folder);
        settings.bases.clamav.iter_mut().for_each(absolute);
        settings.bases.rules.iter_mut().for_each(absolute);
        settings.known_results.file.as_mut().map(absolute);
        settings.children.directory.as_mut().map(absolute);
        let seal = &mut settings.seal;
        [&mut seal.keys, &mut seal.trust, &mut seal.detached].into_iter().for_each(absolute);
        absolute(&mut settings.journal.folder);
        Ok(settings)
    }

    /// Reads the text of a configuration without looking at the folders that it names. `file` is for messages.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| document::invalid(text, file, &error))?;
        document::check_together(&settings, text, file)?;
        Ok(settings)
    }
}

/// Reads a file that only its owner, who is root or ourselves, can have written; also when it was changed last.
fn read_guarded(file: &Path) -> Result<(String, i64), SettingsError> {
    let unreadable = |source| SettingsError::Unreadable { file: file.to_owned(), source };
    guard_folder(file)?;
    let open = File::open(file).map_err(unreadable)?;
    // The opened file is asked, not its name: the name could come to mean another file in between.
    let found = open.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    if found.len() > LARGEST_DOCUMENT {
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB")));
    }
    guard(file, &found, "chmod go-w")?;
    let mut text = String::new();
    open.take(LARGEST_DOCUMENT).read_to_string(&mut text).map_err(unreadable)?;
    Ok((text, found.mtime()))
}

/// Refuses a file of ours that others may write or replace, or put another beside: not even a sticky folder will do,
/// because SQLite trusts files that it finds beside its own. It need not exist yet.
///
/// # Errors
/// [`SettingsError::Insecure`], and [`SettingsError::Place`] when there is no folder for it.
pub(crate) fn guard_own(file: &Path) -> Result<(), SettingsError> {
    let folder = folder_of(file);
    let unreadable = |source| SettingsError::Place { file: folder.to_owned(), source };
    guard(folder, &std::fs::metadata(folder).map_err(unreadable)?, "chmod go-w")?;
    match std::fs::symlink_metadata(file) {
        Ok(found) if found.is_file() => guard(file, &found, "chmod go-w"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
            Err(SettingsError::Place { file: file.to_owned(), source })
        }
        Err(source) => Err(SettingsError::Place { file: file.to_owned(), source }),
    }
}

/// The folder that holds a file.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Refuses a folder in which others could replace `file`.
fn guard_folder(file: &Path) -> Result<(), SettingsError> {
    let folder = folder_of(file);
    let around =
        std::fs::metadata(folder).map_err(|source| SettingsError::Unreadable { file: folder.to_owned(), source })?;
    // In a sticky folder such as /tmp nobody but its owner can replace a file (chmod(2)).
    if around.mode() & 0o1000 == 0 { guard(folder, &around, "chmod go-w") } else { Ok(()) }
}

/// Refuses what people other than root and ourselves may write.
fn guard(file: &Path, found: &std::fs::Metadata, remedy: &str) -> Result<(), SettingsError> {
    let insecure = |weakness, remedy: &str| {
        let remedy = format!("{remedy} {}", file.display());
        Err(SettingsError::Insecure { file: file.to_owned(), weakness, remedy })
    };
    if found.mode() & 0o002 != 0 {
        return insecure("anybody may write it", remedy);
    }
    // A group of the same number as the owner is the owner's private group (Debian's default).
    if found.mode() & 0o020 != 0 && found.gid() != found.uid() && found.gid() != 0 {
        return insecure("its group may write it", remedy);
    }
    // Whoever calls this program by sudo(8) has the rights of root already.
    let effective = rustix::process::geteuid();
    let sudo = std::env::var("SUDO_UID").ok().filter(|_| effective.is_root()).and_then(|uid| uid.parse().ok());
    if ![0, effective.as_raw(), sudo.unwrap_or(0)].contains(&found.uid()) {
        return insecure("it belongs to another user", "chown root");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
