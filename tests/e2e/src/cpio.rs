//! A cpio archive in the "new ASCII" form, the one that the kernel unpacks as its first root (Linux,
//! Documentation/driver-api/early-userspace/buffer-format.rst).

/// Archive that is being written.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

impl Archive {
    /// Adds a folder; `name` has no "/" in front. Its parent must have come before.
    pub fn folder(&mut self, name: &str) {
        self.entry(name, FOLDER, [0, 0], &[]);
    }

    /// Adds a file that may be executed.
    pub fn file(&mut self, name: &str, content: &[u8]) {
        self.entry(name, PROGRAM, [0, 0], content);
    }

    /// Adds a node for a character device.
    pub fn device(&mut self, name: &str, major: u32, minor: u32) {
        self.entry(name, CHARACTER_DEVICE, [major, minor], &[]);
    }

    /// The finished archive.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, [0, 0], &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, device: [u32; 2], content: &[u8]) {
        self.entries += 1;
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let [major, minor] = device;
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        let name_bytes = length(name.len() + 1);
        let fields = [self.entries, mode, 0, 0, 1, 0, length(content.len()), 0, 0, major, minor, name_bytes, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    /// Names and contents end at multiples of four bytes.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use std::process::Command;

    /// busybox, whose cpio is another implementation, lists and unpacks what was written.
    #[test]
    fn busybox_reads_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = Archive::default();
        archive.folder("bin");
        archive.file("bin/one", b"content of five words here");
        archive.file("empty", b"");
        let path = folder.path().join("archive");
        std::fs::write(&path, archive.finish()).unwrap();
        let input = std::fs::File::open(&path).unwrap();
        let unpacked = Command::new("busybox").args(["cpio", "-i"]).current_dir(folder.path()).stdin(input).output();
        assert!(unpacked.unwrap().status.success());
        assert_eq!(std::fs::read(folder.path().join("bin/one")).unwrap(), b"content of five words here");
        assert_eq!(std::fs::metadata(folder.path().join("empty")).unwrap().len(), 0);
    }
}
