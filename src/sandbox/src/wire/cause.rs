//! Why something was not checked. The list is closed on purpose: each cause has one French and one English sentence
//! (`blanche_scan::words`), and the compiler refuses a cause without them.

use serde::{Deserialize, Serialize};

/// Why a medium, a volume, an entry or a part of one was not checked. Any of these makes the verdict *Incomplete* at
/// best (security rule 1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", tag = "cause", content = "detail")]
pub enum Cause {
    // What the medium did
    /// The device answered a read with an error.
    Unreadable,
    /// The device vanished during the session.
    MediumRemoved,
    /// A structure on the medium contradicts itself or another.
    Corrupt(Corruption),
    /// A filesystem that this build recognises but does not read.
    FilesystemUnsupported(FilesystemKind),
    /// A filesystem that is read stores this in a way that is not.
    FeatureUnsupported(Feature),
    /// A volume that holds data in which nothing was recognised.
    UnknownContent,
    /// Two names that are equal under the filesystem's own folding.
    AmbiguousNames,
    /// A reading limit was reached.
    ReadLimit(ReadLimit),

    // What a folder did (folder targets only)
    /// A pipe, socket or device node.
    NotRegularFile,
    /// The caller may not read it.
    PermissionDenied,
    /// Another filesystem is mounted here.
    OtherFilesystem,
    /// Its size changed while it was read.
    ChangedWhileRead,

    // What the content is
    /// A container that nothing in this build opens.
    ContainerUnsupported(Container),
    /// A container whose structure is damaged or that gave none of its content.
    ContainerBroken(Container),
    /// A container, or something in it, is protected by a password.
    Encrypted(Container),

    // What the engines did
    /// An engine reached one of its limits.
    EngineLimit(EngineLimit),
    /// An engine took longer than its time limit on this content.
    EngineTimeout,
    /// An engine answered with an error; the text names engine and error.
    EngineFailed(String),
    /// The matching process died on this content.
    MatcherCrashed,
    /// The matching process gave no answer in time on this content and was killed.
    MatcherHung,
    /// Matching this content would need more memory than allowed.
    MatcherMemory,
    /// The engines could not be started again.
    EnginesLost,

    // What the children said
    /// Reader and matcher hashed the same content object to different digests.
    DigestsDiffer,
    /// The reader handed over an object that was not sealed, too short or out of order.
    ContentRefused,
    /// The reader ended before it had read everything.
    ReaderLost,
    /// The reader announced this content and never handed it over.
    NeverRead,

    // What a person or the station did
    /// Somebody stopped the scan.
    Cancelled,
    /// The spool has no room for this content.
    SpoolFull,
}

/// Which structure is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corruption {
    /// MBR, EBR chain or GPT.
    PartitionTable,
    /// A partition that starts or ends outside the medium, or overlaps another.
    PartitionBounds,
    /// Boot sector or superblock.
    BootSector,
    /// File allocation table, bitmap or extent tree.
    Allocation,
    /// A cluster or block chain that loops, leaves the volume or ends early.
    Chain,
    /// A chain that runs through clusters of another entry.
    CrossLinked,
    /// A directory.
    Directory,
    /// A checksum does not match.
    Checksum,
    /// The inode, file record or file entry.
    FileRecord,
    /// Compressed content that does not unpack.
    Compression,
    /// Two filesystems claim the same place, so hosts disagree about what is there.
    SecondFilesystem,
    /// Entries in use that no folder names.
    Unreachable,
}

