//! The promises.

use crate::acts;
use crate::child::REFUSED;
use crate::parent::{NESTED, PATIENCE};
use crate::parent::{
    alive, copy_program, fork, medium, open_folder, order, program, reader, survivors, user_namespaces, words, zygote,
};
use blanche_sandbox::birth::{Birth, BirthError, Child, Ending, ResourceLimits, Role};
use blanche_sandbox::content::{Refused, SealedContent};
use blanche_sandbox::{ChannelError, birth, wire};
use libtest_mimic::{Failed, Trial};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

type Answer = Result<(), Failed>;
/// A name and what it promises.
type Promise = (&'static str, fn() -> Answer);

/// Fails with what was seen instead.
macro_rules! holds {
    ($condition:expr, $($seen:tt)+) => {
        if !$condition {
            return Err(format!($($seen)+).into());
        }
    };
}

/// Every trial of one run.
pub(crate) fn all() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (profile, sets) in [
        ("medium", vec![acts::EVERYONE, acts::HOLDERS, acts::READERS, acts::MEDIUM_READER]),
        ("folder", vec![acts::EVERYONE, acts::HOLDERS, acts::READERS]),
        ("sealer", vec![acts::EVERYONE, acts::HOLDERS, acts::SEALER, acts::MEDIUM_READER]),
        ("matcher", vec![acts::EVERYONE]),
        ("signer", vec![acts::EVERYONE, acts::SIGNER]),
        ("token signer", vec![acts::EVERYONE, acts::TOKEN_SIGNER]),
    ] {
        for (name, _) in sets.into_iter().flatten() {
            trials.push(Trial::test(format!("{profile} dies of: {name}"), move || dies_of(profile, name)));
        }
    }
    let promises: Vec<Promise> = vec![
        ("a medium reader reads and seals", reads),
        ("a folder reader sees what is below its folder and nothing else", lists),
        ("a sealer writes and flushes its medium, and reads a sealed object", writes),
        ("a matcher has its temporary files and nothing else", temporary_files),
        ("a signer has the folder of its counter and nothing else", counter),
        ("a matcher has threads, confined like itself", threads),
        ("without Landlock no child starts", || refuses("without landlock")),
        ("without enforcement by Landlock no child starts", || refuses("without landlock enforcement")),
        ("without the call seccomp no child starts", || refuses("without seccomp")),
        ("without any seccomp no child starts", || refuses("without any seccomp")),
        ("without dropping capabilities no child starts", || refuses("without capset")),
        ("with another thread no child starts", || refuses("threads")),
        ("a child that only claims a filter is killed", || unmasked("claims", "no seccomp filter of its own")),
        ("a child that keeps capabilities is killed", keeps_capabilities),
        ("a child that says nothing is killed", says_nothing),
        ("a child that says something else is killed", says_something_else),
        ("a crash is seen as its signal", crashes),
        ("a hang ends at the parent's word", hangs),
        ("a flood waits in the child", flood),
        ("garbage is a violation", || violates("garbage", "message longer than its type allows")),
        ("an undecodable message is a violation", || violates("undecodable", "message cannot be decoded")),
        ("too many descriptors are a violation", || {
            violates("descriptors", "more descriptors than this message may carry")
        }),
        ("a truncated message is the end", truncated),
        ("an unsealed object is refused", unsealed),
        ("memory ends at the limit", memory),
        ("private memory ends at the limit", data),
        ("processor time ends at the limit", cpu),
        ("files end at the limit", file_size),
        ("descriptors end at the limit", open_files),
        ("threads end at the limit", processes),
        ("a child inherits its descriptors and its environment only", inherits),
        ("a missing program is an error", missing_program),
        ("a program that cannot run is an error", not_a_program),
        ("a matcher is adopted, confined, and leaves nothing behind", adopts),
        ("a matcher with another's process descriptor is refused", foreign_pidfd),
        ("the network is cut off where that is possible", network),
        ("children die with a killed parent", orphans),
        ("a dropped child is gone", dropped),
    ];
    trials.extend(promises.into_iter().map(|(name, promise)| Trial::test(name, promise)));
    if rustix::process::geteuid().is_root() {
        trials.push(Trial::test("a program that the service user cannot reach is executed", unreachable_program));
    }
    trials
}

