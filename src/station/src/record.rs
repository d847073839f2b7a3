//! Record: the journal of this station, with the signer of this station.

use blanche_journal::{Checkpointed, Journal, JournalError, JournalSettings};
use blanche_keys::SignerClient;
use blanche_scan::settings::Settings;
use blanche_tag::claims::Label;

/// The journal as the configuration wants it.
#[must_use]
pub fn settings(settings: &Settings) -> JournalSettings {
    let journal = &settings.journal;
    JournalSettings {
        folder: journal.folder.clone(),
        segment_bytes: journal.segment,
        keep: journal.keep,
        max_bytes: journal.max_size,
    }
}

/// Signs the end of the chain: after each closing record. Without a signer, or if it refuses, the journal says so.
///
/// # Errors
/// [`JournalError`]: neither the checkpoint nor its absence could be recorded, and sealing must stop.
pub fn checkpoint(journal: &Journal, signer: Option<&SignerClient>) -> Result<Checkpointed, JournalError> {
    journal.checkpoint(&mut |request| {
        let signer = signer.ok_or("no keys are installed (docs/keys.md)")?;
        let description = signer.describe().map_err(|error| error.to_string())?;
        let label = |text: &str| Label::try_from(text).map_err(|error| error.to_string());
        let (station, site) = (label(&description.station)?, label(&description.site)?);
        let claims = request.claims(station, site, description.next_counter);
        signer.sign_checkpoint(&claims).map_err(|error| error.to_string())
    })
}
