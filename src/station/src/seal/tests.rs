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
    let longest = longest + crate::record::LAST_TURN;
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
    assert_eq!(permitted(Act::Write(tag.clone()), &permit, &cancel), Ok(()));
    assert_eq!(asked.take(), [Act::Write(tag.clone())]);
    let full = |_| Err("journal: the disk is full".to_owned());
    let refused = NoTag::Station("journal: the disk is full".to_owned());
    assert_eq!(permitted(Act::Write(tag.clone()), &full, &cancel), Err(refused));
    cancel.cancel();
    assert_eq!(permitted(Act::Write(tag.clone()), &full, &cancel), Err(NoTag::Cancelled));
}

#[test]
fn bases_that_the_signer_takes_and_the_verifier_of_the_station_does_not_are_told_before_a_copy() {
    const DAY: u64 = 86_400;
    let mut report = samples::clean();
    let date = Timestamp::now().as_second() - 2 * 86_400;
    let bases = report.engines.engines.iter_mut().flat_map(|engine| &mut engine.bases);
    bases.for_each(|base| base.date = Some(date));
    let signer = Description {
        station: "accueil-1".into(),
        site: "paris".into(),
        certificate_expires: u64::MAX,
        next_counter: 1,
        fresh_bases: vec!["blanche".into()],
        max_base_age: 7 * DAY,
        max_validity: 30 * DAY,
        uses_token: false,
        signs_checkpoints: false,
        envelope_overhead: 0,
    };
    let trust = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.seal.trust = trust.path().to_owned();
    for (policy, suffice) in [("max_base_age = \"3 days\"", true), ("max_base_age = \"1 day\"", false)] {
        let text = format!("fresh_bases = [\"blanche\"]\n{policy}\n");
        std::fs::write(trust.path().join("policy.toml"), text).unwrap();
        let told = bases_suffice(&report, &signer, &settings);
        assert_eq!(told.is_ok(), suffice, "{told:?}");
        assert!(told.is_ok() || told.is_err_and(|why| why.contains(&trust.path().display().to_string())));
    }
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