/// A way of storing content that a filesystem has and this build does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Encrypted by the filesystem (NTFS EFS, fscrypt).
    Encryption,
    /// Compressed in a form other than NTFS compression (WOF / CompactOS, ext compression).
    Compression,
    /// Deduplicated: the content lies in a store of its own (NTFS deduplication).
    Deduplication,
    /// A placeholder whose content is elsewhere (cloud files, hierarchical storage).
    StoredElsewhere,
    /// A reparse point that only a program on the host can interpret.
    ReparsePoint,
    /// Changes that wait in a journal: a host that mounts the volume would first carry them out.
    PendingJournal,
    /// Content that a sleeping computer would change when it wakes (Windows hibernation, fast start).
    Hibernation,
    /// A flag of the filesystem that says "do not read me unless you know this".
    UnknownFlag,
    /// Files in interleaved pieces (ISO 9660).
    Interleaved,
    /// A kind of partition map within the filesystem (UDF virtual, sparable or metadata partitions).
    PartitionMap,
}

/// A limit of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadLimit {
    /// Files and folders on one medium.
    Entries,
    /// Depth of folders.
    Depth,
    /// Length of a path in bytes.
    PathLength,
    /// Bytes of content on one medium.
    Bytes,
    /// Volumes on one medium.
    Volumes,
    /// Names of one content with an extension each.
    Names,
}

/// A limit of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineLimit {
    /// Size of one file or layer.
    FileSize,
    /// Sum of all bytes unpacked from one file.
    ScanSize,
    /// Number of files in one container.
    Files,
    /// Depth of containers in containers.
    Recursion,
    /// Time for one file.
    Time,
    /// Another limit that the engine reported.
    Other,
}

/// Filesystems and volume formats that are recognised by their signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum FilesystemKind {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
    Ntfs,
    Ext,
    Iso9660,
    Udf,
    HfsPlus,
    Apfs,
    Xfs,
    Btrfs,
    F2fs,
    Refs,
    SquashFs,
    Luks,
    BitLocker,
    Lvm,
    LinuxRaid,
    Swap,
    Hfs,
    Minix,
    CramFs,
    RomFs,
    Erofs,
    Nilfs2,
    Jfs,
    ReiserFs,
    Ufs,
    Zfs,
    Bcachefs,
    Hpfs,
    Befs,
    Qnx4,
    Gfs2,
    Ocfs2,
    Vmfs,
    /// The first and the last MiB hold zeros only: a workstation sees no filesystem here.
    Blank,
    /// Nothing was recognised.
    Unknown,
    /// A folder of a filesystem that the kernel has mounted.
    MountedFolder,
}

/// Formats that hold other files, or code that reaches other files. docs/containers.md says who opens each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Container {
    Zip,
    SevenZip,
    Rar,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    LzmaAlone,
    Zstd,
    Lz4,
    Lzip,
    Lzop,
    Brotli,
    Compress,
    Cab,
    Arj,
    Lha,
    Ace,
    Alz,
    Egg,
    Zoo,
    Cpio,
    Ar,
    Xar,
    Rpm,
    Wim,
    Vhd,
    Vhdx,
    Vmdk,
    Vdi,
    Qcow2,
    /// In a form of its own that is none of the above.
    VirtualDisk,
    RawDisk,
    SquashFs,
    CramFs,
    Iso9660,
    Udf,
    Dmg,
    Pst,
    Mbox,
    Eml,
    Tnef,
    Ole2,
    Ooxml,
    OpenDocument,
    OneNote,
    Pdf,
    Rtf,
    Chm,
    Swf,
    Msi,
    InstallShield,
    Nsis,
    AutoIt,
    UuEncode,
    BinHex,
    /// A private key, PGP message or other blob encrypted as a whole.
    EncryptedBlob,
    StuffIt,
    Zpaq,
    Lrzip,
    /// A part of a file that was cut into several.
    Split,
    /// Cryptographic Message Syntax: content that is signed or compressed as a whole.
    Cms,
    /// Bytes written as text, in a file of their own: Intel HEX, base 64.
    EncodedText,
    /// A program that carries files in a form that is none of the above.
    Installer,
    Access,
    Warc,
}

impl Container {
    /// Whether it is an image of a disk that the station's own readers may look into.
    #[must_use]
    pub const fn is_disk_image(self) -> bool {
        matches!(self, Self::RawDisk | Self::Udf | Self::Iso9660)
    }
}
