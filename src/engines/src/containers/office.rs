//! Office documents: which kind a zip or a compound file is, and whether it is encrypted. libclamav 1.4 has no alert
//! for encrypted Office documents, only for PDF.

use super::bytes::{has, le16, part};
use super::flat_xml;
use blanche_sandbox::wire::Container;
use memchr::memmem;

/// Root class of Windows Installer packages, {000C1084-0000-0000-C000-000000000046}.
const MSI_CLASS: &[u8] = b"\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46";
/// Streams of an encrypted OOXML document ([MS-OFFCRYPTO] 2.3.1).
const ENCRYPTED_PACKAGE: &str = "EncryptedPackage";
/// Streams of every container of ZED (PRIM'X).
const CONTROL_FILE: [&str; 2] = ["_ctlfile", "_catalog"];
/// Stream of an encrypted PowerPoint 97 document ([MS-PPT] 2.1.1).
const ENCRYPTED_SUMMARY: &str = "EncryptedSummary";

/// The kind of document a zip with such members is.
pub(super) fn kind_of_zip(names: &[Vec<u8>]) -> Option<Container> {
    let has = |wanted: &[u8]| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if has(b"[Content_Types].xml") {
        Some(Container::Ooxml)
    } else if has(b"mimetype") && (has(b"META-INF/manifest.xml") || has(b"content.xml")) {
        Some(Container::OpenDocument)
    } else {
        None
    }
}

/// Whether a compound file ([MS-CFB]) is a Windows Installer package.
pub(super) fn is_msi(content: &[u8]) -> bool {
    directory(content).is_some_and(|entry| part(entry, 80, 16) == Some(MSI_CLASS))
}

/// The first sector of the directory, which begins with the root entry.
fn directory(content: &[u8]) -> Option<&[u8]> {
    let shift = u32::from(le16(content, 30)?);
    let sector = 1usize.checked_shl(shift).filter(|size| matches!(size, 512 | 4096))?;
    let index = super::bytes::offset(super::bytes::le32(content, 48)?);
    content.get(index.checked_add(1)?.checked_mul(sector)?..)
}

/// A form of document whose objects nobody takes out: macros of a mail as ActiveMime, compressed RTF ([MS-OXRTFCP]
/// 2.1.3.1), and one file of XML.
pub(super) fn unread_document(content: &[u8]) -> Option<Container> {
    if content.starts_with(b"ActiveMime") || has(content, 8, b"LZFu") {
        return Some(Container::Ole2);
    }
    flat_xml::embeds(content)
}

/// Whether a compound file is an encrypted document.
pub(super) fn is_encrypted_ole2(content: &[u8]) -> bool {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    [ENCRYPTED_PACKAGE, ENCRYPTED_SUMMARY].iter().any(|name| memmem::find(content, &utf16(name)).is_some())
        || CONTROL_FILE.iter().all(|name| memmem::find(content, &utf16(name)).is_some())
        // Streams begin at sectors, small ones at sectors of 64 bytes.
        || (0..content.len()).step_by(64).any(|at| is_encrypted_word(content, at) || is_encrypted_excel(content, at))
}

/// [MS-DOC] 2.5.1: FibBase.wIdent, and bit 8 (fEncrypted) of the flags; the same in Word 6 and 95 (nFib 101 to 105).
fn is_encrypted_word(content: &[u8], at: usize) -> bool {
    matches!(le16(content, at), Some(0xa5ec | 0xa5dc))
        && le16(content, at + 2).is_some_and(|version| (0x0065..=0x0112).contains(&version))
        && le16(content, at + 10).is_some_and(|flags| flags & 0x0100 != 0)
}

/// Whether content is an encrypted sheet of Excel 2 to 5 without a compound file around it.
pub(super) fn is_encrypted_sheet(content: &[u8]) -> bool {
    matches!(content.get(..2), Some([0x09, 0x00 | 0x02 | 0x04 | 0x08])) && is_encrypted_excel(content, 0)
}

/// [MS-XLS] 2.1.7.20.1 and 2.4.117: a FilePass record behind the BOF record, before sheets are listed or the part ends.
fn is_encrypted_excel(content: &[u8], at: usize) -> bool {
    /// Records that are looked at: with more something is hidden.
    const FIRST: usize = 4096;
    const FILE_PASS: u16 = 0x2f;
    const SHEET: u16 = 0x85;
    const END: u16 = 0x0a;
    let kind = le16(content, at);
    let begins = (kind == Some(0x0809) || (at == 0 && matches!(kind, Some(0x0409 | 0x0209 | 0x0009))))
        && le16(content, at + 2).is_some_and(|length| (4..=64).contains(&length))
        && matches!(le16(content, at + 6), Some(0x05 | 0x06 | 0x10 | 0x20 | 0x40 | 0x100));
    let mut next = at;
    let mut kinds = (0..FIRST).map(|_| {
        next = le16(content, next + 2).map_or(content.len(), |length| next + 4 + usize::from(length));
        le16(content, next)
    });
    let decides = |kind: &Option<u16>| matches!(kind, None | Some(FILE_PASS | SHEET | END));
    begins && matches!(kinds.find(decides), None | Some(Some(FILE_PASS)))
}

/// Whether a member of an OpenDocument file is a manifest that announces encrypted members (ODF 1.3 part 2, 4.4).
pub(super) fn is_encrypted_manifest(content: &[u8]) -> bool {
    let head = content.get(..1 << 20).unwrap_or(content);
    memmem::find(head, b"urn:oasis:names:tc:opendocument:xmlns:manifest").is_some()
        && memmem::find(head, b"encryption-data").is_some()
}
