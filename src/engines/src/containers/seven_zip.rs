//! 7z (7zFormat.txt of the LZMA SDK): what the header announces, to be compared with what libclamav unpacked. Methods
//! that libclamav's old decoder lacks (bzip2, deflate, zstd, …) are passed over in silence.

use super::bytes::{le64, offset, part};
use super::embedded::is_seven_zip;
use super::members::Members;

/// Coders by which libclamav 1.4 unpacks (7z/7zDec.c): copy, LZMA2, LZMA, PPMd.
const MAIN: [u64; 4] = [0x00, 0x21, LZMA, 0x03_0401];
/// Filters for programs that it takes back behind one of them, on x86 and ARM; and the one that has four inputs.
const FILTERS: [u64; 2] = [0x0303_0103, 0x0303_0501];
const BCJ2: u64 = 0x0303_011b;
/// AES-256 with SHA-256.
const AES: u64 = 0x06f1_0701;
const LZMA: u64 = 0x03_0101;
/// Header bytes that are unpacked.
const MAX_HEADER: u64 = 64 << 20;
/// Folders, streams and members of one archive.
const MAX_ITEMS: u64 = 1 << 20;
/// Streams of one folder (`k_NumCodersStreams_in_Folder_MAX` in the LZMA SDK is 64).
const MAX_FOLDER_STREAMS: u64 = 64;

/// What a 7z archive announces; `None` when no valid archive begins here.
pub(super) fn read(archive: &[u8]) -> Option<Members> {
    if !is_seven_zip(archive) {
        return None;
    }
    let mut members = Members::default();
    let (at, size) = (offset(le64(archive, 12)?), offset(le64(archive, 20)?));
    if size > 0 {
        let header = part(archive, 32usize.checked_add(at)?, size)?;
        if read_header(archive, header, &mut members, 0).is_none() && !members.encrypted {
            members.broken = true;
        }
    }
    Some(members)
}

/// One folder: coders that turn packed streams into one output.
#[derive(Debug, Default)]
struct Folder {
    methods: Vec<u64>,
    properties: Vec<u8>,
    outputs: usize,
    /// Which input reads which output.
    pairs: Vec<(u64, u64)>,
    /// Inputs that read packed streams, where there are several.
    inputs: Vec<u64>,
    /// Index of the output that no other coder reads.
    main: usize,
    size: u64,
    members: u64,
}

impl Folder {
    /// Whether libclamav 1.4 unpacks it (`CheckSupportedFolder` in 7z/7zDec.c): one main coder, one with a filter behind it, or three
    /// in front of BCJ2. It passes over every other chain in silence.
    fn is_unpacked(&self) -> bool {
        let main = |method: &u64| MAIN.contains(method);
        match self.methods.as_slice() {
            [one] => main(one),
            [one, filter] => main(one) && FILTERS.contains(filter) && self.pairs == [(1, 0)],
            [one, two, three, BCJ2] => {
                [one, two, three].into_iter().all(main)
                    && self.pairs == [(5, 0), (4, 1), (3, 2)]
                    && self.inputs == [2, 6, 1, 0]
            }
            _ => false,
        }
    }
}

#[derive(Debug, Default)]
struct Streams {
    position: u64,
    packed: Vec<u64>,
    folders: Vec<Folder>,
    sizes: Vec<u64>,
}

fn read_header(archive: &[u8], header: &[u8], members: &mut Members, depth: u32) -> Option<()> {
    let mut cursor = Cursor { bytes: header, at: 0 };
    match cursor.byte()? {
        0x17 if depth < 4 => {
            let streams = cursor.streams()?;
            let folder = streams.folders.first()?;
            if folder.methods.contains(&AES) {
                members.encrypted = true;
                return None;
            }
            let packed =
                part(archive, 32usize.checked_add(offset(streams.position))?, offset(*streams.packed.first()?))?;
            let inner = unpack(folder, packed)?;
            read_header(archive, &inner, members, depth + 1)
        }
        0x01 => {
            let mut kind = cursor.byte()?;
            if kind == 0x02 {
                while cursor.byte()? != 0 {
                    let size = cursor.number()?;
                    cursor.skip(size)?;
                }
                kind = cursor.byte()?;
            }
            if kind == 0x03 {
                cursor.streams()?;
                kind = cursor.byte()?;
            }
            if kind == 0x04 {
                let streams = cursor.streams()?;
                collect(&streams, members);
            }
            Some(())
        }
        _ => None,
    }
}

/// Sizes of the members whose folder libclamav can unpack.
fn collect(streams: &Streams, members: &mut Members) {
    let mut sizes = streams.sizes.iter().copied();
    for folder in &streams.folders {
        let own: Vec<u64> = sizes.by_ref().take(offset(folder.members)).collect();
        if folder.methods.contains(&AES) {
            members.encrypted = true;
        } else if !folder.is_unpacked() {
            members.unsupported = true;
        } else {
            members.sizes.extend(own);
        }
    }
}

