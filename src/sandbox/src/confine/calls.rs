//! The system calls that a confined process may make, group by group, each with its reason. Everything that is not
//! here kills the process.
//!
//! Several lines for one call are alternatives; the tests on one line must all hold. Arguments are compared as the 32
//! bits that the kernel looks at, except where a pointer has to be null.

use crate::birth::MEDIUM_FD;
use libc::c_long;

/// A group of calls.
#[derive(Debug)]
pub(super) struct Group {
    /// Who may make them.
    pub(super) holders: &'static [Holder],
    /// Why.
    #[allow(dead_code, reason = "read by people, and by the test that no group goes without one")]
    pub(super) reason: &'static str,
    /// The calls.
    pub(super) calls: &'static [Call],
}

/// A kind of confined process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Reads a medium by descriptor 3.
    Medium,
    /// Reads a folder below descriptor 3.
    Folder,
    /// The engines.
    Matcher,
    /// Reads and writes a medium by descriptor 3.
    Sealer,
    /// Holds keys.
    Signer,
    /// The same with a PKCS#11 module in it.
    TokenSigner,
    /// Verifies a medium on a workstation.
    Verifier,
}

/// One call, with tests on its arguments.
pub(super) type Call = (c_long, &'static [Test]);

/// A test on the argument with this index.
#[derive(Clone, Copy, Debug)]
pub(super) enum Test {
    /// Equals the value.
    Is(u8, i64),
    /// Differs from the value.
    IsNot(u8, i64),
    /// Has none of these bits.
    Without(u8, i64),
    /// Has all of these bits.
    With(u8, i64),
    /// Is a null pointer.
    Null(u8),
    /// Is this process's own number.
    Own(u8),
}

use Holder::{Folder, Matcher, Medium, Sealer, Signer, TokenSigner, Verifier};
use Test::{Is, IsNot, Null, Own, With, Without};

const ANY: &[Test] = &[];
const ALL: &[Holder] = &[Medium, Folder, Matcher, Sealer, Signer, TokenSigner, Verifier];
/// Programs with foreign libraries in them: engines, PKCS#11 modules.
const HOSTS: &[Holder] = &[Matcher, TokenSigner];
const READERS: &[Holder] = &[Medium, Folder];
/// The descriptor, the first argument, is not the medium.
const NOT_MEDIUM: &[Test] = &[IsNot(0, MEDIUM_FD as i64)];
/// The protection, the third argument of mmap(2) and mprotect(2), does not make memory executable.
const NOT_EXECUTABLE: &[Test] = &[Without(2, libc::PROT_EXEC as i64)];
/// Opens for reading and neither creates nor empties: open(2). `O_TMPFILE` without its `O_DIRECTORY`.
const OPEN_BITS: i64 =
    (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as i64;

/// Asks for the logical block size: linux/fs.h.
const BLKSSZGET: i64 = 0x1268;

/// The list.
pub(super) const GROUPS: &[Group] = &[
    Group {
        holders: ALL,
        reason: "memory for data; never executable",
        calls: &[
            (libc::SYS_brk, ANY),
            (libc::SYS_munmap, ANY),
            (libc::SYS_mremap, ANY),
            (libc::SYS_madvise, ANY),
            (libc::SYS_mprotect, NOT_EXECUTABLE),
        ],
    },
    Group {
        holders: &[Medium, Folder, Sealer],
        reason: "new mappings, but none of the medium: what is mapped can change under the reader",
        calls: &[(libc::SYS_mmap, &[Without(2, libc::PROT_EXEC as i64), IsNot(4, MEDIUM_FD as i64)])],
    },
    Group {
        holders: &[Matcher, Signer, TokenSigner],
        reason: "new mappings, of content objects too",
        calls: &[(libc::SYS_mmap, NOT_EXECUTABLE)],
    },
    Group {
        holders: ALL,
        reason: "the channel, content objects, standard error; and reading the medium",
        calls: &[
            (libc::SYS_read, ANY),
            (libc::SYS_readv, ANY),
            (libc::SYS_pread64, ANY),
            (libc::SYS_preadv, ANY),
            (libc::SYS_preadv2, ANY),
            (libc::SYS_lseek, ANY),
            (libc::SYS_fstat, ANY),
            (libc::SYS_close, ANY),
            (libc::SYS_recvmsg, ANY),
            (libc::SYS_ppoll, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_poll, ANY),
        ],
    },
    Group {
        holders: READERS,
        reason: "speaking, and writing content objects; never the medium",
        calls: &[
            (libc::SYS_sendmsg, NOT_MEDIUM),
            (libc::SYS_write, NOT_MEDIUM),
            (libc::SYS_writev, NOT_MEDIUM),
            (libc::SYS_pwrite64, NOT_MEDIUM),
            (libc::SYS_ftruncate, NOT_MEDIUM),
            (libc::SYS_memfd_create, ANY),
        ],
    },
    Group {
        holders: &[Sealer],
        reason: "speaking; writing and flushing the medium, and nothing but the medium",
        calls: &[
            (libc::SYS_sendmsg, NOT_MEDIUM),
            (libc::SYS_write, &[Is(0, libc::STDERR_FILENO as i64)]),
            (libc::SYS_pwrite64, &[Is(0, MEDIUM_FD as i64)]),
            (libc::SYS_fdatasync, &[Is(0, MEDIUM_FD as i64)]),
            (libc::SYS_ioctl, &[Is(1, BLKSSZGET)]),
        ],
    },
    Group {
        holders: READERS,
        reason: "sealing content objects",
        calls: &[(libc::SYS_fcntl, &[Is(1, libc::F_ADD_SEALS as i64)])],
    },
    Group {
        holders: &[Medium, Folder, Sealer],
        reason: "asking about descriptors; no copies, which would escape the tests above",
        calls: &[
            (libc::SYS_fcntl, &[Is(1, libc::F_GET_SEALS as i64)]),
            (libc::SYS_fcntl, &[Is(1, libc::F_GETFL as i64)]),
            (libc::SYS_fcntl, &[Is(1, libc::F_GETFD as i64)]),
            (libc::SYS_fcntl, &[Is(1, libc::F_SETFD as i64)]),
        ],
    },
    Group {
        holders: &[Medium, Sealer],
        reason: "the size of a descriptor, asked in the standard library's way",
        calls: &[
            (libc::SYS_newfstatat, &[With(3, libc::AT_EMPTY_PATH as i64)]),
            (libc::SYS_statx, &[With(2, libc::AT_EMPTY_PATH as i64)]),
        ],
    },
    Group {
        holders: &[Folder],
        reason: "opening for reading, listing and asking; Landlock says where, but not for asking (stat). The flags of \
                 openat2 lie in memory, so there Landlock alone forbids writing",
        calls: &[
            (libc::SYS_openat, &[Without(2, OPEN_BITS)]),
            (libc::SYS_openat2, ANY),
            (libc::SYS_getdents64, ANY),
            (libc::SYS_newfstatat, ANY),
            (libc::SYS_statx, ANY),
            (libc::SYS_fstatfs, ANY),
            (libc::SYS_readlinkat, ANY),
        ],
    },
    Group {
        holders: HOSTS,
        reason: "temporary files of libclamav, files of a PKCS#11 module; Landlock says where",
        calls: &[
            (libc::SYS_openat, ANY),
            (libc::SYS_getdents64, ANY),
            (libc::SYS_newfstatat, ANY),
            (libc::SYS_statx, ANY),
            (libc::SYS_fstatfs, ANY),
            (libc::SYS_faccessat, ANY),
            (libc::SYS_faccessat2, ANY),
            (libc::SYS_readlinkat, ANY),
            (libc::SYS_unlinkat, ANY),
            (libc::SYS_mkdirat, ANY),
            (libc::SYS_renameat, ANY),
            (libc::SYS_renameat2, ANY),
            (libc::SYS_fchmod, ANY),
            (libc::SYS_fchmodat, ANY),
            (libc::SYS_umask, ANY),
            (libc::SYS_getcwd, ANY),
            (libc::SYS_truncate, ANY),
        ],
    },
    Group {
        holders: HOSTS,
        reason: "the same under their older names, which the C library still uses",
        calls: &[
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_open, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_stat, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_lstat, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_access, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_readlink, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_unlink, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_rmdir, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_mkdir, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_rename, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_chmod, ANY),
        ],
    },
    Group {
        holders: HOSTS,
        reason: "speaking, writing temporary files, copying descriptors: no descriptor of a matcher leads to a medium",
        calls: &[
            (libc::SYS_sendmsg, ANY),
            (libc::SYS_write, ANY),
            (libc::SYS_writev, ANY),
            (libc::SYS_pwrite64, ANY),
            (libc::SYS_ftruncate, ANY),
            (libc::SYS_fsync, ANY),
            (libc::SYS_fdatasync, ANY),
            (libc::SYS_fadvise64, ANY),
            (libc::SYS_fcntl, ANY),
            (libc::SYS_dup, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_dup2, ANY),
            (libc::SYS_dup3, ANY),
            (libc::SYS_memfd_create, ANY),
        ],
    },
    Group {
        holders: &[Matcher, Verifier],
        reason: "threads, not processes: yara-x counts its timeout in one, the verifier asks for the sizes of many files in two. clone3 \
                 hides its flags in memory, so it is answered with ENOSYS (see `filter`) and the C library falls back to clone",
        calls: &[
            (libc::SYS_clone, &[With(0, (libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND) as i64)]),
            (libc::SYS_clone3, ANY),
            (libc::SYS_prctl, &[Is(0, libc::PR_SET_NAME as i64)]),
            (libc::SYS_sched_getaffinity, ANY),
            (libc::SYS_getcpu, ANY),
        ],
    },
    Group {
        holders: HOSTS,
        reason: "what libclamav asks about the machine and about its own time",
        calls: &[
            (libc::SYS_sysinfo, ANY),
            (libc::SYS_uname, ANY),
            (libc::SYS_getrusage, ANY),
            (libc::SYS_times, ANY),
            (libc::SYS_getuid, ANY),
            (libc::SYS_geteuid, ANY),
            (libc::SYS_getgid, ANY),
            (libc::SYS_getegid, ANY),
        ],
    },
    Group {
        holders: &[Signer],
        reason: "speaking, and the counter: written beside it, flushed, renamed, the folder flushed. Landlock says where",
        calls: &[
            (libc::SYS_sendmsg, ANY),
            (libc::SYS_write, ANY),
            (libc::SYS_openat, ANY),
            (libc::SYS_fsync, ANY),
            (libc::SYS_renameat, ANY),
            (libc::SYS_renameat2, ANY),
        ],
    },
    Group {
        holders: ALL,
        reason: "time, chance, waiting, its own number",
        calls: &[
            (libc::SYS_clock_gettime, ANY),
            (libc::SYS_clock_getres, ANY),
            (libc::SYS_clock_nanosleep, ANY),
            (libc::SYS_nanosleep, ANY),
            (libc::SYS_gettimeofday, ANY),
            (libc::SYS_getrandom, ANY),
            (libc::SYS_futex, ANY),
            (libc::SYS_sched_yield, ANY),
            (libc::SYS_getpid, ANY),
            (libc::SYS_gettid, ANY),
            (libc::SYS_restart_syscall, ANY),
            (libc::SYS_set_robust_list, ANY),
            (libc::SYS_rseq, ANY),
            (libc::SYS_prlimit64, &[Is(0, 0), Null(2)]),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_time, ANY),
        ],
    },
    Group {
        holders: ALL,
        reason: "its own signals and its own end; abort(3) sends itself one",
        calls: &[
            (libc::SYS_rt_sigaction, ANY),
            (libc::SYS_rt_sigprocmask, ANY),
            (libc::SYS_rt_sigreturn, ANY),
            (libc::SYS_sigaltstack, ANY),
            (libc::SYS_tgkill, &[Own(0)]),
            (libc::SYS_exit, ANY),
            (libc::SYS_exit_group, ANY),
        ],
    },
    Group {
        holders: &[Verifier],
        reason: "its answer, and its memory: a file of its own user, written beside the old one and put in its place, under a lock. \
                 Landlock says where; the medium was opened for reading only",
        calls: &[
            (libc::SYS_mmap, NOT_EXECUTABLE),
            (libc::SYS_write, ANY),
            (libc::SYS_writev, ANY),
            (libc::SYS_ftruncate, ANY),
            (libc::SYS_fsync, ANY),
            (libc::SYS_flock, ANY),
            (libc::SYS_geteuid, ANY),
            (libc::SYS_renameat, ANY),
            (libc::SYS_renameat2, ANY),
            (libc::SYS_unlinkat, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_rename, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_unlink, ANY),
        ],
    },
    Group {
        holders: &[Verifier],
        reason: "opening, listing and asking below the mounted folder; Landlock says where, but not for asking",
        calls: &[
            (libc::SYS_openat, ANY),
            (libc::SYS_openat2, ANY),
            (libc::SYS_getdents64, ANY),
            (libc::SYS_newfstatat, ANY),
            (libc::SYS_statx, ANY),
            (libc::SYS_fstatfs, ANY),
            (libc::SYS_readlinkat, ANY),
            #[cfg(target_arch = "x86_64")]
            (libc::SYS_readlink, ANY),
            (libc::SYS_fcntl, &[Is(1, libc::F_GETFD as i64)]),
            (libc::SYS_fcntl, &[Is(1, libc::F_SETFD as i64)]),
            (libc::SYS_fcntl, &[Is(1, libc::F_GETFL as i64)]),
        ],
    },
];
