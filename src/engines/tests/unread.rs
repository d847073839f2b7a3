//! Forms that common programs read and libclamav passes over in silence: none of them counts as checked. What stands beside each is the
//! same thing in the form that libclamav reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "samples are made here")]

use blanche_engines::containers::{Opened, Outcome, inspect, samples};
use blanche_sandbox::wire::{Cause, Container};

fn causes(content: &[u8]) -> Vec<Cause> {
    causes_as(content, "bin")
}

fn causes_as(content: &[u8], extension: &str) -> Vec<Cause> {
    inspect(content, extension, &Opened::claimed(), 1 << 20).causes
}

fn is_unread(content: &[u8], container: Container) -> bool {
    causes(content).contains(&Cause::ContainerUnsupported(container))
}

fn sample(container: Container) -> Vec<u8> {
    samples::sample(container, b"marker of some length").unwrap()
}

/// A header of a tar for `size` bytes of a type.
fn header(kind: u8, size: usize) -> Vec<u8> {
    let mut header = sample(Container::Tar)[..512].to_vec();
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[test]
fn a_tar_whose_members_libclamav_counts_otherwise() {
    let member = [header(b'0', 4), b"text".to_vec(), vec![0; 508]].concat();
    let end = vec![0; 1024];
    for kind in *b"KLNAEIgxX" {
        assert!(is_unread(&[header(kind, 0), member.clone(), end.clone()].concat(), Container::Tar), "{kind}");
    }
    assert!(is_unread(&[header(b'V', 512), member.clone(), end.clone()].concat(), Container::Tar));
    assert!(causes(&[header(b'V', 0), member.clone(), end.clone()].concat()).is_empty());
    assert!(causes(&[member.clone(), end.clone(), end.clone()].concat()).is_empty());
    assert!(
        is_unread(&[member.clone(), end.clone(), member, end].concat(), Container::Tar),
        "something behind its end"
    );
}

#[test]
fn a_compound_file_whose_directory_libclamav_does_not_follow() {
    let good = sample(Container::Ole2);
    assert!(causes(&good).is_empty());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        is_unread(&file, Container::Ole2)
    };
    // The directory is the second sector behind the header; its second entry is the stream.
    let stream = 1024 + 128;
    assert!(with(30, &12u16.to_le_bytes()), "sectors of 4096 bytes");
    assert!(with(32, &15u16.to_le_bytes()), "large mini sectors");
    assert!(with(56, &64u32.to_le_bytes()), "another cutoff between sectors and mini sectors");
    assert!(with(stream + 68, &0u32.to_le_bytes()), "a link to the root");
    assert!(with(stream + 72, &1u32.to_le_bytes()), "a link to itself");
    assert!(with(stream + 76, &2u32.to_le_bytes()), "a link to an entry that is none");
    assert!(with(1024 + 76, &400u32.to_le_bytes()), "a link behind the end");
    assert!(with(48, &300u32.to_le_bytes()), "no directory");
    assert!(with(stream + 64, &66u16.to_le_bytes()), "a name beyond its field");
    assert!(with(stream + 120, &u32::MAX.to_le_bytes()), "a stream of more bytes than the file");
}

#[test]
fn an_entry_of_a_compound_file_that_no_link_reaches() {
    let mut file = sample(Container::Ole2);
    // The third entry of the directory is free.
    let free = 1024 + 2 * 128;
    assert!(causes(&file).is_empty());
    for kind in [1, 2, 5] {
        file[free + 66] = kind;
        assert!(is_unread(&file, Container::Ole2), "kind {kind}");
    }
}

/// A chain of lists that goes round would be gathered for as long as the file has sectors.
#[test]
fn a_compound_file_whose_list_of_tables_goes_round() {
    let mut file = sample(Container::Ole2);
    let list = file.len();
    // So many sectors that the lists in one round do not name all tables.
    file.resize(300 * 128 * 512, 0);
    file[68..72].copy_from_slice(&u32::try_from(list / 512 - 1).unwrap().to_le_bytes());
    file[list + 508..list + 512].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    assert!(causes(&file).is_empty());
    file.copy_within(68..72, list + 508);
    assert!(is_unread(&file, Container::Ole2));
}

