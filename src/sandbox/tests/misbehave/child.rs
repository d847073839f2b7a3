//! The child's side: this program, started again with `child` as its first argument.

use crate::acts;
use crate::work;
use blanche_sandbox::birth::{CHANNEL_FD, Forked, fork_confinable};
use blanche_sandbox::confine::{Profile, abort_on_panic, confine, private_tmpfs};
use blanche_sandbox::wire::{Born, FromZygote, Message, ToZygote};
use blanche_sandbox::{Channel, ChannelError};
use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Exit code of a child that refuses to start.
pub(crate) const REFUSED: i32 = 3;
/// Bytes of the private tmpfs in these tests.
pub(crate) const TMPFS_BYTES: u64 = 1 << 20;

/// What a child says about what it did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) text: String,
}

impl Message for Outcome {
    const MAX_BYTES: u32 = 64 << 10;
    const MAX_FDS: usize = 1;
}

/// `child PROFILE ACT [FOLDER]`, or `child zygote`.
pub(crate) fn run(arguments: &[String]) -> ! {
    abort_on_panic();
    // SAFETY: the parent put the channel there, and nothing else in this process has taken it.
    let channel = Channel::from_fd(unsafe { OwnedFd::from_raw_fd(CHANNEL_FD) });
    let profile = arguments.first().expect("profile").as_str();
    let act = arguments.get(1).map(String::as_str).unwrap_or_default();
    let folder = arguments.get(2).map(PathBuf::from);
    match profile {
        "zygote" => zygote(&channel, Path::new(act)),
        "plain" => say(&channel, &work::facts()),
        "unconfined" => unconfined(&channel, act),
        _ => {}
    }
    let (folder, private) = match (profile, folder) {
        ("matcher", None) => (private_tmpfs(TMPFS_BYTES).expect("a private tmpfs"), true),
        ("matcher" | "signer" | "token signer", Some(folder)) => (folder, false),
        _ => (PathBuf::new(), false),
    };
    let profile = match profile {
        "medium" => Profile::MediumReader,
        "folder" => Profile::FolderReader,
        "signer" => Profile::Signer { folder: &folder, token: None },
        "token signer" => Profile::Signer { folder: &folder, token: Some(&[]) },
        "sealer" => Profile::Sealer,
        _ => Profile::Matcher { tmpfs: &folder },
    };
    match act {
        "threads" => {
            std::thread::spawn(|| std::thread::sleep(Duration::from_secs(60)));
        }
        "without landlock" => answer_enosys(&[(libc::SYS_landlock_create_ruleset, None)]),
        "without landlock enforcement" => answer_enosys(&[(libc::SYS_landlock_restrict_self, None)]),
        "without seccomp" => answer_enosys(&[(libc::SYS_seccomp, None)]),
        "without any seccomp" => answer_enosys(&[
            (libc::SYS_prctl, Some(libc::PR_SET_SECCOMP.cast_unsigned().into())),
            (libc::SYS_seccomp, None),
        ]),
        "without capset" => answer_enosys(&[(libc::SYS_capset, None)]),
        _ => {}
    }
    let born = match confine(profile) {
        Ok(born) => born,
        Err(error) => {
            eprintln!("refuses to start: {error}");
            std::process::exit(REFUSED);
        }
    };
    assert!(!private || born.private_tmpfs);
    channel.send(&born, &[]).expect("a parent that listens");
    obey(&channel, &folder)
}

/// Does the one thing that the parent orders and says how it went, if it can. The order comes after the parent has
/// verified the confinement, as in the real programs.
fn obey(channel: &Channel, folder: &Path) -> ! {
    let act = channel.receive::<Outcome>(None).expect("an order").message.text;
    let act = act.as_str();
    let readers = [acts::READERS, acts::MEDIUM_READER];
    let every =
        [acts::EVERYONE, acts::HOLDERS, acts::SEALER, acts::SIGNER, acts::TOKEN_SIGNER].into_iter().chain(readers);
    if let Some((_, call)) = every.flatten().find(|(name, _)| *name == act) {
        let result = call();
        say(channel, &format!("came back with {result}: {}", std::io::Error::last_os_error()));
    }
    work::perform(channel, act, folder)
}

