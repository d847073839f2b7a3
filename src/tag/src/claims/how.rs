//! With which engines, bases, limits and policy a medium was checked.

use super::{MAX_TIME, Sha256, Time, put_list, take_text};
use crate::cbor::{Malformed, Reader, Writer};
use std::collections::BTreeMap;

/// Seconds by which a base may be dated after the tag: bases are dated by whoever publishes them.
const DATED_LATER: u64 = 86_400;

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

/// Whether a policy may name a base so: what is compared is a name up to its first full stop.
#[must_use]
pub fn is_base_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('.')
}

/// Why the bases of a tag are not good enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum BaseDoubt {
    #[error("no base {0:?}")]
    Missing(String),
    #[error("base {name:?} of {date}, issued {issued}: too old")]
    TooOld { name: String, date: Time, issued: Time },
    #[error("base {name:?} of {date}, issued {issued}: from the future")]
    InFuture { name: String, date: Time, issued: Time },
}

impl How {
    /// The bases as step 15 of the specification judges them: each name in `fresh` is that of a base with signatures (up to its
    /// first full stop: `daily` is that of `daily.cvd`), no base of such a name was older than `max_age` seconds when the tag
    /// was issued, and no base at all is dated more than a day later.
    ///
    /// # Errors
    /// The first [`BaseDoubt`].
    pub fn check_bases(&self, fresh: &[String], max_age: u64, issued: Time) -> Result<(), BaseDoubt> {
        let bases = || self.engines.iter().flat_map(|engine| &engine.bases);
        if let Some(name) = fresh.iter().find(|name| !bases().any(|base| base.is_called(name))) {
            return Err(BaseDoubt::Missing(name.clone()));
        }
        for base in bases() {
            let (name, date) = (|| base.name.clone(), base.date);
            if issued.saturating_sub(date) > max_age && fresh.iter().any(|name| base.is_called(name)) {
                return Err(BaseDoubt::TooOld { name: name(), date, issued });
            }
            if date > issued.saturating_add(DATED_LATER) {
                return Err(BaseDoubt::InFuture { name: name(), date, issued });
            }
        }
        Ok(())
    }

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
    /// Whether this is its name up to the first full stop, and it has anything to find.
    fn is_called(&self, name: &str) -> bool {
        self.signatures > 0 && self.name.split('.').next() == Some(name)
    }

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
