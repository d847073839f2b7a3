//! Revocation lists: tags and contents that are no longer trusted (section 12 of the specification; step 13).

use crate::cbor::{self, Malformed, Reader, Writer};
use crate::claims::{Label, Opening, Sha256, Time, Uuid, put_opening, take_opening};
use crate::envelope::{Envelope, Purpose, SignedClaims};
use crate::policy::Memory;
use crate::refusal::{Code, Refusal};
use crate::trust::{AuthorityId, Origin, Signatory};

/// The site of lists that hold for every site.
pub const ALL_SITES: &str = "authority";

/// The claims of a revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Its identifier.
    pub list: Uuid,
    /// Who signed it.
    pub signer: Label,
    /// For which site; [`ALL_SITES`] for all.
    pub site: Label,
    /// When.
    pub issued: Time,
    /// Rises with every list of this authority, signer and site.
    pub number: u64,
    /// Revoked tags, ascending.
    pub tags: Vec<Uuid>,
    /// Contents found bad later, ascending.
    pub contents: Vec<Sha256>,
}

impl SignedClaims for RevocationList {
    const PURPOSE: Purpose = Purpose::RevocationList;

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        put_opening(&mut writer, 8, &self.list, &self.signer, &self.site, self.issued);
        writer.unsigned(5u8).unsigned(self.number).unsigned(6u8).array(self.tags.len());
        self.tags.iter().for_each(|tag| _ = writer.bytes(tag));
        writer.unsigned(7u8).array(self.contents.len());
        self.contents.iter().for_each(|content| _ = writer.bytes(content));
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        cbor::check(bytes, None)?;
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        let mut fields = reader.fields()?;
        let Opening { id: list, station: signer, site, issued } = take_opening(reader, &mut fields)?;
        fields.need(reader, 5)?;
        let number = reader.unsigned()?;
        fields.need(reader, 6)?;
        let tags: Vec<Uuid> = reader.list(0, 65_536, Reader::array_of)?;
        fields.need(reader, 7)?;
        let contents: Vec<Sha256> = reader.list(0, 65_536, Reader::array_of)?;
        fields.end(reader)?;
        if !tags.is_sorted_by(|a, b| a < b) || !contents.is_sorted_by(|a, b| a < b) {
            return reader.wrong("out of order or repeated");
        }
        Ok(Self { list, signer, site, issued, number, tags, contents })
    }

    fn station(&self) -> &Label {
        &self.signer
    }

    fn site(&self) -> &Label {
        &self.site
    }
}

impl RevocationList {
    /// Whether it holds for tags of a site.
    #[must_use]
    pub fn covers(&self, site: &Label) -> bool {
        self.site == *site || self.site.as_str() == ALL_SITES
    }
}

/// Steps 3 to 8 and 10 for one list, its number, and what is remembered of it; and whose list it is.
pub(crate) fn open(
    bytes: &[u8],
    origin: &Origin<'_>,
    memory: &mut Memory,
) -> Result<(AuthorityId, RevocationList), Refusal> {
    let bad = |detail: String| Refusal::new(Code::List, 13, detail);
    let envelope = Envelope::<RevocationList>::open(bytes).map_err(|refusal| bad(refusal.to_string()))?;
    let verified = origin.verify(&envelope, memory).map_err(|refusal| bad(refusal.to_string()))?;
    let Signatory { station: signer, site, authority } = verified;
    let list = RevocationList::decode(&envelope.payload).map_err(|error| bad(error.to_string()))?;
    if (&list.signer, &list.site) != (&signer, &site) {
        return Err(bad("it names another signer than its certificates".to_owned()));
    }
    let key = authority.key(&format!("{signer}.{site}"));
    let last = origin.known.lists.get(&key).copied().unwrap_or(0);
    if list.number < last {
        return Err(Refusal::new(Code::ListOld, 13, format!("{key}: number {}, {last} was seen", list.number)));
    }
    Memory::learn(&mut memory.lists, &mut memory.time, key, list.number, list.issued);
    Ok((authority, list))
}
