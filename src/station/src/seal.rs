//! Sealing: from a clean medium to a tag that a workstation accepts.
//!
//! ```text
//! inventory ─► sealer looks ─► manifest ─► claims ─► signer ─► permit ─► sealer writes ─► verifier reads ─► "sealed"
//!                                                                └──► store, where the medium cannot carry it
//! ```
//!
//! The sealer (medium, no keys), the signer (keys, no medium) and the verifier (nothing but reading) are processes of
//! their own. Whatever goes wrong, the medium is as it was or the report says what is not known.
//!
//! Who cancels gets an answer soon, and never half a tag: until its content is written everything stops at once, and the medium
//! is as it was; from then on it is written to its end and verified, unless that takes too long: then it is removed again.

mod claims;
mod manifest;
pub(crate) mod store;
pub(crate) mod turn;
mod verifying;
pub(crate) mod writing;

pub(crate) use verifying::{Unaccepted, accepts};

use crate::detect::Disk;
use crate::identity;
use blanche_keys::{Description, SignerClient, SignerError};
use blanche_sandbox::wire::{FromSealer, LocalTime, SealFailure, VolumeId, WriteObstacle};
use blanche_scan::Inventory;
use blanche_scan::progress::Cancel;
use blanche_scan::report::{NoTag, Report, Said, Seal, SealedTag};
use blanche_scan::settings::Settings;
use blanche_tag::Claims;
use blanche_tag::claims::Label;
use blanche_tag::envelope::SignedClaims;
use claims::{Found, Signing};
use jiff::{Timestamp, Zoned};
use manifest::Manifest;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use writing::Sealer;

/// Bytes of the header of a tag file (docs/tag-format.md, section 2).
const HEADER: u64 = 32;
/// The highest counter that claims can state.
const HIGHEST: u64 = 1 << 53;
/// How long a tag that is written may still be verified after somebody cancelled: then it is removed. Together with that, the
/// end of a station must fit into TimeoutStopSec= of its unit.
const GRACE: Duration = Duration::from_secs(15);

/// How often is looked whether somebody cancelled.
const LOOK: Duration = Duration::from_millis(200);

/// What is done only with a permit. Whoever gives one has recorded it before, if there is a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sealing a medium.
    Seal,
    /// Writing this tag, which is signed, on the medium or into the store: from then on it may stand there, whatever comes of the
    /// sealing, and nobody could revoke one whose number is not known.
    Write(SealedTag),
}

/// What a person is told while a medium is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another sealing uses the keys.
    Waiting,
    /// So many bytes of the tag are written.
    Written(u64),
}

/// Seals a medium that was found clean. `disk`: what was detected, where something was. `permit` is asked before a signed tag is
/// written, and says why that must not be, if so. `told` hears how far it is. After `cancel` there is a tag that the verifier has
/// accepted, or none.
pub(crate) fn seal(
    inventory: Option<&Inventory>,
    disk: Option<&Disk>,
    report: &Report,
    settings: &Settings,
    permit: &dyn Fn(Act) -> Result<(), String>,
    told: &mut dyn FnMut(Step),
    cancel: &Cancel,
) -> Seal {
    let outcome = match inventory {
        _ if !report.sealing.possible => Err(NoTag::Obstacles),
        None => Err(NoTag::Folder),
        Some(inventory) => {
            Sealing { inventory, disk, report, settings, permit, cancel, order: Order::of(inventory) }.run(told)
        }
    };
    outcome.unwrap_or_else(|reason| Seal::NoTag { reason })
}

/// Something that cannot stand in a tag.
fn unsealable(what: impl std::fmt::Display) -> NoTag {
    NoTag::Unsealable(what.to_string())
}

/// Why nothing was signed, in both languages.
#[allow(clippy::needless_pass_by_value, reason = "takes the place of a closure in map_err")]
fn unsigned(error: SignerError) -> NoTag {
    NoTag::Signer(Said { french: error.sentence(true), english: error.sentence(false) })
}

/// Asks for a permit. Who refuses it because somebody cancelled has cancelled this sealing first.
pub(crate) fn permitted(act: Act, permit: &dyn Fn(Act) -> Result<(), String>, cancel: &Cancel) -> Result<(), NoTag> {
    let refused = |reason| if cancel.is_cancelled() { NoTag::Cancelled } else { NoTag::Station(reason) };
    permit(act).map_err(refused)
}

/// The volumes in the order of the claims: start, length, view.
struct Order(Vec<VolumeId>);

impl Order {
    fn of(inventory: &Inventory) -> Self {
        let volumes = &inventory.layout().volumes;
        let mut order: Vec<VolumeId> = (0..).take(volumes.len()).collect();
        order.sort_by_key(|number| {
            volumes.get(usize::from(*number)).map(|found| (found.start, found.length, found.view.map(claims::view)))
        });
        Self(order)
    }

    fn volumes(&self) -> &[VolumeId] {
        &self.0
    }

