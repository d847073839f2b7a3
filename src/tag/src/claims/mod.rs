//! What a tag says (section 6 of the specification), one CDDL rule per type.

mod check;
mod content;
mod how;
mod medium;
mod volume;

pub use content::{AreaClass, AreaSum, Content, ContentException};
pub use how::{Base, BaseDoubt, Engine, How, is_base_name};
pub use medium::{Area, AreaKind, Medium};
pub use volume::{Filesystem, Names, PartitionType, Role, Tree, View, Volume};

use crate::cbor::{self, Malformed, Reader, Writer};
use crate::envelope::{Purpose, SignedClaims};
use crate::trust::AuthorityId;
use std::fmt;

/// Format of claims that this crate reads and writes.
const FORMAT: u64 = 1;
/// Bytes of the longest text, such as the identifier of a policy.
pub const MAX_TEXT: usize = 255;
/// 9999-12-31T23:59:59Z.
const MAX_TIME: u64 = 253_402_300_799;

/// Seconds since 1970-01-01 UTC.
pub type Time = u64;
/// A SHA-256 (FIPS 180-4).
pub type Sha256 = [u8; 32];
/// A UUID (RFC 9562).
pub type Uuid = [u8; 16];

/// A station's or site's name: one label of a host name, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(String);

/// Something that is no [`Label`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: a name is 1 to 63 of a-z, 0-9 and -, with no - at its ends")]
pub struct BadLabel(pub String);

impl Label {
    /// The name in it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Label {
    type Error = BadLabel;

