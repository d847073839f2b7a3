//! The one verification function: steps 1 to 18 of the specification's section 15. Steps 19 and 20 are in
//! [`crate::compare`], which needs the [`Verified`] tag that only this module makes.

use crate::areas;
use crate::cbor;
use crate::claims::{Claims, Names, Sha256, Time, Verdict};
use crate::envelope::{Envelope, SignedClaims};
use crate::file::{Spool, TagFile};
use crate::manifest::{self, Counts};
use crate::policy::{CLOCK_TOLERANCE, Level, Memory, OnMissing, Policy};
use crate::refusal::{Code, Refusal};
use crate::revocation::{self, RevocationList};
use crate::trust::{AuthorityId, Crl, Origin, Signatory, TrustStore};
use crate::usb::Usb;
use sha2::{Digest, Sha256 as Hash};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Deref;

/// Where a tag stands on the volume that it names (section 13).
pub const TAG_NAME: &str = "blanche.tag";

/// Something about the medium, if it can be seen from where verification runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It looks like this.
    As(T),
    /// Not from here.
    NotAvailable,
}

/// The medium as verification sees it.
pub trait MediumView {
    /// Bytes.
    fn capacity(&self) -> Seen<u64>;
    /// Logical block size in bytes.
    fn block(&self) -> Seen<u32>;
    /// The USB device; `As(None)` if it is seen and has no usable serial.
    fn usb(&self) -> Seen<Option<Usb>>;
    /// Bytes of the medium, 16 MiB at most; an error is why they could not be read.
    ///
    /// # Errors
    /// What the device says.
    fn read(&self, start: u64, length: u64) -> Result<Seen<Vec<u8>>, String>;
}

/// What verification needs to know beside tag and medium.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Installed by an administrator.
    pub trust: &'a TrustStore,
    /// From the administrator, never from the medium.
    pub crls: &'a [Crl],
    /// Envelopes of revocation lists, likewise.
    pub lists: &'a [Vec<u8>],
    /// What is demanded.
    pub policy: &'a Policy,
    /// Seconds since 1970.
    pub clock: Time,
    /// From earlier verifications.
    pub memory: &'a Memory,
    /// Highest counters accepted, by [`Claims::counter_key`].
    pub counters: &'a BTreeMap<String, u64>,
}

/// How something compared that policy allows to be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Compared {
    Match,
    NotAvailable,
    /// The tag claims nothing about it.
    NotClaimed,
}

/// A tag: its claims, and where its manifest is in the copy.
pub struct Tag<'a> {
    /// What is signed.
    pub claims: Claims,
    authority: AuthorityId,
    spool: &'a dyn Spool,
    start: u64,
}

impl Tag<'_> {
    /// The manifest, from its beginning; its rules and its digest were checked.
    #[must_use]
    pub fn manifest(&self) -> manifest::Reader<'_> {
        manifest::Reader::again(self.spool, self.start, self.claims.content.manifest_length)
    }

    /// Under what its counter is remembered.
    #[must_use]
    pub fn counter_key(&self) -> String {
        self.claims.counter_key(self.authority)
    }

    /// Length and SHA-256 of the copy that was verified.
    ///
    /// # Errors
    /// What reading the copy says.
    pub fn copy(&self) -> io::Result<(u64, Sha256)> {
        let (length, mut hash, mut at) = (self.spool.length(), Hash::new(), 0u64);
        let mut buffer = vec![0; 65_536];
        while at < length {
            let most = usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
            let part = buffer.get_mut(..most).unwrap_or_default();
            self.spool.read_at(at, part)?;
            hash.update(&*part);
            at = at.saturating_add(u64::try_from(most).unwrap_or(u64::MAX));
        }
        Ok((length, hash.finalize().into()))
    }
}

/// Something that was verified. Only [`verify`] makes it.
pub struct Verified<T> {
    inner: T,
    /// The least level to reach, as the policy says.
    pub level: Level,
    /// Capacity and block size.
    pub capacity: Compared,
    /// USB identity.
    pub usb: Compared,
    /// Boot areas.
    pub boot: Compared,
    /// The clock is behind what an authority has stated.
    pub clock_is_behind: bool,
}

/// What came of a verification, and what it taught: a refusal teaches too.
#[must_use]
pub struct Judgement<'a> {
    /// The tag up to level *identity*, or the first step that fails.
    pub outcome: Result<Verified<Tag<'a>>, Refusal>,
    /// What to remember from now on (section 14): what was remembered before, and whatever CRLs and revocation lists that
    /// verified have stated. Nothing in it comes from the tag.
    pub memory: Memory,
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

/// Verifies a tag up to level *identity*.
pub fn verify<'a>(spool: &'a dyn Spool, context: &Context<'_>, medium: &dyn MediumView) -> Judgement<'a> {
    let mut memory = context.memory.clone();
    let outcome = steps(spool, context, medium, &mut memory);
    // Section 14: a tag from the future leaves no trace, not even by the lists that came with it.
    if matches!(&outcome, Err(refusal) if refusal.code == Code::NotYetValid) {
        memory.clone_from(context.memory);
    }
    Judgement { outcome, memory }
}

