//! A writer of UDF volumes from the specification (ECMA-167 3rd edition, OSTA UDF 2.60), for what no tool at hand
//! writes: filled volumes of every block size and allocation, metadata partitions, streams, and lies.

use std::collections::BTreeMap;
use std::ops::Range;

/// First block of the partition, which ends before the anchor at N - 256.
pub(crate) const PARTITION: u32 = 257;
/// First blocks of the main and the reserve volume descriptor sequence, and of the integrity sequence.
pub(crate) const MAIN: u32 = 100;
pub(crate) const RESERVE: u32 = 120;
const INTEGRITY: u32 = 140;

/// How files are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Short,
    Long,
    /// In the file entry, if there is room.
    Embedded,
}

/// What volume is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) block: usize,
    pub(crate) blocks: u32,
    pub(crate) revision: u16,
    pub(crate) kind: Kind,
    /// Structures lie in a metadata partition, with a mirror.
    pub(crate) metadata: bool,
    /// Blocks of one extent at most, with a gap behind it.
    pub(crate) piece: Option<u32>,
}

impl Style {
    pub(crate) const fn plain() -> Self {
        Self { block: 2048, blocks: 2048, revision: 0x0201, kind: Kind::Short, metadata: false, piece: None }
    }

    fn extended(&self) -> bool {
        self.revision >= 0x0200
    }

    fn version(&self) -> u16 {
        if self.revision >= 0x0200 { 3 } else { 2 }
    }
}

/// A file entry to be written.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) file_type: u8,
    pub(crate) links: u16,
    pub(crate) size: u64,
    /// 0 short, 1 long, 3 embedded.
    pub(crate) allocation: u16,
    pub(crate) descriptors: Vec<u8>,
    pub(crate) attributes: Vec<u8>,
    pub(crate) streams: Option<u32>,
    pub(crate) strategy: u16,
}

/// A file identifier to be written.
#[derive(Clone, Debug)]
pub(crate) struct Fid {
    pub(crate) name: Vec<u8>,
    pub(crate) characteristics: u8,
    pub(crate) icb: u32,
}

impl Fid {
    pub(crate) fn file(name: &str, icb: u32) -> Self {
        Self { name: compress(name), characteristics: 0, icb }
    }

    pub(crate) fn folder(name: &str, icb: u32) -> Self {
        Self { characteristics: 2, ..Self::file(name, icb) }
    }
}

/// OSTA compressed Unicode.
pub(crate) fn compress(name: &str) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    if units.iter().all(|unit| *unit < 256) {
        return std::iter::once(8).chain(units.iter().map(|unit| *unit as u8)).collect();
    }
    std::iter::once(16).chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect()
}

pub(crate) fn crc(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
        }
    }
    crc
}

/// Writes both checksums of the structure at the beginning of `bytes`, keeping the length that they cover.
pub(crate) fn seal(bytes: &mut [u8]) {
    let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let sum = crc(&bytes[16..16 + length]).to_le_bytes();
    bytes[8..10].copy_from_slice(&sum);
    bytes[4] = 0;
    bytes[4] = bytes[..16].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
}

/// Gives a structure its tag.
pub(crate) fn tagged(bytes: &mut [u8], id: u16, version: u16, location: u32, covered: usize) {
    bytes[..16].fill(0);
    bytes[0..2].copy_from_slice(&id.to_le_bytes());
    bytes[2..4].copy_from_slice(&version.to_le_bytes());
    bytes[6] = 1;
    bytes[10..12].copy_from_slice(&((covered - 16) as u16).to_le_bytes());
    bytes[12..16].copy_from_slice(&location.to_le_bytes());
    seal(bytes);
}

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

fn put32(bytes: &mut [u8], offset: usize, value: u32) {
    put(bytes, offset, &value.to_le_bytes());
}

fn put16(bytes: &mut [u8], offset: usize, value: u16) {
    put(bytes, offset, &value.to_le_bytes());
}

fn field(bytes: &mut [u8], range: Range<usize>, text: &str) {
    let name = compress(text);
    put(bytes, range.start, &name);
    bytes[range.end - 1] = name.len() as u8;
}

