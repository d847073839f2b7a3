//! The zygote: loads bases and rules once, then only forks matchers, which share its memory until they write to it.
//!
//! It has one thread, never matches anything and reads nothing of any medium. It ends when its parent closes the
//! channel, and its children end with it.

use crate::clamav::{self, Clamav, ScanLimits};
use crate::containers::Opened;
use crate::examine::{CLAMAV, Engines, YARA};
use crate::rules::{self, Rules, RulesError, YARA_X_VERSION};
use crate::{fallback, matcher, warm};
use blanche_sandbox::birth::{BirthError, Forked, Inherited, fork_confinable};
use blanche_sandbox::confine::{self, Profile};
use blanche_sandbox::wire::{EngineInfo, EngineLimits, EngineSet, FromZygote, LoadFailure, ToZygote, ZygoteJob};
use blanche_sandbox::{Channel, ChannelError};
use rustix::process::{Resource, Rlimit};
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Why the zygote, or a matcher, ended.
#[derive(Debug, thiserror::Error)]
pub enum ZygoteError {
    /// The parent broke the protocol.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A matcher ended.
    #[error(transparent)]
    Matcher(#[from] matcher::MatcherError),
    /// A message that does not fit: a fork before a load, a second load, a missing descriptor.
    #[error("the parent broke the protocol: {0}")]
    Protocol(&'static str),
    /// A system call failed.
    #[error("{step}: {source}")]
    System {
        /// What was tried.
        step: &'static str,
        /// The kernel's answer.
        source: std::io::Error,
    },
    /// The zygote has more than one thread, which would leave locks behind that nobody opens, or the kernel refuses.
    #[error(transparent)]
    Fork(#[from] BirthError),
    /// A layer of the sandbox is missing.
    #[error(transparent)]
    Confine(#[from] confine::ConfineError),
    /// There is neither a private tmpfs nor a folder instead.
    #[error(transparent)]
    Fallback(#[from] fallback::FallbackError),
    /// libclamav refused its temporary folder.
    #[error(transparent)]
    Clamav(#[from] clamav::ClamavError),
}

/// Everything that is loaded.
struct Loaded {
    clamav: Clamav,
    rules: Rules,
    limits: EngineLimits,
    tmpfs_bytes: u64,
}

/// The program: serves the channel on descriptor 4 until the parent closes it.
#[must_use]
pub fn run() -> ExitCode {
    let Some(channel) = Inherited::Channel.take().map(Channel::from_fd) else {
        let _ = writeln!(std::io::stderr(), "blanche-matcher is started by Blanche, with its channel on descriptor 4");
        return ExitCode::from(2);
    };
    match serve(channel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "blanche-matcher: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(channel: Channel) -> Result<(), ZygoteError> {
    let mut loaded: Option<Loaded> = None;
    let mut opened = Opened::none();
    loop {
        let received = match channel.receive::<ToZygote>(None) {
            Err(ChannelError::Closed) => return Ok(()),
            other => other?,
        };
        match received.message {
            ToZygote::Load(_) if loaded.is_some() => return Err(ZygoteError::Protocol("a second load")),
            ToZygote::Load(job) => match load(&job, &received.fds) {
                Ok((new, set)) => {
                    warm::warm();
                    loaded = Some(new);
                    channel.send(&FromZygote::Loaded(set), &[])?;
                }
                Err(failure) => return Ok(channel.send(&FromZygote::LoadFailed(failure), &[])?),
            },
            ToZygote::Arm(containers) => opened = Opened::proved(&containers),
            ToZygote::Fork => {
                let fd = received.fds.into_iter().next().ok_or(ZygoteError::Protocol("a fork without a channel"))?;
                let Some(ready) = loaded.take() else { return Err(ZygoteError::Protocol("a fork before a load")) };
                match fork_confinable()? {
                    Forked::Parent { pid, pidfd } => {
                        drop(fd);
                        loaded = Some(ready);
                        channel.send(&FromZygote::Forked { pid }, &[pidfd.as_fd()])?;
                    }
                    Forked::Child => {
                        drop(channel);
                        return be_matcher(Channel::from_fd(fd), ready, opened);
                    }
                }
            }
        }
    }
}

/// Loads bases and rules from folders that the parent opened.
fn load(job: &ZygoteJob, fds: &[OwnedFd]) -> Result<(Loaded, EngineSet), LoadFailure> {
    let failed = |path: &str, reason: String| LoadFailure { path: path.to_owned(), reason };
    if fds.len() != job.clamav.len() + job.rules.len() {
        return Err(failed("", "the parent sent another number of folders than of names".to_owned()));
    }
    let folder = |fd: &OwnedFd| PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    let (clamav_fds, rule_fds) = fds.split_at(job.clamav.len());
    let folders: Vec<_> = job.clamav.iter().cloned().zip(clamav_fds.iter().map(folder)).collect();
    let (mut clamav, bases) =
        clamav::load_folders(&folders).map_err(|(name, error)| failed(&name, error.to_string()))?;
    let limits = clamav.compile(job.limits).map_err(|error| failed(CLAMAV, error.to_string()))?;
    let rule_folders = job.rules.iter().zip(rule_fds).map(|(name, fd)| rules::read_folder(name, &folder(fd)));
    let rules = rule_folders.collect::<Result<Vec<_>, _>>().and_then(|folders| Rules::compile(&folders));
    let rules = rules.map_err(|error| match error {
        RulesError::Read { path, reason } | RulesError::Compile { path, reason } => LoadFailure { path, reason },
    })?;
    let engine = |name: &str, version: &str, bases| EngineInfo { name: name.into(), version: version.into(), bases };
    let set = EngineSet {
        engines: vec![engine(CLAMAV, clamav.version(), bases), engine(YARA, YARA_X_VERSION, rules.bases().to_vec())],
        limits,
    };
    Ok((Loaded { clamav, rules, limits, tmpfs_bytes: job.tmpfs_bytes }, set))
}

/// The child's life: it limits its memory, closes every door, and serves.
fn be_matcher(channel: Channel, ready: Loaded, opened: Opened) -> Result<(), ZygoteError> {
    let Loaded { mut clamav, rules, limits, tmpfs_bytes } = ready;
    let folder = match confine::private_tmpfs(tmpfs_bytes) {
        Ok(folder) => folder,
        // Without the right to mount: a folder of its own, and `Born` says so.
        Err(_) => fallback::folder(tmpfs_bytes)?,
    };
    clamav.set_temporary_folder(&folder)?;
    limit_memory(limits.max_matcher_memory)?;
    let born = confine::confine(Profile::Matcher { tmpfs: &folder })?;
    channel.send(&born, &[])?;
    let mut engines = Engines {
        clamav,
        rules: rules.matcher(),
        max_file_size: limits.max_file_size,
        limits: ScanLimits { max_scan_size: limits.max_scan_size, max_scan_time: limits.max_scan_time },
        rule_time: Duration::from_secs(limits.max_rules_time.into()),
        opened,
    };
    Ok(matcher::serve(&channel, &mut engines)?)
}

/// Private writable memory (RLIMIT_DATA, getrlimit(2)) beyond what the process has now.
fn limit_memory(bytes: u64) -> Result<(), ZygoteError> {
    if bytes == 0 {
        return Ok(());
    }
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|source| ZygoteError::System { step: "/proc/self/status", source })?;
    let now = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .ok_or(ZygoteError::Protocol("/proc/self/status has no VmData"))?;
    let limit = now.saturating_mul(1024).saturating_add(bytes);
    rustix::process::setrlimit(Resource::Data, Rlimit { current: Some(limit), maximum: Some(limit) })
        .map_err(|error| ZygoteError::System { step: "memory limit", source: error.into() })
}