/// Unpacks an encoded header: LZMA as 7-Zip writes it, or a plain copy.
fn unpack(folder: &Folder, packed: &[u8]) -> Option<Vec<u8>> {
    if folder.size > MAX_HEADER {
        return None;
    }
    match folder.methods.as_slice() {
        [0] => Some(packed.to_vec()),
        [LZMA] => {
            // The stream lacks the header of an .lzma file: properties, dictionary size, then the size in 8 bytes.
            let mut stream = part(&folder.properties, 0, 5)?.to_vec();
            stream.extend_from_slice(&folder.size.to_le_bytes());
            stream.extend_from_slice(packed);
            let mut output = Vec::new();
            lzma_rs::lzma_decompress(&mut stream.as_slice(), &mut output).ok()?;
            Some(output)
        }
        _ => None,
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.at = self.at.checked_add(offset(length)).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// "NUMBER": the leading ones of the first byte say how many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let (mut value, mut mask) = (0u64, 0x80u8);
        for index in 0..8u32 {
            if first & mask == 0 {
                let high = u64::from(first & mask.wrapping_sub(1));
                return Some(value | high.checked_shl(8 * index)?);
            }
            value |= u64::from(self.byte()?) << (8 * index);
            mask >>= 1;
        }
        Some(value)
    }

    fn count(&mut self) -> Option<u64> {
        self.number().filter(|count| *count <= MAX_ITEMS)
    }

    /// "StreamsInfo".
    fn streams(&mut self) -> Option<Streams> {
        let mut streams = Streams::default();
        loop {
            match self.byte()? {
                0x00 => break,
                0x06 => self.pack_info(&mut streams)?,
                0x07 => self.unpack_info(&mut streams)?,
                0x08 => self.sub_streams(&mut streams)?,
                _ => return None,
            }
        }
        if streams.sizes.is_empty() {
            streams.sizes = streams.folders.iter().map(|folder| folder.size).collect();
        }
        Some(streams)
    }

    fn pack_info(&mut self, streams: &mut Streams) -> Option<()> {
        streams.position = self.number()?;
        let count = self.count()?;
        loop {
            match self.byte()? {
                0x00 => return Some(()),
                0x09 => streams.packed = (0..count).map(|_| self.number()).collect::<Option<_>>()?,
                0x0a => self.digests(count).map(|_| ())?,
                _ => return None,
            }
        }
    }

    fn unpack_info(&mut self, streams: &mut Streams) -> Option<()> {
        if self.byte()? != 0x0b {
            return None;
        }
        let count = self.count()?;
        if self.byte()? != 0 {
            return None;
        }
        streams.folders = (0..count).map(|_| self.folder()).collect::<Option<_>>()?;
        if self.byte()? != 0x0c {
            return None;
        }
        for folder in &mut streams.folders {
            for index in 0..folder.outputs {
                let size = self.number()?;
                if index == folder.main {
                    folder.size = size;
                }
            }
            folder.members = 1;
        }
        loop {
            match self.byte()? {
                0x00 => return Some(()),
                0x0a => self.digests(count).map(|_| ())?,
                _ => return None,
            }
        }
    }

    fn folder(&mut self) -> Option<Folder> {
        let mut folder = Folder::default();
        let (mut inputs, coders) = (0u64, self.number().filter(|coders| (1..=32).contains(coders))?);
        let mut outputs = 0u64;
        for _ in 0..coders {
            let flags = self.byte()?;
            let mut method = 0u64;
            for _ in 0..flags & 0x0f {
                method = (method << 8) | u64::from(self.byte()?);
            }
            folder.methods.push(method);
            let (ins, outs) = if flags & 0x10 != 0 { (self.count()?, self.count()?) } else { (1, 1) };
            (inputs, outputs) = (inputs.checked_add(ins)?, outputs.checked_add(outs)?);
            if flags & 0x20 != 0 {
                let size = self.number()?;
                let start = self.at;
                self.skip(size)?;
                folder.properties = self.bytes.get(start..self.at)?.to_vec();
            }
        }
        if inputs > MAX_FOLDER_STREAMS || outputs > MAX_FOLDER_STREAMS {
            return None;
        }
        let pairs = outputs.checked_sub(1)?;
        let mut read = Vec::new();
        for _ in 0..pairs {
            let pair = (self.number()?, self.number()?);
            read.push(offset(pair.1));
            folder.pairs.push(pair);
        }
        let packed = inputs.checked_sub(pairs)?;
        if packed > 1 {
            folder.inputs = (0..packed).map(|_| self.number()).collect::<Option<_>>()?;
        }
        folder.outputs = offset(outputs);
        folder.main = (0..folder.outputs).find(|index| !read.contains(index))?;
        Some(folder)
    }

    fn sub_streams(&mut self, streams: &mut Streams) -> Option<()> {
        let mut kind = self.byte()?;
        if kind == 0x0d {
            for folder in &mut streams.folders {
                folder.members = self.count()?;
            }
            kind = self.byte()?;
        }
        // Members need no byte each: without this sum a short header could announce 2^40 of them.
        let members = streams.folders.iter().try_fold(0u64, |sum, folder| sum.checked_add(folder.members))?;
        if members > MAX_ITEMS {
            return None;
        }
        for folder in &streams.folders {
            let mut rest = folder.size;
            for _ in 1..folder.members {
                let size = if kind == 0x09 { self.number()? } else { 0 };
                rest = rest.checked_sub(size)?;
                streams.sizes.push(size);
            }
            if folder.members > 0 {
                streams.sizes.push(rest);
            }
        }
        // Digests of the members come last; nothing behind them is needed.
        loop {
            match kind {
                0x00 => return Some(()),
                0x0a => {
                    let count = u64::try_from(streams.sizes.len()).ok()?;
                    self.digests(count)?;
                }
                0x09 => {}
                _ => return None,
            }
            kind = self.byte()?;
        }
    }

    /// "Digests": which of `count` streams have a CRC-32, and these; returns how many have one.
    fn digests(&mut self, count: u64) -> Option<u64> {
        let defined = if self.byte()? != 0 {
            count
        } else {
            let mut defined = 0u64;
            for _ in 0..count.div_ceil(8) {
                defined += u64::from(self.byte()?.count_ones());
            }
            defined
        };
        self.skip(defined.checked_mul(4)?)?;
        Some(defined)
    }
}
