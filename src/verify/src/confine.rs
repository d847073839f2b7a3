//! Before a byte of a medium is parsed, every door that is not needed any more is closed (security rules 3 and 4).

use crate::failure::Failure;
use crate::target::Target;

/// Confines this process for the rest of its life: what is open stays open, the mounted folder can be read.
///
/// A process of root goes on as `nobody`, as the station's children do. With a mounted folder it cannot: the files in it
/// are still to be opened, with the rights of whoever asked.
///
/// # Errors
/// [`Failure::Confine`]: a layer is missing, and nothing may be parsed.
#[cfg(target_os = "linux")]
pub(crate) fn enter(target: &Target) -> Result<(), Failure> {
    use crate::target::Input;
    use blanche_sandbox::confine::{Profile, confine, leave_root};
    let folder = match &target.input {
        Input::Folder(folder) => Some(folder.as_path()),
        Input::Medium(_) => None,
    };
    let left = if folder.is_none() { leave_root() } else { Ok(()) };
    let confined = left.and_then(|()| confine(Profile::Verifier { folder, memory: None }));
    confined.map(|_| ()).map_err(|error| Failure::Confine(error.to_string()))
}

/// Other systems have no such layers; docs/verify.md says so.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub(crate) fn enter(_: &Target) -> Result<(), Failure> {
    Ok(())
}
