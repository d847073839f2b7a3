//! Archives behind a program: self-extracting, or hidden there.

use super::ContainerSample;
use super::archives::{rar4, rar5};
use crate::bytes::Put;
use crate::samples::{eicar_gzipped, made_by, plain_zip};
use blanche_sandbox::wire::Container;

pub(super) fn samples() -> Vec<ContainerSample> {
    let gz = "eicar.com.gz";
    let content = eicar_gzipped();
    let seven = made_by("7z", &["a", "-bd", "a.7z", gz], "a.7z");
    let behind = |program: &[u8], archive: &[u8]| [program, archive].concat();
    vec![
        ContainerSample::new("zip behind a PE", "setup-zip.exe", Container::Zip, behind(&pe(), &plain_zip())),
        ContainerSample::new("7z behind a PE", "setup-7z.exe", Container::SevenZip, behind(&pe(), &seven)),
        ContainerSample::new("rar4 behind a PE", "setup-rar4.exe", Container::Rar, behind(&pe(), &rar4(gz, &content))),
        ContainerSample::new("rar5 behind a PE", "setup-rar5.exe", Container::Rar, behind(&pe(), &rar5(gz, &content))),
        ContainerSample::new("zip behind an ELF", "setup-zip", Container::Zip, behind(&elf(), &plain_zip())),
        ContainerSample::new("rar5 behind an ELF", "setup-rar", Container::Rar, behind(&elf(), &rar5(gz, &content))),
    ]
}

/// The smallest well-formed 32-bit Windows program (Microsoft PE format, revision 11): one section that returns.
pub(super) fn pe() -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.zeros(58).u32(0x40).raw(b"PE\0\0");
    // i386, one section, no symbols, optional header of 224 bytes, executable 32-bit image.
    file.u16(0x14c).u16(1).u32(0).u32(0).u32(0).u16(224).u16(0x0102);
    // PE32, linker 1.0, 512 bytes of code; entry and code at 0x1000, data at 0x2000, base 0x400000.
    file.u16(0x10b).u8(1).u8(0).u32(512).u32(0).u32(0).u32(0x1000).u32(0x1000).u32(0x2000).u32(0x40_0000);
    // Alignment in memory and file; versions; sizes of image and headers; checksum; console program.
    file.u32(0x1000).u32(0x200).u16(4).u16(0).u16(0).u16(0).u16(4).u16(0).u32(0).u32(0x2000).u32(0x200).u32(0);
    file.u16(3).u16(0).u32(0x10_0000).u32(0x1000).u32(0x10_0000).u32(0x1000).u32(0).u32(16).zeros(128);
    // Readable, executable code.
    file.raw(b".text\0\0\0").u32(1).u32(0x1000).u32(0x200).u32(0x200).zeros(12).u32(0x6000_0020);
    file.align(512).u8(0xc3).align(512);
    file
}

/// The smallest well-formed x86-64 Linux program (ELF 64-bit, System V ABI): exit(0).
pub(super) fn elf() -> Vec<u8> {
    const CODE: [u8; 9] = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut file = b"\x7fELF\x02\x01\x01\x00".to_vec();
    file.zeros(8).u16(2).u16(62).u32(1).u64(BASE + HEADERS).u64(64).u64(0).u32(0).u16(64).u16(56).u16(1);
    file.u16(0).u16(0).u16(0);
    let size = HEADERS + CODE.len() as u64;
    file.u32(1).u32(5).u64(0).u64(BASE).u64(BASE).u64(size).u64(size).u64(0x1000).raw(&CODE);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::run;

    #[test]
    fn the_programs_are_programs() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, elf()).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        run(folder.path(), path.to_str().unwrap(), [""; 0]);
        std::fs::write(&path, pe()).unwrap();
        let answer = String::from_utf8(run(folder.path(), "file", ["-b", "program"])).unwrap();
        assert!(answer.contains("PE32 executable (console)"), "{answer}");
    }
}
