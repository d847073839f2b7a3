//! Looking things up: every filter finds what a look at every record finds, and by an index.

use crate::testing::{digest, nobody, open, session, settings};
use crate::{Event, EventKind, Filter, Journal, JournalSettings, Log, Moment, Order, Reader, Row, Verdict};
use rusqlite::Connection;

fn journal(folder: &std::path::Path, sessions: u64) -> Journal {
    let journal = Journal::open(&JournalSettings { segment_bytes: 250_000, ..settings(folder) }).unwrap();
    for number in 0..sessions {
        let mut closing = session(number);
        closing.medium.serial = Some(format!("SERIAL{}", number % 5));
        let arrived = Event::new(EventKind::Arrived).of_session(&closing.session).of_medium(closing.medium.clone());
        journal.event(arrived).unwrap();
        journal.transfer(closing).unwrap();
        if number % 10 == 0 {
            let _ = journal.checkpoint(&mut nobody).unwrap();
        }
    }
    journal
}

/// All pages of this size.
fn pages(reader: &Reader, filter: &Filter, order: Order, size: usize) -> Vec<u64> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = reader.page(filter, order, from, size).unwrap();
        assert!(page.rows.len() <= size);
        all.extend(page.rows.iter().map(|row| row.sequence));
        match page.next {
            Some(next) => from = Some(next),
            None => return all,
        }
    }
}

fn fits(filter: &Filter, row: &Row) -> bool {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let names = |wanted: &String| {
        let files = row.body["files"].as_array().cloned().unwrap_or_default();
        row.log == Log::Transfer && files.iter().any(|file| file["sha256"] == **wanted)
    };
    filter.log.is_none_or(|log| log == row.log)
        && filter.kind.as_ref().is_none_or(|kind| *kind == row.kind)
        && (filter.session.is_none() || filter.session == text(&row.body["session"]))
        && (filter.serial.is_none() || filter.serial == text(&row.body["medium"]["serial"]))
        && filter.verdict.is_none_or(|verdict| row.body["verdict"] == verdict.as_str())
        && filter.digest.as_ref().is_none_or(names)
        && filter.from.is_none_or(|from| row.time >= from)
        && filter.until.is_none_or(|until| row.time < until)
}

#[test]
fn every_filter_finds_what_a_look_at_every_record_finds() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path(), 80);
    let reader = journal.reader().unwrap();
    let all = reader.page(&Filter::default(), Order::OldestFirst, None, 10_000).unwrap().rows;
    let (early, late) = (all[20].time, all[all.len() - 20].time);
    let mut random = fastrand::Rng::with_seed(7);
    let mut some = 0;
    for _ in 0..300 {
        let mut filter = Filter::default();
        let mut sometimes = |odds| random.u8(..odds) == 0;
        filter.log = sometimes(4).then_some(Log::Transfer);
        filter.kind = sometimes(3).then(|| "session".to_owned());
        filter.serial = sometimes(3).then(|| "SERIAL3".to_owned());
        filter.verdict = sometimes(4).then_some(Verdict::Infected);
        filter.session = sometimes(8).then(|| session(23).session);
        filter.digest = sometimes(8).then(|| digest(23));
        filter.from = sometimes(3).then_some(early);
        filter.until = sometimes(3).then_some(late);
        let expected: Vec<u64> = all.iter().filter(|row| fits(&filter, row)).map(|row| row.sequence).collect();
        some += usize::from(!expected.is_empty());
        let size = [1, 7, 1000][random.usize(..3)];
        assert_eq!(pages(&reader, &filter, Order::OldestFirst, size), expected, "{filter:?}");
        let backwards: Vec<u64> = expected.into_iter().rev().collect();
        assert_eq!(pages(&reader, &filter, Order::NewestFirst, size), backwards, "{filter:?}");
    }
    assert!(some > 50, "{some}");
}

#[test]
fn a_clock_that_was_set_back_hides_no_record_from_a_search_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    // As if the clock had been far ahead when these were recorded.
    let ahead = Moment::now().before(std::time::Duration::ZERO).millisecond() + 86_400_000;
    journal.writer().unwrap().head.time = Moment::from_millisecond(ahead);
    journal.transfer(session(1)).unwrap();
    let reader = journal.reader().unwrap();
    let rows = reader.page(&Filter::default(), Order::OldestFirst, None, 10).unwrap().rows;
    assert_eq!(
        rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(),
        ["segment_opened", "clock_set_back", "session"]
    );
    assert_eq!(rows[1].body["was"], Moment::from_millisecond(ahead).to_string());
    let filter = Filter { until: Some(Moment::from_millisecond(ahead)), ..Filter::default() };
    assert_eq!(pages(&reader, &filter, Order::NewestFirst, 2), [3, 2, 1]);
}

#[test]
fn rare_conditions_lead_by_their_index_and_nothing_is_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path(), 3);
    let connection = Connection::open(folder.path().join("journal/00000001.sqlite")).unwrap();
    let plan = |filter: &Filter| {
        let query = filter.query((0, 1000), Order::NewestFirst, 50).unwrap();
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", query.text)).unwrap();
        let rows = explain.query_map(rusqlite::params_from_iter(query.parameters), |row| row.get::<_, String>(3));
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    };
    let some = |kind: &str| Some(kind.to_owned());
    let closing = Filter { log: Some(Log::Transfer), kind: some("session"), ..Filter::default() };
    for (filter, index) in [
        (Filter::default(), "PRIMARY KEY"),
        (closing.clone(), "transfer_kind"),
        (Filter { serial: some("SERIAL1"), ..closing.clone() }, "transfer_serial"),
        (Filter { serial: some("SERIAL1"), verdict: Some(Verdict::Clean), ..closing.clone() }, "transfer_serial"),
        (Filter { session: some("x"), serial: some("SERIAL1"), ..Filter::default() }, "transfer_session"),
        (Filter { verdict: Some(Verdict::Infected), ..closing.clone() }, "transfer_verdict"),
        (Filter { digest: Some(digest(3)), ..Filter::default() }, "SEARCH file"),
        (Filter { log: Some(Log::Event), kind: some("alarm"), ..Filter::default() }, "event_kind"),
    ] {
        let plan = plan(&filter);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
    }
    drop(journal);
}