fn charset(bytes: &mut [u8], offset: usize) {
    put(bytes, offset + 1, b"OSTA Compressed Unicode");
}

fn regid(bytes: &mut [u8], offset: usize, text: &[u8], revision: u16) {
    put(bytes, offset + 1, text);
    put16(bytes, offset + 24, revision);
}

/// A long allocation descriptor.
pub(crate) fn long(length: u32, block: u32, partition: u16) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    put32(&mut bytes, 0, length);
    put32(&mut bytes, 4, block);
    put16(&mut bytes, 8, partition);
    bytes
}

/// The volume under construction.
pub(crate) struct Udf {
    pub(crate) style: Style,
    pub(crate) image: Vec<u8>,
    used: Vec<bool>,
    from: usize,
    /// Blocks of the metadata file, and how many of them are taken.
    inner: Vec<u32>,
    inner_used: u32,
    metadata_files: [u32; 3],
    mirror: Vec<u32>,
    unique: u64,
    pub(crate) file_sets: Vec<(u32, Option<u32>)>,
    pub(crate) system_streams: Option<u32>,
    pub(crate) bitmap: bool,
}

impl Udf {
    pub(crate) fn new(style: Style) -> Self {
        let image = vec![0; style.block * style.blocks as usize];
        let used = vec![false; style.blocks as usize - 2 * PARTITION as usize];
        let mut udf = Self {
            style,
            image,
            used,
            from: 0,
            inner: Vec::new(),
            inner_used: 0,
            metadata_files: [0; 3],
            mirror: Vec::new(),
            unique: 16,
            file_sets: Vec::new(),
            system_streams: None,
            bitmap: true,
        };
        if style.metadata {
            // Two runs each, so that the map has a seam.
            let size = style.blocks / 16;
            udf.metadata_files = [udf.outer(1), udf.outer(1), udf.outer(1)];
            for run in 0..4u32 {
                let start = udf.outer(size);
                udf.outer(1);
                let list = if run % 2 == 0 { &mut udf.inner } else { &mut udf.mirror };
                list.extend(start..start + size);
            }
        }
        udf
    }

    /// Partition reference of structures.
    pub(crate) fn structures(&self) -> u16 {
        u16::from(self.style.metadata)
    }

    /// Takes neighbouring blocks of the partition, the first that are free.
    pub(crate) fn outer(&mut self, count: u32) -> u32 {
        let count = count as usize;
        let mut start = self.from;
        loop {
            assert!(start + count <= self.used.len(), "the volume is full");
            match (start..start + count).rev().find(|block| self.used[*block]) {
                Some(taken) => start = taken + 1,
                None => break,
            }
        }
        self.used[start..start + count].fill(true);
        start as u32
    }

    /// Gives blocks back; what is in them stays.
    pub(crate) fn free(&mut self, blocks: Range<u32>) {
        self.used[blocks.start as usize..blocks.end as usize].fill(false);
    }

    /// Takes neighbouring blocks for structures.
    pub(crate) fn structure(&mut self, count: u32) -> u32 {
        if !self.style.metadata {
            return self.outer(count);
        }
        let start = self.inner_used;
        self.inner_used += count;
        assert!((self.inner_used as usize) < self.inner.len(), "the metadata file is full");
        start
    }

    /// Offset in the image of a block of the partition.
    pub(crate) fn at(&self, block: u32) -> usize {
        (PARTITION + block) as usize * self.style.block
    }

    /// Offset in the image of a block of structures.
    pub(crate) fn structure_at(&self, block: u32) -> usize {
        if self.style.metadata { self.at(self.inner[block as usize]) } else { self.at(block) }
    }

