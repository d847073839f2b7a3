//! The ceremony and the signer as a station and a workstation meet them: through the command line, the process, the
//! verifier of `blanche-tag`, OpenSSL and SoftHSM2. Needs root for SoftHSM2's own token folder, for keys of another user, and
//! to look at the signer with strace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot make its keys has failed"
)]

mod ceremony;
mod checkpoint;
mod claims;
mod counter;
mod modes;
mod openssl;
mod signer;
mod token;
mod world;
