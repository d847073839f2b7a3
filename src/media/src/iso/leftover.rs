//! What no tree, table or file claims is looked at once: another volume descriptor there is another filesystem that
//! some program may open. Anything else that is stored there is out of reach for hosts, and counts as free.

use super::descriptor::names_a_filesystem;
use super::geometry::SECTOR;
use super::ledger::Ledger;
use crate::bytes::{index, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::cell::RefCell;

/// Bytes read at once.
const STEP: u64 = 1 << 20;
/// Places that are named one by one.
const MAX_NAMED: usize = 64;

/// Reads what is left over.
pub(super) fn look(medium: &Medium<'_>, ledger: &RefCell<Ledger>) -> Result<Vec<Fault>, Removed> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut buffer = Vec::new();
    let unclaimed = ledger.borrow().unclaimed();
    for gap in unclaimed {
        let mut position = gap.start;
        while position < gap.end {
            let count = gap.end.saturating_sub(position).min(STEP);
            buffer.resize(index(count), 0);
            let mut bad = Vec::new();
            medium.read_tolerant(position, &mut buffer, &mut bad)?;
            let lost = bad.iter().map(|bad| index(bad.end.saturating_sub(bad.start))).fold(0, usize::saturating_add);
            ledger.borrow_mut().count_free(buffer.len().saturating_sub(lost));
            for (number, sector) in buffer.chunks(index(SECTOR)).enumerate() {
                let offset = position.saturating_add(wide(number).saturating_mul(SECTOR));
                if names_a_filesystem(sector) {
                    name(&mut faults, offset);
                }
            }
            position = position.saturating_add(count);
        }
    }
    Ok(faults)
}

/// Descriptors that follow each other are one set.
fn name(faults: &mut Vec<Fault>, offset: u64) {
    if let Some(last) = faults.last_mut().filter(|last| last.offset.saturating_add(last.length) == offset) {
        last.length = last.length.saturating_add(SECTOR);
    } else if faults.len() < MAX_NAMED {
        faults.push(Fault { offset, length: SECTOR, cause: Cause::Corrupt(Corruption::SecondFilesystem) });
    }
}