#[test]
fn a_document_in_a_form_of_its_own() {
    let xml = |name: &str| format!("<?xml version=\"1.0\"?><x><{name}>QUJD</{name}></x>").into_bytes();
    assert!(is_unread(&xml("pkg:binaryData"), Container::Ooxml));
    assert!(is_unread(&xml("w:binData"), Container::Ooxml));
    assert!(is_unread(&xml("office:binary-data"), Container::OpenDocument));
    for name in ["binary-data", "x:binary-data", "a.long-prefix:binary-data"] {
        assert!(is_unread(&xml(name), Container::OpenDocument), "{name}");
    }
    assert!(is_unread(b"\xef\xbb\xbf <x><y:binData>QUJD</y:binData></x>", Container::Ooxml), "no declaration");
    let wide: Vec<u8> = xml("w:binData").iter().flat_map(|byte| [*byte, 0]).collect();
    assert!(is_unread(&[b"\xff\xfe".to_vec(), wide].concat(), Container::Ooxml));
    assert!(is_unread(b"ActiveMime\0\0\x01\xf0", Container::Ole2));
    assert!(is_unread(b"\x10\0\0\0\x20\0\0\0LZFu\0\0\0\0", Container::Ole2));
}

#[test]
fn an_element_of_a_document_counts_with_what_is_in_it() {
    let document = |text: &str| causes(format!("<?xml version=\"1.0\"?>\n<x>{text}</x>").as_bytes());
    let unread = [
        "<b:binary-data>\r\n\t QUJD\n</b:binary-data>",
        "<b:binary-data a='>' c=\"/>\">QUJD</b:binary-data>",
        "<b:binary-data><!-- --> QUJD</b:binary-data>",
        "<b:binary-data><![CDATA[QUJD]]></b:binary-data>",
        "<b:binary-data>&#81;UJD</b:binary-data>",
        "<b:binary-data><?p?>QUJD</b:binary-data>",
        "<b:binary-data><p><q/></p>QUJD</b:binary-data>",
        "<!-- <b:binary-data ' --><b:binary-data>QUJD</b:binary-data>",
        "<b:binary-data/><b:binary-data>QUJD</b:binary-data>",
    ];
    for text in unread {
        assert_eq!(document(text), [Cause::ContainerUnsupported(Container::OpenDocument)], "{text}");
    }
    let harmless = [
        "<xsl:template match='office:binary-data'>text</xsl:template>",
        "<b:binary-data><xsl:value-of select='.'/></b:binary-data>text",
        "<b:binary-data>\n <xsl:call-template name='n'><p/></xsl:call-template>\n</b:binary-data>text",
        "<b:binary-data/>text",
        "<b:binary-data a='>' />text",
        "<b:binary-data></b:binary-data>text",
        "<b:binary-data-of>text</b:binary-data-of>",
        "&lt;b:binary-data&gt;QUJD",
    ];
    for text in harmless {
        assert!(document(text).is_empty(), "{text}");
    }
    assert!(causes(b"a program with <b:binary-data>%s</b:binary-data> in it").is_empty());
}

#[test]
fn a_pdf_that_libclamav_takes_for_something_else() {
    let pdf = sample(Container::Pdf);
    assert!(causes(&[b"\n".to_vec(), pdf.clone()].concat()).is_empty());
    let text = String::from_utf8_lossy(&pdf).replacen("%PDF-1.", "%PDF-1-", 1);
    assert!(is_unread(format!("\n{text}").as_bytes(), Container::Pdf), "a version without a dot");
    // A comment in the header of a gzip.
    let gzip = [b"\x1f\x8b\x08\x10\0\0\0\0\0\x03%PDF-1.4 \0".to_vec(), sample(Container::Gzip)[10..].to_vec()].concat();
    assert!(is_unread(&gzip, Container::Pdf));
}

#[test]
fn base_64_that_goes_on_behind_its_padding() {
    let mail = |line: &str| {
        let head = "From: a@b.c\nTo: d@e.f\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n";
        is_unread(format!("{head}{line}\n").as_bytes(), Container::Eml)
    };
    assert!(mail("aGFybWxlc3M=UEsDBA"));
    assert!(mail("aGFybWxlcw==UEsDBA"));
    assert!(!mail("aGFybWxlc3M="));
    let parts = "--B\nContent-Transfer-Encoding: base64\n\naGFybWxlc3M=\n--B\n\ncaf=C3=A9\n--B--\n";
    let head = "From: a@b.c\nTo: d@e.f\nContent-Type: multipart/mixed; boundary=B\n\n";
    assert!(!is_unread(format!("{head}{parts}").as_bytes(), Container::Eml), "a text in quoted-printable");
}

