//! With which engines, bases, limits and policy a medium was checked.

use super::{MAX_TIME, Sha256, Time, put_list, take_text};
use crate::cbor::{Malformed, Reader, Writer};
use std::collections::BTreeMap;

/// How the medium was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct How {
    /// At least one.
    pub engines: Vec<Engine>,
    /// Limits in force, by name.
    pub limits: BTreeMap<String, u64>,
    /// Identifier of the policy.
    pub policy: String,
    /// Its version.
    pub policy_version: u64,
    /// Name and version of the station's program.
    pub program: String,
}

/// One engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Such as `clamav`.
    pub name: String,
    /// Of its library or program.
    pub version: String,
    /// What it loaded.
    pub bases: Vec<Base>,
}

/// One base or rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// File name, or name of the rule set.
    pub name: String,
    /// As it states it.
    pub version: String,
    /// As it states it.
    pub date: Time,
    /// Signatures or rules.
    pub signatures: u64,
    /// Of the file, or of all files.
    pub sha256: Sha256,
}

impl How {
    pub(super) fn put(&self, writer: &mut Writer) {
        writer.map(5).unsigned(0u8);
        put_list(writer, &self.engines, Engine::put);
        writer.unsigned(1u8).map(self.limits.len());
        // Deterministic order of text keys: the shorter first, because the length is encoded before the text.
        let mut limits: Vec<_> = self.limits.iter().collect();
        limits.sort_by_key(|(name, _)| (name.len(), *name));
        for (name, limit) in limits {
            writer.text(name).unsigned(*limit);
        }
        writer.unsigned(2u8).text(&self.policy).unsigned(3u8).unsigned(self.policy_version);
        writer.unsigned(4u8).text(&self.program);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut fields = reader.fields()?;
        fields.need(reader, 0)?;
        let engines = reader.list(1, 16, Engine::take)?;
        fields.need(reader, 1)?;
        let limits = take_limits(reader)?;
        fields.need(reader, 2)?;
        let policy = take_text(reader)?;
        fields.need(reader, 3)?;
        let policy_version = reader.unsigned()?;
        fields.need(reader, 4)?;
        let program = take_text(reader)?;
        fields.end(reader)?;
        Ok(Self { engines, limits, policy, policy_version, program })
    }
}

fn take_limits(reader: &mut Reader<'_>) -> Result<BTreeMap<String, u64>, Malformed> {
    let (major, length) = reader.head()?;
    if major != 5 || length > 64 {
        return reader.wrong("not a map of up to 64 limits");
    }
    (0..length).map(|_| Ok((take_text(reader)?, reader.unsigned()?))).collect()
}

impl Engine {
    fn put(&self, writer: &mut Writer) {
        writer.array(3).text(&self.name).text(&self.version);
        put_list(writer, &self.bases, Base::put);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(3)?;
        let (name, version) = (take_text(reader)?, take_text(reader)?);
        Ok(Self { name, version, bases: reader.list(1, 64, Base::take)? })
    }
}

impl Base {
    fn put(&self, writer: &mut Writer) {
        writer.array(5).text(&self.name).text(&self.version).unsigned(self.date).unsigned(self.signatures);
        writer.bytes(&self.sha256);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(5)?;
        let (name, version) = (take_text(reader)?, take_text(reader)?);
        let date = reader.up_to(MAX_TIME)?;
        Ok(Self { name, version, date, signatures: reader.unsigned()?, sha256: reader.array_of()? })
    }
}
