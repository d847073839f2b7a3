//! Forms that common programs open and that libclamav passes over without a word.

use super::ContainerSample;
use crate::bytes::{Put, base64_lines, hex, zlib};
use crate::containers::selfextract::{elf, pe};
use crate::samples::{eicar_gzipped, eicar_padded, made_by};
use blanche_sandbox::wire::Container;

pub(super) fn samples() -> Vec<ContainerSample> {
    let (plain, gz) = (eicar_padded(), eicar_gzipped());
    let shell = |script: &str| made_by("sh", &["-c", script], "out");
    let squash_fs = shell("mksquashfs eicar.com.gz out -quiet -no-progress");
    let signed = shell(&format!(
        "{CERTIFICATE} && openssl cms -sign -nodetach -binary -in eicar.com.gz {BY} -outform DER -out out"
    ));
    let mail = shell(&format!(
        "{CERTIFICATE} && openssl cms -sign -nodetach -in eicar.com.gz {BY} -from a@b.c -subject x -out out"
    ));
    let locked = made_by("zip", &["-q", "-X", "-P", "infected", "out.zip", "eicar.com"], "out.zip");
    // More than an end record and its comment can be away from the end.
    let far = |before: &[u8], inside: &[u8]| [before, inside, &vec![b'x'; 80_000]].concat();
    let pdf = |keys: &str, data: &[u8]| pdf(keys, data);
    let cases: [(&'static str, &str, Container, Vec<u8>); 23] = [
        ("second part of a file", "eicar.com.gz.002", Container::Split, gz.get(2..).unwrap_or_default().to_vec()),
        ("signed content", "signed.p7m", Container::Cms, signed),
        ("signed mail", "signed.eml", Container::Eml, mail),
        (
            "encrypted and authenticated",
            "locked.p7m",
            Container::EncryptedBlob,
            shell(&format!(
                "{CERTIFICATE} && openssl cms -encrypt -aes-256-gcm -in eicar.com.gz -outform DER -out out c.pem"
            )),
        ),
        (
            "keys",
            "keys.p12",
            Container::EncryptedBlob,
            shell(&format!("{CERTIFICATE} && openssl pkcs12 -export -in c.pem -inkey k.pem -passout pass:x -out out")),
        ),
        (
            "openssl in base 64",
            "secret.txt",
            Container::EncryptedBlob,
            shell("openssl enc -aes-256-cbc -pbkdf2 -a -k infected -in eicar.com -out out"),
        ),
        ("zip with a password in a pdf", "zip.pdf", Container::Pdf, far(b"%PDF-1.4\n%%EOF\n", &locked)),
        ("zip with a password in an rtf", "zip.rtf", Container::Rtf, far(b"{\\rtf1 hello}", &locked)),
        ("two attachments of outlook", "two.dat", Container::Tnef, tnef(&[b"a text of some length", &gz])),
        (
            "file of a pdf with a predictor",
            "predictor.pdf",
            Container::Pdf,
            pdf("/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 16 >>", &predicted(&plain)),
        ),
        (
            "file of a pdf that is not encrypted",
            "identity.pdf",
            Container::Pdf,
            pdf("/Filter [/Crypt /FlateDecode] /DecodeParms [<< /Name /Identity >> null]", &zlib(&plain)),
        ),
        (
            "file of a pdf with two filters",
            "filters.pdf",
            Container::Pdf,
            pdf("/Filter /ASCIIHexDecode /Filter /FlateDecode", &zlib(&plain)),
        ),
        ("appimage", "tool.AppImage", Container::SquashFs, [elf(), squash_fs.clone()].concat()),
        (
            "squashfs behind a text",
            "text.sqfs",
            Container::SquashFs,
            [b"a line of text\n", squash_fs.as_slice()].concat(),
        ),
        (
            "script that unpacks itself",
            "setup.run",
            Container::Gzip,
            [b"#!/bin/sh\ntail -n +4 \"$0\" | tar xzf -\nexit 0\n", shell("tar czf out eicar.com.gz").as_slice()]
                .concat(),
        ),
        ("intel hex", "firmware.hex", Container::EncodedText, intel_hex(&plain)),
        ("base 64", "eicar.b64", Container::EncodedText, base64_lines(&plain).into_bytes()),
        ("lzma 86", "eicar.lzma86", Container::LzmaAlone, [&[0], shell("lzma -c eicar.com >out").as_slice()].concat()),
        (
            "archive behind an archive",
            "initrd.img",
            Container::Cpio,
            shell("echo harmless >a; (echo a | bsdtar -cf - --format newc -T -; cat eicar.com.gz) >out"),
        ),
        (
            "uuencoded far behind",
            "late.uue",
            Container::UuEncode,
            shell("(yes text | head -c 100000; echo; bsdtar -cf - --uuencode --format ustar eicar.com.gz) >out"),
        ),
        ("archive of pages", "pages.warc", Container::Warc, shell("bsdtar -cf out --format warc eicar.com.gz")),
        (
            "inno setup",
            "setup-inno.exe",
            Container::Installer,
            [pe().as_slice(), b"Inno Setup Setup Data (6.2.0)", zlib(&plain).as_slice()].concat(),
        ),
        (
            "access",
            "base.accdb",
            Container::Access,
            [b"\0\x01\0\0Standard ACE DB\0".as_slice(), &[0; 4000], zlib(&plain).as_slice()].concat(),
        ),
    ];
    cases.map(|(name, file, container, bytes)| ContainerSample::new(name, file, container, bytes)).into()
}

/// A key and a certificate, in the current folder.
const CERTIFICATE: &str =
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a -days 2 2>/dev/null";
const BY: &str = "-signer c.pem -inkey k.pem";

/// PDF 1.7 (ISO 32000-1, 7.11.4) with an embedded file that does not say what it is.
fn pdf(keys: &str, data: &[u8]) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(eicar.com) 4 0 R] >> >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        "<< /Type /Filespec /F (eicar.com) /EF << /F 5 0 R >> >>",
    ];
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut table = "xref\n0 6\n0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", file.len());
        file.raw(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    table += &format!("{:010} 00000 n \n", file.len());
    file.raw(format!("5 0 obj\n<< {keys} /Length {} >>\nstream\n", data.len()).as_bytes()).raw(data);
    let start = file.len() + "\nendstream\nendobj\n".len();
    let trailer =
        format!("\nendstream\nendobj\n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.raw(trailer.as_bytes());
    file
}

/// Deflated with the PNG predictor "up" (PNG, 9.2) over rows of 16 bytes: each byte less the one above it.
fn predicted(content: &[u8]) -> Vec<u8> {
    let mut rows = Vec::new();
    let mut above = [0u8; 16];
    for row in content.chunks(16) {
        rows.push(2);
        for (at, byte) in row.iter().enumerate() {
            rows.push(byte.wrapping_sub(above[at]));
            above[at] = *byte;
        }
    }
    zlib(&rows)
}

/// TNEF (MS-OXTNEF 2.1) with several attachments.
fn tnef(contents: &[&[u8]]) -> Vec<u8> {
    let mut file = Vec::new();
    file.u32(0x223e_9f78).u16(1);
    let mut attribute = |level: u8, id: u32, data: &[u8]| {
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        file.u8(level).u32(id).u32(data.len() as u32).raw(data).u16(sum);
    };
    attribute(1, 0x0008_9006, &[0, 0, 1, 0]);
    for content in contents {
        attribute(2, 0x0006_9002, &[1, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
        attribute(2, 0x0001_8010, b"eicar.gz\0");
        attribute(2, 0x0006_800f, content);
    }
    file
}

/// Intel HEX: records of 16 bytes, and the one that ends them.
fn intel_hex(content: &[u8]) -> Vec<u8> {
    let record = |address: u16, kind: u8, data: &[u8]| {
        let mut bytes = vec![data.len() as u8];
        bytes.be16(address).u8(kind).raw(data);
        let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
        bytes.push(sum);
        format!(":{}\r\n", hex(&bytes).to_uppercase())
    };
    let data: String = content.chunks(16).zip(0u16..).map(|(data, line)| record(line * 16, 0, data)).collect();
    (data + &record(0, 1, &[])).into_bytes()
}
