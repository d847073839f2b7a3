//! Containers for which only commercial or vanished packers exist: Debian's clamav-testfiles has one each. They carry
//! clam.exe, the harmless program by which ClamAV tests itself, instead of EICAR.

use super::ContainerSample;
use blanche_sandbox::wire::Container;
use std::path::Path;

/// Where Debian's package clamav-testfiles puts its files.
pub const TESTFILES: &str = "/usr/share/clamav-testfiles";

pub(super) fn samples() -> Vec<ContainerSample> {
    [
        ("chm", "clam.chm", Container::Chm),
        ("installshield, cabinets outside", "clam_IScab_ext.exe", Container::InstallShield),
        ("installshield, cabinets inside", "clam_IScab_int.exe", Container::InstallShield),
        ("nsis", "clam-nsis.exe", Container::Nsis),
        ("autoit 3.2", "clam.ea05.exe", Container::AutoIt),
        ("autoit 3.3", "clam.ea06.exe", Container::AutoIt),
        ("binhex", "clam.exe.binhex", Container::BinHex),
    ]
    .into_iter()
    .map(|(name, file, container)| {
        let path = Path::new(TESTFILES).join(file);
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}. Install clamav-testfiles: make deps-test", path.display()));
        ContainerSample::new(name, file, container, bytes)
    })
    .collect()
}
