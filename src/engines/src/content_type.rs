//! Type by content, and names that promise something else: a program that is called a picture.

use blanche_sandbox::wire::{Container, ContentType, Finding, Severity};
use file_format::FileFormat;
use memchr::memmem;

/// Name of this engine in findings.
pub const ENGINE: &str = "content-type";
/// When nothing fits (RFC 2046, 4.5.1).
const UNKNOWN: &str = "application/octet-stream";
/// Bytes that are looked at to tell text from data.
const TEXT_HEAD: usize = 4096;

/// What content is able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// A program, script, shortcut or installer: it runs when it is opened.
    Runs,
    /// An archive or a disk image.
    Archive,
    /// Anything else.
    Passive,
}

/// Extensions of things that nobody expects to run or to hold files.
const PICTURES_AND_MEDIA: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "ico", "heic", "svg", "mp3", "mp4", "m4a", "avi", "mov",
    "mkv", "wav", "ogg", "flac", "wmv", "txt", "csv", "log", "md", "xml", "json",
];
/// Extensions of documents, which may be archives inside but never programs.
const DOCUMENTS: &[&str] = &[
    "pdf", "rtf", "doc", "xls", "ppt", "docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods", "odp", "odg",
    "epub", "eml", "msg", "htm", "html",
];

/// The type of a content, and a finding when its extension (lower case, without the dot) belongs to another one.
#[must_use]
pub fn examine(content: &[u8], extension: &str, container: Option<Container>) -> (ContentType, Option<Finding>) {
    let (media_type, fitting) = media_type(content, container);
    let family = family(content, container);
    let severity = match family {
        Family::Runs if listed(DOCUMENTS, extension) || listed(PICTURES_AND_MEDIA, extension) => {
            Some(Severity::Suspicious)
        }
        Family::Archive if listed(PICTURES_AND_MEDIA, extension) => Some(Severity::Info),
        Family::Archive if extension == "pdf" => Some(Severity::Info),
        _ => None,
    };
    let finding = severity.map(|severity| Finding {
        engine: ENGINE.to_owned(),
        name: format!("Extension.{extension}.Content.{fitting}"),
        severity,
        layer: Vec::new(),
    });
    let expected_extension = finding.is_some().then(|| fitting.clone());
    let mut media_type = media_type;
    media_type.truncate(128);
    (ContentType { media_type, container, expected_extension }, finding)
}

fn listed(list: &[&str], extension: &str) -> bool {
    list.contains(&extension)
}

fn family(content: &[u8], container: Option<Container>) -> Family {
    if runs(content) || container == Some(Container::Msi) {
        return Family::Runs;
    }
    match container {
        None
        | Some(
            Container::Pdf
            | Container::Rtf
            | Container::Ole2
            | Container::Ooxml
            | Container::OpenDocument
            | Container::OneNote
            | Container::Eml
            | Container::Mbox
            | Container::Swf
            | Container::UuEncode
            | Container::BinHex
            | Container::EncryptedBlob
            | Container::Split
            | Container::Cms
            | Container::EncodedText
            | Container::Access
            | Container::Tnef
            | Container::Brotli,
        ) => Family::Passive,
        Some(Container::Nsis | Container::AutoIt | Container::Installer) => Family::Runs,
        Some(_) => Family::Archive,
    }
}

