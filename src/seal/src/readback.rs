//! Finding a file again and comparing it, through a view that was opened afresh.

use crate::draft::{Draft, index, wide};
use crate::name::FileName;
use crate::refusal::Refusal;
use crate::volume::open;
use blanche_media::ReadAt;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes compared at once.
const STEP: u64 = 1 << 20;

/// A file that stands in the root folder of a volume without faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether hosts show exactly the name that was looked for, not one that they only fold to it.
    pub exact: bool,
    /// Bytes.
    pub length: u64,
    /// Where these bytes are on the medium, in order.
    pub extents: Vec<Range<u64>>,
}

/// Why what was read is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum ReadBackError {
    /// The volume is not as it should be.
    #[error(transparent)]
    Volume(#[from] Refusal),
    /// The file is not there, or not as long.
    #[error("{name} has {found:?} bytes on the medium instead of {length}; the medium may be failing or lying")]
    Length {
        /// The file.
        name: String,
        /// Bytes on the medium; none when it is not there.
        found: Option<u64>,
        /// Bytes that were written.
        length: u64,
    },
    /// Other bytes.
    #[error("{name} differs at byte {offset} of its content; the medium may be failing or lying")]
    Differs {
        /// The file.
        name: String,
        /// Bytes from its start.
        offset: u64,
    },
    /// What to compare with could not be read.
    #[error("the content to compare with could not be read: {0}")]
    Content(#[source] io::Error),
}

/// Looks for a file in the root folder of the volume in `range` (bytes on the medium). `block`: bytes of a logical block.
///
/// # Errors
/// [`Refusal`]: the whole volume is surveyed again.
pub fn find(view: &dyn ReadAt, block: u32, range: Range<u64>, name: &FileName) -> Result<Option<Standing>, Refusal> {
    let mut draft = Draft::new(view, block);
    let (volume, _) = open(view, &mut draft, range)?;
    let root = volume.root(&mut draft)?;
    let Some(existing) = volume.find(&mut draft, &root, name)? else { return Ok(None) };
    let mut left = existing.size;
    let cut = volume.places(&existing.runs).into_iter().map(|place| {
        let length = place.end.saturating_sub(place.start).min(left);
        left = left.saturating_sub(length);
        place.start..place.start.saturating_add(length)
    });
    let extents: Vec<_> = cut.collect();
    Ok(Some(Standing { exact: existing.exact, length: existing.size, extents }))
}

/// Finds the file again and compares all of it with `content`, which has `length` bytes.
///
/// # Errors
/// [`ReadBackError`].
pub fn read_back(
    view: &dyn ReadAt,
    block: u32,
    range: Range<u64>,
    name: &FileName,
    length: u64,
    content: &mut dyn Read,
) -> Result<(), ReadBackError> {
    let standing = find(view, block, range, name)?;
    let found = standing.as_ref().map(|standing| standing.length);
    let name = name.to_string();
    let Some(standing) = standing.filter(|standing| standing.length == length) else {
        return Err(ReadBackError::Length { name, found, length });
    };
    let mut offset = 0u64;
    for extent in standing.extents {
        let mut at = extent.start;
        while at < extent.end {
            let count = extent.end.saturating_sub(at).min(STEP);
            let mut written = vec![0u8; index(count)];
            view.read_at(at, &mut written).map_err(Refusal::from)?;
            let mut wanted = vec![0u8; index(count)];
            content.read_exact(&mut wanted).map_err(ReadBackError::Content)?;
            if let Some(place) = written.iter().zip(&wanted).position(|(one, two)| one != two) {
                return Err(ReadBackError::Differs { name, offset: offset.saturating_add(wide(place)) });
            }
            at = at.saturating_add(count);
            offset = offset.saturating_add(count);
        }
    }
    Ok(())
}
