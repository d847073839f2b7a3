//! The guest's first root: busybox, the modules that reach the real one, and a script.

use crate::cpio::Archive;
use crate::failure::{Failure, Result};
use crate::kernel::Kernel;
use std::fs;
use std::path::Path;

/// Debian's statically linked busybox.
const BUSYBOX: &str = "/bin/busybox";
/// What is needed before the real root is there.
const MODULES: [&str; 8] =
    ["virtio_pci", "virtio_console", "virtio_rng", "virtio_net", "9pnet_virtio", "9pnet_fd", "9p", "overlay"];
const INIT: &str = include_str!("../guest/init");

/// Writes the first root for `kernel` to `to`. It is not compressed: unpacking would cost the emulated processor more than
/// reading.
///
/// # Errors
/// [`Failure`] when busybox or a module is missing.
pub fn write(kernel: &Kernel, to: &Path) -> Result<()> {
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "proc", "sys", "host", "cow", "root", "modules"] {
        archive.folder(folder);
    }
    archive.device("dev/console", 5, 1);
    let busybox = Path::new(BUSYBOX);
    archive.file("bin/busybox", &fs::read(busybox).map_err(Failure::file(busybox))?);
    archive.file("init", INIT.as_bytes());
    for (number, module) in kernel.modules(&MODULES)?.iter().enumerate() {
        // The number keeps the order of loading.
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("modules/{number:02}-{name}"), &fs::read(module).map_err(Failure::file(module))?);
    }
    fs::write(to, archive.finish()).map_err(Failure::file(to))
}
