//! Samples of documents.

use super::{Writer, archives, length};

/// Root class of Windows Installer packages, {000C1084-0000-0000-C000-000000000046}, as on disk.
pub(super) const MSI_CLASS: [u8; 16] = [0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
const END_OF_CHAIN: u32 = 0xffff_fffe;
const FREE: u32 = 0xffff_ffff;
const TABLE_SECTOR: u32 = 0xffff_fffd;
const SECTOR: usize = 512;
/// [MS-CFB] 2.2: smaller streams would live in the mini stream.
const MINI_CUTOFF: usize = 4096;

/// [MS-CFB]: header, one sector of the allocation table, one of the directory, and one stream of 4096 bytes that
/// begins with the marker.
pub(super) fn compound(marker: &[u8], class: [u8; 16]) -> Vec<u8> {
    let mut file = Writer::default();
    // 2.2: signature, no class, version 3, little-endian, sectors of 512 and 64 bytes.
    file.bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").zeros(16).le16(0x3e).le16(3).le16(0xfffe).le16(9).le16(6).zeros(6);
    // One table sector (0), directory in sector 1, no mini stream, no further table.
    file.le32(0).le32(1).le32(1).le32(0).le32(4096).le32(END_OF_CHAIN).le32(0).le32(END_OF_CHAIN).le32(0).le32(0);
    (1..109).for_each(|_| {
        file.le32(FREE);
    });
    // Sector 0: itself, the directory, then the eight sectors of the stream.
    file.le32(TABLE_SECTOR).le32(END_OF_CHAIN);
    (3..10).for_each(|next| {
        file.le32(next);
    });
    file.le32(END_OF_CHAIN);
    while file.0.len() < 2 * SECTOR {
        file.le32(FREE);
    }
    file.bytes(&entry("Root Entry", 5, 1, class, END_OF_CHAIN, 0));
    file.bytes(&entry("Marker", 2, FREE, [0; 16], 2, 4096)).until(3 * SECTOR);
    file.bytes(marker).until(3 * SECTOR + MINI_CUTOFF);
    file.take()
}

/// 2.6.1: a directory entry.
fn entry(name: &str, kind: u8, child: u32, class: [u8; 16], start: u32, size: u32) -> Vec<u8> {
    let mut entry = Writer::default();
    let utf16: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    entry.bytes(&utf16).until(64).le16(length(&utf16)).bytes(&[kind, 1]).le32(FREE).le32(FREE).le32(child);
    entry.bytes(&class).zeros(20).le32(start).le32(size).le32(0);
    entry.take()
}

/// ECMA-376 part 2: a package with the parts that make a text document, and an embedded file.
pub(super) fn ooxml(marker: &[u8]) -> Vec<u8> {
    let types =
        b"<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let document = b"<?xml version=\"1.0\"?><document/>";
    let members: [(&str, &[u8]); 3] =
        [("[Content_Types].xml", types), ("word/document.xml", document), ("word/embeddings/marker.bin", marker)];
    archives::zip(&members)
}

/// ODF 1.3 part 2: the media type first, then manifest, content and an embedded object.
pub(super) fn open_document(marker: &[u8]) -> Vec<u8> {
    let members: [(&str, &[u8]); 4] = [
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", b"<?xml version=\"1.0\"?><manifest/>"),
        ("content.xml", b"<?xml version=\"1.0\"?><content/>"),
        ("Object 1/marker.bin", marker),
    ];
    archives::zip(&members)
}

/// ISO 32000-1, 7.3.8 and 7.4.2: one stream in hexadecimal digits, so that only a reader of PDF sees the marker.
pub(super) fn pdf(marker: &[u8]) -> Vec<u8> {
    let digits: String = marker.iter().map(|byte| format!("{byte:02X}")).collect::<String>() + ">";
    let mut file = b"%PDF-1.4\n".to_vec();
    let objects = [
        "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".to_owned(),
        "2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n".to_owned(),
        format!(
            "3 0 obj\n<< /Length {} /Filter /ASCIIHexDecode >>\nstream\n{digits}\nendstream\nendobj\n",
            digits.len()
        ),
    ];
    let mut offsets = Vec::new();
    for object in &objects {
        offsets.push(file.len());
        file.extend_from_slice(object.as_bytes());
    }
    let table = file.len();
    file.extend_from_slice(b"xref\n0 4\n0000000000 65535 f \n");
    for offset in offsets {
        file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    file.extend_from_slice(format!("trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").as_bytes());
    file
}

/// RTF 1.9.1, "Objects": an embedded package ([MS-OLEDS] 2.2.5, then the content of class "Package") in hexadecimal.
pub(super) fn rtf(marker: &[u8]) -> Vec<u8> {
    let mut native = Writer::default();
    native.le16(2).bytes(b"marker.com\0").bytes(b"C:\\marker.com\0").le16(0).le16(3);
    native.le32(14).bytes(b"C:\\marker.com\0").le32(length(marker)).bytes(marker);
    let native = native.take();
    let mut object = Writer::default();
    object.le32(0x0501).le32(2).le32(8).bytes(b"Package\0").le32(0).le32(0).le32(length(&native)).bytes(&native);
    let digits: String = object.take().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{{\\rtf1\\ansi{{\\object\\objemb{{\\*\\objclass Package}}{{\\*\\objdata {digits}}}}}}}\n").into_bytes()
}
