//! The process that holds bases and rules: started, loaded, proved by a self-test, armed; then it forks matchers.

use crate::error::ScanError;
use crate::known::EngineKey;
use crate::progress::Cancel;
use crate::settings::Settings;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::wire::{
    Container, ContainerProof, EngineSet, FromMatcher, FromZygote, Message, SelfTestResult, ToMatcher, ToZygote,
    ZygoteJob,
};
use blanche_sandbox::{Channel, ChannelError, Received};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The program of the zygote and its matchers.
const MATCHER: &str = "blanche-matcher";
/// Official bases take 10 to 30 s on a kiosk; a zygote that needs longer is stuck.
const LOAD_LIMIT: Duration = Duration::from_secs(300);
/// The samples are small; the first use of each parser is what takes time.
const SELF_TEST_LIMIT: Duration = Duration::from_secs(120);
/// How often somebody who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// A fork is a matter of milliseconds.
const FORK_LIMIT: Duration = Duration::from_secs(10);

/// What a self-test found: each engine on each marker, and each container.
pub(super) type Examined = (Vec<SelfTestResult>, Vec<ContainerProof>);

pub(super) fn proved(containers: &[ContainerProof]) -> Vec<Container> {
    containers.iter().filter(|proof| proof.proved).map(|proof| proof.container).collect()
}

/// The process that holds bases and rules and forks matchers.
#[derive(Debug)]
pub(super) struct Zygote {
    /// One request at a time.
    child: Mutex<Child>,
    pub(super) set: EngineSet,
    pub(super) self_test: Vec<SelfTestResult>,
    pub(super) containers: Vec<ContainerProof>,
    /// Absent when it cannot be told apart from others: then nothing is known.
    pub(super) key: Option<EngineKey>,
}

