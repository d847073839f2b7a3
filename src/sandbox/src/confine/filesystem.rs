//! Landlock: which files a confined process may reach (landlock(7)).
//!
//! The rights of ABI 2 are a hard requirement, because that is what the oldest supported kernel has (Linux 6.1). Newer
//! ones (truncation, TCP, device ioctl, signals and abstract sockets) are taken where the kernel has them; seccomp
//! forbids the same things everywhere.

use super::{ConfineError, Profile};
use crate::birth::MEDIUM_FD;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::fmt::Display;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// The ABI without which nothing runs.
const REQUIRED: ABI = ABI::V2;
/// The newest ABI whose meaning was checked against these profiles.
const KNOWN: ABI = ABI::V7;

/// Enforces the profile's rules and returns the ABI that the kernel offered.
pub(super) fn restrict(profile: Profile<'_>) -> Result<u8, ConfineError> {
    let refused = |error: &dyn Display| ConfineError::Landlock(error.to_string());
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))
        .map_err(|error| refused(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(KNOWN)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .map_err(|error| refused(&error))?;
    let ruleset = match profile {
        Profile::MediumReader | Profile::Sealer => ruleset,
        Profile::FolderReader => {
            // SAFETY: the parent put the folder there before it executed this program; nobody closes it.
            let folder = unsafe { BorrowedFd::borrow_raw(MEDIUM_FD) };
            let rule = PathBeneath::new(folder, AccessFs::ReadFile | AccessFs::ReadDir);
            ruleset.add_rule(rule).map_err(|error| refused(&error))?
        }
        Profile::Matcher { tmpfs } => beneath(ruleset, [(tmpfs, temporary_files())])?,
        Profile::Signer { folder, token } => {
            let of_token = token.unwrap_or_default().iter().map(|path| (path.as_path(), token_files()));
            beneath(ruleset, std::iter::once((folder, counter_files())).chain(of_token))?
        }
        Profile::Verifier { folder, memory } => {
            let folder = folder.map(|path| (path, AccessFs::ReadFile | AccessFs::ReadDir));
            beneath(ruleset, folder.into_iter().chain(memory.map(|path| (path, replaced_files()))))?
        }
    };
    let status = ruleset.restrict_self().map_err(|error| refused(&error))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(refused(&"not enforced"));
    }
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= REQUIRED => {
            Ok(u8::try_from(effective_abi as i32).unwrap_or(u8::MAX))
        }
        other => Err(refused(&format!("{other:?}"))),
    }
}

/// Allows `access` to what is below each of these folders.
fn beneath<'a>(
    ruleset: RulesetCreated,
    folders: impl IntoIterator<Item = (&'a Path, BitFlags<AccessFs>)>,
) -> Result<RulesetCreated, ConfineError> {
    let refused = |error: &dyn Display| ConfineError::Landlock(error.to_string());
    folders.into_iter().try_fold(ruleset, |ruleset, (path, access)| {
        let folder = PathFd::new(path).map_err(|error| refused(&error))?;
        ruleset.add_rule(PathBeneath::new(folder, access)).map_err(|error| refused(&error))
    })
}

/// Writing a file beside another one and putting it in its place.
fn replaced_files() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate
}

/// What libclamav does with its temporary files; no devices, sockets, pipes or programs.
fn temporary_files() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSym
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// What the signer does with its counter: read it, write a new one beside it, rename it.
fn counter_files() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile
}

/// What a PKCS#11 module does with the files of its tokens.
fn token_files() -> BitFlags<AccessFs> {
    counter_files() | AccessFs::ReadDir | AccessFs::MakeDir | AccessFs::RemoveDir
}