/// A folder for a matcher where it cannot mount its own.
fn matcher_folder() -> Option<tempfile::TempDir> {
    (!user_namespaces()).then(open_folder)
}

/// Starts a child of `profile` and runs `act` in it.
fn child(profile: &str, act: &str, limits: ResourceLimits) -> Result<(Child, Option<tempfile::TempDir>), BirthError> {
    let folder = match profile {
        "matcher" => matcher_folder(),
        "signer" | "token signer" => Some(open_folder()),
        _ => None,
    };
    let path = folder.as_ref().map(|folder| folder.path().to_string_lossy().into_owned());
    let mut arguments = vec![profile, act];
    arguments.extend(path.as_deref());
    Ok((reader(&arguments, limits)?, folder))
}

fn dies_of(profile: &str, act: &str) -> Answer {
    let (child, _folder) = child(profile, act, ResourceLimits::default())?;
    let ending = child.wait_end(PATIENCE);
    holds!(ending == Some(Ending::Signalled(libc::SIGSYS)), "{ending:?}; {:?}", words(&child));
    Ok(())
}

fn reads() -> Answer {
    let (child, _) = child("medium", "read", ResourceLimits::default())?;
    let born = child.born().ok_or("no Born")?;
    holds!(born.landlock_abi >= 2 && born.allowed_system_calls > 30 && !born.private_tmpfs, "{born:?}");
    let mut received = child.channel().receive::<crate::child::Outcome>(Some(PATIENCE))?;
    holds!(received.message.text == "100000 bytes, 1 values, true", "{}", received.message.text);
    let content = SealedContent::accept(received.fds.pop().ok_or("no object")?, 100_000)?;
    holds!(content.length() == 100_000, "{content:?}");
    holds!(child.wait_end(PATIENCE) == Some(Ending::Exited(0)), "{:?}", child.wait_end(PATIENCE));
    Ok(())
}

fn writes() -> Answer {
    let (child, _) = child("sealer", "write", ResourceLimits::default())?;
    let said = words(&child)?;
    holds!(said == "wrote 4096 at 8192, read back true, flushed true", "{said}");
    Ok(())
}

fn lists() -> Answer {
    let (child, _) = child("folder", "list", ResourceLimits::default())?;
    let said = words(&child)?;
    let (seen, denied) = said.split_once("; ").ok_or("no answer")?;
    let names = seen.contains("\"file\"") && seen.contains("\"link\"") && !seen.contains("outside\"]");
    holds!(names && seen.ends_with("inside true 6 \"../outside\""), "{seen}");
    holds!(denied.matches("Os { code: 13").count() + denied.matches("ACCES").count() == 5, "{denied}");
    Ok(())
}

fn temporary_files() -> Answer {
    let (child, folder) = child("matcher", "temporary files", ResourceLimits::default())?;
    let private = folder.is_none();
    holds!(child.born().is_some_and(|born| born.private_tmpfs == private), "{:?}", child.born());
    let said = words(&child)?;
    // A folder that was handed in has no size of its own.
    holds!(said == format!("outside denied true, create outside true, full {private}"), "{said}");
    Ok(())
}

fn counter() -> Answer {
    for profile in ["signer", "token signer"] {
        let (child, folder) = child(profile, "counter", ResourceLimits::default())?;
        let said = words(&child)?;
        holds!(said == "outside denied true, create outside true", "{profile}: {said}");
        let kept = std::fs::read_to_string(folder.ok_or("no folder")?.path().join("highest"))?;
        holds!(kept == "42\n", "{profile}: {kept:?}");
    }
    Ok(())
}