impl Zygote {
    /// Starts, loads, tests and arms a zygote. It dies with the thread that called this (PR_SET_PDEATHSIG).
    pub(super) fn prove(settings: &Settings, cancel: &Cancel) -> Result<Self, ScanError> {
        let (child, set) = load(settings, cancel)?;
        let mut zygote =
            Self { child: Mutex::new(child), set, self_test: Vec::new(), containers: Vec::new(), key: None };
        zygote.self_test(cancel)?;
        let process = zygote.child().pid();
        let (opened, tmpfs) = (proved(&zygote.containers), settings.engines.tmpfs_bytes);
        zygote.key = EngineKey::new(&zygote.set, &opened, tmpfs, process)
            .inspect_err(|error| tracing::warn!("known results are not used: {error}"))
            .ok();
        zygote.child().channel().send(&ToZygote::Arm(proved(&zygote.containers)), &[]).map_err(lost)?;
        Ok(zygote)
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new matcher. A zygote that does not answer in time or as it should is killed: its next answer could be taken
    /// for that to another request. The next session starts a new one.
    pub(super) fn fork(&self) -> Result<Child, ScanError> {
        let zygote = self.child();
        let forked = Self::ask_to_fork(&zygote);
        if forked.is_err() {
            zygote.kill();
        }
        forked
    }

    fn ask_to_fork(zygote: &Child) -> Result<Child, ScanError> {
        let (ours, theirs) = Channel::pair().map_err(lost)?;
        zygote.channel().send(&ToZygote::Fork, &[theirs.as_fd()]).map_err(lost)?;
        drop(theirs);
        let mut received = zygote.channel().receive::<FromZygote>(Some(FORK_LIMIT)).map_err(lost)?;
        match (received.message, received.fds.pop()) {
            (FromZygote::Forked { pid }, Some(pidfd)) => {
                Child::adopt(ours, pid, pidfd).map_err(|error| ScanError::Engines(error.to_string()))
            }
            _ => Err(ScanError::Engines("the engine process did not fork a matcher".to_owned())),
        }
    }

    /// Whether the process has ended.
    pub(super) fn is_dead(&self) -> bool {
        self.child().wait_end(Duration::ZERO).is_some()
    }

    /// Finds everything that must be found; engines that do not are not used.
    fn self_test(&mut self, cancel: &Cancel) -> Result<(), ScanError> {
        let (results, containers) = self.examine(cancel)?;
        if let Some(missed) = results.iter().find(|result| !result.found) {
            let (engine, marker) = (&missed.engine, &missed.marker);
            return Err(ScanError::Engines(format!("self-test: {engine} did not find {marker}")));
        }
        if let Some(closed) = containers.iter().find(|proof| proof.opener.is_some() && !proof.proved) {
            let (opener, container) = (closed.opener.as_deref().unwrap_or_default(), closed.container);
            return Err(ScanError::Engines(format!("self-test: {opener} did not open the sample of {container:?}")));
        }
        self.self_test = results;
        self.containers = containers;
        Ok(())
    }

    /// Has everything looked for that must be found, in a confined matcher as in a session.
    pub(super) fn examine(&self, cancel: &Cancel) -> Result<Examined, ScanError> {
        let matcher = self.fork()?;
        matcher.channel().send(&ToMatcher::SelfTest, &[]).map_err(lost)?;
        let answer = patiently::<FromMatcher>(matcher.channel(), SELF_TEST_LIMIT, cancel)?;
        let FromMatcher::SelfTested { results, containers } = answer.message else {
            return Err(ScanError::Engines("the self-test gave no result".to_owned()));
        };
        for engine in &self.set.engines {
            if !results.iter().any(|result| result.engine == engine.name) {
                return Err(ScanError::Engines(format!("{} was not tested", engine.name)));
            }
        }
        Ok((results, containers))
    }
}

/// Starts a zygote and lets it load.
fn load(settings: &Settings, cancel: &Cancel) -> Result<(Child, EngineSet), ScanError> {
    for (configured, present, what) in [
        (&settings.bases.clamav, settings.bases.clamav_present(), "ClamAV signatures"),
        (&settings.bases.rules, settings.bases.rules_present(), "YARA rules"),
    ] {
        if present.is_empty() {
            let names: Vec<_> = configured.iter().map(|folder| folder.display().to_string()).collect();
            let names = names.join(", ");
            return Err(ScanError::Engines(format!(
                "no folder with {what} exists; looked for {names}; see docs/configuration.md"
            )));
        }
    }
    let program = settings.children.program(MATCHER);
    let birth = Birth {
        program: &program,
        arguments: &[],
        medium: None,
        limits: ResourceLimits::default(),
        role: Role::Zygote,
    };
    let child = Child::spawn(&birth)
        .map_err(|error| ScanError::Children { program: program.display().to_string(), reason: error.to_string() })?;
    let (clamav, rules) = (opened(settings.bases.clamav_present())?, opened(settings.bases.rules_present())?);
    let names = |list: &[(PathBuf, File)]| list.iter().map(|(path, _)| path.display().to_string()).collect();
    let job = ZygoteJob {
        clamav: names(&clamav),
        rules: names(&rules),
        limits: settings.engines.limits,
        tmpfs_bytes: settings.engines.tmpfs_bytes,
    };
    let fds: Vec<_> = clamav.iter().chain(&rules).map(|(_, folder)| folder.as_fd()).collect();
    child.channel().send(&ToZygote::Load(job), &fds).map_err(lost)?;
    match patiently::<FromZygote>(child.channel(), LOAD_LIMIT, cancel)?.message {
        FromZygote::Loaded(set) => Ok((child, set)),
        FromZygote::LoadFailed(failure) => Err(ScanError::Engines(format!("{}: {}", failure.path, failure.reason))),
        FromZygote::Forked { .. } => Err(ScanError::Engines("the engine process broke its protocol".to_owned())),
    }
}

/// Waits for an answer that may take long, and looks whether somebody cancelled.
fn patiently<M: Message>(channel: &Channel, limit: Duration, cancel: &Cancel) -> Result<Received<M>, ScanError> {
    let deadline = Instant::now().checked_add(limit);
    while !channel.is_readable(LOOK).map_err(lost)? {
        if cancel.is_cancelled() {
            return Err(ScanError::Cancelled);
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(lost(ChannelError::TimedOut));
        }
    }
    channel.receive::<M>(Some(limit)).map_err(lost)
}

/// Opens base folders.
fn opened(folders: Vec<PathBuf>) -> Result<Vec<(PathBuf, File)>, ScanError> {
    folders
        .into_iter()
        .map(|path| match File::open(&path) {
            Ok(folder) => Ok((path, folder)),
            Err(error) => Err(ScanError::Engines(format!("{}: {error}", path.display()))),
        })
        .collect()
}

#[allow(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn lost(error: ChannelError) -> ScanError {
    ScanError::Engines(format!("the engine process does not answer: {error}"))
}
