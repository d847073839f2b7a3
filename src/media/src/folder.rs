//! A folder of a mounted filesystem as source: walked and read below descriptor 3 and nowhere else.
//!
//! `openat2` (openat2(2)) with `RESOLVE_BENEATH`, `NO_SYMLINKS`, `NO_MAGICLINKS` and `NO_XDEV` makes the kernel refuse
//! whatever would lead outside, also when somebody changes the folder meanwhile. Of symbolic links the target is read
//! (readlinkat(2)), and it is never followed; pipes, sockets and devices are never opened.

use crate::bytes::{index, wide};
use crate::filesystem::Fault;
use crate::outbox::{Halt, Outbox};
use crate::packer::Packer;
use blanche_sandbox::wire::{
    AreaReport, Attributes, Cause, Clock, Entry, EntryId, EntryKind, FilesystemKind, FromReader, MediumLayout,
    Modified, NameEncoding, ReadLimit, ReadLimits, Subject, Volume, VolumeRole,
};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes of a path that are resolved at once, below the kernel's 4096.
const MAX_STEP: usize = 3000;

/// A folder that was announced.
struct Node {
    parent: Option<usize>,
    name: Vec<u8>,
    entry: Option<EntryId>,
    depth: u32,
    path: u32,
}

/// A file that will be read.
struct File {
    node: usize,
    /// Its name in [`FolderReader::names`].
    name: std::ops::Range<usize>,
    entry: EntryId,
    size: u64,
}

struct FolderReader<'f, 'l, 'o, 'p> {
    root: BorrowedFd<'f>,
    device: u64,
    limits: &'l ReadLimits,
    outbox: &'o mut Outbox<'p>,
    packer: Packer<'l>,
    nodes: Vec<Node>,
    files: Vec<File>,
    names: Vec<u8>,
    full: bool,
}

/// Reads everything below `root`.
pub(crate) fn read_folder(root: BorrowedFd<'_>, limits: &ReadLimits, outbox: &mut Outbox<'_>) -> Result<(), Halt> {
    outbox.send(FromReader::Medium(layout()), None)?;
    let device = rustix::fs::fstat(root)?.st_dev;
    let top = Node { parent: None, name: Vec::new(), entry: None, depth: 0, path: 0 };
    let mut reader = FolderReader {
        root,
        device,
        limits,
        outbox,
        packer: Packer::new(limits),
        nodes: vec![top],
        files: Vec::new(),
        names: Vec::new(),
        full: false,
    };
    reader.walk()?;
    reader.deliver()?;
    outbox.send(FromReader::Area(AreaReport::default()), None)?;
    Ok(())
}

fn layout() -> MediumLayout {
    let volume = Volume {
        start: 0,
        length: 0,
        role: VolumeRole::Folder,
        partition_type: None,
        hidden: false,
        efi: false,
        filesystem: FilesystemKind::MountedFolder,
        label: None,
        identifier: None,
        encoding: NameEncoding::Bytes,
        view: None,
    };
    MediumLayout { capacity: 0, logical_block: 0, tables: Vec::new(), volumes: vec![volume] }
}

/// What the kernel's refusal means for the ledger.
fn cause_of(error: Errno) -> Cause {
    match error {
        Errno::ACCESS | Errno::PERM => Cause::PermissionDenied,
        Errno::XDEV => Cause::OtherFilesystem,
        // Gone, or another kind of thing than a moment ago.
        Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::NXIO | Errno::AGAIN => {
            Cause::ChangedWhileRead
        }
        _ => Cause::Unreadable,
    }
}

