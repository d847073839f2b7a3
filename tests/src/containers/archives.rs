//! Archives that no free tool writes, or that need no tool: stored, with right checksums.

use super::ContainerSample;
use crate::bytes::{Put, crc32, gzip, len16, len32, zlib};
use crate::samples::eicar_gzipped;
use crate::zip::Zip;
use blanche_sandbox::wire::Container;

const NAME: &str = "eicar.com.gz";

pub(super) fn samples() -> Vec<ContainerSample> {
    let content = eicar_gzipped();
    vec![
        ContainerSample::new("rar4", "archive4.rar", Container::Rar, rar4(NAME, &content)),
        ContainerSample::new("rar5", "archive5.rar", Container::Rar, rar5(NAME, &content)),
        ContainerSample::new("cpio", "archive.cpio", Container::Cpio, cpio(NAME, &content)),
        ContainerSample::new("xar", "archive.xar", Container::Xar, xar(NAME, &content)),
        ContainerSample::new("rpm", "package.rpm", Container::Rpm, rpm(NAME, &content)),
        ContainerSample::new("ooxml", "document.docx", Container::Ooxml, ooxml(&content)),
        ContainerSample::new("opendocument", "document.odt", Container::OpenDocument, opendocument(&content)),
    ]
}

/// RAR 4 (technote of WinRAR 4): marker, archive header, file header, end of archive; method 0x30 stores.
pub(super) fn rar4(name: &str, content: &[u8]) -> Vec<u8> {
    let block = |kind: u8, flags: u16, rest: &[u8]| {
        let mut header = Vec::new();
        header.u8(kind).u16(flags).u16(7 + len16(rest)).raw(rest);
        let mut block = Vec::new();
        let [low, high, ..] = crc32(&header).to_le_bytes();
        block.raw(&[low, high]).raw(&header);
        block
    };
    let mut file = Vec::new();
    file.u32(len32(content)).u32(len32(content)).u8(3).u32(crc32(content)).u32(0x5d76_0000).u8(20).u8(0x30);
    file.u16(len16(name.as_bytes())).u32(0o100_644).raw(name.as_bytes());
    let mut archive = Vec::new();
    archive.raw(b"Rar!\x1a\x07\x00").raw(&block(0x73, 0, &[0; 6]));
    archive.raw(&block(0x74, 0x8000, &file)).raw(content).raw(&block(0x7b, 0x4000, &[]));
    archive
}

/// RAR 5.0 archive format (rarlab.com/technote.htm): variable-length integers, compression method 0 stores.
pub(super) fn rar5(name: &str, content: &[u8]) -> Vec<u8> {
    let block = |rest: &[u8]| {
        let mut header = vint(rest.len());
        header.raw(rest);
        let mut block = Vec::new();
        block.u32(crc32(&header)).raw(&header);
        block
    };
    let mut file = vec![2, 2];
    // Data size, file flags (CRC32 present), unpacked size, attributes, CRC32, compression, Unix.
    file.raw(&vint(content.len())).u8(4).raw(&vint(content.len())).raw(&vint(0o100_644)).u32(crc32(content));
    file.u8(0).u8(1).raw(&vint(name.len())).raw(name.as_bytes());
    let mut archive = Vec::new();
    archive.raw(b"Rar!\x1a\x07\x01\x00").raw(&block(&[1, 0, 0])).raw(&block(&file)).raw(content);
    archive.raw(&block(&[5, 0, 0]));
    archive
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn vint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.u8(value as u8);
    bytes
}

/// cpio "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format).
pub(super) fn cpio(name: &str, content: &[u8]) -> Vec<u8> {
    let entry = |archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]| {
        let fields = [1, mode, 0, 0, 1, 0, len32(content), 0, 0, 0, 0, len32(name.as_bytes()) + 1, 0];
        archive.raw(b"070701");
        for field in fields {
            archive.raw(format!("{field:08x}").as_bytes());
        }
        archive.raw(name.as_bytes()).u8(0).align(4).raw(content).align(4);
    };
    let mut archive = Vec::new();
    entry(&mut archive, name, 0o100_644, content);
    entry(&mut archive, "TRAILER!!!", 0, &[]);
    archive.align(512);
    archive
}

/// XAR (Apple, xar wiki "xarformat"): a header, a table of contents in zlib, a heap; without checksums.
fn xar(name: &str, content: &[u8]) -> Vec<u8> {
    let heap = zlib(content);
    let table = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xar><toc><file id=\"1\"><name>{name}</name><type>file</type>\
         <data><length>{}</length><offset>0</offset><size>{}</size><encoding style=\"application/x-gzip\"/></data>\
         </file></toc></xar>\n",
        heap.len(),
        content.len()
    );
    let packed = zlib(table.as_bytes());
    let mut archive = Vec::new();
    archive.raw(b"xar!").be16(28).be16(1).be64(packed.len() as u64).be64(table.len() as u64).be32(0);
    archive.raw(&packed).raw(&heap);
    archive
}

/// RPM 4 (rpm.org, "RPM V4 package format"): lead, signature, header, cpio in gzip.
fn rpm(name: &str, content: &[u8]) -> Vec<u8> {
    let payload = gzip(&cpio(name, content));
    let strings = [(1000, "sample"), (1001, "1"), (1002, "1"), (1124, "cpio"), (1125, "gzip"), (1126, "9")];
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, text) in strings {
        // Type 6: a string.
        index.be32(tag).be32(6).be32(len32(&store)).be32(1);
        store.raw(text.as_bytes()).u8(0);
    }
    let header = rpm_header(&index, &store);
    let mut size = Vec::new();
    size.be32(len32(&header) + len32(&payload));
    let mut package = Vec::new();
    package.raw(&[0xed, 0xab, 0xee, 0xdb, 3, 0]).be16(0).be16(1).raw(b"sample-1-1").align(76);
    package.be16(1).be16(5).zeros(16);
    let mut signature_index = Vec::new();
    // Tag 1000, type 4: the size of header and payload.
    signature_index.be32(1000).be32(4).be32(0).be32(1);
    package.raw(&rpm_header(&signature_index, &size)).align(8).raw(&header).raw(&payload);
    package
}

fn rpm_header(index: &[u8], store: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    header.raw(&[0x8e, 0xad, 0xe8, 1]).zeros(4).be32(len32(index) / 16).be32(len32(store)).raw(index).raw(store);
    header
}

/// A Word document (ECMA-376, part 2) with an embedded object.
fn ooxml(content: &[u8]) -> Vec<u8> {
    const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="bin"
ContentType="application/vnd.openxmlformats-officedocument.oleObject"/><Default Extension="rels"
ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml"
ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const LINKS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>
</Relationships>"#;
    const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p/></w:body></w:document>"#;
    Zip::new()
        .deflated("[Content_Types].xml", TYPES.as_bytes())
        .deflated("_rels/.rels", LINKS.as_bytes())
        .deflated("word/document.xml", DOCUMENT.as_bytes())
        .stored("word/embeddings/oleObject1.bin", content)
        .finish()
}

/// An OpenDocument text (OASIS ODF 1.3, part 2, section 3): "mimetype" comes first and stored.
fn opendocument(content: &[u8]) -> Vec<u8> {
    const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>
</manifest:manifest>"#;
    const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.3">
<office:body><office:text/></office:body></office:document-content>"#;
    Zip::new()
        .stored("mimetype", b"application/vnd.oasis.opendocument.text")
        .deflated("content.xml", DOCUMENT.as_bytes())
        .deflated("META-INF/manifest.xml", MANIFEST.as_bytes())
        .stored("Object 1", content)
        .finish()
}
