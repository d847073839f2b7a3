//! What is on the screen, in one line for staff who read the system's journal: stable words and the number of the session, no name of a
//! medium or of a file, no language.

use super::Kiosk;
use super::screen::{Page, Screen, Tone};
use crate::words::Text;

impl Kiosk {
    /// "seen, checking, session 0192…", "verdict, infected, session 0192…", "trouble, B0", "waiting".
    #[must_use]
    pub fn account(&self, screen: &Screen) -> String {
        let page = match &screen.page {
            _ if screen.dark => "dark",
            Page::Waiting(statement) if statement.tone == Tone::Busy => "starting",
            page => page.name(),
        };
        let mut words = vec![page.to_owned()];
        if let Page::Trouble(_, facts) = &screen.page {
            // Its facts are the codes.
            words.extend(facts.iter().filter_map(|fact| match &fact.value {
                Text::Raw(code) => Some(code.clone()),
                _ => None,
            }));
        }
        if let Some(known) = self.current() {
            let session = &known.session;
            words.extend([&session.state, &session.verdict].into_iter().filter(|word| !word.is_empty()).cloned());
            words.push(format!("session {}", session.session));
        }
        // A verdict is both a page and a state.
        words.dedup();
        words.join(", ")
    }
}
