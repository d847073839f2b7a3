//! What a child does once it is confined: the forbidden acts, which must kill it, and the allowed ones.
//!
//! System calls are made by number, so that no library looks for another way.

use libc::{c_int, c_long, syscall};
use std::ptr::{null, null_mut};

/// A system call that must kill.
pub(crate) type Forbidden = (&'static str, fn() -> c_long);

macro_rules! acts {
    ($($name:literal => $call:expr),* $(,)?) => {
        // SAFETY: (of every call) plain numbers and null pointers, or memory that the expression itself holds; the
        // process is a child of the tests that ends right after.
        &[$(($name, || unsafe { $call } as c_long)),*]
    };
}

const MEDIUM: c_int = blanche_sandbox::birth::MEDIUM_FD;
const HERE: c_int = libc::AT_FDCWD;

/// Forbidden to every child.
pub(crate) const EVERYONE: &[Forbidden] = acts! {
    "socket" => syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
    "socketpair" => syscall(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, [0i32; 2].as_mut_ptr()),
    "connect" => syscall(libc::SYS_connect, 4, null::<u8>(), 0),
    "ptrace" => syscall(libc::SYS_ptrace, libc::PTRACE_ATTACH, 1, 0, 0),
    "process_vm_readv" => syscall(libc::SYS_process_vm_readv, 1, null::<u8>(), 0, null::<u8>(), 0, 0),
    "pidfd_open" => syscall(libc::SYS_pidfd_open, 1, 0),
    "execve" => syscall(libc::SYS_execve, c"/bin/true".as_ptr(), null::<u8>(), null::<u8>()),
    "execveat" => syscall(libc::SYS_execveat, HERE, c"/bin/true".as_ptr(), null::<u8>(), null::<u8>(), 0),
    "fork" => syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
    "vfork" => syscall(libc::SYS_clone, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, 0, 0, 0, 0),
    "executable memory" => syscall(
        libc::SYS_mmap, 0, 4096, libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0),
    "memory made executable" => syscall(libc::SYS_mprotect, 0, 4096, libc::PROT_EXEC),
    "pkey_mprotect" => syscall(libc::SYS_pkey_mprotect, 0, 4096, libc::PROT_EXEC, -1),
    "personality" => syscall(libc::SYS_personality, 0x0040_0000),
    "unshare" => syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
    "setns" => syscall(libc::SYS_setns, 4, 0),
    "mount" => syscall(libc::SYS_mount, 0, 0, 0, 0, 0),
    "chroot" => syscall(libc::SYS_chroot, c"/".as_ptr()),
    "setuid" => syscall(libc::SYS_setuid, 0),
    "kill" => syscall(libc::SYS_kill, 1, 0),
    "signal to another process" => syscall(libc::SYS_tgkill, 1, 1, 0),
    "bpf" => syscall(libc::SYS_bpf, 0, 0, 0),
    "io_uring" => syscall(libc::SYS_io_uring_setup, 1, 0),
    "userfaultfd" => syscall(libc::SYS_userfaultfd, 0),
    "perf_event_open" => syscall(libc::SYS_perf_event_open, 0, 0, -1, -1, 0),
    "keyctl" => syscall(libc::SYS_keyctl, 0, 0, 0, 0, 0),
    "ioctl" => syscall(libc::SYS_ioctl, MEDIUM, libc::FIONREAD, null_mut::<u8>()),
    "dump flag" => syscall(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0),
    "higher limits" => syscall(libc::SYS_prlimit64, 0, libc::RLIMIT_CORE, [9u64; 2].as_ptr(), null_mut::<u8>()),
    "limits of another process" => syscall(libc::SYS_prlimit64, 1, libc::RLIMIT_CORE, null::<u8>(), null_mut::<u8>()),
    "fallocate" => syscall(libc::SYS_fallocate, MEDIUM, 0, 0, 1),
    "sendfile" => syscall(libc::SYS_sendfile, MEDIUM, 4, 0, 1),
    "splice" => syscall(libc::SYS_splice, 4, 0, MEDIUM, 0, 1, 0),
    "copy_file_range" => syscall(libc::SYS_copy_file_range, 4, 0, MEDIUM, 0, 1, 0),
    "pwritev" => syscall(libc::SYS_pwritev, MEDIUM, 0, 0, 0, 0),
    "pwritev2" => syscall(libc::SYS_pwritev2, MEDIUM, 0, 0, 0, 0, 0),
    "mknodat" => syscall(libc::SYS_mknodat, HERE, c"x".as_ptr(), libc::S_IFIFO, 0),
    "linkat" => syscall(libc::SYS_linkat, HERE, c"a".as_ptr(), HERE, c"b".as_ptr(), 0),
    "a call of the x32 convention" => syscall(0x4000_0000 | libc::SYS_getpid),
    "a call that does not exist" => syscall(9999),
};

/// Forbidden to both readers, and the sealer's only way to write.
pub(crate) const READERS: &[Forbidden] = acts! {
    "pwrite64 to the medium" => syscall(libc::SYS_pwrite64, MEDIUM, c"x".as_ptr(), 1, 0),
};

/// Forbidden to the sealer beyond what is forbidden to whoever holds a medium.
pub(crate) const SEALER: &[Forbidden] = acts! {
    "pwrite64 to something else" => syscall(libc::SYS_pwrite64, 4, c"x".as_ptr(), 1, 0),
    "write to the channel" => syscall(libc::SYS_write, 4, c"x".as_ptr(), 1),
    "flush of something else" => syscall(libc::SYS_fdatasync, 4),
    "memfd_create" => syscall(libc::SYS_memfd_create, c"x".as_ptr(), 0),
    "seals" => syscall(libc::SYS_fcntl, 4, libc::F_ADD_SEALS, 0),
    "discard" => syscall(libc::SYS_ioctl, MEDIUM, 0x1277, null_mut::<u8>()),
    "write protection" => syscall(libc::SYS_ioctl, MEDIUM, 0x125d, null_mut::<u8>()),
};

/// Forbidden to whoever holds a medium.
pub(crate) const HOLDERS: &[Forbidden] = acts! {
    "write to the medium" => syscall(libc::SYS_write, MEDIUM, c"x".as_ptr(), 1),
    "write to the medium, upper bits set" => syscall(libc::SYS_write, 0x1_0000_0003i64, c"x".as_ptr(), 1),
    "writev to the medium" => syscall(libc::SYS_writev, MEDIUM, null::<u8>(), 0),
    "ftruncate of the medium" => syscall(libc::SYS_ftruncate, MEDIUM, 0),
    "sendmsg on the medium" => syscall(libc::SYS_sendmsg, MEDIUM, null::<u8>(), 0),
    "mapping of the medium" => syscall(libc::SYS_mmap, 0, 4096, libc::PROT_READ, libc::MAP_SHARED, MEDIUM, 0),
    "dup of the medium" => syscall(libc::SYS_dup, MEDIUM),
    "dup2 of the medium" => syscall(libc::SYS_dup2, MEDIUM, 9),
    "dup3 of the medium" => syscall(libc::SYS_dup3, MEDIUM, 9, 0),
    "fcntl copy of the medium" => syscall(libc::SYS_fcntl, MEDIUM, libc::F_DUPFD, 9),
    "fcntl copy of the medium, closed on exec" => syscall(libc::SYS_fcntl, MEDIUM, libc::F_DUPFD_CLOEXEC, 9),
    "clone3" => syscall(libc::SYS_clone3, null::<u8>(), 0),
    "thread" => syscall(libc::SYS_clone, libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND, 0, 0, 0, 0),
    "open" => syscall(libc::SYS_open, c"/etc/passwd".as_ptr(), libc::O_RDONLY),
    "unlinkat" => syscall(libc::SYS_unlinkat, MEDIUM, c"file".as_ptr(), 0),
    "mkdirat" => syscall(libc::SYS_mkdirat, MEDIUM, c"folder".as_ptr(), 0),
    "renameat2" => syscall(libc::SYS_renameat2, MEDIUM, c"file".as_ptr(), MEDIUM, c"b".as_ptr(), 0),
    "openat that creates" => syscall(libc::SYS_openat, MEDIUM, c"new".as_ptr(), libc::O_CREAT, 0o600),
    "openat for writing" => syscall(libc::SYS_openat, MEDIUM, c"file".as_ptr(), libc::O_RDWR),
    "openat that empties" => syscall(libc::SYS_openat, MEDIUM, c"file".as_ptr(), libc::O_TRUNC),
    "openat of a nameless file" => syscall(libc::SYS_openat, MEDIUM, c".".as_ptr(), libc::O_TMPFILE, 0o600),
};

/// Forbidden to the reader of a medium, which opens nothing at all.
pub(crate) const MEDIUM_READER: &[Forbidden] = acts! {
    "openat" => syscall(libc::SYS_openat, HERE, c"/etc/passwd".as_ptr(), libc::O_RDONLY),
    "openat2" => syscall(libc::SYS_openat2, HERE, c"/etc/passwd".as_ptr(), [0u64; 3].as_ptr(), 24),
    "getdents64" => syscall(libc::SYS_getdents64, MEDIUM, null_mut::<u8>(), 0),
    "readlinkat" => syscall(libc::SYS_readlinkat, HERE, c"/proc/self/exe".as_ptr(), null_mut::<u8>(), 0),
    "newfstatat by path" => syscall(libc::SYS_newfstatat, HERE, c"/etc/passwd".as_ptr(), null_mut::<u8>(), 0),
    "statx by path" => syscall(libc::SYS_statx, HERE, c"/etc/passwd".as_ptr(), 0, 0, null_mut::<u8>()),
};

/// Forbidden to the signer, which has its counter and its channel.
pub(crate) const SIGNER: &[Forbidden] = acts! {
    "open" => syscall(libc::SYS_open, c"/etc/passwd".as_ptr(), libc::O_RDONLY),
    "openat2" => syscall(libc::SYS_openat2, HERE, c"/etc/passwd".as_ptr(), [0u64; 3].as_ptr(), 24),
    "getdents64" => syscall(libc::SYS_getdents64, 4, null_mut::<u8>(), 0),
    "readlinkat" => syscall(libc::SYS_readlinkat, HERE, c"/proc/self/exe".as_ptr(), null_mut::<u8>(), 0),
    "newfstatat by path" => syscall(libc::SYS_newfstatat, HERE, c"/etc/passwd".as_ptr(), null_mut::<u8>(), 0),
    "statx by path" => syscall(libc::SYS_statx, HERE, c"/etc/passwd".as_ptr(), 0, 0, null_mut::<u8>()),
    "unlinkat" => syscall(libc::SYS_unlinkat, HERE, c"file".as_ptr(), 0),
    "mkdirat" => syscall(libc::SYS_mkdirat, HERE, c"folder".as_ptr(), 0),
    "fchmod" => syscall(libc::SYS_fchmod, 4, 0o666),
    "dup" => syscall(libc::SYS_dup, 4),
    "fcntl" => syscall(libc::SYS_fcntl, 4, libc::F_DUPFD, 9),
    "memfd_create" => syscall(libc::SYS_memfd_create, c"x".as_ptr(), 0),
    "clone3" => syscall(libc::SYS_clone3, null::<u8>(), 0),
    "thread" => syscall(libc::SYS_clone, libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND, 0, 0, 0, 0),
};

/// Forbidden to the signer with a PKCS#11 module in it.
pub(crate) const TOKEN_SIGNER: &[Forbidden] = acts! {
    "openat2" => syscall(libc::SYS_openat2, HERE, c"/etc/passwd".as_ptr(), [0u64; 3].as_ptr(), 24),
    "clone3" => syscall(libc::SYS_clone3, null::<u8>(), 0),
    "thread" => syscall(libc::SYS_clone, libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND, 0, 0, 0, 0),
};
