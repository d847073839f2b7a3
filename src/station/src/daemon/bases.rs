//! What the journal gets to know of bases: others are in use, newer ones are not used, one is too old.

use crate::session::Entry;
use blanche_sandbox::wire::{BaseInfo, EngineInfo};
use blanche_scan::EngineRoomDescription;
use blanche_scan::report::SealingObstacle;

/// The word of the problem, as `ProblemKind::Bases` has it.
const PROBLEM: &str = "bases";

/// What was seen of the bases at the last look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Those in use; nothing before the first look.
    set: Option<Vec<EngineInfo>>,
    rejected: Option<String>,
    /// One is too old, has no date or is missing.
    stale: bool,
}

impl Seen {
    /// What is to be recorded now. `obstacles`: of these bases, to sealing.
    pub(super) fn news(&mut self, now: &EngineRoomDescription, obstacles: &[SealingObstacle]) -> Vec<Entry> {
        let mut news = Vec::new();
        let set = &now.engine_set.engines;
        if self.set.as_ref().is_some_and(|before| before != set) {
            news.push(Entry::BasesChanged(line(set)));
        }
        if let Some(why) = now.base_rejected.as_ref().filter(|why| self.rejected.as_ref() != Some(*why)) {
            news.push(Entry::BasesRejected(why.clone()));
        }
        let of_age: Vec<_> = obstacles.iter().filter(|obstacle| **obstacle != SealingObstacle::BaseRejected).collect();
        if !of_age.is_empty() && !self.stale {
            news.push(Entry::Problem(PROBLEM, Some(format!("{of_age:?}"))));
        }
        if obstacles.is_empty() && (self.stale || self.rejected.is_some()) {
            news.push(Entry::Problem(PROBLEM, None));
        }
        *self = Self { set: Some(set.clone()), rejected: now.base_rejected.clone(), stale: !of_age.is_empty() };
        news
    }
}

/// "clamav main 62, daily 27800; yara-x rules 3": each engine with its bases and their versions.
fn line(engines: &[EngineInfo]) -> String {
    let engine = |engine: &EngineInfo| {
        let base = |base: &BaseInfo| match (&base.version, base.date) {
            (Some(version), _) => format!("{} {version}", base.name),
            (None, Some(date)) => format!("{} of {date}", base.name),
            (None, None) => base.name.clone(),
        };
        let bases: Vec<_> = engine.bases.iter().map(base).collect();
        format!("{} {}", engine.name, bases.join(", "))
    };
    engines.iter().map(engine).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::show::samples;

    /// What is recorded, in a word each.
    fn told(seen: &mut Seen, now: &EngineRoomDescription, obstacles: &[SealingObstacle]) -> Vec<String> {
        let word = |entry: Entry| match entry {
            Entry::BasesChanged(bases) => format!("changed: {bases}"),
            Entry::BasesRejected(why) => format!("rejected: {why}"),
            Entry::Problem(PROBLEM, Some(why)) => format!("stale: {why}"),
            Entry::Problem(PROBLEM, None) => "solved".to_owned(),
            other => format!("{other:?}"),
        };
        seen.news(now, obstacles).into_iter().map(word).collect()
    }

    #[test]
    fn newer_bases_that_are_not_used_are_recorded_once_for_each_reason_and_so_is_what_replaces_them() {
        let (mut seen, good) = (Seen::default(), samples::room());
        assert!(told(&mut seen, &good, &[]).is_empty(), "nothing is known of what was before");
        let broken = |why: &str| EngineRoomDescription { base_rejected: Some(why.into()), ..samples::room() };
        let rejected = [SealingObstacle::BaseRejected];
        assert_eq!(told(&mut seen, &broken("EICAR was not found"), &rejected), ["rejected: EICAR was not found"]);
        assert!(told(&mut seen, &broken("EICAR was not found"), &rejected).is_empty(), "once");
        assert_eq!(told(&mut seen, &broken("daily.cvd: cut"), &rejected), ["rejected: daily.cvd: cut"]);
        let mut newer = samples::room();
        newer.engine_set.engines[1].bases[0].version = Some("4".into());
        let changed = "changed: clamav blanche.ndb 1, old.ndb; yara-x scripts 4";
        assert_eq!(told(&mut seen, &newer, &[]), [changed, "solved"]);
        assert!(told(&mut seen, &newer, &[]).is_empty());
    }

    #[test]
    fn a_base_that_is_too_old_is_recorded_also_beside_one_that_was_rejected() {
        let (mut seen, now) = (Seen::default(), samples::room());
        let stale = [SealingObstacle::StaleBase("old.ndb".into())];
        assert_eq!(told(&mut seen, &now, &stale), ["stale: [StaleBase(\"old.ndb\")]"], "also at the first look");
        let both = [SealingObstacle::StaleBase("old.ndb".into()), SealingObstacle::BaseRejected];
        let rejected = EngineRoomDescription { base_rejected: Some("cut".into()), ..samples::room() };
        assert_eq!(told(&mut seen, &rejected, &both), ["rejected: cut"]);
        assert!(told(&mut seen, &rejected, &both[1..]).is_empty(), "one is left");
        assert_eq!(told(&mut seen, &rejected, &both), ["stale: [StaleBase(\"old.ndb\")]"]);
        assert_eq!(told(&mut seen, &now, &[]), ["solved"]);
    }

    #[test]
    fn other_bytes_under_the_same_name_and_version_are_other_bases() {
        let (mut seen, mut now) = (Seen::default(), samples::room());
        told(&mut seen, &now, &[]);
        now.engine_set.engines[0].bases[0].sha256 = [0x22; 32];
        assert_eq!(told(&mut seen, &now, &[]).len(), 1);
    }
}
