//! Waiting for the signer: one at a time may use a counter, for as long as a signature takes.

use crate::KeysError;
use crate::place;
use crate::signer::Settings;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often is looked whether the other one has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until nobody else signs with the keys in `keys`, up to `patience`; `told` is called once if that takes time.
/// Whatever else is wrong with the folder, the signer says.
///
/// # Errors
/// [`KeysError::Locked`]: still in use.
pub fn wait_for_turn(keys: &Path, patience: Duration, told: &mut dyn FnMut()) -> Result<(), KeysError> {
    let settings = std::fs::metadata(keys).ok().and_then(|folder| Settings::read_of(keys, folder.uid()).ok());
    let Some(counter) = settings.and_then(|settings| Some(keys.join(&settings.counter).parent()?.to_owned())) else {
        return Ok(());
    };
    let start = Instant::now();
    let mut said = false;
    while place::is_locked(&counter) {
        if start.elapsed() >= patience {
            return Err(KeysError::Locked { path: counter });
        }
        if !std::mem::replace(&mut said, true) {
            told();
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