    /// Writes content; returns its extents: block, bytes.
    pub(crate) fn data(&mut self, content: &[u8]) -> Vec<(u32, u32)> {
        let size = self.style.block;
        let piece = self.style.piece.map_or(content.len().max(1), |piece| piece as usize * size);
        let mut extents = Vec::new();
        for part in content.chunks(piece.next_multiple_of(size)) {
            let start = self.outer(part.len().div_ceil(size) as u32);
            let at = self.at(start);
            put(&mut self.image, at, part);
            extents.push((start, part.len() as u32));
            if self.style.piece.is_some() {
                let gap = self.outer(1);
                self.free(gap..gap + 1);
                self.from = gap as usize + 1;
            }
        }
        extents
    }

    /// Allocation descriptors for extents, in further blocks where one entry has no room for them.
    pub(crate) fn describe(&mut self, extents: &[(u32, u32)], room: usize) -> (u16, Vec<u8>) {
        let is_long = self.style.kind == Kind::Long || self.style.metadata;
        let width = if is_long { 16 } else { 8 };
        let one = |length: u32, block: u32, partition: u16| match is_long {
            true => long(length, block, partition),
            false => [length.to_le_bytes(), block.to_le_bytes()].concat(),
        };
        let fits = room / width;
        let here = if extents.len() > fits { fits - 1 } else { extents.len() };
        let mut bytes: Vec<u8> = extents[..here].iter().flat_map(|(block, length)| one(*length, *block, 0)).collect();
        if extents.len() > here {
            let block = self.structure(1);
            let size = self.style.block;
            let (_, rest) = self.describe(&extents[here..], size - 24);
            bytes.extend(one(size as u32 | 3 << 30, block, self.structures()));
            let at = self.structure_at(block);
            let version = self.style.version();
            let image = &mut self.image[at..at + size];
            put32(image, 20, rest.len() as u32);
            put(image, 24, &rest);
            tagged(image, 258, version, block, 24 + rest.len());
        }
        (u16::from(is_long), bytes)
    }

    fn head(&self) -> usize {
        if self.style.extended() { 216 } else { 176 }
    }

    /// What describes this content, written to the volume.
    pub(crate) fn content(&mut self, content: &[u8], attributes: &[u8]) -> Entry {
        let room = self.style.block - self.head() - attributes.len();
        let embedded = self.style.kind == Kind::Embedded && content.len() <= room;
        let (allocation, descriptors) = if embedded {
            (3, content.to_vec())
        } else {
            let extents = self.data(content);
            self.describe(&extents, room)
        };
        Entry {
            file_type: 5,
            links: 1,
            size: content.len() as u64,
            allocation,
            descriptors,
            attributes: attributes.to_vec(),
            streams: None,
            strategy: 4,
        }
    }

    /// Writes a file entry at a block of structures.
    pub(crate) fn entry(&mut self, icb: u32, entry: &Entry) {
        let extended = self.style.extended();
        let (head, version) = (self.head(), self.style.version());
        let at = self.structure_at(icb);
        let structures = self.structures();
        let block = self.style.block;
        let unique = self.unique;
        self.unique += 1;
        let bytes = &mut self.image[at..at + block];
        bytes.fill(0);
        put16(bytes, 20, entry.strategy);
        put16(bytes, 24, 1);
        bytes[27] = entry.file_type;
        put16(bytes, 34, entry.allocation);
        put32(bytes, 44, 0x14a5 | 0x0842);
        put16(bytes, 48, entry.links);
        put(bytes, 56, &entry.size.to_le_bytes());
        let sizes = [entry.attributes.len() as u32, entry.descriptors.len() as u32];
        if extended {
            put(bytes, 64, &entry.size.to_le_bytes());
            put32(bytes, 128, 1);
            regid(bytes, 168, b"*Test", 0);
            put(bytes, 200, &unique.to_le_bytes());
            if let Some(streams) = entry.streams {
                put(bytes, 152, &long(block as u32, streams, structures));
            }
        } else {
            put32(bytes, 108, 1);
            regid(bytes, 128, b"*Test", 0);
            put(bytes, 160, &unique.to_le_bytes());
        }
        put32(bytes, head - 8, sizes[0]);
        put32(bytes, head - 4, sizes[1]);
        put(bytes, head, &entry.attributes);
        put(bytes, head + entry.attributes.len(), &entry.descriptors);
        let covered = head + entry.attributes.len() + entry.descriptors.len();
        tagged(bytes, if extended { 266 } else { 261 }, version, icb, covered);
    }

