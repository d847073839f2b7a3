//! The medium and its boot areas.

use super::{Sha256, put_choice, put_list, take_choice, take_text};
use crate::cbor::{Malformed, Reader, Writer};
use crate::usb::Usb;
use sha2::{Digest, Sha256 as Hash};

/// The medium as the station saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// Bytes.
    pub capacity: u64,
    /// Logical block size in bytes: 512, 1024, 2048 or 4096.
    pub block: u32,
    /// Only if the USB device is the medium.
    pub usb: Option<Usb>,
    /// In order of start and length.
    pub areas: Vec<Area>,
    /// The volume that has the tag at its root; absent for a detached tag.
    pub tag_volume: Option<u32>,
}

/// What a boot area holds, and so how it is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AreaKind {
    /// Master boot record: one block.
    Mbr,
    /// Extended boot record: one block.
    Ebr,
    /// GPT header and entries at the start.
    GptPrimary,
    /// GPT entries and header at the end.
    GptBackup,
    /// Reserved region of FAT12, FAT16, FAT32.
    Fat,
    /// Main and backup boot region of exFAT.
    ExFat,
    /// First 8192 bytes of NTFS.
    Ntfs,
    /// Copy of the boot sector after an NTFS volume.
    NtfsBackup,
    /// Boot block and superblock of ext.
    Ext,
    /// Start of any other volume.
    Head,
    /// Start or end of a range that belongs to no volume.
    Gap,
}

const KINDS: [AreaKind; 11] = [
    AreaKind::Mbr,
    AreaKind::Ebr,
    AreaKind::GptPrimary,
    AreaKind::GptBackup,
    AreaKind::Fat,
    AreaKind::ExFat,
    AreaKind::Ntfs,
    AreaKind::NtfsBackup,
    AreaKind::Ext,
    AreaKind::Head,
    AreaKind::Gap,
];

/// A range outside files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// What it is.
    pub kind: AreaKind,
    /// Its volume; absent for tables and gaps.
    pub volume: Option<u32>,
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Of its normalised bytes.
    pub sha256: Sha256,
}

impl Medium {
    /// SHA-256 of what stays the same from tag to tag (section 14 of the specification).
    #[must_use]
    pub fn identity(&self) -> Sha256 {
        let mut writer = Writer::default();
        writer.map(2usize.saturating_add(usize::from(self.usb.is_some())));
        self.put_identity(&mut writer);
        Hash::digest(writer.into_bytes()).into()
    }

    pub(super) fn put(&self, writer: &mut Writer) {
        let fields = 3usize.saturating_add(usize::from(self.usb.is_some()));
        writer.map(fields.saturating_add(usize::from(self.tag_volume.is_some())));
        self.put_identity(writer);
        writer.unsigned(3u8);
        put_list(writer, &self.areas, Area::put);
        if let Some(volume) = self.tag_volume {
            writer.unsigned(4u8).unsigned(volume);
        }
    }

    fn put_identity(&self, writer: &mut Writer) {
        writer.unsigned(0u8).unsigned(self.capacity).unsigned(1u8).unsigned(self.block);
        if let Some(usb) = &self.usb {
            writer.unsigned(2u8).array(3).unsigned(usb.vendor).unsigned(usb.product).text(&usb.serial);
        }
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut fields = reader.fields()?;
        fields.need(reader, 0)?;
        let capacity = reader.unsigned()?;
        fields.need(reader, 1)?;
        let block = reader.up_to(4096)?;
        let usb = if fields.has(reader, 2)? { Some(take_usb(reader)?) } else { None };
        fields.need(reader, 3)?;
        let areas = reader.list(1, 4096, Area::take)?;
        let tag_volume = if fields.has(reader, 4)? { Some(reader.up_to(255)?) } else { None };
        fields.end(reader)?;
        Ok(Self { capacity, block, usb, areas, tag_volume })
    }
}

fn take_usb(reader: &mut Reader<'_>) -> Result<Usb, Malformed> {
    reader.tuple(3)?;
    let (vendor, product) = (reader.up_to(0xffff)?, reader.up_to(0xffff)?);
    Ok(Usb { vendor, product, serial: take_text(reader)? })
}

impl Area {
    fn put(&self, writer: &mut Writer) {
        writer.array(5);
        put_choice(writer, &KINDS, &self.kind);
        writer.nullable(self.volume, |writer, volume| {
            writer.unsigned(volume);
        });
        writer.unsigned(self.start).unsigned(self.length).bytes(&self.sha256);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(5)?;
        let kind = take_choice(reader, &KINDS)?;
        let volume = reader.nullable(|reader| reader.up_to(255))?;
        let (start, length) = (reader.unsigned()?, reader.unsigned()?);
        Ok(Self { kind, volume, start, length, sha256: reader.array_of()? })
    }
}
