//! Parent ↔ `blanche-reader`.
//!
//! Order of the reader's messages: [`Born`](super::Born), [`FromReader::Medium`], [`FromReader::Entries`] and
//! [`FromReader::NotRead`] while it walks, [`FromReader::Planned`], then contents in medium order mixed with
//! `NotRead`, [`FromReader::Area`], [`FromReader::Done`]. Contents that lie inside the filesystem's own structures may
//! come as [`FromReader::Content`] before `Planned`.

use super::{Cause, Digests, EntryId, FilesystemKind, Message, Modified, VolumeId};
use serde::{Deserialize, Serialize};

/// Most [`NotRead`] about one medium. A medium that is wrong in more places is wrong enough: the last one is about the
/// medium and stands for the rest.
pub const MAX_NOT_READ: u32 = 1 << 21;

/// Most areas outside files that are handed over or digested. They come on top of [`ReadLimits::max_entries`].
pub const MAX_AREAS: usize = 4096;

/// What the reader is asked to do. The medium, or the folder, is descriptor 3; the channel is descriptor 4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadJob {
    /// What descriptor 3 is.
    pub source: Source,
    /// Budgets that no medium may exceed.
    pub limits: ReadLimits,
}

/// What descriptor 3 of the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A block device or an image file.
    Medium {
        /// Bytes.
        capacity: u64,
        /// Bytes; 512 for image files.
        logical_block: u32,
    },
    /// A folder of a mounted filesystem.
    Folder,
}

/// Budgets of one reading, and the sizes in which content is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadLimits {
    /// Files, streams, links and folders on one medium.
    pub max_entries: u32,
    /// Folders in folders.
    pub max_depth: u32,
    /// Bytes of a path, separators counted.
    pub max_path: u32,
    /// Bytes of content read from one medium.
    pub max_bytes: u64,
    /// Volumes on one medium.
    pub max_volumes: u16,
    /// Content up to this many bytes is one sealed object; longer content comes in chunks.
    pub max_memory_object: u64,
    /// Small files are gathered in one object up to this many bytes …
    pub batch_bytes: u64,
    /// … or this many files.
    pub batch_files: u32,
    /// Bytes of one chunk of long content.
    pub chunk_bytes: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_entries: 1 << 22,
            max_depth: 512,
            max_path: 32 * 1024,
            max_bytes: 1 << 43,
            max_volumes: 256,
            max_memory_object: 32 << 20,
            batch_bytes: 4 << 20,
            batch_files: 256,
            chunk_bytes: 8 << 20,
        }
    }
}

/// What the reader says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromReader {
    /// Partition tables and volumes; the first message.
    Medium(MediumLayout),
    /// The next entries, numbered on without a gap.
    Entries(Vec<Entry>),
    /// The walk is over: what will be read.
    Planned {
        /// Files, streams and links, without areas and further names.
        files: u32,
        /// Their bytes.
        bytes: u64,
    },
    /// A sealed object (descriptor) that holds one or more whole contents.
    Content(Content),
    /// A sealed object (descriptor) that holds the next part of one long content. Chunks of one content follow each
    /// other without a gap and without another content's chunk between them.
    Chunk(Chunk),
    /// Something that could not be read or was not.
    NotRead(NotRead),
    /// The area ledger (security rule 1).
    Area(AreaReport),
    /// The last message.
    Done(ReadTotals),
}

impl Message for ReadJob {
    const MAX_BYTES: u32 = 4096;
    const MAX_FDS: usize = 0;
}

impl Message for FromReader {
    const MAX_BYTES: u32 = 4 << 20;
    const MAX_FDS: usize = 1;
}

/// The medium as its tables describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumLayout {
    /// Bytes.
    pub capacity: u64,
    /// Bytes.
    pub logical_block: u32,
    /// The table or tables that were found; empty on a superfloppy.
    pub tables: Vec<PartitionTable>,
    /// In the order of their start; identifiers are their positions in this list.
    pub volumes: Vec<Volume>,
}

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionTable {
    /// Master boot record (UEFI 2.10, 5.2.1).
    Mbr,
    /// GUID partition table, primary (UEFI 2.10, 5.3).
    GptPrimary,
    /// GUID partition table, the copy at the end.
    GptBackup,
}

