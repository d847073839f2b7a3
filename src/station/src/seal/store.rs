//! Tags that their medium cannot carry: one file each, found by the identity of the medium and the digest of the manifest
//! (docs/tag-format.md, section 13).

use blanche_tag::claims::Medium;
use blanche_tag::envelope::{Envelope, SignedClaims};
use blanche_tag::{Claims, MAX_ENVELOPE, TAG_NAME};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Largest part of a tag that is read to list it.
const LARGEST: u64 = MAX_ENVELOPE as u64 + 32;

/// Where the tag with these claims is kept below `folder`.
pub(super) fn place(folder: &Path, claims: &Claims) -> PathBuf {
    of_medium(folder, &claims.medium).join(format!("{}.{TAG_NAME}", digits(&claims.content.manifest_sha256)))
}

/// Where the tags of a medium are kept below `folder`: only what its identity consists of counts.
pub(crate) fn of_medium(folder: &Path, medium: &Medium) -> PathBuf {
    folder.join(digits(&medium.identity()))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tag that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its file.
    pub(crate) file: PathBuf,
    /// What it says; the station signed it itself, so it is not verified here.
    pub(crate) claims: Claims,
}

/// The tags in the folder of one medium, the newest first. What is no tag is passed over.
pub(crate) fn tags(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "tag") && file.is_file() {
            kept.extend(claims_in(&file).map(|claims| Kept { file, claims }));
        }
    }
    kept.sort_by_key(|tag| std::cmp::Reverse((tag.claims.issued, tag.claims.counter)));
    Ok(kept)
}

/// The tags of all media.
pub(crate) fn all(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let medium = entry?.path();
        if medium.is_dir() {
            kept.extend(tags(&medium)?);
        }
    }
    Ok(kept)
}

/// Opens a regular file and nothing else: a pipe in the folder must not keep the station waiting.
fn opened(file: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(file, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// The claims at the beginning of a tag file.
fn claims_in(file: &Path) -> Option<Claims> {
    let mut bytes = Vec::new();
    opened(file).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let length = u32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?);
    let envelope = bytes.get(32..)?.get(..usize::try_from(length).ok()?)?;
    Claims::decode(Envelope::<Claims>::open(envelope).ok()?.payload()).ok()
}

/// A tag beside its place, complete and readable, and gone again unless it is kept.
pub(super) struct Draft(NamedTempFile);

impl Draft {
    /// Writes it into the folder of `place`.
    pub(super) fn write(place: &Path, tag: &mut File) -> io::Result<Self> {
        let folder = folder_of(place);
        std::fs::create_dir_all(folder)?;
        check_rights(folder_of(folder))?;
        check_rights(folder)?;
        let mut draft = tempfile::Builder::new().prefix(".tag-").tempfile_in(folder)?;
        tag.rewind()?;
        io::copy(tag, &mut draft)?;
        draft.flush()?;
        // A tag is no secret: whoever verifies may read it.
        rustix::fs::fchmod(draft.as_file(), Mode::from_raw_mode(0o644))?;
        draft.as_file().sync_all()?;
        Ok(Self(draft))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts it in its place: after this, it is there as a whole, also after a power cut. A tag of the same content is
    /// replaced.
    pub(super) fn keep(self, place: &Path) -> io::Result<()> {
        self.0.persist(place)?;
        File::open(folder_of(place))?.sync_all()
    }
}

/// Refuses a folder in which others may remove or replace what the station keeps; in a sticky one they may not (chmod(2)).
/// Whoever started the station by sudo(8) has the rights of root already.
fn check_rights(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (metadata, user) = (std::fs::metadata(folder)?, rustix::process::geteuid());
    let sudo = std::env::var("SUDO_UID").ok().filter(|_| user.is_root()).and_then(|uid| uid.parse().ok());
    let own = [0, user.as_raw(), sudo.unwrap_or(0)].contains(&metadata.uid());
    if own && (metadata.mode() & 0o022 == 0 || metadata.mode() & 0o1000 != 0) {
        return Ok(());
    }
    let why = format!("others may change {} (mode {:04o}); chmod go-w", folder.display(), metadata.mode() & 0o7777);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use rustix::fs::{CWD, FileType, mknodat};

    #[test]
    fn a_draft_that_is_not_kept_leaves_an_earlier_tag_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("medium/digest.blanche.tag");
        let write = |text: &str| {
            let mut tag = tempfile::tempfile().unwrap();
            tag.write_all(text.as_bytes()).unwrap();
            Draft::write(&place, &mut tag).unwrap()
        };
        write("first").keep(&place).unwrap();
        let refused = write("second");
        assert_eq!(std::fs::read(refused.path()).unwrap(), b"second");
        drop(refused);
        assert_eq!(std::fs::read(&place).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(place.parent().unwrap()).unwrap().count(), 1);
        write("third").keep(&place).unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"third");
    }

    #[test]
    fn a_folder_in_which_others_may_replace_tags_keeps_none() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("medium/digest.blanche.tag");
        let mut tag = tempfile::tempfile().unwrap();
        for (mode, taken) in [(0o777, false), (0o770, false), (0o1777, true), (0o755, true)] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Draft::write(&place, &mut tag).is_ok(), taken, "{mode:o}");
            let medium = place.parent().unwrap();
            std::fs::set_permissions(medium, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Draft::write(&place, &mut tag).is_ok(), taken, "{mode:o}");
            std::fs::set_permissions(medium, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn what_is_no_tag_is_passed_over_and_a_pipe_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.tag"), "no tag").unwrap();
        std::fs::create_dir(folder.path().join("b.tag")).unwrap();
        mknodat(CWD, folder.path().join("c.tag"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(tags(folder.path()).unwrap().is_empty());
    }
}
