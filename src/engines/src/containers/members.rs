//! Member lists of the simpler archives, to be compared with what libclamav unpacked.

use super::bytes::{digits, has, le16, le32, offset, part};

/// What an archive announces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    /// Bytes of each member that must come out.
    pub(super) sizes: Vec<u64>,
    /// A member is encrypted.
    pub(super) encrypted: bool,
    /// A member is stored in a way that is not unpacked.
    pub(super) unsupported: bool,
    /// The list ends before the archive does, or contradicts itself.
    pub(super) broken: bool,
}

/// Tar: POSIX.1-1988 (ustar) and the older form without a magic word, by the header's checksum.
pub(super) fn is_tar_header(block: &[u8]) -> bool {
    let Some(stated) = part(block, 148, 8).and_then(|field| digits(field, 8)) else { return false };
    let Some(header) = part(block, 0, 512) else { return false };
    if header.first().is_none_or(|first| *first == 0) {
        return false;
    }
    let sum = |signed: bool| -> i64 {
        header
            .iter()
            .enumerate()
            .map(|(at, byte)| match (148..156).contains(&at) {
                true => 32,
                false if signed => i64::from(byte.cast_signed()),
                false => i64::from(*byte),
            })
            .sum()
    };
    let stated = i64::try_from(stated).unwrap_or(-1);
    stated != 0 && (sum(false) == stated || sum(true) == stated)
}

/// Members of a tar.
pub(super) fn tar(content: &[u8]) -> Members {
    let mut members = Members::default();
    let mut at = 0usize;
    while let Some(block) = part(content, at, 512) {
        if block.iter().all(|byte| *byte == 0) {
            // libclamav ends here, and looks for nothing else behind a tar; some unpackers go on, and some begin at the end.
            members.unsupported |= content.get(at..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0));
            return members;
        }
        let Some(size) = tar_size(block).filter(|_| is_tar_header(block)) else {
            members.broken = true;
            return members;
        };
        let kind = block.get(156).copied().unwrap_or(0);
        match kind {
            // GNU sparse files and parts of volumes are not put together by libclamav.
            b'S' | b'M' => members.unsupported = true,
            // libclamav passes over a whole block behind these where they say that there is none, and over none behind a label.
            b'K' | b'L' | b'N' | b'A' | b'E' | b'I' | b'g' | b'x' | b'X' if size == 0 => members.unsupported = true,
            b'V' if size > 0 => members.unsupported = true,
            _ if size == 0 => {}
            // Links, devices and folders with content: some unpackers write it, libclamav does not.
            b'1'..=b'6' => members.unsupported = true,
            // Names and attributes of the next member; libclamav does not know those that change its content.
            b'x' | b'g' | b'X' => members.unsupported |= changes_content(content, at, size),
            b'K' | b'L' => {}
            // POSIX.1-2017 pax, "typeflag": unknown types are regular files.
            _ => members.sizes.push(size),
        }
        let body = offset(size).checked_next_multiple_of(512);
        let Some(next) = body.and_then(|body| at.checked_add(512)?.checked_add(body)) else {
            members.broken = true;
            return members;
        };
        at = next;
    }
    // Without its two empty blocks the archive may have been cut: harmless, as every announced member is compared.
    members
}

/// Whether the pax header at `at` says another size, or that the next member is sparse (GNU tar manual, "PAX").
fn changes_content(content: &[u8], at: usize, size: u64) -> bool {
    let records = part(content, at.saturating_add(512), offset(size)).unwrap_or_default();
    [b" size=".as_slice(), b" GNU.sparse."].iter().any(|key| memchr::memmem::find(records, key).is_some())
}

/// Octal, or base 256 when the first bit is set (GNU).
fn tar_size(block: &[u8]) -> Option<u64> {
    let field = part(block, 124, 12)?;
    match field.first() {
        Some(first) if first & 0x80 != 0 => {
            let tail = part(field, 4, 8)?;
            tail.try_into().ok().map(u64::from_be_bytes)
        }
        _ => digits(field, 8),
    }
}

/// Cabinet ([MS-CAB] 2.1 to 2.4) that begins at `start`; `None` when no valid header stands there.
pub(super) fn cab(content: &[u8], start: usize) -> Option<Members> {
    let cab = content.get(start..)?;
    if !has(cab, 0, b"MSCF\0\0\0\0") || has(cab, 25, &[0]) || le16(cab, 24)? >> 8 != 1 {
        return None;
    }
    let (first, files, flags) = (le32(cab, 16)?, le16(cab, 28)?, le16(cab, 30)?);
    // Bits 0 and 1: files continue in another cabinet, which is another file.
    let mut members = Members { unsupported: flags & 3 != 0, ..Members::default() };
    let mut at = offset(first);
    for _ in 0..files {
        let Some(size) = le32(cab, at) else {
            members.broken = true;
            return Some(members);
        };
        if size > 0 {
            members.sizes.push(size.into());
        }
        let Some(end) = cab.get(at + 16..).and_then(|name| memchr::memchr(0, name)) else {
            members.broken = true;
            return Some(members);
        };
        at += 16 + end + 1;
    }
    Some(members)
}