/// One filesystem, or what should have been one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Where it was announced.
    pub role: VolumeRole,
    /// The type that the table states; absent on a superfloppy.
    pub partition_type: Option<PartitionType>,
    /// A hidden partition type or attribute.
    pub hidden: bool,
    /// An EFI system partition.
    pub efi: bool,
    /// What its content is, by signature.
    pub filesystem: FilesystemKind,
    /// Volume label, in `encoding`; at most 255 bytes.
    pub label: Option<Vec<u8>>,
    /// Volume serial number or UUID as hexadecimal digits.
    pub identifier: Option<String>,
    /// How names of its entries are encoded.
    pub encoding: NameEncoding,
    /// Which of several trees over the same bytes this is; absent where there is only one.
    pub view: Option<View>,
}

/// One of the trees that a volume shows: hosts choose one of them, and each is read as a volume of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whose names and folders.
    pub tree: Tree,
    /// Session of a multi-session medium, from 1; 0 where there is only one.
    pub session: u16,
}

/// A way to see the files of one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// The primary volume descriptor of ISO 9660 (ECMA-119, 8.4), without extensions.
    Iso9660,
    /// The same folders with the names of Rock Ridge (IEEE P1282).
    RockRidge,
    /// A supplementary volume descriptor with UCS-2 names (Joliet specification).
    Joliet,
    /// An enhanced volume descriptor (ECMA-119 4th edition, 8.5).
    Enhanced,
    /// UDF (ECMA-167) on the same bytes as another filesystem.
    Udf,
    /// The filesystem that the boot sector names, on the same bytes as another one.
    BootSector,
    /// ext2, ext3 or ext4 on the same bytes as another filesystem.
    Ext,
    /// FAT read through another allocation table than the first.
    OtherTable,
}

/// Where a volume was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeRole {
    /// The whole medium, without a table.
    Superfloppy,
    /// A primary MBR partition.
    Primary,
    /// A logical MBR partition.
    Logical,
    /// A GPT partition.
    Gpt,
    /// Outside every partition that a table announces; found by its signature.
    Gap,
    /// A folder given as target.
    Folder,
}

/// The type of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionType {
    /// MBR type byte.
    Mbr(u8),
    /// GPT type GUID as on disk.
    Gpt(#[serde(with = "super::hex")] [u8; 16]),
}

/// How a name's bytes are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameEncoding {
    /// UTF-16 units as WTF-8.
    Wtf8,
    /// Bytes without a stated encoding.
    Bytes,
}

/// A file, folder, stream or link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its volume; absent for an area outside every volume.
    pub volume: Option<VolumeId>,
    /// Its folder (or, for a stream, the entry that it belongs to), announced earlier; absent at the root.
    pub parent: Option<EntryId>,
    /// Its own name without the path, as the filesystem has it; at most 1024 bytes, never empty.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content, for a link those of its target; 0 for folders.
    pub size: u64,
    /// Flags of the filesystem.
    pub attributes: Attributes,
    /// An entry announced earlier whose content this is another name of (a hard link, or the same extents in another
    /// view): a link for a link, a file or stream for those. The content is handed over once, there.
    pub same_as: Option<EntryId>,
    /// When its content was last changed; absent where the filesystem does not say, or says what no calendar has.
    pub modified: Option<Modified>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A file.
    File,
    /// A named stream of its parent.
    Stream,
    /// A symbolic link or a reparse point that names another place: never followed. Its content is what the filesystem
    /// stores as its target (docs/tag-format.md, section 7), handed over like that of a file.
    Link,
    /// Anything else.
    Other,
    /// Boot code or tables, which no folder names: matched like a content, but not opened as a container and not counted
    /// among the files.
    Area,
}

impl EntryKind {
    /// Whether an entry has a content that counts among those of the medium. An area is handed over too, but the area
    /// ledger counts it.
    #[must_use]
    pub const fn has_content(self) -> bool {
        matches!(self, Self::File | Self::Stream | Self::Link)
    }
}

/// Flags of the filesystem, as information.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Attributes {
    pub hidden: bool,
    pub system: bool,
    pub read_only: bool,
    /// The short name that FAT or NTFS keep beside this one is none that a host makes of it (docs/tag-format.md, section 11).
    /// Of names beyond ASCII it may also be one that is: nobody asks about those.
    pub strange_short_name: bool,
}

/// One sealed object with whole contents, in the order of their offsets, without overlap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// At least one.
    pub pieces: Vec<Piece>,
}

