//! Archives inside a file that is something else: self-extracting programs and files that are two things at once. A
//! signature alone is not enough; the header behind it must be valid.

use super::bytes::{has, le16, le32, le64, offset, part};
use super::members::{self, Members};
use super::seven_zip;
use super::signatures::is_lzma_alone;
use blanche_sandbox::wire::Container;
use flate2::bufread::GzDecoder;
use memchr::memmem;
use std::io::Read as _;

/// Signatures that are looked behind. A file with more of them is made to keep us busy, and counts as an archive.
const MAX_CANDIDATES: usize = 1024;
/// Valid archives of one kind whose members are read.
const MAX_ARCHIVES: usize = 64;

/// Archives that libclamav does not open, wherever they begin.
pub(super) fn unopenable(content: &[u8]) -> Vec<Container> {
    let mut found = Vec::new();
    let rar = |at: usize| is_rar(content.get(at..).unwrap_or_default());
    if any_or_too_many(content, b"Rar!\x1a\x07", rar) {
        found.push(Container::Rar);
    }
    let ace = |at: usize| at.checked_sub(7).is_some_and(|start| is_ace(content.get(start..).unwrap_or_default()));
    if any_or_too_many(content, b"**ACE**", ace) {
        found.push(Container::Ace);
    }
    let squash_fs = |at: usize| is_squash_fs(content.get(at..).unwrap_or_default());
    if any_or_too_many(content, b"hsqs", squash_fs) {
        found.push(Container::SquashFs);
    }
    found
}

/// Squashfs 4, "superblock": major version, and a size of blocks beside its logarithm.
fn is_squash_fs(image: &[u8]) -> bool {
    let block = le32(image, 12).filter(|size| size.is_power_of_two()).map(u32::trailing_zeros);
    has(image, 28, &[4, 0]) && block.is_some() && block == le16(image, 22).map(u32::from)
}

/// Compressed or encrypted streams in a script, which takes itself apart (makeself and its like): such bytes are in no script by chance.
/// A shell also runs a text without `#!` as a script: where nothing else is known of it (`plain`), a stream counts right behind its last
/// line.
pub(super) fn behind_text(content: &[u8], plain: bool) -> Vec<Container> {
    type Begins = fn(&[u8]) -> bool;
    let marks: [(&[u8], Begins, Container); 12] = [
        (b"\x1f\x8b\x08", is_gzip, Container::Gzip),
        (b"\xfd7zXZ\x00", |_| true, Container::Xz),
        (b"BZh", |stream| has(stream, 4, b"1AY&SY"), Container::Bzip2),
        (b"\x28\xb5\x2f\xfd", |_| true, Container::Zstd),
        (b"\x04\x22\x4d\x18", |_| true, Container::Lz4),
        (b"\x02\x21\x4c\x18", |_| true, Container::Lz4),
        (b"LZIP\x00", |_| true, Container::Lzip),
        (b"LZIP\x01", |_| true, Container::Lzip),
        (b"\x89LZO\x00\x0d\x0a\x1a\x0a", |_| true, Container::Lzop),
        (b"\x5d\x00\x00", |stream| is_lzma_alone(stream, ""), Container::LzmaAlone),
        (b"\x1f\x9d", |stream| stream.get(2).is_some_and(|bits| bits & 0x60 == 0), Container::Compress),
        (b"Salted__", |_| true, Container::EncryptedBlob),
    ];
    let is_script = content.starts_with(b"#!");
    let is_letter = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    if !is_script && !plain {
        return Vec::new();
    }
    let text = content.iter().take_while(|byte| is_letter(byte)).count();
    // Of what is no script, only the end of its text and the mark behind it.
    let searched =
        if is_script { content } else { content.get(..text.saturating_add(LONGEST_MARK)).unwrap_or(content) };
    let follows_line =
        |at: usize| at <= text && matches!(at.checked_sub(1).and_then(|at| content.get(at)), Some(b'\n' | b'\r'));
    let is_there = |(mark, begins, _): &&(&[u8], Begins, Container)| {
        any_or_too_many(searched, mark, |at| {
            // A mark of two bytes is in many things by chance.
            (is_script || (follows_line(at) && mark.len() > 2)) && begins(content.get(at..).unwrap_or_default())
        })
    };
    marks.iter().filter(is_there).map(|(_, _, container)| *container).collect()
}

/// Bytes of the longest mark there.
const LONGEST_MARK: usize = 9;

/// RFC 1952: no reserved flag, and something comes out.
fn is_gzip(stream: &[u8]) -> bool {
    stream.get(3).is_some_and(|flags| flags & 0xe0 == 0) && GzDecoder::new(stream).read(&mut [0]).is_ok()
}