/// cpio in its ASCII forms (POSIX.1-1988 "odc"; SVR4 "newc" and "crc").
pub(super) fn cpio(content: &[u8]) -> Option<Members> {
    let mut members = Members::default();
    let mut at = 0usize;
    loop {
        let header = content.get(at..)?;
        let (name_length, size, head, align) = if has(header, 0, b"070707") {
            (digits(part(header, 59, 6)?, 8)?, digits(part(header, 65, 11)?, 8)?, 76usize, 1usize)
        } else if has(header, 0, b"070701") || has(header, 0, b"070702") {
            (digits(part(header, 94, 8)?, 16)?, digits(part(header, 54, 8)?, 16)?, 110, 4)
        } else {
            members.broken = at != 0;
            return (at != 0).then_some(members);
        };
        if has(header, head, b"TRAILER!!!\0") {
            // libclamav ends here; the kernel goes on with the next archive, also a compressed one.
            let behind = header.get(head.checked_add(offset(name_length))?..).unwrap_or_default();
            members.unsupported |= behind.iter().any(|byte| *byte != 0);
            return Some(members);
        }
        let mode = if align == 1 { digits(part(header, 18, 6)?, 8)? } else { digits(part(header, 14, 8)?, 16)? };
        // Regular files only: links keep their target's name as content.
        if size > 0 && mode & 0o170_000 == 0o100_000 {
            members.sizes.push(size);
        }
        let body = at.checked_add(head.checked_add(offset(name_length))?)?.checked_next_multiple_of(align)?;
        at = body.checked_add(offset(size))?.checked_next_multiple_of(align)?;
    }
}

/// ARJ (R. Jung's technical note): basic header with its CRC-32 at `at`; returns header bytes and where they end.
pub(super) fn arj_header(content: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let size = usize::from(le16(content, at + 2)?);
    if !has(content, at, &[0x60, 0xea]) || !(30..=2600).contains(&size) {
        return None;
    }
    let header = part(content, at + 4, size)?;
    (crc32fast::hash(header) == le32(content, at + 4 + size)?).then_some((header, at + 4 + size + 4))
}

/// Members of an ARJ archive.
pub(super) fn arj(content: &[u8]) -> Option<Members> {
    let (main, mut at) = arj_header(content, 0)?;
    let mut members = Members { encrypted: main.get(4).is_some_and(|flags| flags & 1 != 0), ..Members::default() };
    at = skip_arj_extensions(content, at)?;
    while !has(content, at, &[0x60, 0xea, 0, 0]) {
        let Some((header, end)) = arj_header(content, at) else {
            members.broken = true;
            return Some(members);
        };
        let (flags, method, kind) = (*header.get(4)?, *header.get(5)?, *header.get(6)?);
        let (packed, size) = (le32(header, 12)?, le32(header, 16)?);
        if flags & 1 != 0 {
            members.encrypted = true;
        } else if method > 4 || flags & 4 != 0 {
            members.unsupported = true;
        } else if kind <= 1 && size > 0 {
            members.sizes.push(size.into());
        }
        at = skip_arj_extensions(content, end)?.checked_add(offset(packed))?;
    }
    Some(members)
}

fn skip_arj_extensions(content: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let size = usize::from(le16(content, at)?);
        at = at.checked_add(2)?;
        if size == 0 {
            return Some(at);
        }
        at = at.checked_add(size + 4)?;
    }
}

/// LHA (header levels 0 to 2): sizes of members whose method libclamav knows.
pub(super) fn lha(content: &[u8]) -> Members {
    let mut members = Members::default();
    let mut at = 0usize;
    while content.get(at).is_some_and(|length| *length != 0) {
        let Some(next) = lha_member(content, at, &mut members) else {
            members.broken = true;
            return members;
        };
        at = next;
    }
    members
}

fn lha_member(content: &[u8], at: usize, members: &mut Members) -> Option<usize> {
    let header = content.get(at..)?;
    let method = part(header, 2, 5)?;
    if !method.starts_with(b"-") || !method.ends_with(b"-") {
        return None;
    }
    let (packed, size, level) = (le32(header, 7)?, le32(header, 11)?, *header.get(20)?);
    match method {
        b"-lhd-" => {}
        b"-lh0-" | b"-lh1-" | b"-lh4-" | b"-lh5-" | b"-lh6-" | b"-lh7-" | b"-lzs-" | b"-lz4-" | b"-lz5-" | b"-pm0-" => {
            if size > 0 {
                members.sizes.push(size.into());
            }
        }
        _ => members.unsupported = true,
    }
    let head = match level {
        // Level 1 counts its extended headers as packed bytes.
        0 | 1 => usize::from(*header.first()?) + 2,
        2 => usize::from(le16(header, 0)?),
        _ => return None,
    };
    at.checked_add(head)?.checked_add(offset(packed))
}
