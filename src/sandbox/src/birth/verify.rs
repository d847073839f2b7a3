//! What the kernel says about a child's confinement, against what the child says.

use super::BirthError;
use crate::confine::FILTERS;
use crate::wire::Born;
use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Checks `born` against `/proc/PID`. The network namespace is not mandatory: it is set to what was seen.
pub(super) fn confinement(pid: i32, born: &mut Born) -> Result<(), BirthError> {
    let read = |path: &str| {
        fs::read_to_string(path)
            .map_err(|source| BirthError::Prepare { what: "reading a process's status in /proc", source })
    };
    let theirs = read(&format!("/proc/{pid}/status"))?;
    let ours = read("/proc/self/status")?;
    layers(&theirs, &ours, born).map_or(Ok(()), |missing| Err(BirthError::Layer(missing)))?;
    let separate = own_network(pid);
    if born.network_namespace && separate == Some(false) {
        return Err(BirthError::Layer("it claims a network namespace that it does not have"));
    }
    born.network_namespace = separate.unwrap_or(false);
    Ok(())
}

/// The first mandatory layer that is missing according to the child's and the parent's `/proc/PID/status` (proc(5)).
fn layers(theirs: &str, ours: &str, born: &Born) -> Option<&'static str> {
    let filters = |status| field(status, "Seccomp_filters").and_then(|count| count.parse::<u32>().ok());
    // A parent that was itself started under a filter, as systemd does, hands that one down: it proves nothing.
    let own_filters = filters(theirs).zip(filters(ours)).map_or(0, |(theirs, ours)| theirs.saturating_sub(ours));
    let no_bits = |set| field(theirs, set).is_some_and(|bits| !bits.is_empty() && bits.bytes().all(|bit| bit == b'0'));
    if field(theirs, "NoNewPrivs") != Some("1") || !born.no_new_privileges {
        Some("no_new_privs is off")
    } else if field(theirs, "Seccomp") != Some("2") || own_filters < FILTERS || born.allowed_system_calls == 0 {
        Some("no seccomp filter of its own")
    } else if !no_bits("CapEff") || !no_bits("CapPrm") {
        Some("it holds capabilities")
    } else if born.landlock_abi < 2 {
        Some("Landlock is older than ABI 2")
    } else {
        None
    }
}

/// Whether the child's network namespace differs from ours: namespaces(7), "/proc/pid/ns".
fn own_network(pid: i32) -> Option<bool> {
    let ours = fs::read_link("/proc/self/ns/net").ok()?;
    let theirs = fs::read_link(format!("/proc/{pid}/ns/net")).ok()?;
    Some(ours != theirs)
}

/// The process that a process descriptor stands for: pidfd_open(2), "/proc/self/fdinfo".
pub(super) fn pid_of(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    field(&info, "Pid")?.parse().ok().filter(|pid| *pid > 0)
}

/// The value of `name` in the "Name:\tvalue" lines of a file in `/proc`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails says where")]
    use super::*;

    const OURS: &str = "NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n";

    fn status(no_new_privileges: u8, mode: u8, filters: u8, capabilities: &str) -> String {
        format!(
            "Name:\tblanche-reader\nCapPrm:\t{capabilities}\nCapEff:\t{capabilities}\nNoNewPrivs:\t{no_new_privileges}\n\
             Seccomp:\t{mode}\nSeccomp_filters:\t{filters}\n"
        )
    }

    fn born() -> Born {
        Born {
            no_new_privileges: true,
            landlock_abi: 2,
            allowed_system_calls: 40,
            network_namespace: true,
            private_tmpfs: false,
        }
    }

    #[test]
    fn each_missing_layer_is_named() {
        let none = "0000000000000000";
        assert_eq!(layers(&status(1, 2, 2, none), OURS, &born()), None);
        assert_eq!(layers(&status(0, 2, 2, none), OURS, &born()), Some("no_new_privs is off"));
        for (mode, filters) in [(0, 0), (1, 0), (2, 1)] {
            assert_eq!(layers(&status(1, mode, filters, none), OURS, &born()), Some("no seccomp filter of its own"));
        }
        assert_eq!(layers(&status(1, 2, 2, "0000000000000001"), OURS, &born()), Some("it holds capabilities"));
        let old = Born { landlock_abi: 1, ..born() };
        assert_eq!(layers(&status(1, 2, 2, none), OURS, &old), Some("Landlock is older than ABI 2"));
        assert!(layers("", OURS, &born()).is_some());
        assert!(layers(&status(1, 2, 2, none), "", &born()).is_some());
    }

    #[test]
    fn a_filter_that_the_parent_hands_down_is_not_the_childs_own() {
        let ours = "Seccomp:\t2\nSeccomp_filters:\t5\n";
        let none = "0000000000000000";
        assert_eq!(layers(&status(1, 2, 6, none), ours, &born()), Some("no seccomp filter of its own"));
        assert_eq!(layers(&status(1, 2, 7, none), ours, &born()), None);
    }

    #[test]
    fn the_network_of_this_very_process_is_not_separate() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert_eq!(own_network(pid), Some(false));
    }
}
