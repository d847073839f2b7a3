//! What the parts of a session log (a child that died, a child that lied) goes to standard error, made harmless: the
//! words of a child or an engine may stand in it.

use crate::exit::Exit;
use blanche_scan::words::harmless;
use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// From now on warnings and alarms are shown.
pub(crate) fn to_standard_error() {
    // A program that embeds this one may have a log of its own; then that one is the right place.
    let _ = tracing::subscriber::set_global_default(StandardError);
}

/// A panic is a defect of ours: one line instead of a backtrace. On the main thread it ends the program at once (the
/// children die with it), because unwinding could wait for ever for threads that were never started; elsewhere the
/// session goes on and what that thread owed becomes *not checked*.
pub(crate) fn panics_in_one_line() {
    std::panic::set_hook(Box::new(|panic| {
        let text = harmless(&format!("blanche: internal error, please report it: {panic}").replace('\n', " "));
        let _ = writeln!(std::io::stderr(), "{text}");
        if std::thread::current().name() == Some("main") {
            std::process::exit(i32::from(Exit::Station.code()));
        }
    }));
}

/// Warnings and errors, one line each. There are no spans.
struct StandardError;

impl Subscriber for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        // Nobody listens on standard error: there is nobody to tell that either.
        let _ = writeln!(std::io::stderr(), "blanche: {}", harmless(&line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The message of an event.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_shown_and_details_are_not() {
        tracing::subscriber::with_default(StandardError, || {
            assert!(tracing::enabled!(Level::ERROR) && tracing::enabled!(Level::WARN));
            assert!(!tracing::enabled!(Level::INFO));
        });
    }
}
