//! The event log: what happened at the station, in which no content of a medium is named.

use crate::transfer::MediumIdentity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal)*) => {
        /// What happened. The words are stable: never reused nor renamed (docs/journal.md, section 4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventKind { $($(#[$doc])* $name,)* }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in records, filters and exports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

kinds! {
    /// The station's service began to work.
    StationStarted "station_started"
    /// It ended as it should.
    StationStopped "station_stopped"
    /// A device was plugged in.
    Arrived "arrived"
    /// The policy admitted it.
    Admitted "admitted"
    /// The policy refused it; the reason and its descriptors are in the detail.
    Refused "refused"
    /// Its scan began.
    Started "started"
    /// Its session went into another state, which is in the detail.
    Entered "entered"
    /// A person, or a client, ended the session.
    Cancelled "cancelled"
    /// The device was unplugged.
    Removed "removed"
    /// A session ended by a failure of the station.
    Failed "failed"
    /// A device changed while it was used: another class, a new interface, another content.
    Changed "changed"
    /// A tag was signed and is about to be written.
    Signed "signed"
    /// A tag was written on the medium, or kept for it.
    Sealed "sealed"
    /// A clean medium got no tag; the reason is in the detail.
    NotSealed "not_sealed"
    /// Files were copied to a station key.
    Copied "copied"
    /// Something that staff must look at: children that lie, digests that differ, a signer that refuses.
    Alarm "alarm"
    /// Other signature bases are in use.
    BasesChanged "bases_changed"
    /// New bases could not be loaded or failed their self-test; the older ones stay in use.
    BasesRejected "bases_rejected"
    /// A base whose age counts is too old, one is missing, has no date or is from the future: sealing stops.
    BasesStale "bases_stale"
    /// The self-test of the engines passed.
    SelfTestPassed "self_test_passed"
    /// The self-test of the engines failed.
    SelfTestFailed "self_test_failed"
    /// Other settings are in force than at the last start.
    SettingsChanged "settings_changed"
    /// The machine is about to sleep, and said so before.
    Suspended "suspended"
    /// It woke up, or did not sleep after all.
    Resumed "resumed"
    /// The clock was set, or jumped; by how many seconds is in the detail.
    ClockChanged "clock_changed"
}

/// One event, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// What is known about it.
    pub body: EventBody,
}

/// What is known about an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// UUID of the session that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<MediumIdentity>,
    /// Whatever else, by name: `reason`, `descriptors`, `from`, `to`. Texts of devices are hostile: make them visible first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

impl Event {
    /// An event about which nothing more is known.
    #[must_use]
    pub fn new(kind: EventKind) -> Self {
        Self { kind, body: EventBody::default() }
    }

    /// It belongs to this session.
    #[must_use]
    pub fn of_session(mut self, session: &str) -> Self {
        self.body.session = Some(session.to_owned());
        self
    }

    /// It is about this device.
    #[must_use]
    pub fn of_medium(mut self, medium: MediumIdentity) -> Self {
        self.body.medium = Some(medium);
        self
    }

    /// One more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.body.detail.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::EventKind;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_its_own_word_and_stands_in_the_documentation() {
        let document = include_str!("../../../docs/journal.md");
        let all = EventKind::ALL.iter().map(|kind| kind.as_str()).chain(crate::own::OwnEvent::KINDS);
        let words: BTreeSet<_> = all.collect();
        assert_eq!(words.len(), EventKind::ALL.len() + crate::own::OwnEvent::KINDS.len());
        for word in words {
            assert!(document.contains(&format!("| `{word}` |")), "{word}");
        }
    }
}
