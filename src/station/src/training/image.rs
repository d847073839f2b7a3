//! A made-up medium: an image file, formatted and filled by the same code that makes the station's own keys.

use super::files::Files;
use super::kinds::Content;
use crate::seal::now_here;
use blanche_sandbox::content;
use blanche_sandbox::wire::{CopyEntry, CopyFilesystem, CopyKind, CopyOrder, CopyPart};
use blanche_seal::format::{CopyError, Copying, Tree};
use blanche_seal::{FileDevice, Stamp, UncachedFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of a logical block.
const BLOCK: u32 = 512;
/// Bytes that stay free for the tag.
const RESERVE: u64 = 1 << 20;
/// Number of the volume and of the partition table.
const SERIAL: u32 = 0xb1a2_c3d4;

/// Makes the image `path` of `capacity` bytes; it takes only the room of what is written.
///
/// # Errors
/// The kernel's, and what the formatting code refuses.
pub(super) fn make(path: &Path, capacity: u64, content: &Content) -> io::Result<()> {
    let mut image = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    image.set_len(capacity)?;
    match content {
        Content::None | Content::Blank => Ok(()),
        Content::Raw(bytes) => image.write_all(bytes),
        Content::Files(files) => fill(path, files),
    }
}

/// Formats and fills it: FAT32 with a partition table.
fn fill(path: &Path, files: &Files) -> io::Result<()> {
    let Announced { tree, parts, object, length, .. } = announce(files)?;
    let time = now_here();
    let order =
        CopyOrder { logical_block: BLOCK, filesystem: CopyFilesystem::Fat32, serial: SERIAL, time, reserve: RESERVE };
    let (device, view) = (FileDevice::open(path)?, UncachedFile::open(path)?);
    let copying = Copying::plan(device, view, order, Stamp::local(time), tree);
    let mut copying = copying.map_err(|obstacle| io::Error::other(format!("{obstacle:?}")))?;
    let mut steps = || -> Result<(), CopyError> {
        copying.format()?;
        copying.take(&parts, &object, length)?;
        copying.finish(&mut |_| {})
    };
    steps().map_err(io::Error::other)
}

/// Folders and files as the formatting code wants them, and one object with all contents.
struct Announced {
    tree: Tree,
    /// The number that the next entry gets.
    next: u32,
    /// Folders that are announced already, by path.
    folders: BTreeMap<String, u32>,
    parts: Vec<CopyPart>,
    object: File,
    /// Bytes of the object.
    length: u64,
}

fn announce(files: &Files) -> io::Result<Announced> {
    let mut made = Announced {
        tree: Tree::default(),
        next: 0,
        folders: BTreeMap::new(),
        parts: Vec::new(),
        object: content::writable()?,
        length: 0,
    };
    for (path, content) in &files.0 {
        made.file(path, content)?;
    }
    Ok(made)
}

impl Announced {
    fn file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        let (parent, name) = match path.rsplit_once('/') {
            Some((folder, name)) => (Some(self.folder(folder)?), name),
            None => (None, path),
        };
        let size = u64::try_from(content.len()).map_err(io::Error::other)?;
        let file = self.push(parent, name, CopyKind::File { size, sha256: Sha256::digest(content).into() })?;
        if size > 0 {
            self.parts.push(CopyPart { file, offset: self.length, at: 0, length: size });
            self.object.write_all(content)?;
            self.length = self.length.saturating_add(size);
        }
        Ok(())
    }

    /// The number of a folder, announced after the one around it.
    fn folder(&mut self, path: &str) -> io::Result<u32> {
        if let Some(number) = self.folders.get(path) {
            return Ok(*number);
        }
        let (parent, name) = match path.rsplit_once('/') {
            Some((around, name)) => (Some(self.folder(around)?), name),
            None => (None, path),
        };
        let number = self.push(parent, name, CopyKind::Folder)?;
        self.folders.insert(path.to_owned(), number);
        Ok(number)
    }

    fn push(&mut self, parent: Option<u32>, name: &str, kind: CopyKind) -> io::Result<u32> {
        let entry = CopyEntry { parent, name: name.encode_utf16().collect(), kind, modified: None };
        self.tree.push(entry).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        let number = self.next;
        self.next = number.saturating_add(1);
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::training::Kind;
    use std::process::Command;

    fn asked(program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).output();
        let output = output.expect("other people's programs are installed: run make deps-test");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    #[test]
    fn other_peoples_programs_read_every_image() {
        let folder = tempfile::tempdir().expect("a folder");
        for kind in Kind::ALL {
            let file = folder.path().join(kind.word());
            make(&file, kind.capacity(), &kind.content()).expect("room");
            let name = file.to_str().expect("UTF-8");
            match kind.content() {
                Content::None | Content::Blank => assert_eq!(file.metadata().expect("an image").len(), kind.capacity()),
                Content::Raw(_) => {
                    let found = asked("blkid", &["-p", "-s", "TYPE", "-o", "value", name]);
                    assert_eq!(found.trim(), "crypto_LUKS");
                }
                Content::Files(Files(files)) => {
                    // mtools(1): the volume of the partition that starts at 1 MiB.
                    let listed = asked("mdir", &["-/", "-b", "-i", &format!("{name}@@1M"), "::/"]);
                    let listed: Vec<&str> =
                        listed.lines().filter(|line| line.starts_with("::/") && !line.ends_with('/')).collect();
                    assert_eq!(listed.len(), files.len(), "{kind:?}: {listed:?}");
                }
            }
        }
    }
}