/// Opens `path` below `folder` and nowhere else.
fn open_below(folder: impl AsFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    loop {
        match rustix::fs::openat2(&folder, path, flags, Mode::empty(), resolve) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

/// The target of the link `name` in `folder`: bytes as the filesystem gives them, or why they cannot be had.
fn target_of(folder: &OwnedFd, name: &[u8]) -> Result<Vec<u8>, Cause> {
    match rustix::fs::readlinkat(folder, name, Vec::new()) {
        Ok(target) if !target.is_empty() => Ok(target.into_bytes()),
        Ok(_) => Err(Cause::Unreadable),
        // It is no link any more.
        Err(Errno::INVAL) => Err(Cause::ChangedWhileRead),
        Err(error) => Err(cause_of(error)),
    }
}

/// Names in a folder, sorted, without "." and "..".
fn names_in(folder: impl AsFd, most: usize) -> Result<Vec<Vec<u8>>, Errno> {
    let mut space = [const { MaybeUninit::uninit() }; 32 << 10];
    let mut entries = RawDir::new(folder, &mut space);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
        if names.len() > most {
            break;
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl FolderReader<'_, '_, '_, '_> {
    /// Announces everything. The queue is the list of folders itself.
    fn walk(&mut self) -> Result<(), Halt> {
        let mut number = 0usize;
        while number < self.nodes.len() && !self.full {
            match self.open_node(number).and_then(|folder| {
                let names = names_in(&folder, index(u64::from(self.limits.max_entries)))?;
                Ok((folder, names))
            }) {
                Ok((folder, names)) => self.list(number, &folder, names)?,
                Err(error) => self.outbox.not_read(self.subject(number), 0, 0, cause_of(error))?,
            }
            number = number.saturating_add(1);
        }
        Ok(())
    }

    fn subject(&self, number: usize) -> Subject {
        self.nodes.get(number).and_then(|node| node.entry).map_or(Subject::Volume(0), Subject::Entry)
    }

    /// Opens a folder by its names from the root on, as many at once as the kernel takes.
    fn open_node(&self, number: usize) -> Result<OwnedFd, Errno> {
        let mut names = Vec::new();
        let mut next = Some(number);
        while let Some(node) = next.and_then(|number| self.nodes.get(number)) {
            names.push(node.name.as_slice());
            next = node.parent;
        }
        let mut open = open_below(self.root, b".", OFlags::DIRECTORY)?;
        let mut path = Vec::new();
        for name in names.iter().rev().filter(|name| !name.is_empty()) {
            if path.len().saturating_add(name.len()) > MAX_STEP {
                open = open_below(&open, &path, OFlags::DIRECTORY)?;
                path.clear();
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        if !path.is_empty() {
            open = open_below(&open, &path, OFlags::DIRECTORY)?;
        }
        Ok(open)
    }

    fn list(&mut self, number: usize, folder: &OwnedFd, names: Vec<Vec<u8>>) -> Result<(), Halt> {
        let Some(node) = self.nodes.get(number) else { return Ok(()) };
        let (parent, depth, above) = (node.entry, node.depth, node.path);
        let subject = self.subject(number);
        let mut too_long = false;
        for name in names {
            if self.outbox.totals.entries >= self.limits.max_entries {
                self.full = true;
                self.outbox.not_read(subject, 0, 0, Cause::ReadLimit(ReadLimit::Entries))?;
                break;
            }
            let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
            let path = above.saturating_add(u32::from(depth > 0)).saturating_add(length);
            if path > self.limits.max_path {
                too_long = true;
                continue;
            }
            let stat = rustix::fs::statat(folder, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW);
            let node = Node { parent: Some(number), name, entry: parent, depth, path };
            self.entry(folder, node, stat)?;
        }
        if too_long {
            self.outbox.not_read(subject, 0, 0, Cause::ReadLimit(ReadLimit::PathLength))?;
        }
        Ok(())
    }

    /// Announces one entry. `node` describes it as if it were a folder, with its parent's entry and depth.
    fn entry(&mut self, folder: &OwnedFd, mut node: Node, stat: Result<Stat, Errno>) -> Result<(), Halt> {
        let kind = stat.as_ref().map_or(EntryKind::Other, kind_of);
        let target = (kind == EntryKind::Link).then(|| target_of(folder, &node.name));
        let size = match (&stat, &target) {
            (Ok(stat), _) if kind == EntryKind::File => u64::try_from(stat.st_size).unwrap_or(0),
            (_, Some(Ok(target))) => wide(target.len()),
            _ => 0,
        };
        let read_only = stat.as_ref().is_ok_and(|stat| stat.st_mode & 0o222 == 0);
        let hidden = node.name.starts_with(b".");
        let id = self.outbox.entry(Entry {
            volume: Some(0),
            parent: node.entry,
            name: node.name.clone(),
            kind,
            size,
            attributes: Attributes { hidden, read_only, ..Attributes::default() },
            same_as: None,
            // Seconds of UTC (stat(3type)).
            modified: stat.as_ref().ok().and_then(|stat| Modified::new(stat.st_mtime, Clock::Utc)),
        })?;
        let refused = match (&stat, &target) {
            (Err(error), _) => Some(cause_of(*error)),
            (_, Some(target)) => target.as_ref().err().cloned(),
            (Ok(stat), _) if stat.st_dev != self.device => Some(Cause::OtherFilesystem),
            _ if kind == EntryKind::Other => Some(Cause::NotRegularFile),
            _ => None,
        };
        if let Some(cause) = refused {
            self.outbox.not_read(Subject::Entry(id), 0, size, cause)?;
            return Ok(());
        }
        if let Some(Ok(target)) = target {
            return self.packer.deliver_inline(self.outbox, id, &target);
        }
        match kind {
            EntryKind::Directory => {
                node.depth = node.depth.saturating_add(1);
                node.entry = Some(id);
                if node.depth > self.limits.max_depth {
                    self.outbox.not_read(Subject::Entry(id), 0, 0, Cause::ReadLimit(ReadLimit::Depth))?;
                } else {
                    self.nodes.push(node);
                }
            }
            EntryKind::File => {
                let start = self.names.len();
                self.names.extend_from_slice(&node.name);
                let name = start..self.names.len();
                self.files.push(File { node: node.parent.unwrap_or(0), name, entry: id, size });
            }
            _ => {}
        }
        Ok(())
    }

    /// Hands the files over, folder by folder in the order of the walk.
    fn deliver(&mut self) -> Result<(), Halt> {
        self.outbox.planned()?;
        self.packer.release(self.outbox)?;
        let mut folder: Option<(usize, OwnedFd)> = None;
        for file in std::mem::take(&mut self.files) {
            let over = self.outbox.totals.bytes.saturating_add(file.size) > self.limits.max_bytes;
            let opened =
                if over { Err(Cause::ReadLimit(ReadLimit::Bytes)) } else { self.open_file(&mut folder, &file) };
            match opened {
                Ok(open) => deliver_file(&mut self.packer, self.outbox, &file, &open)?,
                Err(cause) => self.outbox.not_read(Subject::Entry(file.entry), 0, file.size, cause)?,
            }
        }
        self.packer.finish(self.outbox)
    }

    fn open_file(&self, folder: &mut Option<(usize, OwnedFd)>, file: &File) -> Result<OwnedFd, Cause> {
        if folder.as_ref().is_none_or(|(node, _)| *node != file.node) {
            *folder = Some((file.node, self.open_node(file.node).map_err(cause_of)?));
        }
        let Some((_, folder)) = folder else { return Err(Cause::ChangedWhileRead) };
        let name = self.names.get(file.name.clone()).unwrap_or_default();
        // A pipe that takes the place of the file meanwhile is opened without waiting, and refused just below.
        let open = open_below(&*folder, name, OFlags::empty()).map_err(cause_of)?;
        let stat = rustix::fs::fstat(&open).map_err(cause_of)?;
        match kind_of(&stat) {
            EntryKind::File if stat.st_dev == self.device => Ok(open),
            EntryKind::File => Err(Cause::OtherFilesystem),
            _ => Err(Cause::NotRegularFile),
        }
    }
}

fn kind_of(stat: &Stat) -> EntryKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => EntryKind::Directory,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    }
}

/// Reads one file. What it lost since it was announced is zeros and named; what it gained is named.
fn deliver_file(packer: &mut Packer<'_>, outbox: &mut Outbox<'_>, file: &File, open: &OwnedFd) -> Result<(), Halt> {
    let subject = Subject::Entry(file.entry);
    let mut complete = true;
    packer.deliver(outbox, file.entry, file.size, &mut |outbox, offset, buffer| {
        if let Some(fault) = fill(open, offset, buffer) {
            complete = false;
            outbox.not_read(subject, fault.offset, fault.length, fault.cause)?;
        }
        Ok(())
    })?;
    let now = rustix::fs::fstat(open).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
    if complete && now != file.size {
        let grown = now.saturating_sub(file.size);
        outbox.not_read(subject, file.size.min(now), grown, Cause::ChangedWhileRead)?;
    }
    Ok(())
}

/// Fills `buffer` from `offset`; zeros and a fault for the part that cannot be read.
fn fill(open: &OwnedFd, offset: u64, buffer: &mut [u8]) -> Option<Fault> {
    let mut filled = 0usize;
    loop {
        let rest = buffer.get_mut(filled..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let position = offset.saturating_add(wide(filled));
        let cause = match rustix::io::pread(open, &mut *rest, position) {
            Ok(0) => Cause::ChangedWhileRead,
            Ok(count) => {
                filled = filled.saturating_add(count);
                continue;
            }
            Err(Errno::INTR) => continue,
            Err(error) => cause_of(error),
        };
        rest.fill(0);
        return Some(Fault { offset: position, length: wide(rest.len()), cause });
    }
}