    /// Position of a volume in the claims.
    fn position(&self, volume: VolumeId) -> Option<u32> {
        self.0.iter().position(|number| *number == volume).and_then(|at| u32::try_from(at).ok())
    }

    /// The same for what may stand outside every volume.
    fn optional(&self, volume: Option<VolumeId>) -> Result<Option<u32>, NoTag> {
        volume.map(|volume| self.position(volume).ok_or_else(|| unsealable("an unknown volume"))).transpose()
    }
}

/// One sealing.
struct Sealing<'a> {
    inventory: &'a Inventory,
    disk: Option<&'a Disk>,
    report: &'a Report,
    settings: &'a Settings,
    permit: &'a dyn Fn(Act) -> Result<(), String>,
    cancel: &'a Cancel,
    order: Order,
}

/// A signed tag that may be written.
struct Signed {
    claims: Claims,
    tag: SealedTag,
    file: File,
    /// Bytes.
    length: u64,
}

impl Sealing<'_> {
    fn run(&self, told: &mut dyn FnMut(Step)) -> Result<Seal, NoTag> {
        let signer = self.signer(told)?.describe().map_err(unsigned)?;
        let mut manifest = manifest::write(self.inventory, &self.order, None)?;
        let expected = self.expected(&signer, &manifest)?;
        self.go_on()?;
        let sealer = Sealer::start(self.inventory, self.disk, &self.order, self.settings, expected, self.cancel)?;
        let because = match sealer.volume() {
            Ok(volume) => {
                let signed = self.sign(&sealer, &mut manifest, Some(volume), told)?;
                self.go_on()?;
                let mut told = |bytes| told(Step::Written(bytes));
                match sealer.write(&signed.file, signed.length, now_here(), &mut told, self.cancel) {
                    FromSealer::Written => {
                        // Nobody may write any more once the verifier looks.
                        drop(sealer);
                        self.verify_written(volume)?;
                        return Ok(Seal::OnMedium { tag: signed.tag, volume });
                    }
                    FromSealer::Failed(SealFailure::Before) if self.cancel.is_cancelled() => {
                        return Err(NoTag::Cancelled);
                    }
                    // What was there before still is: another tag, without a place on the medium, can be kept.
                    FromSealer::Refused(obstacle) => obstacle,
                    FromSealer::Failed(failure) => return Err(NoTag::Writing(failure)),
                    _ => return Err(NoTag::Writing(SealFailure::Unknown)),
                }
            }
            Err(obstacle) => obstacle,
        };
        self.keep(&sealer, &mut manifest, because, told)
    }

    fn signer(&self, told: &mut dyn FnMut(Step)) -> Result<SignerClient, NoTag> {
        let signer = turn::signer(self.settings, self.cancel, &mut || told(Step::Waiting)).map_err(unsigned)?;
        signer.ok_or(NoTag::Cancelled)
    }

    /// Bytes of the tag file, at most, and a few hundred less at least: claims of these lengths, in the signer's envelope.
    fn expected(&self, signer: &Description, manifest: &Manifest) -> Result<u64, NoTag> {
        let digests = vec![[0; 32]; self.inventory.area().boot.len()];
        let signing = Signing { counter: HIGHEST, ..self.signing(signer, Some(u32::from(u8::MAX)))? };
        let claims = claims::claims(&self.found(&digests), &signing, &manifest.finished, self.settings)?;
        let claims = u64::try_from(claims.encode().len()).map_err(unsealable)?;
        let parts = [HEADER, signer.envelope_overhead, claims, manifest.finished.length];
        Ok(parts.into_iter().fold(0, u64::saturating_add))
    }

    /// What changes from tag to tag.
    fn signing(&self, signer: &Description, tag_volume: Option<u32>) -> Result<Signing, NoTag> {
        let issued = u64::try_from(Timestamp::now().as_second()).map_err(unsealable)?;
        let label = |name: &str| Label::try_from(name).map_err(unsealable);
        Ok(Signing {
            tag: *uuid::Uuid::now_v7().as_bytes(),
            station: label(&signer.station)?,
            site: label(&signer.site)?,
            issued,
            expires: expiry(issued, self.settings.seal.validity.as_secs(), signer.certificate_expires),
            counter: signer.next_counter,
            tag_volume,
        })
    }

    /// What was found on the medium; `areas` are the digests of its boot areas.
    fn found<'f>(&'f self, areas: &'f [[u8; 32]]) -> Found<'f> {
        Found {
            inventory: self.inventory,
            report: self.report,
            order: &self.order,
            usb: identity::usb(self.inventory.medium()),
            areas,
        }
    }

    /// A detached tag.
    fn keep(
        &self,
        sealer: &Sealer,
        manifest: &mut Manifest,
        because: WriteObstacle,
        told: &mut dyn FnMut(Step),
    ) -> Result<Seal, NoTag> {
        let mut signed = self.sign(sealer, manifest, None, told)?;
        let place = store::place(&self.settings.seal.detached, &signed.claims);
        let failed = |error| NoTag::Store(format!("{}: {error}", place.display()));
        // An earlier tag of the same content stays until the new one is accepted.
        let draft = store::Draft::write(&place, &mut signed.file).map_err(failed)?;
        self.verify(Some(draft.path()), Duration::ZERO)?;
        draft.keep(&place).map_err(failed)?;
        Ok(Seal::Detached { tag: signed.tag, file: place.display().to_string(), because })
    }

    /// Claims and signatures, and the permit to write them. `manifest` lists everything; a tag on the medium needs one without itself.
    fn sign(
        &self,
        sealer: &Sealer,
        manifest: &mut Manifest,
        volume: Option<VolumeId>,
        told: &mut dyn FnMut(Step),
    ) -> Result<Signed, NoTag> {
        let tag_volume = self.order.optional(volume)?;
        let mut without = None;
        if !manifest.serves(tag_volume) {
            without = Some(manifest::write(self.inventory, &self.order, tag_volume)?);
        }
        let manifest = without.as_mut().unwrap_or(manifest);
        // From here to the signature the counter is this sealing's.
        let signer = self.signer(told)?;
        let signing = self.signing(&signer.describe().map_err(unsigned)?, tag_volume)?;
        let claims = claims::claims(&self.found(&sealer.areas), &signing, &manifest.finished, self.settings)?;
        let payload = claims.encode();
        Claims::decode(&payload).map_err(unsealable)?;
        let envelope = signer.sign(&payload).map_err(unsigned)?;
        drop(signer);
        let tag = described(&claims);
        permitted(Act::Write(tag.clone()), self.permit, self.cancel)?;
        let (file, length) = manifest::tag_file(&envelope, manifest)?;
        Ok(Signed { claims, tag, file, length })
    }

    /// Nothing more is begun after somebody cancelled.
    fn go_on(&self) -> Result<(), NoTag> {
        if self.cancel.is_cancelled() { Err(NoTag::Cancelled) } else { Ok(()) }
    }

    /// Verifies a tag that stands on the medium. One that nobody had the time to verify does not stay there.
    fn verify_written(&self, volume: VolumeId) -> Result<(), NoTag> {
        match self.verify(None, GRACE) {
            Err(NoTag::Cancelled) => match writing::take_back(self.inventory, self.disk, self.settings, volume) {
                Ok(()) => Err(NoTag::Cancelled),
                Err(why) => {
                    tracing::error!("a tag that nobody verified stays on the medium: {why}");
                    Err(NoTag::Writing(SealFailure::Unknown))
                }
            },
            verified => verified,
        }
    }

    /// Only what the verifier accepts was sealed. `grace`: how long it may go on after somebody cancelled.
    fn verify(&self, detached: Option<&Path>, grace: Duration) -> Result<(), NoTag> {
        let medium =
            File::open(writing::reopened(self.inventory)).map_err(|error| NoTag::Verifier(error.to_string()))?;
        let detached: Vec<&Path> = detached.into_iter().collect();
        match accepts(self.settings, &medium, &detached, self.cancel, grace) {
            Ok(_) => Ok(()),
            Err(Unaccepted::Cancelled) => Err(NoTag::Cancelled),
            Err(why) => Err(NoTag::Verifier(why.to_string())),
        }
    }
}