fn threads() -> Answer {
    let (child, _folder) = child("matcher", "threads that work", ResourceLimits::default())?;
    let said = words(&child)?;
    holds!(said == "5050 Some(PermissionDenied) true", "{said}");
    Ok(())
}

fn refuses(how: &str) -> Answer {
    for profile in ["medium", "folder", "matcher", "signer", "token signer"] {
        match child(profile, how, ResourceLimits::default()) {
            Err(BirthError::NotBorn(Ending::Exited(REFUSED))) => {}
            other => return Err(format!("{profile}: {other:?}").into()),
        }
    }
    Ok(())
}

fn unmasked(act: &str, layer: &str) -> Answer {
    match child("unconfined", act, ResourceLimits::default()) {
        Err(BirthError::Layer(missing)) if missing == layer => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn keeps_capabilities() -> Answer {
    if user_namespaces() {
        return unmasked("keeps its capabilities", "it holds capabilities");
    }
    // Without a user namespace there are none to keep: what remains is a child with a foreign filter.
    let (child, _) = child("unconfined", "keeps its capabilities", ResourceLimits::default())?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.pid()))?;
    holds!(status.contains("CapEff:\t0000000000000000"), "{status}");
    Ok(())
}

fn says_nothing() -> Answer {
    let started = Instant::now();
    match child("unconfined", "says nothing", ResourceLimits::default()) {
        Err(BirthError::Silent(ChannelError::TimedOut)) if started.elapsed() >= Duration::from_secs(10) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn says_something_else() -> Answer {
    match child("unconfined", "says something else", ResourceLimits::default()) {
        Err(BirthError::Silent(ChannelError::Violation(_))) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn crashes() -> Answer {
    for (act, signal) in [("abort", libc::SIGABRT), ("panic", libc::SIGABRT), ("segv", libc::SIGSEGV)] {
        let (child, _) = child("medium", act, ResourceLimits::default())?;
        let ending = child.wait_end(PATIENCE);
        holds!(ending == Some(Ending::Signalled(signal)), "{act}: {ending:?}");
        holds!(matches!(words(&child), Err(ChannelError::Closed)), "{act}: it spoke");
    }
    Ok(())
}

fn hangs() -> Answer {
    let (child, _) = child("medium", "hang", ResourceLimits::default())?;
    holds!(child.wait_end(Duration::from_millis(50)).is_none(), "it ended");
    let late = child.channel().receive::<crate::child::Outcome>(Some(Duration::from_millis(50)));
    holds!(matches!(late, Err(ChannelError::TimedOut)), "{late:?}");
    let killer = child.killer()?;
    let other = killer.clone();
    std::thread::spawn(move || other.kill()).join().map_err(|_| "panic")?;
    holds!(child.wait_end(PATIENCE) == Some(Ending::Signalled(libc::SIGKILL)), "{:?}", child.wait_end(PATIENCE));
    killer.kill();
    child.kill();
    holds!(child.wait_end(PATIENCE) == Some(Ending::Signalled(libc::SIGKILL)), "its end was forgotten");
    Ok(())
}

fn flood() -> Answer {
    let (child, _) = child("medium", "flood", ResourceLimits::default())?;
    for _ in 0..100 {
        holds!(words(&child)?.len() == 60_000, "a message of another length");
    }
    std::thread::sleep(Duration::from_millis(100));
    holds!(child.wait_end(Duration::ZERO).is_none(), "it ended");
    child.kill();
    // What the socket still held is small: a child cannot fill the parent's memory.
    let left = std::iter::from_fn(|| words(&child).ok()).count();
    holds!(left < 100, "{left} messages were waiting");
    Ok(())
}

fn violates(act: &str, how: &str) -> Answer {
    let (child, _) = child("medium", act, ResourceLimits::default())?;
    match words(&child) {
        Err(ChannelError::Violation(text)) if text == how => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn truncated() -> Answer {
    let (child, _) = child("medium", "truncated", ResourceLimits::default())?;
    let said = words(&child);
    holds!(matches!(said, Err(ChannelError::Closed)), "{said:?}");
    Ok(())
}

fn unsealed() -> Answer {
    let (child, _) = child("medium", "unsealed", ResourceLimits::default())?;
    let mut received = child.channel().receive::<crate::child::Outcome>(Some(PATIENCE))?;
    let refused = SealedContent::accept(received.fds.pop().ok_or("no object")?, 10).map(|content| content.length());
    holds!(refused == Err(Refused::NotSealed), "{refused:?}");
    Ok(())
}

fn memory() -> Answer {
    let limits = ResourceLimits { address_space: Some(512 << 20), ..ResourceLimits::default() };
    ends(limits, "memory", libc::SIGABRT)
}

fn data() -> Answer {
    let limits = ResourceLimits { data: Some(256 << 20), ..ResourceLimits::default() };
    ends(limits, "memory", libc::SIGABRT)
}

fn cpu() -> Answer {
    ends(ResourceLimits { cpu_seconds: Some(1), ..ResourceLimits::default() }, "spin", libc::SIGKILL)
}

fn file_size() -> Answer {
    ends(ResourceLimits { file_size: Some(1 << 20), ..ResourceLimits::default() }, "big file", libc::SIGXFSZ)
}

fn ends(limits: ResourceLimits, act: &str, signal: i32) -> Answer {
    let (child, _) = child("medium", act, limits)?;
    let ending = child.wait_end(PATIENCE);
    holds!(ending == Some(Ending::Signalled(signal)), "{ending:?}; {:?}", words(&child));
    Ok(())
}

fn open_files() -> Answer {
    let (child, _) = child("medium", "many files", ResourceLimits { open_files: 20, ..ResourceLimits::default() })?;
    let said = words(&child)?;
    // 20 without the five that it was born with.
    holds!(said == "15", "{said}");
    Ok(())
}

fn processes() -> Answer {
    let limits = ResourceLimits { processes: Some(1), ..ResourceLimits::default() };
    let (child, _folder) = child("matcher", "threads that work", limits)?;
    // The thread that cannot start is a panic, hence an abort.
    let ending = child.wait_end(PATIENCE);
    holds!(ending == Some(Ending::Signalled(libc::SIGABRT)), "{ending:?}; {:?}", words(&child));
    Ok(())
}

fn inherits() -> Answer {
    let stray = medium();
    rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty())?;
    let high = rustix::io::fcntl_dupfd_cloexec(&stray, 500)?;
    rustix::io::fcntl_setfd(&high, rustix::io::FdFlags::empty())?;
    let limits = ResourceLimits { open_files: 77, ..ResourceLimits::default() };
    let child = Child::spawn(&Birth {
        program: &program(),
        arguments: &["child", "plain"],
        medium: Some(high.as_fd()),
        limits,
        role: Role::Zygote,
    })?;
    let said = words(&child)?;
    let possible = user_namespaces();
    let network = if possible || rustix::process::geteuid().is_root() { ", \"BLANCHE_OWN_NETWORK=1\"" } else { "" };
    let root = rustix::process::geteuid().is_root();
    let user = if root { 65534 } else { rustix::process::geteuid().as_raw() };
    let map =
        if possible { format!("[\"0\", \"{user}\", \"1\"]") } else { "[\"0\", \"0\", \"4294967295\"]".to_owned() };
    let core = "core Some(0); files Some(77)";
    holds!(said.starts_with("fds [0, 1, 2, 3, 4]; "), "{said} (of {})", stray.as_raw_fd());
    holds!(said.contains(&format!("env [\"LANG=C.UTF-8\"{network}]; cwd \"/\"; NoNewPrivs: 1; {core}")), "{said}");
    holds!(said.ends_with(&format!("map {map}")), "{said}");
    holds!(!root || said.contains("Groups: ;") || said.contains("Groups:  ;"), "{said}");
    Ok(())
}

fn missing_program() -> Answer {
    match zygote(std::path::Path::new("/nowhere/blanche-reader"), &[]) {
        Err(BirthError::Program { program, .. }) if program.ends_with("blanche-reader") => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn not_a_program() -> Answer {
    let folder = open_folder();
    let file = folder.path().join("blanche-reader");
    std::fs::write(&file, "not a program")?;
    match zygote(&file, &[]) {
        Err(BirthError::Step { step, source }) if step.starts_with("executing") => {
            holds!(source.raw_os_error() == Some(libc::EACCES), "{source}");
            Ok(())
        }
        other => Err(format!("{other:?}").into()),
    }
}

fn unreachable_program() -> Answer {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))?;
    let copy = folder.path().join("blanche-reader");
    copy_program(&copy);
    let zygote = zygote(&copy, &["plain"])?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", zygote.pid()))?;
    holds!(status.contains("Uid:\t65534\t65534\t65534\t65534"), "{status}");
    holds!(words(&zygote)?.starts_with("fds [0, 1, 2, 4]; "), "other descriptors");
    Ok(())
}

fn adopts() -> Answer {
    let folder = open_folder();
    let zygote = zygote(&program(), &["zygote", &folder.path().to_string_lossy()])?;
    holds!(zygote.born().is_none(), "a zygote proves nothing");
    for act in ["temporary files", "socket", "hang"] {
        let (channel, pid, pidfd) = fork(&zygote);
        let matcher = Child::adopt(channel, pid, pidfd)?;
        let born = matcher.born().ok_or("no Born")?;
        holds!(born.private_tmpfs == user_namespaces(), "{born:?}");
        order(&matcher, act);
        if act == "temporary files" {
            let said = words(&matcher)?;
            holds!(!user_namespaces() || said.ends_with("full true"), "{said}");
        }
        if act != "hang" {
            holds!(matcher.wait_end(PATIENCE) == Some(Ending::Gone), "{act}: it lives");
        }
        drop(matcher);
        let late = Instant::now() + PATIENCE;
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            holds!(Instant::now() < late, "{act}: it is still there, or a zombie");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    Ok(())
}

fn foreign_pidfd() -> Answer {
    let folder = open_folder();
    let zygote = zygote(&program(), &["zygote", &folder.path().to_string_lossy()])?;
    let (channel, pid, pidfd) = fork(&zygote);
    match Child::adopt(channel, pid + 1, pidfd) {
        Err(BirthError::Layer(_)) => {}
        other => return Err(format!("{other:?}").into()),
    }
    let (channel, pid, _) = fork(&zygote);
    let file = OwnedFd::from(medium());
    match Child::adopt(channel, pid, file) {
        Err(BirthError::Layer(_)) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn network() -> Answer {
    let (child, _) = child("medium", "hang", ResourceLimits::default())?;
    let possible = user_namespaces() || rustix::process::geteuid().is_root();
    let nested = std::env::var(NESTED).unwrap_or_default();
    holds!(child.born().is_some_and(|born| born.network_namespace == possible), "{nested}: {:?}", child.born());
    if nested == "as nobody, without user namespaces" {
        holds!(!possible, "the network is separate although it cannot be");
    }
    Ok(())
}

fn orphans() -> Answer {
    let survivors = survivors();
    holds!(survivors.is_empty(), "{survivors:?} live");
    Ok(())
}

fn dropped() -> Answer {
    let (child, _) = child("medium", "hang", ResourceLimits::default())?;
    let pid = child.pid();
    holds!(alive(pid), "it never lived");
    drop(child);
    holds!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it is still there, or a zombie");
    Ok(())
}

/// The two descriptors are part of the contract with the programs.
const _: () = assert!(birth::MEDIUM_FD == 3 && birth::CHANNEL_FD == 4);
/// As is the least that a child has to say.
const _: usize = <wire::Born as wire::Message>::MAX_FDS;
