//! Ctrl-C and SIGTERM: the first ends the verification in good order, the second the program at once.

use crate::exit::Exit;
use crate::failure::Failure;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether somebody wants to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to the signals of this system.
    ///
    /// # Errors
    /// [`Failure::Verifier`]: a handler is refused.
    pub(crate) fn watch() -> Result<Self, Failure> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use signal_hook::flag::{register, register_conditional_shutdown};
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down and raises it, the second finds it up and ends us.
            register_conditional_shutdown(signal, i32::from(Exit::Interrupted.code()), Arc::clone(&interrupt.0))
                .and_then(|_| register(signal, Arc::clone(&interrupt.0)))
                .map_err(|error| Failure::Verifier(format!("signals: {error}")))?;
        }
        Ok(interrupt)
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
