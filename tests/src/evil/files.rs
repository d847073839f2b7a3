//! Files that unpackers, mail programs and viewers open further than libclamav does.

use crate::bytes::{Put, base64_lines, crc32, gzip, len16, len32, zlib};
use crate::samples::{eicar, eicar_padded};
use crate::tools::run;
use crate::zip::Zip;

const CENTRAL: &[u8] = b"PK\x01\x02";
/// Bytes of an end record without comment.
const END: usize = 22;

/// EICAR in a zip: nothing of it can be recognised without unpacking.
fn packed() -> Vec<u8> {
    Zip::new().deflated("eicar.com", &eicar_padded()).finish()
}

/// A zip by 7-Zip: a harmless member that libclamav unpacks, then EICAR by LZMA, which it does not.
fn half_unpackable() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut long = eicar();
    long.resize(4096, b' ');
    std::fs::write(folder.path().join("a.txt"), "Bonjour tout le monde, bonjour.\r\n".repeat(8)).expect("room");
    std::fs::write(folder.path().join("eicar.com"), long).expect("room");
    run(folder.path(), "7z", ["a", "-tzip", "-mm=Deflate", "a.zip", "a.txt"]);
    run(folder.path(), "7z", ["a", "-tzip", "-mm=LZMA", "a.zip", "eicar.com"]);
    std::fs::read(folder.path().join("a.zip")).expect("just made")
}

fn with_entries(mut zip: Vec<u8>, count: u8) -> Vec<u8> {
    let end = zip.len() - END;
    (zip[end + 8], zip[end + 10]) = (count, count);
    zip
}

/// The end record counts one member of two; unpackers go by the size of the directory.
#[must_use]
pub fn zip_that_counts_one() -> Vec<u8> {
    with_entries(half_unpackable(), 1)
}

/// The end record counts no member.
#[must_use]
pub fn zip_that_counts_none() -> Vec<u8> {
    with_entries(half_unpackable(), 0)
}

/// More bytes behind the archive than a comment may have; 7-Zip reads the local headers.
#[must_use]
pub fn zip_before_a_long_tail() -> Vec<u8> {
    let mut zip = half_unpackable();
    zip.resize(zip.len() + 70_000, b'A');
    zip
}

/// The same behind a few bytes that are nothing.
#[must_use]
pub fn zip_between_junk() -> Vec<u8> {
    [b"\x01\x02\x03\x04".repeat(20), zip_before_a_long_tail()].concat()
}

/// The directory does not list the second member; 7-Zip finds its local header.
#[must_use]
pub fn zip_member_without_listing() -> Vec<u8> {
    let mut zip = with_entries(half_unpackable(), 1);
    let headers: Vec<usize> =
        zip.windows(4).enumerate().filter(|(_, window)| *window == CENTRAL).map(|(at, _)| at).collect();
    let (first, second, end) = (headers[0], headers[1], zip.len() - END);
    zip.drain(second..end);
    let end = zip.len() - END;
    zip[end + 12..end + 16].copy_from_slice(&u32::try_from(second - first).expect("small").to_le_bytes());
    zip
}

/// A tar with a zip in a member of type `kind`, and 80 kB behind it.
#[must_use]
pub fn tar_member_of_type(kind: u8) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, bytes) in [("a.zip", kind, packed()), ("long.txt", b'0', b"x y\n".repeat(20_000))] {
        let mut header = name.as_bytes().to_vec();
        header.resize(100, 0);
        header.raw(b"0000644\x000000000\x000000000\x00");
        header.raw(format!("{:011o}\0{:011o}\0        ", bytes.len(), 0).as_bytes()).u8(kind);
        header.zeros(100).raw(b"ustar\x0000").align(512);
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.raw(&header).raw(&bytes).align(512);
    }
    tar.zeros(1024);
    tar
}

/// A mail with `header`, whose only part is a zip.
#[must_use]
pub fn mail(header: &str, end_of_line: &str) -> Vec<u8> {
    let part = "Content-Type: application/zip; name=\"a.zip\"\nContent-Transfer-Encoding: base64\n";
    let body = base64_lines(&packed());
    format!("{header}\n--BB\n{part}\n{body}\n--BB--\n").replace('\n', end_of_line).into_bytes()
}

/// Header of a mail with parts.
pub const PARTS: &str = "Content-Type: multipart/mixed; boundary=\"BB\"\n";

/// CMS signed-data (RFC 5652) in its PEM form around a zip. Cut before the signers, where readers of the content stop.
#[must_use]
pub fn signed_pem() -> Vec<u8> {
    let mut der = vec![0x30, 0x80, 0x06, 0x09];
    der.raw(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x31, 0]);
    der.raw(&[0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x04, 0x82]);
    let zip = packed();
    der.be16(len16(&zip)).raw(&zip).zeros(10);
    format!("-----BEGIN PKCS7-----\n{}-----END PKCS7-----\n", base64_lines(&der)).into_bytes()
}

