//! What may be copied from a medium: all of a clean one, or, where an administrator allows it, the clean files of another.

use crate::inventory::{Inventory, Listed};
use crate::judge::{SuspiciousPolicy, Verdict};
use crate::session::Finished;
use blanche_sandbox::wire::{EntryId, VolumeId};

/// The files of a medium that is not clean, and which of them are clean by themselves. No tag can be made from it.
#[derive(Debug)]
pub struct Remainder {
    inventory: Inventory,
    clean: Vec<bool>,
}

impl Remainder {
    /// Nothing for a folder, which is no medium.
    pub(crate) fn of(session: Finished, suspicious: SuspiciousPolicy) -> Option<Self> {
        let verdict = |content| session.ledger.verdict_of(content, suspicious) == Verdict::Clean;
        let records = session.intake.catalogue.iter();
        let clean =
            records.map(|(id, record)| verdict(record.same_as().unwrap_or(id)) && verdict_of_name(&session, id));
        let clean = clean.collect();
        Some(Self { inventory: Inventory::of(session)?, clean })
    }
}

/// A further name of a content can have a gap of its own.
fn verdict_of_name(session: &Finished, id: EntryId) -> bool {
    session.ledger.ledger().state(id).is_none_or(|state| !state.gap)
}

/// A medium from which files can be copied.
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// It is *Clean*.
    Clean(&'a Inventory),
    /// It is not, but some of its files are.
    Part(&'a Remainder),
}

impl<'a> Original<'a> {
    /// The medium and everything on it.
    #[must_use]
    pub fn inventory(self) -> &'a Inventory {
        match self {
            Self::Clean(inventory) => inventory,
            Self::Part(remainder) => &remainder.inventory,
        }
    }

    /// Whether the content of an entry is clean.
    #[must_use]
    pub fn is_clean(self, entry: EntryId) -> bool {
        match self {
            Self::Clean(_) => true,
            Self::Part(remainder) => {
                usize::try_from(entry).ok().and_then(|entry| remainder.clean.get(entry)) == Some(&true)
            }
        }
    }

    /// As [`Inventory::visit`].
    ///
    /// # Errors
    /// What `visit` says.
    pub fn visit<E>(self, volumes: &[VolumeId], visit: &mut dyn FnMut(&Listed<'_>) -> Result<(), E>) -> Result<(), E> {
        self.inventory().visit(volumes, visit)
    }
}
