//! The guest's kernel: Debian's own, from its package, which is unpacked and not installed.
//!
//! `linux-image-amd64` names the package of the day; the cloud kernel would have no USB. QEMU starts the unpacked vmlinux by
//! its PVH note: decompressing it in an emulated processor would cost more than the rest of its start.

use crate::failure::{Failure, Result};
use crate::program::{checked, command, run};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What always depends on Debian's current kernel.
const METAPACKAGE: &str = "linux-image-amd64";

/// A kernel and its modules, in a folder that outlives the run.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// `uname -r` of the guest.
    pub release: String,
    /// The kernel as an ELF file.
    pub vmlinux: PathBuf,
    /// Folder that holds `lib/modules/RELEASE`.
    pub root: PathBuf,
}

impl Kernel {
    /// The current kernel of Debian, downloaded into `cache` unless it is there.
    ///
    /// # Errors
    /// [`Failure`] when apt does not know or not give it, or the package is not what it should be.
    pub fn fetch(cache: &Path) -> Result<Self> {
        fs::create_dir_all(cache).map_err(Failure::file(cache))?;
        let package = current_package()?;
        let release = package.trim_start_matches("linux-image-").to_owned();
        let root = cache.join(&package);
        let kernel = Self { vmlinux: root.join("vmlinux"), root, release };
        if !kernel.root.is_dir() {
            kernel.unpack(cache, &package)?;
        }
        Ok(kernel)
    }

    /// Everything is made beside its place and moved there whole: a run that was stopped leaves no half kernel.
    fn unpack(&self, cache: &Path, package: &str) -> Result<()> {
        let work = tempfile::tempdir_in(cache).map_err(Failure::file(cache))?;
        download(work.path(), package)?;
        let fresh = work.path().join("root");
        let archive = only_file(work.path(), "deb")?;
        run(work.path(), "dpkg", ["-x".as_ref(), archive.as_os_str(), fresh.as_os_str()])?;
        // The package has no modules.dep: its own installation would make it.
        run(work.path(), "depmod", ["-b".as_ref(), fresh.as_os_str(), self.release.as_ref()])?;
        let image = fresh.join("boot").join(format!("vmlinuz-{}", self.release));
        decompress(&image, &fresh.join("vmlinux"))?;
        fs::rename(&fresh, &self.root).map_err(Failure::file(&self.root))
    }

    /// Files of the modules `wanted` and all that they need, each once, in the order of loading.
    ///
    /// # Errors
    /// [`Failure`] when modprobe knows one of them not.
    pub fn modules(&self, wanted: &[&str]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for module in wanted {
            let arguments = ["-d".as_ref(), self.root.as_os_str(), "-S".as_ref(), self.release.as_ref()];
            let arguments = arguments.into_iter().chain(["--show-depends".as_ref(), module.as_ref()]);
            let answer = run(&self.root, "modprobe", arguments)?;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let needed = answer.lines().filter_map(|line| line.trim().strip_prefix("insmod "));
            for file in needed.map(|line| PathBuf::from(line.split(' ').next().unwrap_or(line))) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }
}

/// The package that the metapackage depends on today.
fn current_package() -> Result<String> {
    let answer = run(Path::new("/"), "apt-cache", ["depends", METAPACKAGE])?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let named = answer.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    let named = named.ok_or_else(|| Failure::format(format!("apt knows no {METAPACKAGE}: run apt-get update")))?;
    Ok(format!("linux-image-{named}"))
}

/// Lists that are older than the archive name a package that is gone: then they are fetched, once.
fn download(folder: &Path, package: &str) -> Result<()> {
    let download = || run(folder, "apt-get", ["-qq", "download", package]);
    if download().is_err() {
        let as_root = run(folder, "id", ["-u"])? == b"0\n";
        let update: &[&str] =
            if as_root { &["apt-get", "-qq", "update"] } else { &["sudo", "apt-get", "-qq", "update"] };
        run(folder, update[0], &update[1..])?;
        download()?;
    }
    Ok(())
}

fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(Failure::file(folder))?;
    let mut paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let found = paths.find(|path| path.extension().is_some_and(|its| its == extension));
    found.ok_or_else(|| Failure::format(format!("{}: no .{extension}", folder.display())))
}

/// A field of the setup header (Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header").
struct SetupHeader {
    /// `payload_offset`, counted from the beginning of the file here.
    payload: u64,
    /// `payload_length`, bytes; the last four are the length of vmlinux.
    length: u64,
}

impl SetupHeader {
    /// Bytes of the file up to the last field that is needed.
    const BYTES: usize = 0x250;

    fn parse(head: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
        if head.get(0x202..0x206)? != b"HdrS" {
            return None;
        }
        // "setup_sects": 512 bytes each, behind the boot sector; 0 stands for 4.
        let sectors = u64::from(head[0x1f1]);
        let protected = (1 + if sectors == 0 { 4 } else { sectors }) * 512;
        Some(Self { payload: protected + u64::from(word(0x248)?), length: u64::from(word(0x24c)?) })
    }
}

/// Writes the vmlinux inside the bzImage `image` to `to`. Debian compresses it by xz.
fn decompress(image: &Path, to: &Path) -> Result<()> {
    let mut file = File::open(image).map_err(Failure::file(image))?;
    let mut head = [0; SetupHeader::BYTES];
    file.read_exact(&mut head).map_err(Failure::file(image))?;
    let header = SetupHeader::parse(&head);
    let header = header.ok_or_else(|| Failure::format(format!("{} is no bzImage", image.display())))?;
    file.seek(SeekFrom::Start(header.payload)).map_err(Failure::file(image))?;
    let mut payload = Vec::new();
    file.take(header.length).read_to_end(&mut payload).map_err(Failure::file(image))?;
    let output = File::create(to).map_err(Failure::file(to))?;
    let folder = to.parent().unwrap_or(Path::new("/"));
    let mut xz = command(folder, "xz");
    // The length behind the stream is no part of it.
    xz.args(["--decompress", "--stdout", "--single-stream"]).stdin(Stdio::piped()).stdout(output);
    let mut child = xz.stderr(Stdio::piped()).spawn().map_err(Failure::host("xz"))?;
    let written = child.stdin.take().map(|mut input| input.write_all(&payload));
    let output = child.wait_with_output().map_err(Failure::host("xz"))?;
    if !output.status.success() || !matches!(written, Some(Ok(()))) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::Program { command: "xz".into(), status: output.status.to_string(), said });
    }
    let notes = checked(command(folder, "readelf").arg("--notes").arg(to))?;
    // Xen's note 18, XEN_ELFNOTE_PHYS32_ENTRY, is what QEMU starts by (Linux, Documentation/arch/x86/…, "PVH").
    if !String::from_utf8_lossy(&notes.stdout).contains("Xen") {
        return Err(Failure::format(format!("{} has no PVH entry: QEMU could not start it", to.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_lies_behind_the_setup_sectors() {
        let mut head = [0; SetupHeader::BYTES];
        assert!(SetupHeader::parse(&head).is_none(), "no magic");
        head[0x202..0x206].copy_from_slice(b"HdrS");
        head[0x248..0x250].copy_from_slice(&[0x10, 0, 0, 0, 0x20, 0, 0, 0]);
        let places = [(0, 5 * 512 + 16), (39, 40 * 512 + 16)];
        for (sectors, payload) in places {
            head[0x1f1] = sectors;
            let header = SetupHeader::parse(&head).map(|header| (header.payload, header.length));
            assert_eq!(header, Some((payload, 32)));
        }
    }
}
