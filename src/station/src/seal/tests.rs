//! What is asked before a tag is written, and how long all of it may take.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::copy::writing::{ABANDONING, EMPTYING};
use crate::show::samples;

/// What is killed says nothing of the medium that it wrote.
#[test]
fn a_station_that_is_stopped_has_the_time_to_finish_or_empty_what_it_writes() {
    let unit = include_str!("../../../../debian/blanche-stationd.service");
    let limit = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap().parse().unwrap();
    let emptied = EMPTYING * 2;
    // A tag that is taken back and then a medium that is emptied; a copier that does not end and is replaced by another.
    let longest = (writing::FINISHING + GRACE + writing::TAKING_BACK + emptied).max(ABANDONING + emptied);
    let margin = Duration::from_secs(10);
    assert!(longest + margin <= Duration::from_secs(limit), "{longest:?} in {limit} s");
}

#[test]
fn a_signed_tag_is_written_only_when_somebody_who_knows_its_number_permits_it() {
    let (tag, cancel) = (samples::tag(), Cancel::default());
    let asked = std::cell::RefCell::new(Vec::new());
    let permit = |act| {
        asked.borrow_mut().push(act);
        Ok(())
    };
    assert_eq!(permitted(&tag, &permit, &cancel), Ok(()));
    assert_eq!(asked.take(), [Act::Write(tag.clone())]);
    let full = |_| Err("journal: the disk is full".to_owned());
    let refused = NoTag::Station("journal: the disk is full".to_owned());
    assert_eq!(permitted(&tag, &full, &cancel), Err(refused));
    cancel.cancel();
    assert_eq!(permitted(&tag, &full, &cancel), Err(NoTag::Cancelled));
}

#[test]
fn a_tag_does_not_outlive_its_certificate_and_an_expired_one_is_left_to_the_signer() {
    assert_eq!(expiry(100, 30, 1000), 130);
    assert_eq!(expiry(100, 30, 120), 120);
    for expired in [100, 99] {
        assert_eq!(expiry(100, 30, expired), 130);
    }
    assert_eq!(expiry(u64::MAX, 30, 0), u64::MAX);
}