/// Steps 1 to 18. `memory` takes what CRLs and lists state as they verify.
fn steps<'a>(
    spool: &'a dyn Spool,
    context: &Context<'_>,
    medium: &dyn MediumView,
    memory: &mut Memory,
) -> Result<Verified<Tag<'a>>, Refusal> {
    // Steps 1 to 4.
    let file = TagFile::open(spool)?;
    let envelope = Envelope::<Claims>::open(&file.envelope)?;
    // Steps 5 to 8.
    let now = context.memory.now(context.clock);
    let Context { trust, crls, policy, memory: known, .. } = *context;
    let origin = Origin { trust, crls, policy, known, now };
    let signatory = origin.verify(&envelope, memory)?;
    let authority = signatory.authority;
    // Steps 9 to 11.
    let claims = decode(&envelope.payload)?;
    check_claims(&claims, &signatory, policy)?;
    // Step 12.
    policy.check_times(&claims, now)?;
    // Steps 13 and 14.
    let lists = check_lists(&claims, authority, context, &origin, memory)?;
    if context.counters.get(&claims.counter_key(authority)).is_some_and(|last| claims.counter < *last) {
        return Err(Refusal::new(Code::Replayed, 14, format!("counter {}", claims.counter)));
    }
    // Step 15.
    policy.check_engines(&claims)?;
    // Step 16.
    check_manifest(spool, &file, &claims, &lists)?;
    // Steps 17 and 18.
    let (capacity, usb) = check_identity(&claims, policy, medium)?;
    let boot = check_areas(&claims, policy, medium)?;
    check_anything_compared(policy.level, [capacity, usb, boot])?;
    let clock_is_behind = context.clock.saturating_add(CLOCK_TOLERANCE) < known.time;
    let inner = Tag { claims, authority, spool, start: file.manifest_start };
    Ok(Verified { inner, level: policy.level, capacity, usb, boot, clock_is_behind })
}

/// Step 9.
fn decode(payload: &[u8]) -> Result<Claims, Refusal> {
    cbor::check(payload, None).map_err(|error| Refusal::new(Code::Encoding, 9, error.to_string()))?;
    Claims::decode(payload).map_err(|error| Refusal::new(Code::Claims, 9, error.to_string()))
}

/// Steps 10 and 11.
fn check_claims(claims: &Claims, Signatory { station, site, .. }: &Signatory, policy: &Policy) -> Result<(), Refusal> {
    if (&claims.station, &claims.site) != (station, site) {
        let detail = format!("claims of {}.{}, certificates of {station}.{site}", claims.station, claims.site);
        return Err(Refusal::new(Code::Name, 10, detail));
    }
    if policy.sites.as_ref().is_some_and(|sites| !sites.iter().any(|known| known == site.as_str())) {
        return Err(Refusal::new(Code::SitePolicy, 10, format!("site {site}")));
    }
    if claims.verdict != Verdict::Clean {
        return Err(Refusal::new(Code::Verdict, 11, format!("verdict {:?}", claims.verdict)));
    }
    if !claims.exceptions.is_empty() && !policy.accept_exceptions {
        return Err(Refusal::new(Code::Exception, 11, format!("{} exceptions", claims.exceptions.len())));
    }
    Ok(())
}

/// Step 13: the lists that count for the authority and the site of the tag.
fn check_lists(
    claims: &Claims,
    authority: AuthorityId,
    context: &Context<'_>,
    origin: &Origin<'_>,
    memory: &mut Memory,
) -> Result<Vec<RevocationList>, Refusal> {
    let refuse = |code, detail: String| Err(Refusal::new(code, 13, detail));
    // All of them are opened before the first bad one refuses: those that verify teach.
    let opened: Vec<_> = context.lists.iter().map(|bytes| revocation::open(bytes, origin, memory)).collect();
    let opened = opened.into_iter().collect::<Result<Vec<_>, _>>()?;
    // What one authority publishes says nothing of the stations of another one, whatever their names.
    let own = opened.into_iter().filter(|(signed_under, list)| *signed_under == authority && list.covers(&claims.site));
    let lists: Vec<_> = own.map(|(_, list)| list).collect();
    match lists.iter().map(|list| list.issued).max() {
        None if context.policy.require_list => {
            return refuse(Code::ListMissing, format!("none for site {}", claims.site));
        }
        Some(issued) if origin.now.saturating_sub(issued) > context.policy.max_list_age => {
            return refuse(Code::ListStale, format!("of {issued}, now {}", origin.now));
        }
        _ => {}
    }
    if lists.iter().any(|list| list.tags.binary_search(&claims.tag).is_ok()) {
        return refuse(Code::RevokedTag, "listed".to_owned());
    }
    Ok(lists)
}