/// A PDF with one attached file, stored as `stream` with these `filters`; object 6 is `other`.
fn pdf(filters: &str, stream: &[u8], other: &str) -> Vec<u8> {
    let mut embedded = format!("<</Type/EmbeddedFile{filters}/Length {}>>\nstream\n", stream.len()).into_bytes();
    embedded.raw(stream).raw(b"\nendstream");
    let objects: [&[u8]; 6] = [
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.com) 3 0 R]>>>>>>",
        b"<</Type/Pages/Kids[5 0 R]/Count 1>>",
        b"<</Type/Filespec/F(a.com)/EF<</F 4 0 R>>>>",
        &embedded,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        other.as_bytes(),
    ];
    let mut pdf = b"%PDF-1.5\n".to_vec();
    let mut places = String::new();
    for (number, object) in (1..).zip(objects) {
        places += &format!("{:010} 00000 n \n", pdf.len());
        pdf.raw(format!("{number} 0 obj\n").as_bytes()).raw(object).raw(b"\nendobj\n");
    }
    let table = pdf.len();
    let end = format!("trailer<</Size 7/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    pdf.raw(format!("xref\n0 7\n0000000000 65535 f \n{places}{end}").as_bytes());
    pdf
}

/// The filter's name stands in an object of its own (ISO 32000-1, 7.3.10).
#[must_use]
pub fn pdf_with_an_indirect_filter() -> Vec<u8> {
    pdf("/Filter 6 0 R", &zlib(&eicar_padded()), "/FlateDecode")
}

/// PNG prediction "Sub" (ISO 32000-1, 7.4.4.4): libclamav inflates, and leaves the differences.
#[must_use]
pub fn pdf_with_a_predictor() -> Vec<u8> {
    let bytes = eicar();
    let before = std::iter::once(0).chain(bytes.iter().copied());
    let row: Vec<u8> =
        std::iter::once(1).chain(bytes.iter().zip(before).map(|(byte, left)| byte.wrapping_sub(left))).collect();
    let parameters = format!("/Filter/FlateDecode/DecodeParms<</Predictor 11/Columns {}>>", bytes.len());
    pdf(&parameters, &zlib(&row), "null")
}

/// The filter's name in the escaped form.
#[must_use]
pub fn pdf_with_an_escaped_filter() -> Vec<u8> {
    pdf("/Filter/#46late#44ecode", &zlib(&eicar_padded()), "null")
}

/// NUL is white space of PDF (ISO 32000-1, table 1) and not of C: libclamav does not find the object behind it.
#[must_use]
pub fn pdf_with_a_nul_before_an_object() -> Vec<u8> {
    pdf_with_changed("4 0 obj", "\u{0}4 0 obj")
}

/// A reader that goes by the table of offsets finds the object; libclamav wants white space before its number.
#[must_use]
pub fn pdf_with_a_letter_before_an_object() -> Vec<u8> {
    pdf_with_changed("4 0 obj", "Z4 0 obj")
}

/// A comment within the dictionary says that it ends.
#[must_use]
pub fn pdf_with_a_comment_in_a_dictionary() -> Vec<u8> {
    pdf_with_changed("<</Type/EmbeddedFile", "<<%>>\n/Type/EmbeddedFile")
}

/// A string within the dictionary says that the object ends.
#[must_use]
pub fn pdf_with_a_string_in_a_dictionary() -> Vec<u8> {
    pdf_with_changed("<</Type/EmbeddedFile", "<</X(endobj)/Type/EmbeddedFile")
}

/// A PDF with an attached file in which some words stand otherwise. Its table of offsets is a little wrong, which readers mend.
fn pdf_with_changed(from: &str, to: &str) -> Vec<u8> {
    let pdf = pdf("/Filter/FlateDecode", &zlib(&eicar_padded()), "null");
    let at = pdf.windows(from.len()).position(|window| window == from.as_bytes()).expect("a word of it");
    [&pdf[..at], to.as_bytes(), &pdf[at + from.len()..]].concat()
}

/// The calendar entry carries a zip in base 64 (RFC 5545, 3.8.1.1).
#[must_use]
pub fn calendar() -> Vec<u8> {
    let text = base64_lines(&packed()).trim_end().replace('\n', "\r\n ");
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").into_bytes()
}

/// Two gzip members, the second with a zip.
#[must_use]
pub fn gzip_of_two() -> Vec<u8> {
    [gzip(b"Bonjour.\r\n"), gzip(&packed())].concat()
}

