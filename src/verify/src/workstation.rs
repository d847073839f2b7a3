//! What this workstation believes, demands and remembers: read before anything of a medium is.

use crate::arguments::{Demands, LevelName};
use crate::failure::Failure;
use crate::keeper::Keeper;
use crate::memory::{self, Remembered, Store};
use crate::policy::{self, level_name};
use crate::rights;
use crate::trust::{self, Trust};
use crate::words::Notice;
use blanche_tag::{Authority, Context, Level, Policy};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything that a verification needs beside tag and medium.
#[derive(Debug)]
pub(crate) struct Workstation {
    trust: Trust,
    pub(crate) policy: Policy,
    /// Absent with `--no-memory`.
    store: Option<Store>,
    /// What the store knew at the start.
    remembered: Remembered,
    /// Seconds since 1970.
    pub(crate) clock: u64,
    /// The clock was given, so nothing is learned.
    given_clock: bool,
    pub(crate) notices: Vec<Notice>,
}

impl Workstation {
    /// Reads everything that an administrator installed and earlier runs left.
    ///
    /// # Errors
    /// [`Failure`] names the file.
    pub(crate) fn prepare(demands: &Demands, level: Option<LevelName>) -> Result<Self, Failure> {
        let mut notices = Vec::new();
        if !rights::CHECKED {
            notices.push(Notice::RightsNotChecked);
        }
        let folder = demands.trust.clone().unwrap_or_else(trust::default_folder);
        let trust = Trust::load(&folder, &mut notices)?;
        let file = demands.policy.clone().or_else(|| trust.policy.clone());
        let (mut policy, demanded) = match &file {
            Some(file) => policy::load(file)?,
            None => (Policy::default(), None),
        };
        if let Some(asked) = level.map(Level::from) {
            if let (Some(demanded), Some(path)) = (demanded.filter(|demanded| asked < *demanded), file) {
                return Err(Failure::Level { path, asked: level_name(asked), demanded: level_name(demanded) });
            }
            policy.level = asked;
        }
        let store = match (demands.no_memory, &demands.memory) {
            (true, _) => None,
            (false, Some(file)) => Some(named(file)?),
            (false, None) => Some(Store::open(&memory::default_file())?),
        };
        if demands.at.is_some() {
            notices.push(Notice::ClockGiven);
        } else if store.as_ref().is_none_or(|store| !store.is_writable()) {
            notices.push(Notice::NothingRemembered);
        }
        let mut remembered = store.as_ref().map(|store| store.remembered.clone()).unwrap_or_default();
        remembered.attribute(trust.store.authorities.iter().map(Authority::id));
        let (clock, given_clock) = (demands.at.unwrap_or_else(now), demands.at.is_some());
        Ok(Self { trust, policy, store, remembered, clock, given_clock, notices })
    }

    /// As the steps want it.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            trust: &self.trust.store,
            crls: &self.trust.crls,
            lists: &self.trust.lists,
            policy: &self.policy,
            clock: self.clock,
            memory: &self.remembered.memory,
            counters: &self.remembered.counters,
        }
    }

    /// Who keeps what is learned; nobody where nothing is to be remembered.
    ///
    /// # Errors
    /// [`Failure::Memory`]
    pub(crate) fn keeper(&mut self) -> Result<Option<Keeper>, Failure> {
        let store = self.store.take().filter(|store| !self.given_clock && store.is_writable());
        store.map(Keeper::start).transpose()
    }
}

/// A memory that somebody asked for by name must work.
fn named(file: &std::path::Path) -> Result<Store, Failure> {
    let store = Store::open(file)?;
    if store.is_writable() {
        Ok(store)
    } else {
        Err(Failure::Memory { path: file.to_owned(), why: "it cannot be written here".to_owned() })
    }
}

/// Seconds since 1970; a clock before that is as good as none.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
