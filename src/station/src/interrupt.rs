//! Ctrl-C and SIGTERM: the first stops the session in good order, the second ends the program at once.

use crate::exit::Exit;
use blanche_scan::progress::Cancel;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;

/// Connects both signals with `cancel`.
///
/// # Errors
/// The kernel's, when it refuses a handler.
pub(crate) fn watch(cancel: &Cancel) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down and raises it, the second finds it up and ends us. The
        // children die with their parent (PR_SET_PDEATHSIG).
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(Exit::Interrupted.code()), cancel.flag())?;
        signal_hook::flag::register(signal, cancel.flag())?;
    }
    Ok(())
}