    /// A file with this content; returns its entry.
    pub(crate) fn file(&mut self, content: &[u8]) -> u32 {
        let icb = self.structure(1);
        let entry = self.content(content, &[]);
        self.entry(icb, &entry);
        icb
    }

    /// Bytes of file identifiers, the parent first.
    pub(crate) fn identifiers(&self, location: u32, parent: u32, list: &[Fid]) -> Vec<u8> {
        let up = Fid { name: Vec::new(), characteristics: 0x0a, icb: parent };
        let mut bytes = Vec::new();
        for fid in std::iter::once(&up).chain(list) {
            let length = (38 + fid.name.len()).next_multiple_of(4);
            let mut one = vec![0; length];
            put16(&mut one, 16, 1);
            one[18] = fid.characteristics;
            one[19] = fid.name.len() as u8;
            put(&mut one, 20, &long(self.style.block as u32, fid.icb, self.structures()));
            put(&mut one, 38, &fid.name);
            tagged(&mut one, 257, self.style.version(), location, length);
            bytes.extend(one);
        }
        bytes
    }

    /// Writes a folder (or, with type 13, a stream folder) at a block of structures.
    pub(crate) fn folder(&mut self, icb: u32, parent: u32, file_type: u8, list: &[Fid]) -> Entry {
        let bytes = self.identifiers(icb, parent, list);
        let size = self.style.block;
        let mut entry = Entry {
            file_type,
            links: 1,
            size: bytes.len() as u64,
            allocation: 3,
            descriptors: bytes,
            attributes: Vec::new(),
            streams: None,
            strategy: 4,
        };
        if entry.descriptors.len() > size - self.head() || self.style.kind == Kind::Long {
            let start = self.structure(entry.descriptors.len().div_ceil(size) as u32);
            for (number, part) in entry.descriptors.chunks(size).enumerate() {
                let at = self.structure_at(start + number as u32);
                put(&mut self.image, at, part);
            }
            entry.descriptors = long(entry.size as u32, start, self.structures());
            entry.allocation = 1;
        }
        self.entry(icb, &entry);
        entry
    }

    /// Writes a tree; returns the entry of its root.
    pub(crate) fn tree(&mut self, tree: &BTreeMap<String, Vec<u8>>) -> u32 {
        let root = self.structure(1);
        self.subtree(root, root, tree);
        root
    }

    fn subtree(&mut self, icb: u32, parent: u32, tree: &BTreeMap<String, Vec<u8>>) {
        let mut folders: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        let mut list = Vec::new();
        for (path, content) in tree {
            match path.split_once('/') {
                Some((folder, rest)) => {
                    folders.entry(folder.to_owned()).or_default().insert(rest.to_owned(), content.clone());
                }
                None => list.push(Fid::file(path, self.file(content))),
            }
        }
        for (name, below) in folders {
            let folder = self.structure(1);
            self.subtree(folder, icb, &below);
            list.push(Fid::folder(&name, folder));
        }
        self.folder(icb, parent, 4, &list);
    }

    /// Writes everything around the files.
    pub(crate) fn finish(mut self, root: u32) -> Vec<u8> {
        self.file_sets.insert(0, (root, self.system_streams));
        let sets = self.file_sets.clone();
        let first = self.structure(sets.len() as u32 + 1);
        for (number, (root, system)) in (0u32..).zip(&sets) {
            self.file_set(first + number, number, *root, *system);
        }
        self.recognition();
        self.metadata_entries();
        let bitmap = self.bitmap.then(|| self.space_bitmap());
        for start in [MAIN, RESERVE] {
            self.sequence(start, first, sets.len() as u32 + 1, bitmap);
        }
        self.integrity();
        for number in [256, self.style.blocks - 257, self.style.blocks - 1] {
            self.anchor(number);
        }
        let copies: Vec<(u32, u32)> = self.inner.iter().copied().zip(self.mirror.iter().copied()).collect();
        for (from, to) in copies {
            let (from, to) = (self.at(from), self.at(to));
            self.image.copy_within(from..from + self.style.block, to);
        }
        self.image
    }