/// What did not come out of `content` when layers of these sizes did.
fn missing(content: &[u8], layers: &[usize]) -> Vec<Container> {
    let mut outcome = Outcome::default();
    for bytes in layers.iter().map(|bytes| u64::try_from(*bytes).unwrap()) {
        outcome.direct.add(bytes);
        outcome.all.add(bytes);
    }
    inspect(content, "bin", &Opened::claimed(), 1 << 20).missing(&outcome).collect()
}

#[test]
fn a_layer_is_a_member_of_one_archive() {
    let (zip, mut disc) = (sample(Container::Zip), sample(Container::Iso9660));
    let member = b"marker of some length".len();
    assert!(missing(&disc, &[member]).is_empty());
    // The first 16 sectors of a disc are free for anything.
    disc[..zip.len()].copy_from_slice(&zip);
    assert_eq!(missing(&disc, &[member]), [Container::Iso9660, Container::Zip]);
    assert!(missing(&disc, &[member, member]).is_empty());
}

#[test]
fn members_of_a_zip_are_not_what_a_stream_before_it_holds() {
    let (zip, stream) = (sample(Container::Zip), sample(Container::Bzip2));
    let member = b"marker of some length".len();
    let both = [stream, zip].concat();
    assert_eq!(missing(&both, &[member]), [Container::Bzip2]);
    assert!(missing(&both, &[member, member]).is_empty());
}

/// libclamav takes the first part of a signed mail only, and none of some other kinds.
#[test]
fn a_part_of_a_mail_that_does_not_come_out_is_missed() {
    let part = |kind: &str, digits: &str| {
        format!("--B\nContent-Type: {kind}\nContent-Transfer-Encoding: base64\n\n{digits}\n")
    };
    let text = part("text/plain", "SGVsbG8gdGhlcmU=");
    let mail = |second: &str| {
        let head = "From: a@b.c\nTo: d@e.f\nContent-Type: multipart/signed; boundary=B\n\n";
        format!("{head}{text}{second}--B--\n").into_bytes()
    };
    assert_eq!(missing(&mail(&part("application/zip", "UEsDBAoAAAAA")), &[11, 11]), [Container::Eml]);
    assert!(missing(&mail(&part("application/zip", "UEsDBAoAAAAA")), &[11, 9]).is_empty());
    assert!(missing(&mail(&part("application/pkcs7-signature", "MIIBAAAA")), &[11]).is_empty());
}

/// An attribute of TNEF.
fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let length = u32::try_from(data.len()).unwrap();
    [&[2], &id.to_le_bytes()[..], &length.to_le_bytes(), data, &sum.to_le_bytes()].concat()
}

#[test]
fn an_attachment_of_outlook_that_libclamav_does_not_take_out() {
    let tnef = sample(Container::Tnef);
    let with = |attribute: Vec<u8>| [tnef.clone(), attribute].concat();
    assert!(causes(&tnef).is_empty());
    assert!(is_unread(&with(attribute(0x0006_800f, b"another")), Container::Tnef), "a second file");
    assert!(is_unread(&with(attribute(0x0002_800f, b"another")), Container::Tnef), "of another type");
    assert!(is_unread(&with(attribute(0x0007_9005, b"\x02\x11\x01\x37")), Container::Tnef), "several as a property");
    assert!(is_unread(&with(attribute(0x0006_9005, b"\x0d\0\x01\x37")), Container::Tnef), "a message");
    assert!(is_unread(&with(attribute(0x0006_9005, b"\x02\x01\x01\x37")), Container::Tnef), "a file as a property");
    assert!(is_unread(&with(attribute(0x0006_9003, b"\x02\x01\x09\x10")), Container::Tnef), "compressed RTF");
    assert!(causes(&with(attribute(0x0006_9003, b"\x1f\0\x37\0"))).is_empty(), "a subject");
    let broken = [Cause::ContainerBroken(Container::Tnef)];
    assert_eq!(causes(&with(vec![0; 4])), broken, "something behind the list");
    let mut sum = tnef.clone();
    *sum.last_mut().unwrap() ^= 1;
    assert_eq!(causes(&sum), broken);
    assert_eq!(missing(&tnef, &[]), [Container::Tnef]);
    assert!(missing(&tnef, &[b"marker of some length".len()]).is_empty());
}

