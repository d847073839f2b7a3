//! Under which configuration the station works, and whether it is another one than at its last start.
//!
//! The station reads its configuration once, so a start is the only moment at which another one comes into force.

use blanche_journal::{Event, EventKind, Filter, Journal, JournalError, Order};
use blanche_scan::settings::{Settings, SettingsFile};
use blanche_scan::words::visible;
use jiff::Timestamp;

/// The name under which `station_started` has it.
pub(super) const MEMBER: &str = "settings";
/// What it says where no file says anything.
const NONE: &str = "none";

/// The SHA-256 of the file, as sha256sum(1) prints it.
pub(super) fn digest(settings: &Settings) -> String {
    let hex = |file: &SettingsFile| file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    settings.read_from.as_ref().map_or_else(|| NONE.to_owned(), hex)
}

/// The event of another configuration than at the last start that the journal tells of; nothing at the first one. Called before this
/// start is recorded.
///
/// # Errors
/// As [`blanche_journal::Reader::page`].
pub(super) fn change(journal: &Journal, settings: &Settings) -> Result<Option<Event>, JournalError> {
    let filter = Filter { kind: Some(EventKind::StationStarted.as_str().to_owned()), ..Filter::default() };
    let page = journal.reader()?.page(&filter, Order::NewestFirst, None, 1)?;
    let detail = page.rows.first().and_then(|row| row.body.get("detail")?.get(MEMBER)?.as_str());
    let to = digest(settings);
    let Some(from) = detail.filter(|from| *from != to) else { return Ok(None) };
    let event = Event::new(EventKind::SettingsChanged).with("from", from).with("to", to);
    Ok(Some(settings.read_from.iter().fold(event, |event, read| {
        let event = event.with("file", visible(read.file.as_os_str().as_encoded_bytes()));
        match Timestamp::from_second(read.modified) {
            Ok(time) => event.with("modified", time.to_string()),
            Err(_) => event,
        }
    })))
}
