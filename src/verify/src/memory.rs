//! What a workstation remembers from one verification to the next (docs/tag-format.md, section 14): nothing in it is ever
//! lowered, and a power cut leaves the old or the new file.

use crate::failure::Failure;
use crate::rights;
use crate::trust;
use blanche_tag::{AuthorityId, Memory};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "blanche-memory/1";
/// Largest file: a counter has about 200 bytes.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// What earlier verifications learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) memory: Memory,
    /// Highest counters accepted, by `AUTHORITY/station.site/MEDIUM`.
    pub(crate) counters: BTreeMap<String, u64>,
}

/// The form of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    time: u64,
    crls: BTreeMap<String, u64>,
    lists: BTreeMap<String, u64>,
    counters: BTreeMap<String, u64>,
}

/// Where the file is unless somebody names another one.
pub(crate) fn default_file() -> PathBuf {
    trust::machine_wide("/var/lib/blanche/verify/memory.json", r"verify\memory.json")
}

impl Remembered {
    /// Takes the later time and the higher number of each.
    pub(crate) fn raise(&mut self, other: &Self) {
        fn all<K: Ord + Clone>(mine: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
            for (key, number) in theirs {
                let last = mine.entry(key.clone()).or_default();
                *last = (*last).max(*number);
            }
        }
        self.memory.time = self.memory.time.max(other.memory.time);
        all(&mut self.memory.crls, &other.memory.crls);
        all(&mut self.memory.lists, &other.memory.lists);
        all(&mut self.counters, &other.counters);
    }

    /// Before authorities were told apart, a list stood as `signer.site` and a counter as `station.site/MEDIUM`: whosesoever
    /// they were, such numbers count for each of these authorities.
    pub(crate) fn attribute(&mut self, authorities: impl Iterator<Item = AuthorityId>) {
        let mut attributed = Self::default();
        for authority in authorities {
            let of_nobody = |key: &str, slashes: usize| key.matches('/').count() == slashes;
            let lists = self.memory.lists.iter().filter(|(key, _)| of_nobody(key, 0));
            attributed.memory.lists.extend(lists.map(|(key, number)| (authority.key(key), *number)));
            let counters = self.counters.iter().filter(|(key, _)| of_nobody(key, 1));
            attributed.counters.extend(counters.map(|(key, number)| (authority.key(key), *number)));
        }
        self.raise(&attributed);
    }

    /// Reads a file; nothing is remembered where there is none.
    ///
    /// # Errors
    /// [`Failure`]: a file that is not of this form is never taken for an empty one.
    fn read(path: &Path) -> Result<Self, Failure> {
        if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(Self::default());
        }
        Self::from_bytes(path, &rights::read(path, MAX_FILE)?)
    }

    /// The content of a file; `path` is where it came from.
    ///
    /// # Errors
    /// [`Failure::Memory`]
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let bad = |why: String| Failure::Memory { path: path.to_owned(), why };
        let document: Document = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if document.schema != SCHEMA {
            return Err(bad(format!("schema {:?} instead of {SCHEMA:?}", document.schema)));
        }
        let crls = document.crls.into_iter().map(|(issuer, number)| Some((digest(&issuer)?, number)));
        let crls = crls.collect::<Option<_>>().ok_or_else(|| bad("an issuer is not 64 hexadecimal digits".into()))?;
        let memory = Memory { time: document.time, crls, lists: document.lists };
        Ok(Self { memory, counters: document.counters })
    }

    /// As it stands in a file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Memory { time, crls, lists } = self.memory.clone();
        let hex = |digest: [u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let crls = crls.into_iter().map(|(issuer, number)| (hex(issuer), number)).collect();
        let counters = self.counters.clone();
        let document = Document { schema: SCHEMA.to_owned(), time, crls, lists, counters };
        // Maps with text as keys, and numbers: nothing that JSON could not hold.
        let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

fn digest(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..64usize).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at.saturating_add(2))?, 16).ok()?;
    }
    Some(digest)
}

/// The file of one workstation.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    /// Held while the file is read, raised and replaced; absent where it can only be read.
    lock: Option<File>,
    pub(crate) remembered: Remembered,
}

impl Store {
    /// Reads the file, and prepares for writing it. Where that is not possible it is only read.
    ///
    /// # Errors
    /// [`Failure`]: the file is there and cannot be believed.
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        // Where the folder cannot be made, the lock cannot either.
        if let Some(folder) = file.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        // Where others may remove the file, they make everything forgotten.
        if let Some((folder, metadata)) = file.parent().and_then(|folder| Some((folder, fs::metadata(folder).ok()?))) {
            rights::check_folder(folder, &metadata)?;
        }
        let lock = match open_own(&beside(&file, "lock"), false) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(not_regular(&file, "lock")),
            opened => opened.ok(),
        };
        let remembered = Remembered::read(&file)?;
        Ok(Self { file, lock, remembered })
    }

    /// Whether anything can be written.
    pub(crate) fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Where it is.
    #[cfg(target_os = "linux")]
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Remembers what was learned, with what other runs have learned meanwhile.
    ///
    /// # Errors
    /// [`Failure::Memory`]
    pub(crate) fn raise(&self, learned: &Remembered) -> Result<(), Failure> {
        let Some(lock) = &self.lock else { return Ok(()) };
        let bad = |error: io::Error| Failure::Memory { path: self.file.clone(), why: error.to_string() };
        lock.lock().map_err(bad)?;
        let before = Remembered::read(&self.file)?;
        let mut after = before.clone();
        after.raise(&self.remembered);
        after.raise(learned);
        let outcome = if after == before { Ok(()) } else { replace(&self.file, &after.to_bytes()).map_err(bad) };
        // Closing the descriptor unlocks it as well.
        let _ = lock.unlock();
        outcome
    }
}

fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn not_regular(file: &Path, extension: &str) -> Failure {
    Failure::Memory { path: beside(file, extension), why: "not a regular file".to_owned() }
}

/// Opens or makes a file of ours, for nobody else to write. Nothing is waited for: a pipe in its place is no file.
fn open_own(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true);
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Whatever the caller's umask says, nobody else may write it.
        options.mode(0o644).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = options.truncate(truncate).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// The new content, flushed, takes the place of the old one, and the folder is flushed.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = beside(file, "new");
    let mut new = open_own(&draft, true)?;
    new.write_all(bytes)?;
    new.sync_all()?;
    drop(new);
    fs::rename(&draft, file)?;
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_tag::Authority;
    use blanche_tag::testing::{Keys, both, root_certificate};

    fn learned(time: u64, number: u64) -> Remembered {
        let memory = Memory {
            time,
            crls: BTreeMap::from([([7; 32], number)]),
            lists: BTreeMap::from([("lists.site-a".to_owned(), number)]),
        };
        Remembered { memory, counters: BTreeMap::from([("station.site/00".to_owned(), number)]) }
    }

    #[test]
    fn nothing_is_ever_lowered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/memory.json");
        Store::open(&file).unwrap().raise(&learned(50, 5)).unwrap();
        Store::open(&file).unwrap().raise(&learned(40, 6)).unwrap();
        Store::open(&file).unwrap().raise(&learned(60, 4)).unwrap();
        assert_eq!(Store::open(&file).unwrap().remembered, learned(60, 6));
    }

    #[test]
    fn numbers_of_no_authority_stay_and_count_for_each_authority() {
        let authorities = ["one", "two"].map(|seed| {
            let keys = Keys::new(seed);
            let [classical, post_quantum] = both(|algorithm| root_certificate(seed).make(algorithm, &keys, &keys));
            Authority::new(classical, post_quantum).unwrap().id()
        });
        let old = learned(50, 5);
        let mut remembered = old.clone();
        remembered.memory.lists.insert(authorities[1].key("lists.site-a"), 9);
        remembered.attribute(authorities.into_iter());
        for (authority, list) in authorities.iter().zip([5, 9]) {
            assert_eq!(remembered.memory.lists[&authority.key("lists.site-a")], list);
            assert_eq!(remembered.counters[&authority.key("station.site/00")], 5);
        }
        let before = remembered.clone();
        remembered.raise(&old);
        remembered.attribute(authorities.into_iter());
        assert_eq!(remembered, before);
    }

    #[test]
    fn what_another_run_learned_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.json");
        let (first, second) = (Store::open(&file).unwrap(), Store::open(&file).unwrap());
        second.raise(&learned(90, 9)).unwrap();
        first.raise(&learned(1, 1)).unwrap();
        assert_eq!(Store::open(&file).unwrap().remembered, learned(90, 9));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_in_which_others_may_remove_the_file_keeps_no_memory() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.json");
        for (mode, taken) in [(0o777, false), (0o770, false), (0o1777, true), (0o755, true)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Store::open(&file).is_ok(), taken, "{mode:o}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_named_and_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.json");
        let pipe = |name: &str| mknodat(CWD, folder.path().join(name), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let store = Store::open(&file).unwrap();
        pipe("memory.json.new");
        assert!(store.raise(&learned(1, 1)).is_err());
        fs::remove_file(folder.path().join("memory.json.lock")).unwrap();
        pipe("memory.json.lock");
        let why = Store::open(&file).unwrap_err().to_string();
        assert!(why.contains("memory.json.lock: not a regular file"), "{why}");
    }

    #[test]
    fn a_damaged_file_is_not_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.json");
        Store::open(&file).unwrap().raise(&learned(50, 5)).unwrap();
        let whole = fs::read(&file).unwrap();
        for broken in [&whole[..whole.len() / 2], b"", b"{}", br#"{"schema":"blanche-memory/2"}"#] {
            fs::write(&file, broken).unwrap();
            assert!(Store::open(&file).is_err());
        }
        let text = String::from_utf8(whole).unwrap();
        for (from, to) in [("memory/1", "memory/9"), ("0707", "07"), ("0707", "+707"), ("\"time\"", "\"tim\"")] {
            fs::write(&file, text.replacen(from, to, 1)).unwrap();
            assert!(Store::open(&file).is_err(), "{from} {to}");
        }
    }
}
