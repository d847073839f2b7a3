//! Tags that their medium cannot carry: one file each, found by the identity of the medium and the digest of the manifest
//! (docs/tag-format.md, section 13).

use blanche_tag::Claims;
use rustix::fs::Mode;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

/// How the files end.
const ENDING: &str = "blanche.tag";

/// Where the tag with these claims is kept below `folder`.
pub(super) fn place(folder: &Path, claims: &Claims) -> PathBuf {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let medium = digits(&claims.medium.identity());
    folder.join(medium).join(format!("{}.{ENDING}", digits(&claims.content.manifest_sha256)))
}

/// Keeps a tag: after this, it is there as a whole, also after a power cut. A tag of the same content is replaced.
pub(super) fn keep(place: &Path, tag: &mut File) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut draft = tempfile::Builder::new().prefix(".tag-").tempfile_in(folder)?;
    tag.rewind()?;
    io::copy(tag, &mut draft)?;
    draft.flush()?;
    // A tag is no secret: whoever verifies may read it.
    rustix::fs::fchmod(draft.as_file(), Mode::from_raw_mode(0o644))?;
    draft.as_file().sync_all()?;
    draft.persist(place)?;
    File::open(folder)?.sync_all()
}
