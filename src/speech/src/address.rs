//! Where speech-dispatcher listens, as its own library finds it (speech-dispatcher manual, "Address specification").

use std::ffi::OsString;
use std::path::PathBuf;

/// A socket, and whether a dispatcher may be started to listen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) socket: PathBuf,
    pub(crate) may_start: bool,
}

impl Address {
    /// From the environment: `SPEECHD_ADDRESS`, else the standard place.
    pub(crate) fn find() -> Option<Self> {
        Self::of(std::env::var("SPEECHD_ADDRESS").ok(), std::env::var_os("XDG_RUNTIME_DIR"))
    }

    fn of(named: Option<String>, run: Option<OsString>) -> Option<Self> {
        if let Some(path) = named.as_deref().and_then(|named| named.strip_prefix("unix_socket:")) {
            return Some(Self { socket: path.into(), may_start: false });
        }
        let socket = PathBuf::from(run?).join("speech-dispatcher/speechd.sock");
        Some(Self { socket, may_start: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_named_is_used_and_nothing_is_started_there() {
        let named = Address::of(Some("unix_socket:/run/x.sock".to_owned()), Some("/run/user/7".into()));
        assert_eq!(named, Some(Address { socket: "/run/x.sock".into(), may_start: false }));
        let standard = Address::of(None, Some("/run/user/7".into()));
        let socket = "/run/user/7/speech-dispatcher/speechd.sock".into();
        assert_eq!(standard, Some(Address { socket, may_start: true }));
        assert_eq!(Address::of(None, None), None);
    }
}
