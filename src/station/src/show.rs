//! Reports, engines and progress for people: the sentences are in [`blanche_scan::words`], the order is here.
//!
//! Whatever came from a medium or from a process that has seen one goes through [`blanche_scan::words::harmless`]
//! before it reaches a terminal (security rule 12).

mod copy;
mod engines;
mod report;
#[cfg(test)]
pub(crate) mod samples;
mod waiting;

pub use engines::{engines, self_test, self_test_result, tested};
pub use report::{Detail, report};
pub use waiting::Waiting;

use blanche_scan::words::{self, Lang};

/// How a sentence's follow-up is marked.
const NEXT: &str = "→";

/// "il y a 3 jours", "3 days ago", "aujourd'hui".
fn age(date: i64, now: i64, lang: Lang) -> String {
    match now.saturating_sub(date) / 86_400 {
        days if days < 0 => lang.pick("date future", "date in the future").to_owned(),
        0 => lang.pick("aujourd'hui", "today").to_owned(),
        days => {
            let days = words::counted(days.unsigned_abs(), ("jour", "jours"), ("day", "days"), lang);
            lang.pick(format!("il y a {days}"), format!("{days} ago"))
        }
    }
}