    fn file_set(&mut self, block: u32, number: u32, root: u32, system: Option<u32>) {
        let (at, size) = (self.structure_at(block), self.style.block as u32);
        let (structures, revision, version) = (self.structures(), self.style.revision, self.style.version());
        let bytes = &mut self.image[at..at + 512];
        put32(bytes, 40, number);
        charset(bytes, 48);
        field(bytes, 112..240, "BLANCHE");
        charset(bytes, 240);
        field(bytes, 304..336, "BLANCHE");
        put(bytes, 400, &long(size, root, structures));
        regid(bytes, 416, b"*OSTA UDF Compliant", revision);
        if let Some(system) = system {
            put(bytes, 464, &long(size, system, structures));
        }
        tagged(bytes, 256, version, block, 512);
    }

    fn recognition(&mut self) {
        let step = self.style.block.max(2048);
        let nsr: &[u8] = if self.style.revision >= 0x0200 { b"NSR03" } else { b"NSR02" };
        for (number, name) in [b"BEA01", nsr, b"TEA01"].into_iter().enumerate() {
            let at = 32768 + number * step;
            put(&mut self.image, at + 1, name);
            self.image[at + 6] = 1;
        }
    }

    fn metadata_entries(&mut self) {
        if !self.style.metadata {
            return;
        }
        let [main, mirror, bitmap] = self.metadata_files;
        let size = self.style.block as u32;
        let runs = |list: &[u32]| -> Vec<u8> {
            let half = list.len() / 2;
            let one = |start: u32| [(half as u32 * size).to_le_bytes(), start.to_le_bytes()].concat();
            [one(list[0]), one(list[half])].concat()
        };
        let files = [(main, 250, runs(&self.inner)), (mirror, 251, runs(&self.mirror))];
        let bytes = (self.inner.len() * self.style.block) as u64;
        for (block, file_type, descriptors) in files {
            self.outer_entry(block, file_type, bytes, descriptors);
        }
        let count = self.inner.len();
        let mut content = vec![0u8; 24 + count.div_ceil(8)];
        for block in self.inner_used as usize..count {
            content[24 + block / 8] |= 1 << (block % 8);
        }
        put32(&mut content, 16, count as u32);
        put32(&mut content, 20, count.div_ceil(8) as u32);
        tagged(&mut content, 264, 3, 0, 24);
        let start = self.outer(content.len().div_ceil(self.style.block) as u32);
        let at = self.at(start);
        put(&mut self.image, at, &content);
        let descriptors = [(content.len() as u32).to_le_bytes(), start.to_le_bytes()].concat();
        self.outer_entry(bitmap, 252, content.len() as u64, descriptors);
    }

    /// A file entry in the plain partition, whatever holds the others.
    fn outer_entry(&mut self, block: u32, file_type: u8, size: u64, descriptors: Vec<u8>) {
        let (attributes, streams) = (Vec::new(), None);
        let entry = Entry { file_type, links: 0, size, allocation: 0, descriptors, attributes, streams, strategy: 4 };
        let metadata = std::mem::replace(&mut self.style.metadata, false);
        self.entry(block, &entry);
        self.style.metadata = metadata;
    }

    fn space_bitmap(&mut self) -> (u32, u32) {
        let count = self.used.len();
        let length = 24 + count.div_ceil(8);
        let start = self.outer(length.div_ceil(self.style.block) as u32);
        let at = self.at(start);
        let version = self.style.version();
        let bytes = &mut self.image[at..at + length];
        for (block, _) in self.used.iter().enumerate().filter(|(_, used)| !**used) {
            bytes[24 + block / 8] |= 1 << (block % 8);
        }
        put32(bytes, 16, count as u32);
        put32(bytes, 20, count.div_ceil(8) as u32);
        tagged(bytes, 264, version, start, 24);
        (start, length.next_multiple_of(self.style.block) as u32)
    }

