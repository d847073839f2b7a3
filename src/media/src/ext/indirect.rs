//! Block maps of ext2 and ext3 (Linux Documentation/filesystems/ext4, "Direct/Indirect Block Addressing").

use super::inode::Inode;
use super::mapping::Mapper;
use crate::bytes::Record;
use crate::source::Removed;

/// Blocks that the inode names itself.
const DIRECT: u64 = 12;

/// Adds all runs of the content to `mapper`.
pub(super) fn map(mapper: &mut Mapper<'_, '_>, inode: &Inode) -> Result<(), Removed> {
    let record = Record(inode.blocks());
    let pointer = |number: usize| u64::from(record.u32(number.saturating_mul(4)));
    let mut logical = 0u64;
    for number in 0..12 {
        let physical = pointer(number);
        if physical != 0 {
            mapper.run(logical, physical, 1, true);
        }
        logical = logical.saturating_add(1);
    }
    let per_block = mapper.space.block / 4;
    let mut start = DIRECT;
    for (number, level) in [(12usize, 1u32), (13, 2), (14, 3)] {
        tree(mapper, pointer(number), level, start, per_block)?;
        start = start.saturating_add(per_block.saturating_pow(level));
    }
    Ok(())
}

/// One block of pointers, `level` levels above the content (at most 3); 0 stands for a hole of its whole size.
fn tree(mapper: &mut Mapper<'_, '_>, block: u64, level: u32, start: u64, per_block: u64) -> Result<(), Removed> {
    if block == 0 {
        return Ok(());
    }
    let blocks = start..start.saturating_add(per_block.saturating_pow(level));
    let Some(bytes) = mapper.node(block, &blocks)? else { return Ok(()) };
    let below = level.saturating_sub(1);
    let step = per_block.saturating_pow(below);
    let mut logical = start;
    // Neighbours become one run.
    let mut pending: Option<(u64, u64, u64)> = None;
    for pointer in bytes.chunks_exact(4) {
        let physical = u64::from(Record(pointer).u32(0));
        if below > 0 {
            tree(mapper, physical, below, logical, per_block)?;
        } else {
            pending = match pending {
                Some((first, place, count)) if physical != 0 && place.saturating_add(count) == physical => {
                    Some((first, place, count.saturating_add(1)))
                }
                other => {
                    flush(mapper, other);
                    (physical != 0).then_some((logical, physical, 1))
                }
            };
        }
        logical = logical.saturating_add(step);
    }
    flush(mapper, pending);
    Ok(())
}

fn flush(mapper: &mut Mapper<'_, '_>, pending: Option<(u64, u64, u64)>) {
    if let Some((logical, physical, count)) = pending {
        mapper.run(logical, physical, count, true);
    }
}
