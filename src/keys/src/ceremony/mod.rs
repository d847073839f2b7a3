//! The key ceremony (docs/keys.md): what an administrator does on an offline machine and at each station.
//!
//! | step | where | what |
//! |---|---|---|
//! | [`authority`] | offline | a pair of CA keys and certificates: the root, or one below it for some sites |
//! | [`station::request`] | station | two keys, two requests |
//! | [`issue`] | offline | two end certificates for two requests |
//! | [`station::rotate`] | station | new keys beside the old ones, then the change |
//! | [`revoke`] | offline | CRLs and revocation lists with rising numbers |
//! | [`issued`] | offline | what was issued and what of it is revoked |

pub(crate) mod authority;
pub(crate) mod issue;
pub(crate) mod issued;
pub(crate) mod revoke;
pub(crate) mod station;

pub use authority::{NewAuthority, make as make_authority};
pub use issue::{Issue, Issued, issue};
pub use issued::{Entry, list};
pub use revoke::{Renewed, Revocation, revoke};
pub use station::{NewStation, Requests, Rotation, request, rotate};
