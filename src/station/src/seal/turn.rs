//! A signer when it is our turn: only one at a time may use a counter.

use super::LOOK;
use blanche_keys::{KeysError, SignerClient, SignerError, wait_for_turn};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use std::time::{Duration, Instant};

/// How long another signature with the same keys is waited for: each takes the time of one.
const PATIENCE: Duration = Duration::from_secs(60);

/// A signer, to be kept for as long as it is asked and no longer: a medium takes minutes. Nothing if somebody cancelled; `waiting` is called
/// once if another one has the counter.
///
/// # Errors
/// [`SignerError`]: the signer did not start, or others had the counter all the time.
pub(crate) fn signer(
    settings: &Settings,
    cancel: &Cancel,
    waiting: &mut dyn FnMut(),
) -> Result<Option<SignerClient>, SignerError> {
    let (keys, program) = (&settings.seal.keys, settings.children.program("blanche-signer"));
    let (start, mut said) = (Instant::now(), false);
    let mut waiting = || {
        if !std::mem::replace(&mut said, true) {
            waiting();
        }
    };
    while !cancel.is_cancelled() {
        let turn = wait_for_turn(keys, LOOK, &mut waiting).map_err(SignerError::from);
        match turn.and_then(|()| SignerClient::spawn(&program, keys)) {
            Ok(signer) => return Ok(Some(signer)),
            Err(SignerError::Keys(KeysError::Locked { .. })) if start.elapsed() < PATIENCE => {}
            // Between our look and its start another one was quicker, and has the counter longer than a signer waits.
            Err(SignerError::Birth(_))
                if start.elapsed() < PATIENCE && wait_for_turn(keys, Duration::ZERO, &mut waiting).is_err() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