fn any_or_too_many(content: &[u8], signature: &[u8], valid: impl Fn(usize) -> bool) -> bool {
    memmem::find_iter(content, signature).enumerate().any(|(count, at)| count >= MAX_CANDIDATES || valid(at))
}

/// RAR 4 (technote: 16 bits of the CRC-32 of the archive header) or RAR 5 (archive header, CRC-32).
fn is_rar(archive: &[u8]) -> bool {
    if has(archive, 6, b"\x00") {
        let size = le16(archive, 12).map_or(0, usize::from);
        let Some(header) = part(archive, 9, size.saturating_sub(2)) else { return false };
        return archive.get(9) == Some(&0x73)
            && size >= 13
            && u16::try_from(crc32fast::hash(header) & 0xffff).ok() == le16(archive, 7);
    }
    if !has(archive, 6, b"\x01\x00") {
        return false;
    }
    // The size is a variable-length number of at most three bytes, and counts what follows it.
    let (mut size, mut length) = (0usize, 0usize);
    for byte in archive.get(12..15).unwrap_or_default() {
        size |= usize::from(byte & 0x7f) << (7 * length);
        length += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    part(archive, 12, length + size).is_some_and(|header| Some(crc32fast::hash(header)) == le32(archive, 8))
}

/// ACE: CRC-32 (inverted at the end, lower 16 bits) over the archive header.
fn is_ace(archive: &[u8]) -> bool {
    let Some(size) = le16(archive, 2).map(usize::from).filter(|size| *size >= 27) else { return false };
    let Some(header) = part(archive, 4, size) else { return false };
    u16::try_from(!crc32fast::hash(header) & 0xffff).ok() == le16(archive, 0)
}

/// What each 7z archive behind the first byte announces, if its start header is valid (7zFormat.txt,
/// "SignatureHeader").
pub(super) fn seven_zips(content: &[u8]) -> Vec<Members> {
    let read = |at: usize| seven_zip::read(content.get(at..).unwrap_or_default());
    archives(content, b"7z\xbc\xaf\x27\x1c", read)
}

/// Whether a valid 7z archive begins here, and ends within the content.
pub(super) fn is_seven_zip(archive: &[u8]) -> bool {
    let (Some(start), Some(stated)) = (part(archive, 12, 20), le32(archive, 8)) else { return false };
    let end = le64(archive, 12).zip(le64(archive, 20)).and_then(|(next, size)| next.checked_add(size)?.checked_add(32));
    crc32fast::hash(start) == stated && end.is_some_and(|end| offset(end) <= archive.len())
}

/// What each cabinet behind the first byte announces, if it has a valid header and lies within the content.
pub(super) fn cabinets(content: &[u8]) -> Vec<Members> {
    archives(content, b"MSCF\x00\x00\x00\x00", |at| {
        let size = offset(le32(content, at + 8)?);
        (at.saturating_add(size) <= content.len()).then(|| members::cab(content, at)).flatten()
    })
}

/// Archives behind the first byte; one that is broken stands for those beyond the limit.
fn archives(content: &[u8], signature: &[u8], read: impl Fn(usize) -> Option<Members>) -> Vec<Members> {
    let mut list = Vec::new();
    for (count, at) in memmem::find_iter(content, signature).filter(|at| *at > 0).enumerate() {
        if count >= MAX_CANDIDATES || list.len() >= MAX_ARCHIVES {
            list.push(Members { broken: true, ..Members::default() });
            break;
        }
        list.extend(read(at));
    }
    list
}

/// PyInstaller's archive ends with it.
const PYINSTALLER: &[u8] = b"MEI\x0c\x0b\x0a\x0b\x0e";

/// Installers that keep their files in a form of their own behind the program.
pub(super) fn installers(content: &[u8]) -> Vec<Container> {
    let marks: [(&[u8], Container); 7] = [
        (b"\xef\xbe\xad\xdeNullsoftInst", Container::Nsis),
        (b"\xa3\x48\x4b\xbe\x98\x6c\x4a\xa9\x99\x4c\x53\x0a\x86\xd6\x48\x7dAU3!EA0", Container::AutoIt),
        (b"ISc(", Container::InstallShield),
        (b"InstallShield\x00", Container::InstallShield),
        (b"Inno Setup Setup Data (", Container::Installer),
        (b"rDlPtS", Container::Installer),
        (PYINSTALLER, Container::Installer),
    ];
    if !has(content, 0, b"MZ") {
        let is_program = has(content, 0, b"\x7fELF");
        return (is_program && memmem::find(content, PYINSTALLER).is_some())
            .then_some(Container::Installer)
            .into_iter()
            .collect();
    }
    let inside = content.get(2..).unwrap_or_default();
    marks.iter().filter(|(mark, _)| memmem::find(inside, mark).is_some()).map(|(_, container)| *container).collect()
}