    fn volume_block(&mut self, number: u32) -> &mut [u8] {
        let at = number as usize * self.style.block;
        &mut self.image[at..at + 512]
    }

    fn sequence(&mut self, start: u32, set: u32, set_blocks: u32, bitmap: Option<(u32, u32)>) {
        let style = self.style;
        let (structures, version, count) = (self.structures(), style.version(), self.used.len() as u32);
        let files = self.metadata_files;
        let bytes = self.volume_block(start);
        put32(bytes, 16, 1);
        field(bytes, 24..56, "BLANCHE");
        for offset in [56, 58] {
            put16(bytes, offset, 1);
        }
        put16(bytes, 60, 2);
        put16(bytes, 62, 2);
        field(bytes, 72..200, "0123456789abcdefBLANCHE");
        charset(bytes, 200);
        charset(bytes, 264);
        tagged(bytes, 1, version, start, 512);
        let bytes = self.volume_block(start + 1);
        put32(bytes, 16, 2);
        charset(bytes, 20);
        field(bytes, 84..212, "BLANCHE");
        put32(bytes, 212, style.block as u32);
        regid(bytes, 216, b"*OSTA UDF Compliant", style.revision);
        put(bytes, 248, &long(set_blocks * style.block as u32, set, structures));
        put32(bytes, 264, if style.metadata { 70 } else { 6 });
        put32(bytes, 268, 1 + u32::from(style.metadata));
        put(bytes, 432, &[(style.block as u32 * 2).to_le_bytes(), INTEGRITY.to_le_bytes()].concat());
        put(bytes, 440, &[1, 6, 1, 0, 0, 0]);
        if style.metadata {
            put(bytes, 446, &[2, 64]);
            regid(bytes, 450, b"*UDF Metadata Partition", style.revision);
            put(bytes, 482, &[1, 0, 0, 0]);
            for (number, file) in files.iter().enumerate() {
                put32(bytes, 486 + number * 4, *file);
            }
            put32(bytes, 498, 1);
            put16(bytes, 502, 1);
            bytes[504] = 1;
        }
        let covered = if style.metadata { 510 } else { 446 };
        tagged(bytes, 6, version, start + 1, covered);
        let bytes = self.volume_block(start + 2);
        put32(bytes, 16, 3);
        put16(bytes, 20, 1);
        put(bytes, 25, if version == 3 { b"+NSR03" } else { b"+NSR02" });
        if let Some((block, length)) = bitmap {
            put32(bytes, 64, length);
            put32(bytes, 68, block);
        }
        put32(bytes, 184, 4);
        put32(bytes, 188, PARTITION);
        put32(bytes, 192, count);
        tagged(bytes, 5, version, start + 2, 512);
        let bytes = self.volume_block(start + 3);
        put32(bytes, 16, 4);
        tagged(bytes, 7, version, start + 3, 24);
        let bytes = self.volume_block(start + 4);
        tagged(bytes, 8, version, start + 4, 512);
    }

    fn integrity(&mut self) {
        let (revision, version) = (self.style.revision, self.style.version());
        let partitions = 1 + usize::from(self.style.metadata);
        let bytes = self.volume_block(INTEGRITY);
        put32(bytes, 28, 1);
        put32(bytes, 72, partitions as u32);
        put32(bytes, 76, 46);
        let uses = 80 + partitions * 8;
        for offset in [40, 42, 44] {
            put16(bytes, uses + offset, revision);
        }
        tagged(bytes, 9, version, INTEGRITY, uses + 46);
        tagged(self.volume_block(INTEGRITY + 1), 8, version, INTEGRITY + 1, 512);
    }

    fn anchor(&mut self, number: u32) {
        let (size, version) = (self.style.block as u32, self.style.version());
        let bytes = self.volume_block(number);
        let extents = [16 * size, MAIN, 16 * size, RESERVE];
        for (position, value) in extents.into_iter().enumerate() {
            put32(bytes, 16 + position * 4, value);
        }
        tagged(bytes, 2, version, number, 512);
    }
}
