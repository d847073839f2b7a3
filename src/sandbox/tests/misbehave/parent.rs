//! The parent's side: how the tests give birth, and parents of another kind (another user, one that is killed).

use crate::child::Outcome;
use blanche_sandbox::birth::{Birth, BirthError, Child, ResourceLimits, Role};
use blanche_sandbox::wire::{FromZygote, ToZygote};
use blanche_sandbox::{Channel, ChannelError};
use libtest_mimic::{Failed, Trial};
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set in a nested run of these tests: says which.
pub(crate) const NESTED: &str = "BLANCHE_TESTS_NESTED";
/// Longest wait for something that takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// This program.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().expect("this program's path")
}

/// Copies this program, by another one: what this process writes is open for writing in whatever child it starts
/// meanwhile, and the kernel starts no program that is (ETXTBSY).
pub(crate) fn copy_program(to: &Path) {
    let copied = Command::new("cp").arg(program()).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "cp (coreutils)");
}

/// A medium of 100 kB: a file that is open for *writing*, so that it is the filter that protects it.
pub(crate) fn medium() -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(&vec![7; 100_000]).expect("room");
    file
}

/// A folder with a file, a link that leads out, and a file beside the folder.
pub(crate) fn folder() -> tempfile::TempDir {
    let outer = open_folder();
    fs::write(outer.path().join("outside"), "not to be seen").expect("room");
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).expect("a folder");
    fs::write(inner.join("file"), "inside").expect("room");
    std::os::unix::fs::symlink("../outside", inner.join("link")).expect("a link");
    for (path, mode) in [(&inner, 0o777), (&inner.join("file"), 0o666), (&outer.path().join("outside"), 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }
    outer
}

/// A temporary folder in which every user may write: what forbids it is never the mode.
pub(crate) fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("a mode");
    folder
}

/// Starts a child that proves its confinement and then does `arguments[1]`.
pub(crate) fn reader(arguments: &[&str], limits: ResourceLimits) -> Result<Child, BirthError> {
    let folder = folder();
    let source = match arguments.first() {
        Some(&"folder") => File::open(folder.path().join("inner")).expect("the folder"),
        _ => medium(),
    };
    let arguments: Vec<&str> = std::iter::once("child").chain(arguments.iter().copied()).collect();
    let birth =
        Birth { program: &program(), arguments: &arguments, medium: Some(source.as_fd()), limits, role: Role::Reader };
    let child = Child::spawn(&birth)?;
    order(&child, arguments.get(2).copied().unwrap_or_default());
    if arguments.get(2) == Some(&"list") {
        // The folder has to live as long as the child looks at it.
        child.wait_end(PATIENCE);
    }
    Ok(child)
}

/// Tells a confined child what to do.
pub(crate) fn order(child: &Child, act: &str) {
    child.channel().send(&Outcome { text: act.to_owned() }, &[]).expect("a child that listens");
}

/// Starts a zygote.
pub(crate) fn zygote(program: &Path, arguments: &[&str]) -> Result<Child, BirthError> {
    let arguments: Vec<&str> = std::iter::once("child").chain(arguments.iter().copied()).collect();
    let birth =
        Birth { program, arguments: &arguments, medium: None, limits: ResourceLimits::default(), role: Role::Zygote };
    Child::spawn(&birth)
}

/// Has the zygote fork a matcher: (its channel, its number, its descriptor).
pub(crate) fn fork(zygote: &Child) -> (Channel, i32, std::os::fd::OwnedFd) {
    let (ours, theirs) = Channel::pair().expect("a channel");
    zygote.channel().send(&ToZygote::Fork, &[theirs.as_fd()]).expect("a zygote that listens");
    drop(theirs);
    let mut answer = zygote.channel().receive::<FromZygote>(Some(PATIENCE)).expect("an answer");
    let FromZygote::Forked { pid } = answer.message else { panic!("{:?}", answer.message) };
    (ours, pid, answer.fds.pop().expect("a process descriptor"))
}

/// The next words of a child.
pub(crate) fn words(child: &Child) -> Result<String, ChannelError> {
    Ok(child.channel().receive::<Outcome>(Some(PATIENCE))?.message.text)
}

/// A parent with a reader that hangs, a zygote, and a matcher that hangs: prints their numbers and waits to be killed.
pub(crate) fn run() -> ! {
    let hanging = reader(&["medium", "hang"], ResourceLimits::default()).expect("a reader");
    let zygote = zygote(&program(), &["zygote", "/tmp"]).expect("a zygote");
    let (channel, pid, pidfd) = fork(&zygote);
    let matcher = Child::adopt(channel, pid, pidfd).expect("a matcher");
    order(&matcher, "hang");
    println!("{} {} {}", hanging.pid(), zygote.pid(), matcher.pid());
    std::thread::sleep(Duration::from_secs(600));
    std::process::exit(0);
}

/// Kills a parent and returns which of its three children still live. Ours are adopted by this process, not by init.
pub(crate) fn survivors() -> Vec<i32> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("a kernel that knows subreapers");
    let mut parent = Command::new(program()).arg("parent").stdout(Stdio::piped()).spawn().expect("a parent");
    let mut line = Vec::new();
    let mut output = parent.stdout.take().expect("its output");
    let mut byte = [0];
    while output.read(&mut byte).expect("its output") == 1 && byte != *b"\n" {
        line.extend_from_slice(&byte);
    }
    let children: Vec<i32> =
        String::from_utf8_lossy(&line).split_whitespace().map(|pid| pid.parse().expect("a number")).collect();
    assert_eq!(children.len(), 3);
    assert!(children.iter().all(|pid| alive(*pid)));
    parent.kill().expect("a parent to kill");
    parent.wait().expect("its end");
    let deadline = std::time::Instant::now() + PATIENCE;
    while children.iter().any(|pid| alive(*pid)) && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    children.into_iter().filter(|pid| alive(*pid)).collect()
}

/// Whether the process runs; one that ended and waits to be collected does not.
pub(crate) fn alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

/// Whether this process may make user namespaces.
pub(crate) fn user_namespaces() -> bool {
    let mut probe = Command::new("true");
    // SAFETY: one system call between fork and exec.
    unsafe { probe.pre_exec(|| Ok(rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER)?)) };
    probe.status().is_ok_and(|status| status.success())
}

/// The whole of these tests once more: as another user, and without user namespaces.
pub(crate) fn again() -> Vec<Trial> {
    let root = rustix::process::geteuid().is_root();
    let mut ways = vec![("without user namespaces", false)];
    if root {
        ways.extend([("as nobody", true), ("as nobody, without user namespaces", true)]);
    }
    ways.into_iter()
        .map(|(way, as_nobody)| Trial::test(format!("all of this again, {way}"), move || nested(way, as_nobody)))
        .collect()
}

fn nested(way: &str, as_nobody: bool) -> Result<(), Failed> {
    let folder = open_folder();
    let copy = folder.path().join("misbehave");
    copy_program(&copy);
    fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
    let mut command = Command::new(&copy);
    command.env(NESTED, way).env("TMPDIR", folder.path()).arg("--test-threads=1").current_dir("/");
    if as_nobody {
        command.uid(65534).gid(65534);
    }
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = text.lines().filter(|line| line.ends_with("ok")).count();
    if !output.status.success() || passed < 100 {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{way}: {} with {passed} passed\n{text}\n{errors}", output.status).into());
    }
    Ok(())
}
