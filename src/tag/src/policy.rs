//! What a workstation demands, and what it remembers (sections 14 and 16 of the specification).

use crate::claims::{Claims, Time};
use crate::refusal::{Code, Refusal};
use std::collections::BTreeMap;

/// Seconds by which clocks may differ.
pub const CLOCK_TOLERANCE: u64 = 600;
/// A day.
const DAY: u64 = 86_400;

/// What to do if something cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OnMissing {
    Accept,
    Refuse,
}

/// How deep to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Which medium, and its boot areas; refused where nothing of them can be seen.
    Identity,
    /// Paths, kinds and sizes.
    Inventory,
    /// Contents too.
    Full,
}

/// What a workstation demands of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The least level to reach.
    pub level: Level,
    /// Admitted sites; all if absent.
    pub sites: Option<Vec<String>>,
    /// Seconds since issue.
    pub max_tag_age: Option<u64>,
    /// Names of bases that must be among those of the tag and whose age counts ([`How::check_bases`]).
    ///
    /// [`How::check_bases`]: crate::claims::How::check_bases
    pub fresh_bases: Vec<String>,
    /// Seconds between the date of such a base and the issue of the tag.
    pub max_base_age: u64,
    /// How many engines at least.
    pub min_engines: usize,
    /// Engines that must be among them.
    pub required_engines: Vec<String>,
    /// Tags with exceptions.
    pub accept_exceptions: bool,
    /// A CRL for each certificate.
    pub require_crl: bool,
    /// Seconds.
    pub max_crl_age: u64,
    /// A revocation list for the site.
    pub require_list: bool,
    /// Seconds.
    pub max_list_age: u64,
    /// The USB identity.
    pub usb_not_available: OnMissing,
    /// Capacity and block size.
    pub capacity_not_available: OnMissing,
    /// Boot areas.
    pub boot_not_available: OnMissing,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            level: Level::Full,
            sites: None,
            max_tag_age: None,
            fresh_bases: vec!["daily".to_owned()],
            max_base_age: 7 * DAY,
            min_engines: 1,
            required_engines: Vec::new(),
            accept_exceptions: false,
            require_crl: true,
            max_crl_age: 31 * DAY,
            require_list: false,
            max_list_age: 31 * DAY,
            usb_not_available: OnMissing::Accept,
            capacity_not_available: OnMissing::Accept,
            boot_not_available: OnMissing::Accept,
        }
    }
}

/// What a workstation remembers and never lowers. Only objects that an authority signed change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The latest time that an authority stated.
    pub time: Time,
    /// Last CRL number by the SHA-256 of the issuer's SubjectPublicKeyInfo.
    pub crls: BTreeMap<[u8; 32], u64>,
    /// Last revocation list by `AUTHORITY/signer.site` ([`AuthorityId::key`]).
    ///
    /// [`AuthorityId::key`]: crate::AuthorityId::key
    pub lists: BTreeMap<String, u64>,
}

impl Memory {
    /// The later of the clock and the remembered time.
    #[must_use]
    pub fn now(&self, clock: Time) -> Time {
        clock.max(self.time)
    }

    /// Remembers what an authority stated.
    pub(crate) fn learn<K: Ord>(numbers: &mut BTreeMap<K, u64>, time: &mut Time, key: K, number: u64, stated: Time) {
        let last = numbers.entry(key).or_default();
        *last = number.max(*last);
        *time = stated.max(*time);
    }
}

fn refuse(code: Code, step: u8, detail: String) -> Result<(), Refusal> {
    Err(Refusal::new(code, step, detail))
}

impl Policy {
    /// Step 12.
    pub(crate) fn check_times(&self, claims: &Claims, now: Time) -> Result<(), Refusal> {
        if claims.issued > now.saturating_add(CLOCK_TOLERANCE) {
            return refuse(Code::NotYetValid, 12, format!("issued {}, now {now}", claims.issued));
        }
        if now >= claims.expires {
            return refuse(Code::Expired, 12, format!("expired {}, now {now}", claims.expires));
        }
        let age = now.saturating_sub(claims.issued);
        match self.max_tag_age {
            Some(most) if age > most => refuse(Code::TooOld, 12, format!("{age} seconds old: at most {most}")),
            _ => Ok(()),
        }
    }

    /// Step 15.
    pub(crate) fn check_engines(&self, claims: &Claims) -> Result<(), Refusal> {
        let engines = &claims.how.engines;
        let has = |name: &String| engines.iter().any(|engine| engine.name == *name);
        if engines.len() < self.min_engines || !self.required_engines.iter().all(has) {
            return refuse(Code::Engines, 15, format!("checked with {} engines", engines.len()));
        }
        let doubt = claims.how.check_bases(&self.fresh_bases, self.max_base_age, claims.issued);
        doubt.or_else(|doubt| refuse(Code::BaseAge, 15, doubt.to_string()))
    }
}