/// Whether the bases of `report` are such that `signer` signs now, and that the station's own verifier accepts what it signs: each has
/// a policy of its own. The words are for staff.
pub(crate) fn bases_suffice(report: &Report, signer: &Description, settings: &Settings) -> Result<(), String> {
    let how = claims::how(report, settings).map_err(|no_tag| format!("{no_tag:?}"))?;
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    how.check_bases(&signer.fresh_bases, signer.max_base_age, now).map_err(|doubt| doubt.to_string())?;
    let trust = &settings.seal.trust;
    let policy = blanche_verify::demanded(trust, blanche_verify::Lang::En)?;
    let refused = |doubt| format!("the policy of the verifier, in {}: {doubt}", trust.display());
    how.check_bases(&policy.fresh_bases, policy.max_base_age, now).map_err(refused)
}

/// When a tag expires. What its certificate does not outlive would be refused from then on anyway; of a certificate that
/// has expired already, the signer says so.
fn expiry(issued: u64, validity: u64, certificate: u64) -> u64 {
    let wanted = issued.saturating_add(validity);
    if certificate > issued { wanted.min(certificate) } else { wanted }
}

/// Now, with this station's distance from UTC, for the times of the file.
pub(crate) fn now_here() -> LocalTime {
    let now = Zoned::now();
    LocalTime { seconds: now.timestamp().as_second(), offset: now.offset().seconds() }
}

fn described(claims: &Claims) -> SealedTag {
    let time = |seconds: u64| {
        let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        time.map(|time| time.to_string()).unwrap_or_default()
    };
    SealedTag {
        tag: uuid::Uuid::from_bytes(claims.tag).to_string(),
        station: claims.station.to_string(),
        site: claims.site.to_string(),
        issued: time(claims.issued),
        expires: time(claims.expires),
        counter: claims.counter,
        manifest: claims.content.manifest_sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests;