/// A picture, a zip, and more than a comment's length of bytes.
#[must_use]
pub fn picture_with_zip() -> Vec<u8> {
    [b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), packed(), vec![b'A'; 70_000]].concat()
}

/// A zip whose local header says that the member is empty.
#[must_use]
pub fn zip_with_an_empty_local_header() -> Vec<u8> {
    let mut zip = packed();
    zip[18..26].fill(0);
    zip
}

/// A stored zip64 field stands in for nothing here: the member is listed with size 0.
#[must_use]
pub fn zip_that_lists_no_bytes() -> Vec<u8> {
    let mut zip = packed();
    let at = zip.windows(4).position(|window| window == CENTRAL).expect("a directory");
    zip[at + 24..at + 28].fill(0);
    zip
}

/// Two members of one size: the first is empty for whoever reads local headers, the second for whoever reads the directory, so that what
/// comes out of one stands for the other.
#[must_use]
pub fn zip_whose_members_cover_each_other() -> Vec<u8> {
    let evil = eicar_padded();
    let mut zip = Zip::new().deflated("eicar.com", &evil).deflated("a.txt", &vec![b'a'; evil.len()]).finish();
    zip[18..26].fill(0);
    let headers = zip.windows(4).enumerate().filter(|(_, window)| *window == CENTRAL);
    let second = headers.map(|(at, _)| at).nth(1).expect("two members");
    zip[second + 20..second + 28].fill(0);
    zip
}

/// Two directory entries for one member, of which the second says another length: some unpackers believe the last.
#[must_use]
pub fn zip_that_lists_a_member_twice() -> Vec<u8> {
    let mut zip = with_entries(Zip::new().stored("a.txt", &[b'a'; 400]).finish(), 2);
    let (start, end) = (zip.windows(4).position(|window| window == CENTRAL).expect("a directory"), zip.len() - END);
    let mut entry = zip[start..end].to_vec();
    entry[20..28].copy_from_slice(&[100u32.to_le_bytes(), 100u32.to_le_bytes()].concat());
    zip.splice(end..end, entry);
    let end = zip.len() - END;
    zip[end + 12..end + 16].copy_from_slice(&u32::try_from(end - start).expect("small").to_le_bytes());
    zip
}

/// Values in the local headers are masked (APPNOTE 4.4.4, bit 13) though nothing is encrypted.
#[must_use]
pub fn zip_whose_members_are_masked() -> Vec<u8> {
    let mut zip = Zip::new().deflated("a.txt", b"Bonjour tout le monde, bonjour.").finish();
    let headers: Vec<(usize, usize)> = zip
        .windows(4)
        .enumerate()
        .filter_map(|(at, window)| match window {
            CENTRAL => Some((at, 8)),
            b"PK\x03\x04" => Some((at, 6)),
            _ => None,
        })
        .collect();
    for (header, flags) in headers {
        zip[header + flags + 1] |= 0x20;
    }
    zip
}

/// Stored and cut off before its directory.
#[must_use]
pub fn zip_without_directory() -> Vec<u8> {
    let zip = half_unpackable();
    let at = zip.windows(4).position(|window| window == CENTRAL).expect("a directory");
    zip[..at].to_vec()
}

/// Images that common tools open and that nobody here does: name and how they begin.
#[must_use]
pub fn foreign_containers() -> Vec<(&'static str, Vec<u8>)> {
    let at = |offset: usize, magic: &[u8]| [vec![0; offset], magic.to_vec(), vec![0; 4096]].concat();
    vec![
        ("android.img", at(0, b"\x3a\xff\x26\xed\x01\0\0\0\x1c\0\x0c\0")),
        ("parallels.hdd", at(0, b"WithoutFreeSpace")),
        ("disk.sparseimage", at(0, b"sprs")),
        ("evidence.E01", at(0, b"EVF\x09\x0d\x0a\xff\0")),
        ("hfs.img", at(1024, b"BD")),
        ("f2fs.img", at(1024, b"\x10\x20\xf5\xf2")),
        ("erofs.img", at(1024, b"\xe2\xe1\xf5\xe0")),
        ("minix.img", at(1040, b"\x8f\x13")),
        ("romfs.img", at(0, b"-rom1fs-")),
        ("jfs.img", at(32_768, b"JFS1")),
        ("reiser.img", at(65_588, b"ReIsEr2Fs")),
        ("lvm.img", at(512, b"LABELONE")),
    ]
}

/// Bytes that only look like a zip's end: kept to show that a length field alone does not make us stop.
#[must_use]
pub fn end_record_of_nothing() -> Vec<u8> {
    let mut bytes = packed();
    let crc = crc32(&bytes);
    let size = len32(&bytes);
    bytes.raw(b"PK\x05\x06").u16(0).u16(0).u16(1).u16(1).u32(size).u32(crc).u16(0);
    bytes
}
