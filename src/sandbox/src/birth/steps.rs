//! From `fork` to `exec`. Everything after `fork` is system calls on memory that was prepared before it: the parent may
//! have other threads, so nothing here may allocate or take a lock (signal-safety(7)).

use super::{Birth, BirthError, CHANNEL_FD, MEDIUM_FD, ResourceLimits, Role};
use crate::Channel;
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags};
use std::ffi::{CStr, CString, c_char, c_int};
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

/// Where the newborn writes which step failed; closed by `exec`.
const REPORT_FD: c_int = 5;
/// The executable, opened `O_PATH`; closed by `exec`.
const PROGRAM_FD: c_int = 6;
/// Descriptors are moved at or above this before they are put in their places, so that none overwrites another.
const ABOVE: c_int = 10;
/// Tells the child that it has a network namespace of its own. The parent checks that by itself; see `verify`.
pub(crate) const OWN_NETWORK: &CStr = c"BLANCHE_OWN_NETWORK=1";

/// A step that may fail after `fork`; the number crosses the pipe.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Step {
    Descriptors,
    User,
    Limits,
    Folder,
    NoNewPrivileges,
    DieWithParent,
    Execute,
}

impl Step {
    fn name(number: u8) -> &'static str {
        const NAMES: [&str; 7] = [
            "placing its descriptors",
            "changing to the service user",
            "setting resource limits",
            "leaving the parent's folder",
            "setting no_new_privs",
            "asking to die with the parent",
            "executing the program (is it executable for the service user?)",
        ];
        NAMES.get(usize::from(number)).copied().unwrap_or("an unknown step")
    }
}

/// Everything the newborn needs, in memory that nobody moves.
struct Plan {
    program: OwnedFd,
    null: OwnedFd,
    channel: OwnedFd,
    medium: Option<RawFd>,
    report: OwnedFd,
    arguments: Vec<CString>,
    /// Of a root parent: user and group of the child.
    service: Option<(u32, u32)>,
    uid_map: CString,
    gid_map: CString,
    limits: Vec<(c_int, libc::rlimit)>,
    parent: c_int,
}

/// Gives birth: (our end of the channel, the child's number, its descriptor).
pub(super) fn spawn(birth: &Birth<'_>) -> Result<(Channel, i32, OwnedFd), BirthError> {
    let prepare = |what| move |source: rustix::io::Errno| BirthError::Prepare { what, source: source.into() };
    let (ours, theirs) = Channel::pair()
        .map_err(|error| BirthError::Prepare { what: "making the channel", source: io::Error::other(error) })?;
    let (answer, report) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(prepare("making a pipe"))?;
    let plan = Plan::of(birth, theirs, report)?;
    let pid = fork_into(&plan)?;
    // What the child holds, we let go: otherwise its end would never be seen.
    drop(plan);
    let process = Pid::from_raw(pid)
        .ok_or_else(|| BirthError::Prepare { what: "forking", source: io::Error::other("no process number") })?;
    // Nobody but us collects this process, so its number is still its own.
    let pidfd = rustix::process::pidfd_open(process, PidfdFlags::empty()).map_err(|error| {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        let _ = rustix::process::waitpid(Some(process), rustix::process::WaitOptions::empty());
        prepare("opening the process descriptor")(error)
    })?;
    match failure(answer) {
        None => Ok((ours, pid, pidfd)),
        Some(error) => {
            let _ = rustix::process::waitpid(Some(process), rustix::process::WaitOptions::empty());
            Err(error)
        }
    }
}

/// Reads the pipe to its end: nothing when `exec` closed it, otherwise the step and its error number.
fn failure(answer: OwnedFd) -> Option<BirthError> {
    let mut report = Vec::new();
    let read = fs::File::from(answer).take(5).read_to_end(&mut report);
    match (read, report.as_slice()) {
        (Ok(_), []) => None,
        (Ok(_), [step, a, b, c, d]) => Some(BirthError::Step {
            step: Step::name(*step),
            source: io::Error::from_raw_os_error(i32::from_le_bytes([*a, *b, *c, *d])),
        }),
        _ => Some(BirthError::Step { step: "reporting", source: io::Error::other("incomplete report") }),
    }
}