/// Programs of Windows (PE and older), Linux and macOS, scripts with an interpreter line, Windows shortcuts
/// ([MS-SHLLINK] 2.1).
fn runs(content: &[u8]) -> bool {
    let starts = |signature: &[u8]| content.starts_with(signature);
    (starts(b"MZ") && content.len() >= 64)
        || starts(b"\x7fELF")
        || [[0xfe, 0xed, 0xfa, 0xce], [0xfe, 0xed, 0xfa, 0xcf], [0xce, 0xfa, 0xed, 0xfe], [0xcf, 0xfa, 0xed, 0xfe]]
            .iter()
            .any(|magic| starts(magic))
        || starts(b"#!/")
        || starts(b"#! /")
        || starts(b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")
}

/// Media type (RFC 6838), and the extension that fits.
fn media_type(content: &[u8], container: Option<Container>) -> (String, String) {
    let own = |media: &str, extension: &str| (media.to_owned(), extension.to_owned());
    match container {
        Some(Container::Ooxml) => return office(content),
        Some(Container::OpenDocument) => return open_document(content),
        Some(Container::Msi) => return own("application/x-msi", "msi"),
        Some(Container::Eml) => return own("message/rfc822", "eml"),
        Some(Container::Mbox) => return own("application/mbox", "mbox"),
        Some(Container::Tar) => return own("application/x-tar", "tar"),
        Some(Container::RawDisk) => return own("application/x-raw-disk-image", "img"),
        Some(Container::Iso9660 | Container::Udf) => return own("application/x-iso9660-image", "iso"),
        _ => {}
    }
    if content.starts_with(b"#!") {
        return own("text/x-shellscript", "sh");
    }
    match FileFormat::from_bytes(content) {
        FileFormat::ArbitraryBinaryData | FileFormat::Empty => {
            if is_text(content) {
                own("text/plain", "txt")
            } else {
                own(UNKNOWN, "bin")
            }
        }
        format => own(format.media_type(), format.extension()),
    }
}

/// ECMA-376: the part that makes the document.
fn office(content: &[u8]) -> (String, String) {
    const KINDS: [(&[u8], &str, &str); 3] = [
        (b"word/document", "wordprocessingml.document", "docx"),
        (b"xl/workbook", "spreadsheetml.sheet", "xlsx"),
        (b"ppt/presentation", "presentationml.presentation", "pptx"),
    ];
    let kind = KINDS.iter().find(|(part, ..)| memmem::find(content, part).is_some());
    match kind {
        Some((_, kind, extension)) => {
            (format!("application/vnd.openxmlformats-officedocument.{kind}"), (*extension).to_owned())
        }
        None => ("application/zip".to_owned(), "zip".to_owned()),
    }
}

/// ODF 1.3 part 2, 3.3: the first member holds the media type as it is.
fn open_document(content: &[u8]) -> (String, String) {
    let prefix = b"application/vnd.oasis.opendocument.";
    let head = content.get(..200).unwrap_or(content);
    let kind = memmem::find(head, prefix).and_then(|at| head.get(at + prefix.len()..)).unwrap_or_default();
    let kind: String = kind.iter().take_while(|byte| byte.is_ascii_lowercase()).map(|byte| char::from(*byte)).collect();
    let extension = match kind.as_str() {
        "spreadsheet" => "ods",
        "presentation" => "odp",
        "graphics" => "odg",
        _ => "odt",
    };
    let kind = if kind.is_empty() { "text".to_owned() } else { kind };
    (format!("application/vnd.oasis.opendocument.{kind}"), extension.to_owned())
}

/// UTF-8 without control characters other than white space.
fn is_text(content: &[u8]) -> bool {
    let head = content.get(..TEXT_HEAD).unwrap_or(content);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() && content.len() > TEXT_HEAD => {
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or("\0")
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c' | '\x1b'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "an absent finding is the failure that is looked for")]
    use super::*;

    #[test]
    fn a_program_called_a_picture_is_suspicious() {
        let mut program = b"MZ".to_vec();
        program.resize(256, 0);
        let (content_type, finding) = examine(&program, "jpg", None);
        assert_eq!(finding.unwrap().severity, Severity::Suspicious);
        assert_eq!(content_type.expected_extension.as_deref(), Some("exe"));
        assert!(examine(&program, "exe", None).1.is_none());
        assert!(examine(&program, "", None).1.is_none());
    }

    #[test]
    fn an_archive_called_a_picture_is_noted_and_an_office_document_is_not() {
        assert_eq!(examine(b"PK\x03\x04", "png", Some(Container::Zip)).1.unwrap().severity, Severity::Info);
        assert!(examine(b"PK\x03\x04word/document.xml", "docx", Some(Container::Ooxml)).1.is_none());
    }

    #[test]
    fn text_is_text_and_the_rest_is_data() {
        assert_eq!(examine("Été\n".as_bytes(), "txt", None).0.media_type, "text/plain");
        assert_eq!(examine(&[0u8, 1, 2, 200], "bin", None).0.media_type, UNKNOWN);
        assert_eq!(examine(b"", "", None).0.media_type, UNKNOWN);
    }
}