    fn try_from(text: &str) -> Result<Self, BadLabel> {
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let fits = (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-');
        if letters && fits { Ok(Self(text.to_owned())) } else { Err(BadLabel(text.to_owned())) }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a station found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verdict {
    Clean,
    Infected,
    Incomplete,
    Refused,
}

const VERDICTS: [Verdict; 4] = [Verdict::Clean, Verdict::Infected, Verdict::Incomplete, Verdict::Refused];

/// The claims of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// UUIDv7.
    pub tag: Uuid,
    /// Who checked.
    pub station: Label,
    /// Where.
    pub site: Label,
    /// When it was signed.
    pub issued: Time,
    /// From when on it is no longer valid.
    pub expires: Time,
    /// Rises with every tag of the station.
    pub counter: u64,
    /// Which medium.
    pub medium: Medium,
    /// Its volumes, in order of start, length and view.
    pub volumes: Vec<Volume>,
    /// The content ledger and the digest of the manifest.
    pub content: Content,
    /// The area ledger.
    pub areas: Vec<AreaSum>,
    /// With what it was checked.
    pub how: How,
    /// What came out.
    pub verdict: Verdict,
    /// What was excepted from the check.
    pub exceptions: Vec<ContentException>,
}

impl Claims {
    /// Under what the counter is remembered: authority, station, site, and the identity of the medium in hexadecimal.
    #[must_use]
    pub fn counter_key(&self, authority: AuthorityId) -> String {
        let identity: String = self.medium.identity().iter().map(|byte| format!("{byte:02x}")).collect();
        authority.key(&format!("{}.{}/{identity}", self.station, self.site))
    }
}

impl SignedClaims for Claims {
    const PURPOSE: Purpose = Purpose::Tag;

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        put_opening(&mut writer, 14, &self.tag, &self.station, &self.site, self.issued);
        writer.unsigned(5u8).unsigned(self.expires).unsigned(6u8).unsigned(self.counter);
        writer.unsigned(7u8);
        self.medium.put(&mut writer);
        writer.unsigned(8u8);
        put_list(&mut writer, &self.volumes, Volume::put);
        writer.unsigned(9u8);
        self.content.put(&mut writer);
        writer.unsigned(10u8);
        put_list(&mut writer, &self.areas, AreaSum::put);
        writer.unsigned(11u8);
        self.how.put(&mut writer);
        writer.unsigned(12u8);
        put_choice(&mut writer, &VERDICTS, &self.verdict);
        writer.unsigned(13u8);
        put_list(&mut writer, &self.exceptions, ContentException::put);
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        cbor::check(bytes, None)?;
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        let mut fields = reader.fields()?;
        let opening = take_opening(reader, &mut fields)?;
        fields.need(reader, 5)?;
        let expires = reader.up_to(MAX_TIME)?;
        fields.need(reader, 6)?;
        let counter = reader.unsigned()?;
        fields.need(reader, 7)?;
        let medium = Medium::take(reader)?;
        fields.need(reader, 8)?;
        let volumes = reader.list(1, 256, Volume::take)?;
        fields.need(reader, 9)?;
        let content = Content::take(reader)?;
        fields.need(reader, 10)?;
        let areas = reader.list(1, 4096, AreaSum::take)?;
        fields.need(reader, 11)?;
        let how = How::take(reader)?;
        fields.need(reader, 12)?;
        let verdict = take_choice(reader, &VERDICTS)?;
        fields.need(reader, 13)?;
        let exceptions = reader.list(0, 64, ContentException::take)?;
        fields.end(reader)?;
        reader.end()?;
        let Opening { id: tag, station, site, issued } = opening;
        let claims = Self {
            tag,
            station,
            site,
            issued,
            expires,
            counter,
            medium,
            volumes,
            content,
            areas,
            how,
            verdict,
            exceptions,
        };
        claims.check().map_err(|what| Malformed { at: bytes.len(), what })?;
        Ok(claims)
    }

    fn station(&self) -> &Label {
        &self.station
    }

    fn site(&self) -> &Label {
        &self.site
    }
}

/// What the claims of every purpose begin with.
pub(crate) struct Opening {
    pub(crate) id: Uuid,
    pub(crate) station: Label,
    pub(crate) site: Label,
    pub(crate) issued: Time,
}

pub(crate) fn put_opening(writer: &mut Writer, fields: usize, id: &Uuid, station: &Label, site: &Label, issued: Time) {
    writer.map(fields).unsigned(0u8).unsigned(FORMAT).unsigned(1u8).bytes(id);
    writer.unsigned(2u8).text(station.as_str()).unsigned(3u8).text(site.as_str()).unsigned(4u8).unsigned(issued);
}

pub(crate) fn take_opening(reader: &mut Reader<'_>, fields: &mut cbor::Fields) -> Result<Opening, Malformed> {
    fields.need(reader, 0)?;
    if reader.unsigned()? != FORMAT {
        return reader.wrong("another format of claims");
    }
    fields.need(reader, 1)?;
    let id = reader.array_of()?;
    fields.need(reader, 2)?;
    let station = take_label(reader)?;
    fields.need(reader, 3)?;
    let site = take_label(reader)?;
    fields.need(reader, 4)?;
    let issued = reader.up_to(MAX_TIME)?;
    Ok(Opening { id, station, site, issued })
}

fn take_label(reader: &mut Reader<'_>) -> Result<Label, Malformed> {
    let text = reader.text()?;
    Label::try_from(text).or_else(|_| reader.wrong("not a name of station or site"))
}

/// A text of up to [`MAX_TEXT`] bytes.
fn take_text(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let text = reader.text()?;
    if text.len() > MAX_TEXT { reader.wrong("text too long") } else { Ok(text.to_owned()) }
}

fn put_list<T>(writer: &mut Writer, items: &[T], put: impl Fn(&T, &mut Writer)) {
    writer.array(items.len());
    items.iter().for_each(|item| put(item, writer));
}

/// One of a list of choices, as its position in it.
fn put_choice<T: PartialEq>(writer: &mut Writer, choices: &[T], chosen: &T) {
    let at = choices.iter().position(|choice| choice == chosen).unwrap_or(choices.len());
    writer.unsigned(u64::try_from(at).unwrap_or(u64::MAX));
}

fn take_choice<T: Copy>(reader: &mut Reader<'_>, choices: &[T]) -> Result<T, Malformed> {
    let at: usize = reader.up_to(u64::MAX)?;
    choices.get(at).copied().map_or_else(|| reader.wrong("unknown choice"), Ok)
}