/// One whole content inside a sealed object. Byte `i` of the piece is byte `i` of the entry; ranges that could not be
/// read are zeros here and announced as [`NotRead`] before this message; what is missing at the end likewise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Whose content.
    pub entry: EntryId,
    /// First byte in the object.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// What the reader computed over exactly these bytes.
    pub digests: Digests,
    /// BLAKE3 chaining values of its begun MiB, if it is longer than one [`SUBTREE`].
    pub subtrees: Vec<Subtree>,
}

/// A part of a long content; the object holds exactly `length` bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Whose content.
    pub entry: EntryId,
    /// First byte within the entry.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// With the last chunk: the digests of the whole.
    pub last: Option<Digests>,
    /// The next BLAKE3 chaining values: of each MiB that is known to be over. All chunks together have one for each begun
    /// MiB, if the content is longer than one [`SUBTREE`], and none otherwise.
    pub subtrees: Vec<Subtree>,
}

/// Bytes under one chaining value of a content.
pub const SUBTREE: u64 = 1 << 20;

/// The non-root output of a BLAKE3 subtree (BLAKE3 specification, 2.4): a verifier can check one MiB of a content with it.
pub type Subtree = [u8; 32];

/// How many chaining values a content of `length` bytes has: none up to one [`SUBTREE`].
#[must_use]
pub fn subtrees_of(length: u64) -> u64 {
    if length <= SUBTREE { 0 } else { length.div_ceil(SUBTREE) }
}

/// Something that was not read. It never disappears: it stands in the content ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRead {
    /// What it is about.
    pub subject: Subject,
    /// First byte: within the entry for entries, on the medium otherwise.
    pub offset: u64,
    /// Bytes; 0 when it is not known how much is missing (a folder that cannot be listed).
    pub length: u64,
    /// Why.
    pub cause: Cause,
}

/// What a [`NotRead`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The medium as a whole.
    Medium,
    /// One volume.
    Volume(VolumeId),
    /// One entry.
    Entry(EntryId),
}

/// The area ledger: every byte of the medium has one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaReport {
    /// One line per volume and class; all `bytes` add up to the capacity. Empty for a folder.
    pub sums: Vec<AreaSum>,
    /// What was read and digested outside files; at most [`MAX_AREAS`] lines.
    pub digests: Vec<AreaDigest>,
    /// Where the boot areas are that a tag binds, in order of start, length, kind and volume; at most [`MAX_AREAS`] lines.
    /// Empty when there are more.
    pub boot: Vec<BootArea>,
}

/// A range outside files that decides what a host sees (docs/tag-format.md, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootArea {
    /// What it holds.
    pub kind: BootAreaKind,
    /// Absent for tables and gaps.
    pub volume: Option<VolumeId>,
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// What a boot area holds, in the order of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BootAreaKind {
    /// Master boot record: one block.
    Mbr,
    /// Extended boot record: one block.
    Ebr,
    /// GPT at the start: from its header to the end of its entries.
    GptPrimary,
    /// GPT at the end: from the start of its entries to its header's end.
    GptBackup,
    /// Reserved region of FAT.
    Fat,
    /// Main and backup boot region of exFAT.
    ExFat,
    /// First 8192 bytes of NTFS.
    Ntfs,
    /// Copy of the boot sector of NTFS.
    NtfsBackup,
    /// Boot block and superblock of ext.
    Ext,
    /// Start of any other volume.
    Head,
    /// Start or end of a range that belongs to no volume and no table.
    Gap,
}

/// How much of a volume (or of the medium outside volumes) is of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaSum {
    /// Absent outside volumes.
    pub volume: Option<VolumeId>,
    /// The class.
    pub class: AreaClass,
    /// Bytes of that class.
    pub bytes: u64,
    /// How many of them were read.
    pub looked_at: u64,
}

/// What a sector is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaClass {
    /// Partition tables.
    Table,
    /// Boot sectors and boot code.
    Boot,
    /// Allocation tables, folders, journals.
    Metadata,
    /// Content of files.
    File,
    /// Between the end of a file and the end of its last cluster.
    Slack,
    /// Not in use, according to the filesystem.
    Free,
    /// Outside every volume.
    Gap,
    /// A volume that was not read.
    Unknown,
}

/// Digest of an area outside files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaDigest {
    /// The class.
    pub class: AreaClass,
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// SHA-256.
    #[serde(with = "super::hex")]
    pub sha256: [u8; 32],
}

/// What the reader did, for the parent to compare with what it received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTotals {
    /// Entries announced.
    pub entries: u32,
    /// Contents handed over.
    pub contents: u32,
    /// Bytes of content handed over.
    pub bytes: u64,
}
