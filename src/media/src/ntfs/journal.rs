//! $LogFile: whether a host that mounts the volume would first carry out what waits there.
//!
//! The layout of restart pages and log pages is that of the public documentation of ntfs-3g and libfsntfs.

use super::fixup;
use super::value::{Value, touches};
use crate::bytes::{Record, index, wide};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Feature};

/// Bytes of a page of the log; others are possible and not made.
const PAGE: u64 = 4096;
/// Bytes of log that are looked at; Windows makes 64 MiB at most.
const MAX_LOG: u64 = 256 << 20;
/// Bytes read at once.
const STEP: u64 = 1 << 20;
/// No client.
const NOBODY: u16 = 0xffff;
/// Flag of a restart area: the volume was unmounted.
const CLEAN: u16 = 2;

const PENDING: Cause = Cause::FeatureUnsupported(Feature::PendingJournal);

/// What a restart page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Restart {
    /// Number of the last record when the page was written: the later one of both pages counts.
    current: u64,
    /// Somebody has the log open and did not say that the volume was unmounted.
    open: bool,
    /// The oldest record that is needed, and the record with which a restart begins.
    oldest: u64,
    restart: u64,
}

/// Why the log makes the volume other than it looks, if it does.
pub(super) fn pending(medium: &Medium<'_>, log: &Value) -> Result<Option<Cause>, Removed> {
    let mut pages = Vec::new();
    let mut used = false;
    for number in 0..2u64 {
        let mut page = vec![0u8; index(PAGE)];
        let mut bad = Vec::new();
        log.read(medium, number.saturating_mul(PAGE), &mut page, &mut bad)?;
        if !bad.is_empty() {
            return Ok(Some(Cause::Unreadable));
        }
        // mkntfs and ntfs-3g fill the log with FFh, for "nothing was ever written".
        used |= !page.iter().all(|byte| *byte == 0xff) && !page.iter().all(|byte| *byte == 0);
        pages.extend(restart(&mut page));
    }
    let Some(latest) = pages.into_iter().max_by_key(|page| page.current) else {
        return Ok(used.then_some(PENDING));
    };
    if !latest.open {
        return Ok(None);
    }
    if latest.oldest != latest.restart || later_records(medium, log, latest.restart)? {
        return Ok(Some(PENDING));
    }
    Ok(None)
}

/// Parses a restart page ("RSTR", or "CHKD" when chkdsk has been there).
fn restart(page: &mut [u8]) -> Option<Restart> {
    let whole = fixup::apply(page);
    let header = Record(page);
    if !whole || !matches!(header.slice(0, 4), b"RSTR" | b"CHKD") {
        return None;
    }
    let area = Record(page.get(usize::from(header.u16(24))..)?);
    if area.0.len() < 48 {
        return None;
    }
    let (client, flags) = (area.u16(12), area.u16(14));
    let clients = area.0.get(usize::from(area.u16(22))..).unwrap_or_default();
    // A client is 160 bytes long and begins with its oldest record and its restart record.
    let client_at = usize::from(client).saturating_mul(160);
    let entry = Record(clients.get(client_at..).unwrap_or_default());
    let open = client != NOBODY && flags & CLEAN == 0;
    Some(Restart { current: area.u64(0), open, oldest: entry.u64(0), restart: entry.u64(8) })
}

/// Whether any page of the log ends with a record behind `restart`.
fn later_records(medium: &Medium<'_>, log: &Value, restart: u64) -> Result<bool, Removed> {
    let end = log.length().min(MAX_LOG);
    let mut chunk = vec![0u8; index(STEP)];
    let mut at = PAGE.saturating_mul(2);
    while at < end {
        let mut bad = Vec::new();
        log.read(medium, at, &mut chunk, &mut bad)?;
        for (number, page) in chunk.chunks(index(PAGE)).enumerate() {
            let start = at.saturating_add(wide(number).saturating_mul(PAGE));
            let record = Record(page);
            let later = record.slice(0, 4) == b"RCRD" && record.u64(8).max(record.u64(32)) > restart;
            if later || touches(&bad, &(start..start.saturating_add(PAGE))) {
                return Ok(true);
            }
        }
        at = at.saturating_add(STEP);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filesystem::Extent;
    use crate::source::MemorySource;

    /// A log with two restart pages and one page of records that ends with record `last`.
    fn log(client: u16, flags: u16, oldest: u64, last: u64) -> Vec<u8> {
        let mut log = vec![0xffu8; 64 << 10];
        for (number, page) in log.chunks_mut(4096).take(2).enumerate() {
            page.fill(0);
            page[..4].copy_from_slice(b"RSTR");
            page[4..8].copy_from_slice(&[30, 0, 9, 0]);
            page[24] = 48;
            page[48..56].copy_from_slice(&(100 + number as u64).to_le_bytes());
            page[60..62].copy_from_slice(&if number == 1 { client } else { NOBODY }.to_le_bytes());
            page[62..64].copy_from_slice(&flags.to_le_bytes());
            page[70] = 64;
            page[112..120].copy_from_slice(&oldest.to_le_bytes());
            page[120..128].copy_from_slice(&90u64.to_le_bytes());
        }
        log[16_384..16_388].copy_from_slice(b"RCRD");
        log[16_392..16_400].copy_from_slice(&last.to_le_bytes());
        log[16_416..16_424].copy_from_slice(&last.to_le_bytes());
        log
    }

    fn outcome(bytes: Vec<u8>) -> Option<Cause> {
        let length = bytes.len() as u64;
        let source = MemorySource::new(bytes);
        pending(&Medium::new(&source, 512), &Value::new(&[Extent { start: 0, length }])).unwrap()
    }

    #[test]
    fn only_records_that_wait_are_pending() {
        assert_eq!(outcome(log(0, 0, 90, 91)), Some(PENDING));
        assert_eq!(outcome(log(0, 0, 80, 90)), Some(PENDING), "older records are still needed");
        assert_eq!(outcome(log(0, 0, 90, 90)), None, "nothing came after the restart record");
        assert_eq!(outcome(log(0, CLEAN, 80, 91)), None);
        assert_eq!(outcome(log(NOBODY, 0, 80, 91)), None);
        assert_eq!(outcome(vec![0xff; 64 << 10]), None);
        assert_eq!(outcome(vec![0; 64 << 10]), None);
        assert_eq!(outcome(vec![7; 64 << 10]), Some(PENDING), "nobody knows what that is");
    }
}
