//! Sealing: from a clean medium to a tag that a workstation accepts.
//!
//! ```text
//! inventory ─► sealer looks ─► manifest ─► claims ─► signer ─► tag ─► sealer writes ─► verifier reads ─► "sealed"
//!                                                                └──► store, where the medium cannot carry it
//! ```
//!
//! The sealer (medium, no keys), the signer (keys, no medium) and the verifier (nothing but reading) are processes of
//! their own. Whatever goes wrong, the medium is as it was or the report says what is not known.

mod claims;
mod manifest;
pub(crate) mod store;
mod verifying;
pub(crate) mod writing;

pub(crate) use verifying::accepts;

use crate::identity;
use blanche_keys::SignerClient;
use blanche_sandbox::wire::{FromSealer, LocalTime, SealFailure, VolumeId, WriteObstacle};
use blanche_scan::Inventory;
use blanche_scan::report::{NoTag, Report, Seal, SealedTag};
use blanche_scan::settings::Settings;
use blanche_tag::Claims;
use blanche_tag::claims::Label;
use blanche_tag::envelope::SignedClaims;
use claims::{Found, Signing};
use jiff::{Timestamp, Zoned};
use manifest::Manifest;
use std::fs::File;
use std::path::Path;
use writing::Sealer;

/// Bytes of an envelope with its certificates, about.
const ENVELOPE: u64 = 64 << 10;

/// Seals a medium that was found clean. `told` hears how many bytes of the tag are written.
pub(crate) fn seal(
    inventory: Option<&Inventory>,
    report: &Report,
    settings: &Settings,
    told: &mut dyn FnMut(u64),
) -> Seal {
    let outcome = match inventory {
        _ if !report.sealing.possible => Err(NoTag::Obstacles),
        None => Err(NoTag::Folder),
        Some(inventory) => Sealing { inventory, report, settings, order: Order::of(inventory) }.run(told),
    };
    outcome.unwrap_or_else(|reason| Seal::NoTag { reason })
}

/// Something that cannot stand in a tag.
fn unsealable(what: impl std::fmt::Display) -> NoTag {
    NoTag::Unsealable(what.to_string())
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
    report: &'a Report,
    settings: &'a Settings,
    order: Order,
}

/// A signed tag.
struct Signed {
    claims: Claims,
    file: File,
    /// Bytes.
    length: u64,
}

impl Sealing<'_> {
    fn run(&self, told: &mut dyn FnMut(u64)) -> Result<Seal, NoTag> {
        let signer = SignerClient::spawn(&self.settings.children.program("blanche-signer"), &self.settings.seal.keys)
            .map_err(|error| NoTag::Signer(error.to_string()))?;
        let mut manifest = manifest::write(self.inventory, &self.order, None)?;
        let expected = manifest.finished.length.saturating_add(ENVELOPE);
        let sealer = Sealer::start(self.inventory, &self.order, self.settings, expected).map_err(NoTag::Medium)?;
        let because = match sealer.volume() {
            Ok(volume) => {
                let signed = self.sign(&signer, &sealer, &mut manifest, Some(volume))?;
                match sealer.write(&signed.file, signed.length, now_here(), told) {
                    FromSealer::Written => {
                        // Nobody may write any more once the verifier looks.
                        drop(sealer);
                        self.verify(None)?;
                        return Ok(Seal::OnMedium { tag: described(&signed.claims), volume });
                    }
                    // What was there before still is: another tag, without a place on the medium, can be kept.
                    FromSealer::Refused(obstacle) => obstacle,
                    FromSealer::Failed(failure) => return Err(NoTag::Writing(failure)),
                    _ => return Err(NoTag::Writing(SealFailure::Unknown)),
                }
            }
            Err(obstacle) => obstacle,
        };
        self.keep(&signer, &sealer, &mut manifest, because)
    }

    /// A detached tag.
    fn keep(
        &self,
        signer: &SignerClient,
        sealer: &Sealer,
        manifest: &mut Manifest,
        because: WriteObstacle,
    ) -> Result<Seal, NoTag> {
        let mut signed = self.sign(signer, sealer, manifest, None)?;
        let place = store::place(&self.settings.seal.detached, &signed.claims);
        let failed = |error| NoTag::Store(format!("{}: {error}", place.display()));
        // An earlier tag of the same content stays until the new one is accepted.
        let draft = store::Draft::write(&place, &mut signed.file).map_err(failed)?;
        self.verify(Some(draft.path()))?;
        draft.keep(&place).map_err(failed)?;
        Ok(Seal::Detached { tag: described(&signed.claims), file: place.display().to_string(), because })
    }

    /// Claims and signatures. `manifest` lists everything; a tag on the medium needs one without itself.
    fn sign(
        &self,
        signer: &SignerClient,
        sealer: &Sealer,
        manifest: &mut Manifest,
        volume: Option<VolumeId>,
    ) -> Result<Signed, NoTag> {
        let described = signer.describe().map_err(|error| NoTag::Signer(error.to_string()))?;
        let tag_volume = self.order.optional(volume)?;
        let mut without = None;
        if !manifest.serves(tag_volume) {
            without = Some(manifest::write(self.inventory, &self.order, tag_volume)?);
        }
        let manifest = without.as_mut().unwrap_or(manifest);
        let issued = u64::try_from(Timestamp::now().as_second()).map_err(unsealable)?;
        let label = |name: &str| Label::try_from(name).map_err(unsealable);
        let signing = Signing {
            tag: *uuid::Uuid::now_v7().as_bytes(),
            station: label(&described.station)?,
            site: label(&described.site)?,
            issued,
            expires: expiry(issued, self.settings.seal.validity.as_secs(), described.certificate_expires),
            counter: described.next_counter,
            tag_volume,
        };
        let found = Found {
            inventory: self.inventory,
            report: self.report,
            order: &self.order,
            usb: identity::usb(self.inventory.medium()),
            areas: &sealer.areas,
        };
        let claims = claims::claims(&found, &signing, &manifest.finished, self.settings)?;
        let payload = claims.encode();
        Claims::decode(&payload).map_err(unsealable)?;
        let envelope = signer.sign(&payload).map_err(|error| NoTag::Signer(error.to_string()))?;
        let (file, length) = manifest::tag_file(&envelope, manifest)?;
        Ok(Signed { claims, file, length })
    }

    /// Only what the verifier accepts was sealed.
    fn verify(&self, detached: Option<&Path>) -> Result<(), NoTag> {
        let medium =
            File::open(writing::reopened(self.inventory)).map_err(|error| NoTag::Verifier(error.to_string()))?;
        accepts(self.settings, &medium, detached).map_err(NoTag::Verifier)
    }
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
    }
}

#[cfg(test)]
mod tests {
    use super::expiry;

    #[test]
    fn a_tag_does_not_outlive_its_certificate_and_an_expired_one_is_left_to_the_signer() {
        assert_eq!(expiry(100, 30, 1000), 130);
        assert_eq!(expiry(100, 30, 120), 120);
        for expired in [100, 99] {
            assert_eq!(expiry(100, 30, expired), 130);
        }
        assert_eq!(expiry(u64::MAX, 30, 0), u64::MAX);
    }
}
