//! Volumes of a medium.

use super::{put_choice, take_choice, take_text};
use crate::cbor::{Item, Malformed, Reader, Writer};

/// One filesystem, or one of several trees over the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Where it was announced.
    pub role: Role,
    /// What it is.
    pub filesystem: Filesystem,
    /// Serial number or UUID in lower-case hexadecimal digits.
    pub identifier: Option<String>,
    /// Type in the partition table.
    pub partition_type: Option<PartitionType>,
    /// Hidden by the table.
    pub hidden: bool,
    /// EFI system partition.
    pub efi: bool,
    /// How names are encoded.
    pub names: Names,
    /// With which code page 8.3 names were read.
    pub code_page: Option<u32>,
    /// Which of several trees.
    pub view: Option<View>,
}

/// Where a volume was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Role {
    WholeMedium,
    Primary,
    Logical,
    Gpt,
    Gap,
}

const ROLES: [Role; 5] = [Role::WholeMedium, Role::Primary, Role::Logical, Role::Gpt, Role::Gap];

/// Filesystems whose media can be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Filesystem {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
    Ntfs,
    Ext,
    Iso9660,
    Udf,
    Blank,
}

const FILESYSTEMS: [(Filesystem, &str); 9] = [
    (Filesystem::Fat12, "fat12"),
    (Filesystem::Fat16, "fat16"),
    (Filesystem::Fat32, "fat32"),
    (Filesystem::ExFat, "exfat"),
    (Filesystem::Ntfs, "ntfs"),
    (Filesystem::Ext, "ext"),
    (Filesystem::Iso9660, "iso9660"),
    (Filesystem::Udf, "udf"),
    (Filesystem::Blank, "blank"),
];

impl Filesystem {
    /// As it stands in claims.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        FILESYSTEMS.iter().find(|(filesystem, _)| *filesystem == self).map_or("", |(_, name)| name)
    }
}

/// The type of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionType {
    /// MBR type byte.
    Mbr(u8),
    /// GPT type GUID as on the disk.
    Gpt([u8; 16]),
}

/// How names are encoded (section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// UTF-16 units as WTF-8.
    Wtf8,
    /// Bytes as on the medium.
    Bytes,
}

const NAMES: [Names; 2] = [Names::Wtf8, Names::Bytes];

/// One of several trees over the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct View {
    /// Whose names and folders.
    pub tree: Tree,
    /// Session of a multi-session medium, from 1; 0 where there is only one.
    pub session: u16,
}

/// Whose names and folders a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Tree {
    Iso9660,
    RockRidge,
    Joliet,
    Enhanced,
    Udf,
    BootSector,
    Ext,
    OtherTable,
}

const TREES: [(Tree, &str); 8] = [
    (Tree::Iso9660, "iso9660"),
    (Tree::RockRidge, "rock_ridge"),
    (Tree::Joliet, "joliet"),
    (Tree::Enhanced, "enhanced"),
    (Tree::Udf, "udf"),
    (Tree::BootSector, "boot_sector"),
    (Tree::Ext, "ext"),
    (Tree::OtherTable, "other_table"),
];

fn put_word<T: PartialEq>(writer: &mut Writer, words: &[(T, &str)], chosen: &T) {
    let word = words.iter().find(|(value, _)| value == chosen).map_or("", |(_, word)| word);
    writer.text(word);
}

fn take_word<T: Copy>(reader: &mut Reader<'_>, words: &[(T, &str)]) -> Result<T, Malformed> {
    let text = reader.text()?;
    let found = words.iter().find(|(_, word)| *word == text);
    found.map_or_else(|| reader.wrong("unknown word"), |(value, _)| Ok(*value))
}

impl Volume {
    pub(super) fn put(&self, writer: &mut Writer) {
        let optional =
            [self.identifier.is_some(), self.partition_type.is_some(), self.code_page.is_some(), self.view.is_some()];
        writer.map(optional.iter().filter(|there| **there).count().saturating_add(7));
        writer.unsigned(0u8).unsigned(self.start).unsigned(1u8).unsigned(self.length).unsigned(2u8);
        put_choice(writer, &ROLES, &self.role);
        writer.unsigned(3u8);
        put_word(writer, &FILESYSTEMS, &self.filesystem);
        if let Some(identifier) = &self.identifier {
            writer.unsigned(4u8).text(identifier);
        }
        match &self.partition_type {
            Some(PartitionType::Mbr(byte)) => writer.unsigned(5u8).unsigned(*byte),
            Some(PartitionType::Gpt(guid)) => writer.unsigned(5u8).bytes(guid),
            None => writer,
        };
        writer.unsigned(6u8).boolean(self.hidden).unsigned(7u8).boolean(self.efi).unsigned(8u8);
        put_choice(writer, &NAMES, &self.names);
        if let Some(page) = self.code_page {
            writer.unsigned(9u8).unsigned(page);
        }
        if let Some(view) = &self.view {
            writer.unsigned(10u8).array(2);
            put_word(writer, &TREES, &view.tree);
            writer.unsigned(view.session);
        }
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut fields = reader.fields()?;
        fields.need(reader, 0)?;
        let start = reader.unsigned()?;
        fields.need(reader, 1)?;
        let length = reader.unsigned()?;
        fields.need(reader, 2)?;
        let role = take_choice(reader, &ROLES)?;
        fields.need(reader, 3)?;
        let filesystem = take_word(reader, &FILESYSTEMS)?;
        let identifier = if fields.has(reader, 4)? { Some(take_identifier(reader)?) } else { None };
        let partition_type = if fields.has(reader, 5)? { Some(take_partition_type(reader)?) } else { None };
        fields.need(reader, 6)?;
        let hidden = reader.boolean()?;
        fields.need(reader, 7)?;
        let efi = reader.boolean()?;
        fields.need(reader, 8)?;
        let names = take_choice(reader, &NAMES)?;
        let code_page = if fields.has(reader, 9)? { Some(reader.up_to(0xffff)?) } else { None };
        let view = if fields.has(reader, 10)? { Some(take_view(reader)?) } else { None };
        fields.end(reader)?;
        Ok(Self { start, length, role, filesystem, identifier, partition_type, hidden, efi, names, code_page, view })
    }

    /// Order of volumes.
    pub(super) fn key(&self) -> (u64, u64, Option<View>) {
        (self.start, self.length, self.view)
    }
}

fn take_identifier(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let text = take_text(reader)?;
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits && !text.is_empty() { Ok(text) } else { reader.wrong("identifier that is not hexadecimal") }
}

fn take_partition_type(reader: &mut Reader<'_>) -> Result<PartitionType, Malformed> {
    match reader.item()? {
        Item::Unsigned(byte) => {
            u8::try_from(byte).map(PartitionType::Mbr).or_else(|_| reader.wrong("not a partition type"))
        }
        Item::Bytes(guid) => {
            <[u8; 16]>::try_from(guid).map(PartitionType::Gpt).or_else(|_| reader.wrong("not a partition type"))
        }
        _ => reader.wrong("not a partition type"),
    }
}

fn take_view(reader: &mut Reader<'_>) -> Result<View, Malformed> {
    reader.tuple(2)?;
    Ok(View { tree: take_word(reader, &TREES)?, session: reader.up_to(0xffff)? })
}