/// The last words of a child that did its work.
pub(crate) fn say(channel: &Channel, text: &str) -> ! {
    channel.send(&Outcome { text: text.to_owned() }, &[]).expect("a parent that listens");
    std::process::exit(0);
}

/// Claims to be confined, and is not (or not wholly).
fn unconfined(channel: &Channel, act: &str) -> ! {
    let born = Born {
        no_new_privileges: true,
        landlock_abi: 7,
        allowed_system_calls: 50,
        network_namespace: false,
        private_tmpfs: false,
    };
    match act {
        "says nothing" => std::thread::sleep(Duration::from_secs(60)),
        "says something else" => channel.send(&Outcome { text: "x".repeat(2000) }, &[]).expect("a parent"),
        "keeps its capabilities" => {
            // As many filters as a confined child has, but not the right ones.
            answer_enosys(&[(libc::SYS_acct, None)]);
            answer_enosys(&[(libc::SYS_acct, None)]);
            channel.send(&born, &[]).expect("a parent");
        }
        _ => channel.send(&born, &[]).expect("a parent"),
    }
    std::thread::sleep(Duration::from_secs(60));
    std::process::exit(0);
}

/// Forks a matcher at each [`ToZygote::Fork`]. `folder` is for matchers that cannot mount a tmpfs of their own.
fn zygote(channel: &Channel, folder: &Path) -> ! {
    loop {
        let mut order = match channel.receive::<ToZygote>(None) {
            Ok(order) => order,
            Err(ChannelError::Closed) => std::process::exit(0),
            Err(error) => panic!("{error}"),
        };
        let socket = order.fds.pop().expect("a channel for the matcher");
        match fork_confinable().expect("a fork") {
            Forked::Child => matcher(&Channel::from_fd(socket), folder),
            Forked::Parent { pid, pidfd } => {
                channel.send(&FromZygote::Forked { pid }, &[pidfd.as_fd()]).expect("a parent");
            }
        }
    }
}

/// A matcher of [`zygote`]: confines itself and does what it is told.
fn matcher(channel: &Channel, folder: &Path) -> ! {
    let tmpfs = private_tmpfs(TMPFS_BYTES).unwrap_or_else(|_| folder.to_path_buf());
    let born = confine(Profile::Matcher { tmpfs: &tmpfs }).expect("confinement");
    channel.send(&born, &[]).expect("a parent that listens");
    obey(channel, &tmpfs)
}

/// A filter that answers ENOSYS to these calls (where given: with this first argument), as a kernel without them does.
pub(crate) fn answer_enosys(calls: &[(i64, Option<u64>)]) {
    answer(calls, libc::ENOSYS);
}

/// A filter that answers EPERM to a new user namespace, as a kernel does where they are switched off.
pub(crate) fn forbid_user_namespaces() {
    let flag = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let test = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(flag), flag).expect("a test");
    let rules = vec![SeccompRule::new(vec![test]).expect("a rule")];
    install(BTreeMap::from([(libc::SYS_unshare, rules)]), libc::EPERM);
}

fn answer(calls: &[(i64, Option<u64>)], errno: i32) {
    let rule = |first: u64| {
        let test = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, first).expect("a test");
        SeccompRule::new(vec![test]).expect("a rule")
    };
    install(calls.iter().map(|(call, first)| (*call, first.map(rule).into_iter().collect())).collect(), errno);
}

fn install(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) {
    let machine = std::env::consts::ARCH.try_into().expect("a known machine");
    let refusal = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, machine).expect("a filter");
    let program: seccompiler::BpfProgram = filter.try_into().expect("a program");
    seccompiler::apply_filter_all_threads(&program).expect("a kernel with seccomp");
}