impl Plan {
    fn of(birth: &Birth<'_>, channel: Channel, report: OwnedFd) -> Result<Self, BirthError> {
        let open = |path: &Path, flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
        let program = open(birth.program, OFlags::PATH)
            .map_err(|source| BirthError::Program { program: birth.program.to_path_buf(), source: source.into() })?;
        let null = open(Path::new("/dev/null"), OFlags::RDWR)
            .map_err(|source| BirthError::Prepare { what: "opening /dev/null", source: source.into() })?;
        let name = CString::new(birth.program.as_os_str().as_bytes());
        let rest = birth.arguments.iter().map(|argument| CString::new(*argument));
        let arguments =
            std::iter::once(name).chain(rest).collect::<Result<_, _>>().map_err(|_| BirthError::Argument)?;
        let service = match birth.role {
            _ if !rustix::process::geteuid().is_root() => None,
            Role::Signer { uid, gid } => Some((uid, gid)),
            Role::Reader | Role::Zygote => Some(service_user()?),
        };
        let (uid, gid) = service.unwrap_or((rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
        let map = |id| CString::new(format!("0 {id} 1\n")).map_err(|_| BirthError::Argument);
        Ok(Self {
            program,
            null,
            channel: channel.into_fd(),
            medium: birth.medium.map(|medium| medium.as_raw_fd()),
            report,
            arguments,
            service,
            uid_map: map(uid)?,
            gid_map: map(gid)?,
            limits: limits(&birth.limits),
            parent: rustix::process::getpid().as_raw_nonzero().get(),
        })
    }
}

/// User and group number of `nobody`, from `/etc/passwd`.
pub(crate) fn service_user() -> Result<(u32, u32), BirthError> {
    let passwd = fs::read_to_string("/etc/passwd")
        .map_err(|source| BirthError::Prepare { what: "reading /etc/passwd", source })?;
    passwd
        .lines()
        .find_map(|line| {
            let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .filter(|(uid, gid)| *uid != 0 && *gid != 0)
        .ok_or(BirthError::NoServiceUser)
}

/// As setrlimit(2) takes them.
fn limits(limits: &ResourceLimits) -> Vec<(c_int, libc::rlimit)> {
    let wanted = [
        (libc::RLIMIT_AS, limits.address_space),
        (libc::RLIMIT_DATA, limits.data),
        (libc::RLIMIT_NOFILE, Some(limits.open_files)),
        (libc::RLIMIT_NPROC, limits.processes),
        (libc::RLIMIT_FSIZE, limits.file_size),
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_CORE, Some(0)),
    ];
    let set = wanted.into_iter().filter_map(|(resource, value)| Some((c_int::try_from(resource).ok()?, value?)));
    set.map(|(resource, value)| (resource, libc::rlimit { rlim_cur: value, rlim_max: value })).collect()
}

/// Forks; the new process goes through the steps and never comes back.
fn fork_into(plan: &Plan) -> Result<c_int, BirthError> {
    let pointers = |strings: &[&CStr]| -> Vec<*const c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
    };
    let arguments: Vec<&CStr> = plan.arguments.iter().map(CString::as_c_str).collect();
    let arguments = pointers(&arguments);
    let plain = pointers(&[c"LANG=C.UTF-8"]);
    let alone = pointers(&[c"LANG=C.UTF-8", OWN_NETWORK]);
    // SAFETY: both sets are initialised by the kernel before they are read; no handler of the parent may run in the
    // newborn, hence every signal is blocked around the fork and the parent's mask comes back right after it.
    let (pid, error) = unsafe {
        let mut every = std::mem::zeroed();
        let mut before = std::mem::zeroed();
        libc::sigfillset(&raw mut every);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const every, &raw mut before);
        let pid = libc::fork();
        if pid == 0 {
            newborn(plan, &arguments, [&plain, &alone]);
        }
        let error = io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        (pid, error)
    };
    if pid < 0 { Err(BirthError::Prepare { what: "forking", source: error }) } else { Ok(pid) }
}

/// The newborn's whole life before `exec`.
///
/// # Safety
/// Only in a process that was just forked: it rearranges descriptors and never returns.
unsafe fn newborn(plan: &Plan, arguments: &[*const c_char], environments: [&[*const c_char]; 2]) -> ! {
    // SAFETY: as promised by the caller; every pointer points into `plan`, `arguments` or `environments`.
    unsafe {
        let mut report = plan.report.as_raw_fd();
        let (step, error) = match steps(plan, &mut report, arguments, environments) {
            Err(failed) => failed,
            Ok(never) => match never {},
        };
        let [a, b, c, d] = error.to_le_bytes();
        let message = [step as u8, a, b, c, d];
        libc::write(report, message.as_ptr().cast(), message.len());
        libc::_exit(127)
    }
}

/// -1 becomes the step that failed with the error number.
fn done(step: Step, result: impl Into<i64>) -> Result<c_int, (Step, c_int)> {
    let result = result.into();
    if result < 0 {
        // SAFETY: __errno_location(3) gives this thread's error number.
        return Err((step, unsafe { *libc::__errno_location() }));
    }
    Ok(c_int::try_from(result).unwrap_or(c_int::MAX))
}

/// # Safety
/// See [`newborn`].
unsafe fn steps(
    plan: &Plan,
    report: &mut c_int,
    arguments: &[*const c_char],
    environments: [&[*const c_char]; 2],
) -> Result<std::convert::Infallible, (Step, c_int)> {
    // SAFETY: system calls on prepared memory, in the process that newborn's caller promised.
    unsafe {
        place(plan, report)?;
        for signal in 1..=64 {
            // The numbers that may not be changed refuse.
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::setsid();
        libc::umask(0o077);
        // When memory runs out, the child that used it up goes first and its parent lives to say so: proc(5). A kernel
        // that refuses this changes who is killed, not what is checked.
        write_file(c"/proc/self/oom_score_adj", c"1000");
        let alone = stand_alone(plan)?;
        for (resource, limit) in &plan.limits {
            done(Step::Limits, libc::syscall(libc::SYS_prlimit64, 0, *resource, limit as *const _, 0))?;
        }
        done(Step::Folder, libc::chdir(c"/".as_ptr()))?;
        done(Step::NoNewPrivileges, libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        // After the change of user, which clears it.
        done(Step::DieWithParent, libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0))?;
        if libc::getppid() != plan.parent {
            return Err((Step::DieWithParent, libc::ESRCH));
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        let environment = environments[usize::from(alone)];
        let empty: *const c_char = c"".as_ptr();
        done(
            Step::Execute,
            libc::syscall(
                libc::SYS_execveat,
                PROGRAM_FD,
                empty,
                arguments.as_ptr(),
                environment.as_ptr(),
                libc::AT_EMPTY_PATH,
            ),
        )?;
        Err((Step::Execute, libc::ENOEXEC))
    }
}

/// Leaves the parent's user and namespaces as far as this machine allows; true with a network namespace of its own.
///
/// # Safety
/// See [`newborn`].
unsafe fn stand_alone(plan: &Plan) -> Result<bool, (Step, c_int)> {
    // SAFETY: see the caller.
    unsafe {
        let mut alone = false;
        if let Some((uid, gid)) = plan.service {
            // As root before the change of user: works where user namespaces are switched off too.
            alone = libc::unshare(SEPARATE) == 0;
            become_user(uid, gid)?;
        }
        let mapped = own_user_namespace(plan);
        // Until `exec`, this is a copy of the parent's memory: nobody may look into it.
        done(Step::User, libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0))?;
        Ok(alone || (mapped && libc::unshare(SEPARATE) == 0))
    }
}

/// Namespaces that a child of its own has: namespaces(7).
const SEPARATE: c_int = libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWNS | libc::CLONE_NEWUTS;

/// Puts every descriptor in its place and closes all others.
///
/// # Safety
/// See [`newborn`].
unsafe fn place(plan: &Plan, report: &mut c_int) -> Result<(), (Step, c_int)> {
    let at = Step::Descriptors;
    // SAFETY: descriptors of this newborn process only.
    unsafe {
        let above = |fd: c_int| done(at, libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, ABOVE));
        *report = above(*report)?;
        let null = above(plan.null.as_raw_fd())?;
        let channel = above(plan.channel.as_raw_fd())?;
        let program = above(plan.program.as_raw_fd())?;
        let medium = plan.medium.map(above).transpose()?;
        for (fd, target) in [(null, 0), (null, 1), (channel, CHANNEL_FD)] {
            done(at, libc::dup2(fd, target))?;
        }
        if libc::fcntl(2, libc::F_GETFD) < 0 {
            done(at, libc::dup2(null, 2))?;
        }
        match medium {
            Some(medium) => done(at, libc::dup2(medium, MEDIUM_FD))?,
            None => libc::close(MEDIUM_FD),
        };
        done(at, libc::dup3(program, PROGRAM_FD, libc::O_CLOEXEC))?;
        *report = done(at, libc::dup3(*report, REPORT_FD, libc::O_CLOEXEC))?;
        done(at, libc::syscall(libc::SYS_close_range, PROGRAM_FD + 1, c_int::MAX, 0))?;
    }
    Ok(())
}

/// Changes to the service user without a way back. Raw calls: the C library's would look for other threads.
///
/// # Safety
/// See [`newborn`].
unsafe fn become_user(uid: u32, gid: u32) -> Result<(), (Step, c_int)> {
    // SAFETY: no memory is involved but the empty list of groups.
    unsafe {
        let none: *const libc::gid_t = ptr::null();
        done(Step::User, libc::syscall(libc::SYS_setgroups, 0, none))?;
        done(Step::User, libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        done(Step::User, libc::syscall(libc::SYS_setresuid, uid, uid, uid))?;
        // The change of user made /proc/self belong to root, and the maps are written through it. Off again after that.
        done(Step::User, libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0))?;
    }
    Ok(())
}

/// Enters a user namespace of its own, as its root: user_namespaces(7). False when that is not allowed here.
///
/// # Safety
/// See [`newborn`].
unsafe fn own_user_namespace(plan: &Plan) -> bool {
    // SAFETY: see the caller.
    unsafe {
        libc::unshare(libc::CLONE_NEWUSER) == 0
            && write_file(c"/proc/self/setgroups", c"deny")
            && write_file(c"/proc/self/uid_map", &plan.uid_map)
            && write_file(c"/proc/self/gid_map", &plan.gid_map)
    }
}

/// # Safety
/// See [`newborn`].
unsafe fn write_file(path: &CStr, text: &CStr) -> bool {
    let text = text.to_bytes();
    // SAFETY: both are valid for the length given.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return false;
        }
        let written = libc::write(fd, text.as_ptr().cast(), text.len());
        libc::close(fd);
        usize::try_from(written) == Ok(text.len())
    }
}
