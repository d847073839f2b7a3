//! Before a byte of a medium is parsed, every door that is not needed any more is closed (security rules 3 and 4).

use crate::failure::Failure;
use crate::target::Target;
use crate::workstation::Workstation;

/// Confines this process for the rest of its life: what is open stays open, the mounted folder can be read, the folder
/// of the memory can be written.
///
/// # Errors
/// [`Failure::Confine`]: a layer is missing, and nothing may be parsed.
#[cfg(target_os = "linux")]
pub(crate) fn enter(target: &Target, workstation: &Workstation) -> Result<(), Failure> {
    use crate::target::Input;
    use blanche_sandbox::confine::{Profile, confine};
    let folder = match &target.input {
        Input::Folder(folder) => Some(folder.as_path()),
        Input::Medium(_) => None,
    };
    let memory = workstation.store.as_ref().and_then(|store| store.folder());
    confine(Profile::Verifier { folder, memory }).map(|_| ()).map_err(|error| Failure::Confine(error.to_string()))
}

/// Other systems have no such layers; docs/verify.md says so.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub(crate) fn enter(_: &Target, _: &Workstation) -> Result<(), Failure> {
    Ok(())
}
