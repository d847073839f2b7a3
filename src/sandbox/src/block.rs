//! Two calls on block devices for which no safe wrapper exists.
//!
//! They stand here because this crate is the only one of the station's in which `unsafe` may stand.

use rustix::fd::AsFd;
use rustix::ioctl::{Getter, Opcode, Setter, ioctl, opcode};
use std::ffi::c_int;
use std::io;

/// `_IO(0x12, 93)` (linux/fs.h).
const BLKROSET: Opcode = opcode::none(0x12, 93);

/// `_IOR(0x12, 128, __u64)` (linux/fs.h, since 5.15).
const BLKGETDISKSEQ: Opcode = opcode::read::<u64>(0x12, 128);

/// Makes a disk or partition read-only in the kernel, or lifts that. Of a disk its partitions are not meant.
///
/// # Errors
/// What the kernel says: `EACCES` without CAP_SYS_ADMIN, `ENOTTY` for what is no block device.
pub fn set_read_only(device: impl AsFd, read_only: bool) -> io::Result<()> {
    let value = c_int::from(read_only);
    // SAFETY: BLKROSET reads one int from the pointer that it is given (blkdev_roset in block/ioctl.c), which `Setter`
    // provides; it writes no memory of ours.
    unsafe { ioctl(device, Setter::<BLKROSET, c_int>::new(value)) }?;
    Ok(())
}

/// The number of a medium, which the kernel gives only once (diskseq).
///
/// # Errors
/// What the kernel says: `ENOTTY` for what is no block device, and on kernels before 5.15.
pub fn sequence(device: impl AsFd) -> io::Result<u64> {
    // SAFETY: BLKGETDISKSEQ writes one u64 to the pointer that it is given (blkdev_common_ioctl in block/ioctl.c), for
    // which `Getter` has room.
    Ok(unsafe { ioctl(device, Getter::<BLKGETDISKSEQ, u64>::new()) }?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::fs::File;

    #[test]
    fn what_is_no_block_device_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(set_read_only(&file, true).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert_eq!(sequence(&file).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert!(sequence(File::open("/dev/null").unwrap()).is_err());
    }
}
