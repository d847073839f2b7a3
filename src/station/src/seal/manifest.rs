//! The manifest of a clean medium, into a memory file.

use super::{Order, unsealable};
use blanche_sandbox::content;
use blanche_sandbox::wire::EntryKind as Kind;
use blanche_scan::report::NoTag;
use blanche_scan::{Inventory, Listed};
use blanche_tag::TAG_NAME;
use blanche_tag::manifest::{Digests, Entry, EntryKind, Finished, WriteError, Writer};
use std::fs::File;
use std::io::{self, BufWriter};

/// A manifest and what the claims say of it.
pub(super) struct Manifest {
    pub(super) file: File,
    pub(super) finished: Finished,
    /// Volumes (positions in the claims) with a file of the tag's name at their root, which is listed.
    named: Vec<u32>,
}

impl Manifest {
    /// Whether this is the manifest of a tag that stands on that volume: such a tag does not list itself.
    pub(super) fn serves(&self, tag_volume: Option<u32>) -> bool {
        tag_volume.is_none_or(|volume| !self.named.contains(&volume))
    }
}

/// Why a manifest was not written.
enum Stop {
    Rule(String),
    Store(String),
}

impl From<Stop> for NoTag {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Rule(what) => Self::Unsealable(what),
            Stop::Store(what) => Self::Store(what),
        }
    }
}

/// Writes the manifest. If the tag will stand on a volume (its position in the claims), it is not listed there itself.
pub(super) fn write(inventory: &Inventory, order: &Order, tag_volume: Option<u32>) -> Result<Manifest, NoTag> {
    let file = content::writable().map_err(|error| NoTag::Store(error.to_string()))?;
    let mut writer = Writer::new(BufWriter::new(file));
    let mut named = Vec::new();
    inventory.visit(order.volumes(), &mut |listed: &Listed<'_>| {
        let volume = order.position(listed.volume).ok_or_else(|| Stop::Rule("an entry of no volume".into()))?;
        if listed.path == [TAG_NAME.as_bytes()] && listed.stream.is_none() {
            if Some(volume) == tag_volume {
                return Ok(());
            }
            named.push(volume);
        }
        let entry = entry(listed, volume)?;
        writer.entry(&entry, listed.subtrees).map_err(|error| match error {
            WriteError::Rule(_) | WriteError::TooLong => Stop::Rule(error.to_string()),
            WriteError::Write(error) => Stop::Store(error.to_string()),
        })
    })?;
    let (out, finished) = writer.finish();
    let file = out.into_inner().map_err(|error| NoTag::Store(io::Error::from(error).to_string()))?;
    Ok(Manifest { file, finished, named })
}

fn entry(listed: &Listed<'_>, volume: u32) -> Result<Entry, Stop> {
    // Components are joined by zero bytes: a name with one would be two names.
    if listed.path.iter().chain(&listed.stream).any(|name| name.contains(&0)) {
        return Err(Stop::Rule("a name with a zero character".into()));
    }
    let kind = match listed.kind {
        Kind::Directory => EntryKind::Folder,
        Kind::File => EntryKind::File,
        Kind::Stream => EntryKind::Stream,
        Kind::Link => EntryKind::Link,
        Kind::Other => EntryKind::Other,
        Kind::Area => return Err(Stop::Rule("a boot area among the files".into())),
    };
    let digests = listed.digests.map(|digests| Digests { sha256: digests.sha256, blake3: digests.blake3 });
    Ok(Entry {
        volume,
        path: listed.path.join(&0),
        stream: listed.stream.map(<[u8]>::to_vec),
        kind,
        size: if kind.has_content() { listed.size } else { 0 },
        digests,
        modified: None,
    })
}

/// The whole tag file in a sealed memory file: header, envelope, manifest.
pub(super) fn tag_file(envelope: &[u8], manifest: &mut Manifest) -> Result<(File, u64), NoTag> {
    use std::io::{Seek, Write};
    let header = blanche_tag::header(envelope.len(), manifest.finished.length).map_err(unsealable)?;
    let mut build = || -> io::Result<(File, u64)> {
        let mut file = content::writable()?;
        file.write_all(&header)?;
        file.write_all(envelope)?;
        manifest.file.rewind()?;
        io::copy(&mut manifest.file, &mut file)?;
        let length = file.stream_position()?;
        let file = File::from(content::seal(file)?);
        Ok((file, length))
    };
    build().map_err(|error| NoTag::Store(error.to_string()))
}
