//! The media tag: *this station checked all of this content of this medium, and found it clean*.
//!
//! The format is public, docs/tag-format.md; this crate is one implementation of it, for stations (writing) and
//! workstations (verifying), on Linux and Windows. It does no input or output: bytes come in by slices and small traits
//! ([`Spool`], [`MediumView`], [`Contents`]), times as numbers. [`verify`] follows the numbered steps of the
//! specification's section 15, and only it makes a [`Verified`] tag.
//!
//! | module | section | what |
//! |---|---|---|
//! | `file` | 2 | header and parts of a tag file |
//! | `cbor` | 3 | strict deterministic CBOR |
//! | `algorithm` | 4 | ECDSA P-384 and ML-DSA-87 |
//! | `envelope` | 5 | COSE_Sign with two signatures |
//! | `claims` | 6 | what is signed |
//! | `manifest` | 7, 8 | every file, streamed |
//! | `usb` | 9 | canonical USB identity |
//! | `areas` | 10 | normalised boot areas |
//! | `artefacts` | 11 | what hosts may write |
//! | `certificate`, `trust`, `revocation` | 12 | chains, CRLs, revocation lists |
//! | `checkpoint` | 5; docs/journal.md | checkpoints of a journal |
//! | `policy` | 14, 16 | clock, memory, policy |
//! | `verify`, `inventory` | 15 | the steps |
//! | `refusal` | 17 | codes and sentences |
//! | `visible` | 19 | names from media, for people |

#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests know what they hold"
    )
)]

mod algorithm;
pub mod areas;
pub mod artefacts;
mod cbor;
mod certificate;
pub mod checkpoint;
pub mod claims;
pub mod envelope;
mod file;
mod inventory;
pub mod manifest;
mod policy;
mod refusal;
pub mod revocation;
#[cfg(feature = "testing")]
pub mod testing;
mod trust;
mod usb;
mod verify;
pub mod visible;

pub use cbor::Malformed;
pub use claims::Claims;
pub use file::{BadFile, MAX_ENVELOPE, MAX_MANIFEST, Spool, TagFile, header};
pub use inventory::{Comparison, Contents, Difference, DifferenceKind, Observed, Unlisted, Unreadable, Walk, compare};
pub use policy::{CLOCK_TOLERANCE, Level, Memory, OnMissing, Policy};
pub use refusal::{Code, Refusal, Sentences};
pub use trust::{Authority, AuthorityId, BadTrust, Crl, TrustStore};
pub use usb::{Usb, canonical_serial, serial_from_windows_instance};
pub use verify::{Compared, Context, Judgement, MediumView, Seen, TAG_NAME, Tag, Verified, verify};
