//! A process of root that goes on as `nobody`: what is born by [`crate::birth`] is that from the beginning; a program that
//! people start by themselves leaves root once it has opened what only root may open.

use super::ConfineError;
use crate::birth::service_user;
use rustix::process::geteuid;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::fs;
use std::io;

/// Leaves root for `nobody`, without a way back and without groups. Any other user stays, and so does root of a user
/// namespace that has no `nobody`: outside it is an ordinary user already (user_namespaces(7)).
///
/// # Errors
/// [`ConfineError`]: more than one thread, no user `nobody`, or the kernel refuses.
pub fn leave_root() -> Result<(), ConfineError> {
    if !geteuid().is_root() {
        return Ok(());
    }
    // These calls change one thread, which must be the only one.
    match super::threads().map_err(ConfineError::Proc)? {
        1 => {}
        more => return Err(ConfineError::Threads(more)),
    }
    let refused = |source| ConfineError::Privileges { layer: "leaving root", source };
    let (uid, gid) = service_user().map_err(|error| refused(io::Error::other(error)))?;
    let map = |name| fs::read_to_string(name).map_err(ConfineError::Proc);
    if !maps(&map("/proc/self/uid_map")?, uid) || !maps(&map("/proc/self/gid_map")?, gid) {
        return Ok(());
    }
    let (user, group) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user))
        .map_err(|error| refused(error.into()))
}

/// Whether a map of a user namespace knows an identifier: lines of first one inside, first one outside, how many.
fn maps(map: &str, id: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let (first, count) = (numbers.next(), numbers.nth(1));
        matches!((first, count), (Some(Ok(first)), Some(Ok(count))) if (first..first.saturating_add(count)).contains(&id.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::maps;

    #[test]
    fn a_namespace_of_one_user_has_no_nobody() {
        assert!(maps("         0          0 4294967295\n", 65534));
        assert!(!maps("         0       1000          1\n", 65534));
        assert!(maps("0 1000 1\n1 100000 65536\n", 65534));
        assert!(!maps("0 1000 1\n1 100000 65533\n", 65534));
        assert!(!maps("", 65534) && !maps("nonsense", 0));
    }
}