/// An element in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

#[test]
fn messages_that_are_signed_or_encrypted_as_a_whole() {
    const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let oid = |value: &[u8]| [&[6, u8::try_from(value.len()).unwrap()], value].concat();
    let pkcs_7 = |last: u8| oid(&[&DATA[..8], &[last]].concat());
    let smime = |last: u8| oid(&[b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01".as_slice(), &[last]].concat());
    let info = |kind: Vec<u8>, content: &[u8]| der(0x30, &[kind, der(0xa0, content)].concat());
    let signed = |kind: &[u8], content: &[u8]| {
        let inner = der(0x30, &[oid(kind).as_slice(), content].concat());
        info(pkcs_7(2), &der(0x30, &[&[2, 1, 1], der(0x31, &[]).as_slice(), &inner, &der(0x31, b"signers")].concat()))
    };
    let octets = der(0xa0, &der(4, b"text"));
    let cms = [Cause::ContainerUnsupported(Container::Cms)];
    let encrypted = [Cause::Encrypted(Container::EncryptedBlob)];
    assert_eq!(causes(&signed(DATA, &octets)), cms);
    assert!(causes(&signed(DATA, &[])).is_empty(), "a signature beside what is signed");
    let catalogue = b"\x2b\x06\x01\x04\x01\x82\x37\x0a\x01";
    assert!(causes(&signed(catalogue, &der(0xa0, &der(0x30, b"list")))).is_empty(), "a catalogue of Windows");
    assert_eq!(causes(&signed(catalogue, &octets)), cms, "one that says so");
    let stamp = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";
    let stamped = |content: &[u8]| signed(stamp, &der(0xa0, &der(4, content)));
    assert!(causes(&stamped(&der(0x30, b"\x02\x01\x01"))).is_empty(), "a time stamp");
    assert_eq!(causes(&stamped(b"text")), cms);
    assert_eq!(causes(&stamped(&der(0x30, &[b"\x02\x01\x01".as_slice(), &[0; 4096]].concat()))), cms);
    let long = [b"\x06\x81\x09".as_slice(), &DATA[..8], &[3]].concat();
    assert_eq!(causes(&info(long, b"noise")), encrypted, "a length in its long form");
    assert_eq!(causes(&info(pkcs_7(1), &der(4, b"text"))), cms, "data that is not even signed");
    assert_eq!(causes_as(b"MIIBAAAA", "p7m"), cms);
    let late = [vec![b'x'; 9000], b"\n-----BEGIN CMS-----\n".to_vec()].concat();
    assert_eq!(causes(&late), cms);
    // Of indefinite length: it ends with two zeros.
    let open = |tag: u8, content: &[u8]| [&[tag, 0x80], content, &[0, 0]].concat();
    let inner = |content: &[u8]| open(0x30, &[oid(DATA).as_slice(), content].concat());
    let streamed = |content: &[u8]| {
        let signed = open(0x30, &[&[2, 1, 1, 0x31, 0], inner(content).as_slice()].concat());
        open(0x30, &[pkcs_7(2), open(0xa0, &signed)].concat())
    };
    assert_eq!(causes(&streamed(&open(0xa0, &octets))), cms);
    assert!(causes(&streamed(&[])).is_empty());
    for kind in [3, 4, 6] {
        assert_eq!(causes(&info(pkcs_7(kind), b"noise")), encrypted, "{kind}");
    }
    assert_eq!(causes(&info(smime(23), b"noise")), encrypted);
    assert_eq!(causes(&info(smime(9), b"noise")), cms);
    assert_eq!(causes(&info(smime(31), b"noise")), cms);
    assert_eq!(causes(&der(0x30, &[&[2, 1, 3], info(pkcs_7(1), b"noise").as_slice()].concat())), encrypted, "PKCS #12");
    assert!(causes(&info(oid(b"\x2a\x86\x48\xce\x3d\x02\x01"), b"a public key")).is_empty());
}

/// A PDF whose fifth object is a stream, and whose others are these.
fn pdf_with(objects: &str, keys: &str) -> Vec<u8> {
    format!("%PDF-1.7\n{objects}\n5 0 obj\n<< {keys} /Length 4 >>\nstream\ntext\nendstream\nendobj\n").into_bytes()
}

#[test]
fn a_stream_of_a_pdf_is_a_file_by_what_refers_to_it() {
    const PREDICTED: &str = "/Filter /FlateDecode /DecodeParms << /Columns 4 /Predictor 12 >>";
    let referring = [
        "4 0 obj << /EF << /F 5 0 R >> >> endobj",
        "4 0 obj << /E#46<</UF 5%\n0\tR>>>> endobj",
        "4 0 obj << /EF 6 0 R >> endobj 6 0 obj << /F 5 0 R >> endobj",
        "4 0 obj << /S /JavaScript /JS 5 0 R >> endobj",
        "4 0 obj << /XFA [ (template) 5 0 R ] >> endobj",
        "4 0 obj << /Desc (endobj) /EF << /F 5 0 R >> >> endobj",
    ];
    for objects in referring {
        assert!(is_unread(&pdf_with(objects, PREDICTED), Container::Pdf), "{objects}");
        assert!(causes(&pdf_with(objects, "/Filter [/A85 /FlateDecode]")).is_empty(), "{objects}");
    }
    let file = referring[0];
    for keys in [
        "/Filter /Flate#44ecode",
        "/F#69lter /FlateDecode",
        "/Filter /FlateDecode /Filter /FlateDecode",
        "/Filter [/Crypt /FlateDecode]",
        "/Filter /BrotliDecode",
        "/Filter /FlateDecode /DecodeParms 9 0 R",
        "/Subtype /Image /Filter /FlateDecode /DecodeParms << /Predictor 15 >>",
    ] {
        assert!(is_unread(&pdf_with(file, keys), Container::Pdf), "{keys}");
    }
    assert!(is_unread(&pdf_with("", &format!("/Type /Embedded#46ile {PREDICTED}")), Container::Pdf));
    let harmless = "4 0 obj << /XObject << /I 5 0 R >> >> endobj";
    assert!(causes(&pdf_with(harmless, &format!("/Subtype /Image {PREDICTED}"))).is_empty());
    assert!(causes(&pdf_with(file, "/Filter /FlateDecode /DecodeParms << /Predictor 1 >>")).is_empty());
    assert!(is_unread(&pdf_with(file, "/F /FlateDecode"), Container::Pdf));
    for other in [
        "4 0 obj << /EF << /F 6 0 R >> >> endobj",
        "4 0 obj << >> endobj trailer << /Root << /EF << /F 5 0 R >> >> >>",
        "4 0 obj << /RF << /F [ (a) 5 0 R ] >> >> endobj",
    ] {
        assert!(is_unread(&pdf_with(other, PREDICTED), Container::Pdf), "{other}");
    }
    let marked = String::from_utf8(pdf_with(file, "/Filter /A85")).unwrap().replace("text", "<~!!~>");
    assert!(is_unread(marked.as_bytes(), Container::Pdf));
}

#[test]
fn what_refers_to_a_file_of_a_pdf_may_be_in_a_stream_of_objects() {
    let with = |keys: &str, text: &str| {
        let stream = format!("4 0 obj\n<< /Type /ObjStm {keys} >>\nstream\n{text}\nendstream\nendobj");
        is_unread(&pdf_with(&stream, "/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"), Container::Pdf)
    };
    assert!(with("/N 1 /First 4", "7 0 << /EF << /F 5 0 R >> >>"));
    assert!(with("/N 2 /First 9", "7 0 8 15 << /EF 8 0 R >><< /F 5 0 R >>"));
    assert!(!with("/N 2 /First 9", "7 0 8 15 << /AB 8 0 R >><< /F 5 0 R >>"));
    for keys in [
        "/N 1 /First 4 /Filter /LZWDecode",
        "/N 1 /First 4 /Filter /FlateDecode",
        "/N 1 /First 4 /DecodeParms << /Predictor 12 >>",
        "/N 1 /First 4 /N 0",
        "/N 2 /First 4",
        "/N 1",
    ] {
        assert!(with(keys, "7 0 << >>"), "{keys}: what is not read here may refer to anything");
    }
    assert!(
        with("/N 1 /First 4", "7 9 << >>") && with("/N 1 /First 5", "-7 0 << >>") && with("/N 1 /First 4", "7 0 << ")
    );
    assert!(!with("/N 1 /First 4", "7 0 << >>"));
    let nameless = "4 0 obj\n<< /N 1 /First 4 >>\nstream\n7 0 << /EF << /F 5 0 R >> >>\nendstream\nendobj";
    let file = pdf_with(nameless, "/Filter /FlateDecode /DecodeParms << /Predictor 12 >>");
    assert!(is_unread(&file, Container::Pdf), "readers go by what they need");
}

/// Each of these took minutes or all memory.
#[test]
fn a_pdf_that_keeps_us_busy_is_unread_at_once() {
    let start = std::time::Instant::now();
    for (unit, times) in [
        ("[/EF ", 1 << 20),
        ("[/EF 1 0 R/EF[", 1 << 18),
        ("[", 64 << 20),
        ("5 0 obj <<>>\nstream\n", 1 << 18),
        ("5 0 obj <</First 1/N 1>>\nstream\n", 1 << 18),
    ] {
        let file = [b"%PDF-1.7\n1 0 obj ".to_vec(), unit.as_bytes().repeat(times)].concat();
        let unread = is_unread(&file, Container::Pdf);
        assert!(unread || !unit.contains("First"), "{unit}");
    }
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

#[test]
fn an_archive_in_a_document_far_before_its_end() {
    let mut zip = sample(Container::Zip);
    let central = zip.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    zip[6] |= 1;
    zip[central + 8] |= 1;
    for document in [sample(Container::Pdf), sample(Container::Rtf)] {
        let file = [document, zip.clone(), vec![b'x'; 80_000]].concat();
        assert_eq!(causes(&file), [Cause::Encrypted(Container::Zip)]);
    }
}

#[test]
fn archives_behind_the_end_of_an_archive_or_of_a_script() {
    let (cpio, gzip) = (sample(Container::Cpio), sample(Container::Gzip));
    assert!(causes(&cpio).is_empty());
    assert!(is_unread(&[cpio, gzip.clone()].concat(), Container::Cpio));
    let script = b"#!/bin/sh\nexit 0\n";
    assert!(causes(script).is_empty());
    assert!(is_unread(&[script.as_slice(), &gzip].concat(), Container::Gzip));
    assert!(is_unread(&[script.as_slice(), &sample(Container::Xz)].concat(), Container::Xz));
    assert!(is_unread(&[script.as_slice(), &sample(Container::Bzip2)].concat(), Container::Bzip2));
    for text in [
        "exit 0\n",
        "tail -n +2 \"$0\" | gzip -d | sh; exit 0 # a line that is longer than it was\n",
        "\n#!/bin/sh\n# a line that is longer than it was, and another one\n",
    ] {
        assert!(is_unread(&[text.as_bytes(), &gzip].concat(), Container::Gzip), "{text}");
        assert!(causes(&[text.as_bytes(), b"x", &gzip].concat()).is_empty(), "not at the beginning of a line");
    }
    let salted = Cause::Encrypted(Container::EncryptedBlob);
    assert_eq!(causes(&[script.as_slice(), b"Salted__12345678"].concat()), [salted]);
    let mut squash_fs = b"hsqs".to_vec();
    squash_fs.resize(96, 0);
    squash_fs[12..16].copy_from_slice(&(128u32 << 10).to_le_bytes());
    squash_fs[22] = 17;
    squash_fs[28] = 4;
    assert!(is_unread(&[b"\x7fELF program".to_vec(), squash_fs.clone()].concat(), Container::SquashFs));
    squash_fs[30] = 1;
    assert!(
        is_unread(&[b"\x7fELF program".to_vec(), squash_fs].concat(), Container::SquashFs),
        "another minor version"
    );
    assert!(
        causes(b"a text about hsqs and its superblock, which is longer than this line of ninety-six bytes or more")
            .is_empty()
    );
}

#[test]
fn files_that_are_known_by_their_names_or_their_first_bytes() {
    let split = [Cause::ContainerUnsupported(Container::Split)];
    for extension in ["001", "002", "01", "0001", "aa", "aaa"] {
        assert_eq!(causes_as(b"text", extension), split, "{extension}");
    }
    for extension in ["1", "10", "100", "2026", "a", "ab", "bin", ""] {
        assert!(causes_as(b"text", extension).is_empty(), "{extension}");
    }
    let text = [Cause::ContainerUnsupported(Container::EncodedText)];
    assert_eq!(causes(b":10010000214601360121470136007EFE09D2190140\r\n:00000001FF\r\n"), text);
    assert!(causes(b":10010000214601360121470136007EFE09D2190141\r\n").is_empty(), "a wrong sum");
    assert_eq!(causes_as(b"dGV4dA==", "b64"), text);
    let lzma = |properties: u8, dictionary: u32| {
        [&[properties], &dictionary.to_le_bytes()[..], &9u64.to_le_bytes(), &[0, 1, 2, 3]].concat()
    };
    let alone = [Cause::ContainerUnsupported(Container::LzmaAlone)];
    for dictionary in [1, 2048, 1 << 20, u32::MAX] {
        assert_eq!(causes(&lzma(0x5d, dictionary)), alone, "{dictionary}");
        assert_eq!(causes(&[vec![0], lzma(0x5d, dictionary)].concat()), alone, "{dictionary}, jumps");
    }
    assert_eq!(causes_as(&lzma(0x5c, 1 << 16), "tlz"), alone);
    let encrypted = [Cause::Encrypted(Container::EncryptedBlob)];
    for start in ["encrcdsa", "AES\x02", "U2FsdGVkX1+abc"] {
        assert_eq!(causes(start.as_bytes()), encrypted, "{start}");
    }
    assert_eq!(causes_as(&[0xf3; 512], "hc"), encrypted);
    assert!(causes_as(b"int main(void) { return 0; }", "tc").is_empty());
    let late = [vec![b'x'; 70_000], b"\nbegin 644 name\n".to_vec()].concat();
    assert_eq!(missing(&late, &[]), [Container::UuEncode]);
}

#[test]
fn documents_of_office_that_are_encrypted() {
    let good = sample(Container::Ole2);
    let with = |stream: &[u8]| {
        let mut file = good.clone();
        file.extend_from_slice(stream);
        file.resize(file.len().next_multiple_of(512) + 512, 0);
        causes(&file) == [Cause::Encrypted(Container::Ole2)]
    };
    let record = |kind: u16, data: &[u8]| {
        [&kind.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes(), data].concat()
    };
    let begin = |kind: u16, length: usize| record(kind, &[&[0, 6, 5, 0], &vec![0; length - 4][..]].concat());
    let pass = record(0x2f, &[0; 6]);
    for start in [begin(0x809, 16), begin(0x809, 18), begin(0x809, 8)] {
        assert!(with(&[start.clone(), record(0xe2, &[]).repeat(100), pass.clone()].concat()), "far behind");
        assert!(!with(&[start.clone(), record(0x85, &[0; 8]), pass.clone()].concat()), "behind the list of sheets");
        assert!(with(&[start.clone(), pass.clone()].concat()));
        assert!(with(&[start.clone(), record(0x86, &[]), pass.clone()].concat()), "a lock against writing before it");
        assert!(!with(&[start, record(0x86, &[])].concat()));
    }
    for start in [begin(0x809, 8), begin(0x409, 6), begin(0x209, 6), begin(9, 4)] {
        let sheet = [start, pass.clone(), vec![0; 100]].concat();
        assert_eq!(causes(&sheet), [Cause::Encrypted(Container::Ole2)], "without a compound file");
    }
    let word = |ident: u16, version: u16, flags: u16| {
        [ident, version, 0, 0, 0, flags].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
    };
    assert!(with(&word(0xa5ec, 0xc1, 0x100)) && with(&word(0xa5dc, 0x65, 0x100)) && with(&word(0xa5dc, 0x68, 0x100)));
    assert!(!with(&word(0xa5dc, 0x68, 0)));
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert!(with(&[wide("_ctlfile"), wide("_catalog")].concat()), "ZED");
}
