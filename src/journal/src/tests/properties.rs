//! For any texts, in any order, and for any change.

use crate::export::visible_json;
use crate::testing::{open, session};
use crate::{Event, EventKind, Evidence, Filter, Order, canonical, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::{Connection, params};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_texts_are_recorded_as_they_are_and_any_changed_byte_is_found(
        details in vec((any::<String>(), any::<String>()), 1..6),
        sessions in vec(0u64..40, 1..4),
        place in any::<prop::sample::Index>(),
        bit in 0u32..7,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        for (name, value) in &details {
            journal.event(Event::new(EventKind::Alarm).with(name, value.as_str())).unwrap();
        }
        for number in sessions {
            let mut closing = session(number);
            closing.medium.name = details.first().map(|(_, value)| value.clone());
            journal.transfer(closing).unwrap();
        }
        let rows = journal.reader().unwrap().page(&Filter::default(), Order::OldestFirst, None, 100).unwrap().rows;
        for (row, (name, value)) in rows.iter().skip(1).zip(&details) {
            prop_assert_eq!(row.body["detail"][name.as_str()].as_str(), Some(value.as_str()));
            let shown: serde_json::Value = serde_json::from_str(&visible_json(&row.text)).unwrap();
            prop_assert_eq!(&canonical::text(&shown).unwrap(), &row.text);
        }
        drop(journal);
        let path = folder.path().join("journal");
        prop_assert!(verify(&path, &Evidence::default()).unwrap().is_whole());
        // One bit of one record.
        let row = &rows[place.index(rows.len())];
        let mut bytes = row.text.clone().into_bytes();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
        let connection = Connection::open(path.join("00000001.sqlite")).unwrap();
        connection.execute_batch("DROP TRIGGER event_stays; DROP TRIGGER transfer_stays").unwrap();
        let update = format!("UPDATE {} SET record = ?1 WHERE sequence = ?2", row.log.as_str());
        // Not even SQLite takes what is no JSON any more.
        if connection.execute(&update, params![changed, row.sequence]).is_ok() {
            let kinds: Vec<_> = verify(&path, &Evidence::default()).unwrap().faults.iter().map(|fault| fault.kind).collect();
            prop_assert!(kinds.contains(&crate::FaultKind::Hash), "{:?}", kinds);
        }
    }
}
