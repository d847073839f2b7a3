//! Documents that carry other files: PDF, RTF, OLE2, OneNote, Flash.

use super::ContainerSample;
use crate::bytes::{Put, hex, len16, len32, zlib};
use crate::samples::{eicar_gzipped, eicar_padded};
use blanche_sandbox::wire::Container;

pub(super) fn samples() -> Vec<ContainerSample> {
    vec![
        ContainerSample::new("pdf", "document.pdf", Container::Pdf, pdf(&eicar_padded())),
        ContainerSample::new("rtf", "document.rtf", Container::Rtf, rtf(&eicar_gzipped())),
        ContainerSample::new("ole2", "document.doc", Container::Ole2, ole2(&eicar_gzipped())),
        ContainerSample::new("onenote", "notes.one", Container::OneNote, onenote(&eicar_gzipped())),
        ContainerSample::new("swf", "film.swf", Container::Swf, swf(&eicar_padded())),
    ]
}

/// PDF 1.7 with an embedded file, deflated.
fn pdf(content: &[u8]) -> Vec<u8> {
    let [start, _] = pdf_with_late_attachment(content, 0);
    pdf_with_late_attachment(content, start.len() as u64).concat()
}

/// PDF 1.7 (ISO 32000-1, 7.11.4) whose embedded file, deflated, begins at the offset `at`: what stands before, and what stands
/// there, after the end of a line. Zeros in between are white space (7.2.2).
#[must_use]
pub fn pdf_with_late_attachment(content: &[u8], at: u64) -> [Vec<u8>; 2] {
    const OBJECTS: [&str; 4] = [
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(eicar.com) 4 0 R] >> >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        "<< /Type /Filespec /F (eicar.com) /EF << /F 5 0 R >> >>",
    ];
    let mut before = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(OBJECTS) {
        table += &format!("{:010} 00000 n \n", before.len());
        before.raw(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    table += &format!("{:010} 00000 n \n", at + 1);
    let packed = zlib(content);
    let length = packed.len();
    let mut there = Vec::new();
    there.raw(b"\n5 0 obj\n<< /Type /EmbeddedFile /Filter /FlateDecode ");
    there.raw(format!("/Length {length} >>\nstream\n").as_bytes()).raw(&packed).raw(b"\nendstream\nendobj\n");
    let start = at + there.len() as u64;
    let trailer = format!("trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    there.raw(table.as_bytes()).raw(trailer.as_bytes());
    [before, there]
}

/// RTF 1.9 with an OLE 1 package object (MS-OLEDS 2.2.5) in hexadecimal.
fn rtf(content: &[u8]) -> Vec<u8> {
    let native = package(content);
    let mut object = Vec::new();
    object.u32(0x0501).u32(2).u32(8).raw(b"Package\0").u32(0).u32(0).u32(len32(&native)).raw(&native);
    let head = r"{\rtf1\ansi{\object\objemb\objw1000\objh1000{\*\objclass Package}{\*\objdata ";
    format!("{head}{}}}}}\\par}}\n", hex(&object)).into_bytes()
}

/// What Windows' packager stores: label, original path, temporary path, content.
fn package(content: &[u8]) -> Vec<u8> {
    let mut native = Vec::new();
    native.u16(2).raw(b"eicar.gz\0").raw(b"C:\\eicar.gz\0").u16(0).u16(3);
    native.u32(12).raw(b"C:\\eicar.gz\0").u32(len32(content)).raw(content);
    native
}

/// A compound file (MS-CFB 2.1 to 2.6, version 3) with one stream "\x01Ole10Native" (MS-OLEDS 2.3.6). Streams below
/// 4096 bytes would go to the mini stream: this one is filled up behind its content.
fn ole2(content: &[u8]) -> Vec<u8> {
    const FREE: u32 = 0xffff_ffff;
    const END: u32 = 0xffff_fffe;
    const FAT: u32 = 0xffff_fffd;
    let native = package(content);
    let mut stream = Vec::new();
    stream.u32(len32(&native)).raw(&native);
    stream.resize(stream.len().max(4096).next_multiple_of(512), 0);
    let sectors = len32(&stream) / 512;

    let mut header = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    header.zeros(16).u16(0x3e).u16(3).u16(0xfffe).u16(9).u16(6).zeros(6);
    // One FAT sector (0), the directory in sector 1, no mini FAT, no DIFAT.
    header.u32(0).u32(1).u32(1).u32(0).u32(4096).u32(END).u32(0).u32(END).u32(0).u32(0);
    header.resize(512, 0xff);
    let mut table = Vec::new();
    table.u32(FAT).u32(END);
    for sector in 0..sectors {
        table.u32(if sector + 1 == sectors { END } else { sector + 3 });
    }
    table.resize(512, 0xff);
    let mut directory = Vec::new();
    directory.raw(&directory_entry("Root Entry", 5, 1, END, 0));
    directory.raw(&directory_entry("\u{1}Ole10Native", 2, FREE, 2, len32(&stream)));
    directory.raw(&directory_entry("", 0, FREE, 0, 0)).raw(&directory_entry("", 0, FREE, 0, 0));
    [header, table, directory, stream].concat()
}

/// MS-CFB 2.6.1; `child` is an index or free, `start` a sector.
fn directory_entry(name: &str, kind: u8, child: u32, start: u32, size: u32) -> Vec<u8> {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut entry = units.clone();
    entry.resize(64, 0);
    let length = if name.is_empty() { 0 } else { len16(&units) + 2 };
    entry.u16(length).u8(kind).u8(1).u32(0xffff_ffff).u32(0xffff_ffff).u32(child).zeros(36).u32(start).u32(size).u32(0);
    entry
}

/// A OneNote section as far as an attachment goes (MS-ONESTORE 2.3.1 and 2.6.13): the file's identifier, and a
/// FileDataStoreObject.
fn onenote(content: &[u8]) -> Vec<u8> {
    const SECTION: u128 = 0x7b5c52e4_d88c_4da7_aeb1_5378d02996d3;
    const OBJECT: u128 = 0xbde316e7_2665_4511_a4c4_8d4d0b7a9eac;
    const OBJECT_END: u128 = 0x71fba722_0f79_4a0b_bb13_899256426b24;
    let mut file = Vec::new();
    file.raw(&guid(SECTION)).align(1024);
    file.raw(&guid(OBJECT)).u64(content.len() as u64).u32(0).u64(0).raw(content).align(8).raw(&guid(OBJECT_END));
    file
}

/// A GUID as Windows stores it: the first three fields little-endian.
fn guid(value: u128) -> Vec<u8> {
    let mut bytes = value.to_be_bytes();
    bytes[0..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes.to_vec()
}

/// A compressed Flash film (SWF 6, "CWS") whose only tag is DefineBinaryData (SWF 19, chapter 15).
fn swf(content: &[u8]) -> Vec<u8> {
    const DEFINE_BINARY_DATA: u16 = 87;
    let mut body = Vec::new();
    // An empty rectangle, one frame a second, one frame.
    body.u8(0).u16(0x0100).u16(1).u16(DEFINE_BINARY_DATA << 6 | 0x3f).u32(len32(content) + 6).u16(1).u32(0);
    body.raw(content).u16(1 << 6).u16(0);
    let mut file = b"CWS\x09".to_vec();
    file.u32(len32(&body) + 8).raw(&zlib(&body));
    file
}
