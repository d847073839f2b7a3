//! What is looked for, as conditions of SQL in which exactly one index leads.

use crate::moment::Moment;
use crate::segment::Log;
use crate::transfer::Verdict;
use rusqlite::types::Value as Parameter;

/// Which records are wanted. Everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this log.
    pub log: Option<Log>,
    /// Of this kind ([`crate::EventKind::as_str`], `session`, …).
    pub kind: Option<String>,
    /// Of this session.
    pub session: Option<String>,
    /// About the medium with this USB serial number.
    pub serial: Option<String>,
    /// With this verdict: closing records only.
    pub verdict: Option<Verdict>,
    /// Which name a file with this SHA-256, in lower-case hexadecimal: transfer log only.
    pub digest: Option<String>,
    /// Recorded at this time or later.
    pub from: Option<Moment>,
    /// Recorded before this time.
    pub until: Option<Moment>,
}

/// Which record comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The newest record first.
    NewestFirst,
    /// The oldest record first.
    OldestFirst,
}

/// A query within one segment.
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Parameter>,
}

impl Filter {
    /// Whether records of a log can be wanted at all.
    fn wants(&self, log: Log) -> bool {
        let only_transfers = self.verdict.is_some() || self.digest.is_some();
        self.log.is_none_or(|wanted| wanted == log) && (log == Log::Transfer || !only_transfers)
    }

    /// Records from `low` to `high`, `limit` at most; sequence, record, hash. `None` if there can be none.
    pub(crate) fn query(&self, (low, high): (u64, u64), order: Order, limit: usize) -> Option<Query> {
        let logs: Vec<Log> = [Log::Event, Log::Transfer].into_iter().filter(|log| self.wants(*log)).collect();
        if logs.is_empty() || low > high {
            return None;
        }
        let (conditions, equals) = self.conditions();
        let number = |number: u64| Parameter::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let mut parameters = vec![number(low), number(high), number(u64::try_from(limit).unwrap_or(u64::MAX))];
        parameters.extend(equals);
        let select = |log: &Log| {
            let (table, found) = match self.digest {
                Some(_) => ("file JOIN transfer USING (sequence)", "file.sequence"),
                None => (log.as_str(), "sequence"),
            };
            format!("SELECT sequence, record, hash FROM {table} WHERE {found} BETWEEN ?1 AND ?2{conditions}")
        };
        let union = logs.iter().map(select).collect::<Vec<_>>().join(" UNION ALL ");
        let direction = if order == Order::NewestFirst { "DESC" } else { "ASC" };
        let by = if self.digest.is_some() { "file.sequence" } else { "sequence" };
        Some(Query { text: format!("{union} ORDER BY {by} {direction} LIMIT ?3"), parameters })
    }

    /// Conditions after the first two, with parameters from ?4 on. SQLite knows no statistics of these tables: the first
    /// condition, which is the rarest, may use its index, "+" forbids it to the others (SQLite, "The Query Optimizer", 2).
    fn conditions(&self) -> (String, Vec<Parameter>) {
        let wanted = [
            ("sha256", self.digest.clone()),
            ("session", self.session.clone()),
            ("serial", self.serial.clone()),
            ("verdict", self.verdict.map(|verdict| verdict.as_str().to_owned())),
            ("kind", self.kind.clone()),
        ];
        let mut text = String::new();
        let mut parameters = Vec::new();
        for (column, value) in wanted.into_iter().filter_map(|(column, value)| Some((column, value?))) {
            let leads = if parameters.is_empty() { "" } else { "+" };
            text.push_str(&format!(" AND {leads}{column} = ?{}", parameters.len().saturating_add(4)));
            parameters.push(Parameter::Text(value));
        }
        (text, parameters)
    }
}
