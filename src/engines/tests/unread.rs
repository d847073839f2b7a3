//! Forms that common programs read and libclamav passes over in silence: none of them counts as checked. What stands beside each is the
//! same thing in the form that libclamav reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "samples are made here")]

use blanche_engines::containers::{Opened, Outcome, inspect, samples};
use blanche_sandbox::wire::{Cause, Container};

fn causes(content: &[u8]) -> Vec<Cause> {
    inspect(content, "bin", &Opened::claimed(), 1 << 20).causes
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