/// Step 16.
fn check_manifest(spool: &dyn Spool, file: &TagFile, claims: &Claims, lists: &[RevocationList]) -> Result<(), Refusal> {
    let refuse = |detail: String| Err(Refusal::new(Code::Manifest, 16, detail));
    let content = &claims.content;
    if file.manifest_length != content.manifest_length {
        return refuse(format!("{} bytes, {} are signed", file.manifest_length, content.manifest_length));
    }
    let revoked: BTreeSet<&Sha256> = lists.iter().flat_map(|list| &list.contents).collect();
    let mut found = None;
    let mut reader = manifest::Reader::new(spool, file.manifest_start, file.manifest_length);
    for entry in reader.by_ref() {
        let (entry, _) = match entry {
            Ok(entry) => entry,
            Err(error) => return refuse(error.to_string()),
        };
        let Some(volume) = usize::try_from(entry.volume).ok().and_then(|number| claims.volumes.get(number)) else {
            return refuse(format!("an entry in volume {}", entry.volume));
        };
        if volume.names == Names::Wtf8 && !manifest::is_wtf8(&entry.path) {
            return refuse(format!("a path in volume {} is not WTF-8", entry.volume));
        }
        if Some(entry.volume) == claims.medium.tag_volume && entry.path == TAG_NAME.as_bytes() {
            return refuse("it lists the tag itself".to_owned());
        }
        if entry.digests.is_some_and(|digests| revoked.contains(&digests.sha256)) {
            found = Some(entry.path);
        }
    }
    let (counts, sha256) = reader.checked().unwrap_or_default();
    if sha256 != content.manifest_sha256 {
        return refuse("its SHA-256 is not the signed one".to_owned());
    }
    let Counts { entries, files, streams, folders, links, others, bytes } = counts;
    let signed = [content.entries, content.files, content.streams, content.folders, content.links, content.others];
    if (signed, content.bytes) != ([entries, files, streams, folders, links, others], bytes) {
        return refuse("its counts are not the signed ones".to_owned());
    }
    match found {
        Some(path) => Err(Refusal::new(Code::RevokedContent, 16, format!("path {:?}", String::from_utf8_lossy(&path)))),
        None => Ok(()),
    }
}

/// What policy makes of something that cannot be seen.
fn missing(on: OnMissing, step: u8, what: &str) -> Result<Compared, Refusal> {
    match on {
        OnMissing::Accept => Ok(Compared::NotAvailable),
        OnMissing::Refuse => Err(Refusal::new(Code::NotAvailable, step, what)),
    }
}

/// Step 17.
fn check_identity(claims: &Claims, policy: &Policy, medium: &dyn MediumView) -> Result<(Compared, Compared), Refusal> {
    let differs = |what: String| Err(Refusal::new(Code::Medium, 17, what));
    let claimed = &claims.medium;
    let (capacity, block) = (medium.capacity(), medium.block());
    if matches!(capacity, Seen::As(seen) if seen != claimed.capacity) {
        return differs(format!("capacity {capacity:?}, {} is signed", claimed.capacity));
    }
    if matches!(block, Seen::As(seen) if seen != claimed.block) {
        return differs(format!("block size {block:?}, {} is signed", claimed.block));
    }
    let usb = match (&claimed.usb, medium.usb()) {
        (Some(claimed), Seen::As(seen)) if seen.as_ref() != Some(claimed) => {
            return differs(format!("USB device {seen:?}, {claimed:?} is signed"));
        }
        (Some(_), Seen::As(_)) => Compared::Match,
        (None, _) => Compared::NotClaimed,
        (Some(_), Seen::NotAvailable) => missing(policy.usb_not_available, 17, "USB identity")?,
    };
    let capacity = if capacity == Seen::NotAvailable || block == Seen::NotAvailable {
        missing(policy.capacity_not_available, 17, "capacity or block size")?
    } else {
        Compared::Match
    };
    Ok((capacity, usb))
}

/// Step 18.
fn check_areas(claims: &Claims, policy: &Policy, medium: &dyn MediumView) -> Result<Compared, Refusal> {
    let mut compared = Compared::Match;
    for area in &claims.medium.areas {
        let place = format!("{:?} area at byte {}, {} bytes", area.kind, area.start, area.length);
        let differs = |what: &str| Err(Refusal::new(Code::Boot, 18, format!("{place}: {what}")));
        let number = area.volume.and_then(|volume| usize::try_from(volume).ok());
        let filesystem = number.and_then(|number| claims.volumes.get(number)).map(|volume| volume.filesystem);
        match medium.read(area.start, area.length) {
            Ok(Seen::NotAvailable) => compared = missing(policy.boot_not_available, 18, &place)?,
            Err(error) => return differs(&error),
            Ok(Seen::As(bytes)) if u64::try_from(bytes.len()) != Ok(area.length) => return differs("cut short"),
            Ok(Seen::As(bytes)) => {
                if areas::digest(area.kind, filesystem, &bytes) != area.sha256 {
                    return differs("changed");
                }
            }
        }
    }
    Ok(compared)
}

/// The end of step 18. Level identity ends there: without one match it would accept whatever lies beside an authentic tag.
fn check_anything_compared(level: Level, compared: [Compared; 3]) -> Result<(), Refusal> {
    if level == Level::Identity && !compared.contains(&Compared::Match) {
        return Err(Refusal::new(Code::NotAvailable, 18, "level identity, and nothing of the medium can be seen here"));
    }
    Ok(())
}
