//! The two ledgers: content and area.

use super::{Sha256, Uuid, put_choice, take_choice, take_text};
use crate::cbor::{Malformed, Reader, Writer};

/// What the manifest holds, and how much of it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Length of the manifest in bytes.
    pub manifest_length: u64,
    /// Of the manifest.
    pub manifest_sha256: Sha256,
    /// Entries in the manifest.
    pub entries: u64,
    /// Files.
    pub files: u64,
    /// Named streams.
    pub streams: u64,
    /// Folders.
    pub folders: u64,
    /// Links.
    pub links: u64,
    /// Device nodes and the like.
    pub others: u64,
    /// Bytes of files, streams and links.
    pub bytes: u64,
    /// Read, hashed and matched.
    pub checked: u64,
    /// Not checked, by an exception.
    pub skipped: u64,
    /// Not delivered by the device, by an exception.
    pub unreadable: u64,
}

impl Content {
    pub(super) fn put(&self, writer: &mut Writer) {
        writer.map(12).unsigned(0u8).unsigned(self.manifest_length).unsigned(1u8).bytes(&self.manifest_sha256);
        let numbers = [
            self.entries,
            self.files,
            self.streams,
            self.folders,
            self.links,
            self.others,
            self.bytes,
            self.checked,
            self.skipped,
            self.unreadable,
        ];
        for (key, number) in (2u8..).zip(numbers) {
            writer.unsigned(key).unsigned(number);
        }
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut fields = reader.fields()?;
        fields.need(reader, 0)?;
        let manifest_length = reader.unsigned()?;
        fields.need(reader, 1)?;
        let manifest_sha256 = reader.array_of()?;
        let mut numbers = [0; 10];
        for (key, number) in (2..).zip(&mut numbers) {
            fields.need(reader, key)?;
            *number = reader.unsigned()?;
        }
        fields.end(reader)?;
        let [entries, files, streams, folders, links, others, bytes, checked, skipped, unreadable] = numbers;
        Ok(Self {
            manifest_length,
            manifest_sha256,
            entries,
            files,
            streams,
            folders,
            links,
            others,
            bytes,
            checked,
            skipped,
            unreadable,
        })
    }
}

/// What sectors are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum AreaClass {
    Table,
    Boot,
    Metadata,
    File,
    Slack,
    Free,
    Gap,
}

const CLASSES: [AreaClass; 7] = [
    AreaClass::Table,
    AreaClass::Boot,
    AreaClass::Metadata,
    AreaClass::File,
    AreaClass::Slack,
    AreaClass::Free,
    AreaClass::Gap,
];

/// How much of a volume is of one class, and how much of that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaSum {
    /// The class.
    pub class: AreaClass,
    /// Absent outside volumes.
    pub volume: Option<u32>,
    /// Bytes of that class.
    pub bytes: u64,
    /// How many of them were read.
    pub looked_at: u64,
}

impl AreaSum {
    pub(super) fn put(&self, writer: &mut Writer) {
        writer.array(4);
        put_choice(writer, &CLASSES, &self.class);
        writer.nullable(self.volume, |writer, volume| {
            writer.unsigned(volume);
        });
        writer.unsigned(self.bytes).unsigned(self.looked_at);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(4)?;
        let class = take_choice(reader, &CLASSES)?;
        let volume = reader.nullable(|reader| reader.up_to(255))?;
        Ok(Self { class, volume, bytes: reader.unsigned()?, looked_at: reader.unsigned()? })
    }
}

/// A signed exception under which content was left unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentException {
    /// Its identifier.
    pub identifier: Uuid,
    /// SHA-256 of its envelope.
    pub object: Sha256,
    /// Why, in words.
    pub cause: String,
    /// Bytes that were skipped under it.
    pub skipped: u64,
    /// Bytes that the device did not deliver.
    pub unreadable: u64,
}

impl ContentException {
    pub(super) fn put(&self, writer: &mut Writer) {
        writer.array(5).bytes(&self.identifier).bytes(&self.object).text(&self.cause);
        writer.unsigned(self.skipped).unsigned(self.unreadable);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(5)?;
        let (identifier, object) = (reader.array_of()?, reader.array_of()?);
        let cause = take_text(reader)?;
        Ok(Self { identifier, object, cause, skipped: reader.unsigned()?, unreadable: reader.unsigned()? })
    }
}
