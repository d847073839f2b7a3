//! Disk images in files: a FAT floppy with EICAR, raw and as the common hypervisors and macOS wrap it.

use super::ContainerSample;
use crate::bytes::{Put, base64_lines, crc32, zlib};
use crate::image::{Format, Layout, image};
use crate::samples::eicar_gzipped;
use crate::tools::run;
use crate::tree::Tree;
use blanche_sandbox::wire::Container;
use std::path::Path;

/// The smallest image that every hypervisor's format takes without rounding up: 4 MiB of FAT12.
const FORMAT: Format = Format::Fat12;

pub(super) fn samples() -> Vec<ContainerSample> {
    let folder = tempfile::tempdir().expect("a writable folder for temporary files");
    let at = folder.path();
    let tree = Tree::new().with("eicar.com.gz", eicar_gzipped());
    let floppy = image(at, FORMAT, Layout::Superfloppy, &tree);
    let disk = image(at, FORMAT, Layout::MbrPrimary, &tree);
    let plain = Tree::new().with("eicar.com", crate::samples::eicar());
    let bare = image(at, FORMAT, Layout::Gpt, &plain);
    let read = |path: &Path| std::fs::read(path).expect("just made");
    vec![
        ContainerSample::new("raw disk", "floppy.img", Container::RawDisk, read(&floppy)),
        ContainerSample::new("raw disk with a table", "disk.img", Container::RawDisk, read(&disk)),
        ContainerSample::new("raw disk with a GPT", "gpt.dd", Container::RawDisk, read(&bare)),
        ContainerSample::new(
            "vhd",
            "fixed.vhd",
            Container::RawDisk,
            converted(at, &floppy, "vpc", "subformat=fixed,force_size=on"),
        ),
        ContainerSample::new("vhd, dynamic", "disk.vhd", Container::Vhd, converted(at, &disk, "vpc", "force_size=on")),
        ContainerSample::new(
            "vhdx",
            "disk.vhdx",
            Container::Vhdx,
            converted(at, &disk, "vhdx", "block_size=1048576,log_size=1048576"),
        ),
        ContainerSample::new(
            "vmdk",
            "disk.vmdk",
            Container::Vmdk,
            converted(at, &disk, "vmdk", "subformat=streamOptimized"),
        ),
        ContainerSample::new("vdi", "disk.vdi", Container::Vdi, converted(at, &disk, "vdi", "static=off")),
        ContainerSample::new("qcow2", "disk.qcow2", Container::Qcow2, compressed(at, &disk)),
        ContainerSample::new("parallels", "disk.hdd", Container::VirtualDisk, convert(at, &disk, &["-O", "parallels"])),
        ContainerSample::new("dmg", "disk.dmg", Container::Dmg, dmg(&read(&floppy))),
    ]
}

fn converted(folder: &Path, source: &Path, format: &str, options: &str) -> Vec<u8> {
    convert(folder, source, &["-O", format, "-o", options])
}

/// qcow2 with compressed clusters: nothing of the content stands in the file as it is.
fn compressed(folder: &Path, source: &Path) -> Vec<u8> {
    convert(folder, source, &["-c", "-O", "qcow2"])
}

fn convert(folder: &Path, source: &Path, options: &[&str]) -> Vec<u8> {
    let source = source.to_str().expect("a path in UTF-8");
    run(folder, "qemu-img", [&["convert", "-f", "raw"], options, &[source, "converted"]].concat());
    crate::samples::result(folder, "converted")
}

/// Apple's UDIF: zlib blocks, a property list with the table of blocks ("mish"), a trailer ("koly"), all big-endian.
fn dmg(disk: &[u8]) -> Vec<u8> {
    const CRC32: u32 = 2;
    let data = zlib(disk);
    let sectors = disk.len() as u64 / 512;
    let checksum = |bytes: &mut Vec<u8>, crc: u32| {
        bytes.be32(CRC32).be32(32).be32(crc).zeros(124);
    };
    let mut table = Vec::new();
    table.raw(b"mish").be32(1).be64(0).be64(sectors).be64(0).be32(0x208).be32(0).zeros(24);
    checksum(&mut table, crc32(disk));
    table.be32(2).be32(0x8000_0005).be32(0).be64(0).be64(sectors).be64(0).be64(data.len() as u64);
    table.be32(0xffff_ffff).be32(0).be64(sectors).be64(0).be64(data.len() as u64).be64(0);
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n<key>resource-fork</key>\n\
         <dict>\n<key>blkx</key>\n<array>\n<dict>\n<key>Attributes</key>\n<string>0x0050</string>\n<key>CFName</key>\n\
         <string>whole disk (unknown partition : 0)</string>\n<key>Data</key>\n<data>\n{}</data>\n<key>ID</key>\n\
         <string>0</string>\n<key>Name</key>\n<string>whole disk (unknown partition : 0)</string>\n</dict>\n</array>\n\
         </dict>\n</dict>\n</plist>\n",
        base64_lines(&table)
    );
    let mut trailer = Vec::new();
    trailer.raw(b"koly").be32(4).be32(512).be32(1).be64(0).be64(0).be64(data.len() as u64).be64(0).be64(0);
    trailer.be32(1).be32(1).zeros(16);
    checksum(&mut trailer, crc32(&data));
    trailer.be64(data.len() as u64).be64(list.len() as u64).zeros(120);
    checksum(&mut trailer, crc32(&crc32(disk).to_be_bytes()));
    trailer.be32(1).be64(sectors).align(512);
    [data, list.into_bytes(), trailer].concat()
}
