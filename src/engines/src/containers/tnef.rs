//! TNEF ([MS-OXTNEF]): what an Outlook attachment announces. libclamav 1.4 takes out the content of one file, gathers that of several
//! in one layer, and knows no properties.

use super::bytes::{le16, le32, offset, part};
use super::members::Members;
use memchr::memmem;

/// Attributes (2.1.3.3 to 2.1.3.5), without their type, at which nobody looks: content of an attached file, its properties, those of the
/// message.
const DATA: u32 = 0x800f;
const ATTACHMENT: u32 = 0x9005;
const MESSAGE: u32 = 0x9003;
/// Properties ([MS-OXPROPS]): an attached message or file, PidTagAttachDataObject and PidTagAttachDataBinary; a text as compressed RTF,
/// PidTagRtfCompressed, in which objects may be.
const OBJECT: u16 = 0x3701;
const COMPRESSED: u16 = 0x1009;

/// Reads the list of attributes.
pub(super) fn read(content: &[u8]) -> Members {
    let mut members = Members::default();
    let mut at = 6usize;
    while at < content.len() {
        let Some(next) = attribute(content, at, &mut members) else {
            members.broken = true;
            break;
        };
        at = next;
    }
    members.unsupported |= members.sizes.len() > 1;
    members
}

/// 2.1.3.2: level, identifier, length, content, sum. Returns where the next one begins.
fn attribute(content: &[u8], at: usize, members: &mut Members) -> Option<usize> {
    let body = at.checked_add(9)?;
    let data = part(content, body, offset(le32(content, at.checked_add(5)?)?))?;
    let end = body.checked_add(data.len())?;
    let sum = data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    members.broken |= !matches!(content.get(at), Some(1 | 2)) || le16(content, end)? != sum;
    // In front of it stands a type ([MS-OXCDATA] 2.11.1), which may be of several values (0x1000).
    let is_type = |word: Option<u16>| word.is_some_and(|word| word & 0xee00 == 0);
    let has = |property: u16| {
        memmem::find_iter(data, &property.to_le_bytes())
            .any(|at| is_type(at.checked_sub(2).and_then(|at| le16(data, at))))
    };
    match le32(content, at.checked_add(1)?)? & 0xffff {
        DATA => members.sizes.extend(u64::try_from(data.len()).ok()),
        ATTACHMENT => members.unsupported |= has(OBJECT),
        MESSAGE => members.unsupported |= has(COMPRESSED),
        _ => {}
    }
    end.checked_add(2)
}
