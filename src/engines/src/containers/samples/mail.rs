//! Samples of mails and of encodings for mail.

use super::{Writer, crc16, length};

/// RFC 5322 and RFC 2045: a mail with one attachment in base 64.
pub(super) fn eml(marker: &[u8]) -> Vec<u8> {
    format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: sample\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\n\
         Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nA sample.\r\n--b\r\n\
         Content-Type: application/octet-stream; name=\"marker.com\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"marker.com\"\r\n\r\n{}\r\n--b--\r\n",
        base64(marker)
    )
    .into_bytes()
}

/// RFC 4155: the line that begins each message of an mbox.
pub(super) fn mbox(marker: &[u8]) -> Vec<u8> {
    let mut mailbox = b"From a@example.org Sun Nov 22 00:00:00 2026\r\n".to_vec();
    mailbox.extend(eml(marker));
    mailbox
}

/// RFC 4648, 4, in lines of 76 characters.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0u32, |value, byte| (value << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for index in 0..4 {
            let digit = u8::try_from((value >> (18 - 6 * index)) & 0x3f).unwrap_or_default();
            text.push(if index > group.len() { '=' } else { base64_digit(digit) });
        }
        if text.len() % 78 == 76 {
            text.push_str("\r\n");
        }
    }
    text
}

fn base64_digit(digit: u8) -> char {
    char::from(match digit {
        0..=25 => b'A' + digit,
        26..=51 => b'a' + digit - 26,
        52..=61 => b'0' + digit - 52,
        62 => b'+',
        _ => b'/',
    })
}

/// POSIX.1-2017, uuencode, "historical algorithm".
pub(super) fn uuencode(marker: &[u8]) -> Vec<u8> {
    let digit = |value: u32| char::from(b' ' + u8::try_from(value & 0x3f).unwrap_or_default()).to_string();
    let digit = |value: u32| digit(value).replace(' ', "`");
    let mut text = "begin 644 marker.com\n".to_owned();
    for line in marker.chunks(45) {
        text += &digit(length(line));
        for group in line.chunks(3) {
            let value = group.iter().fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
            let value = value << (8 * (3 - group.len()));
            (0..4).for_each(|index| text += &digit(value >> (18 - 6 * index)));
        }
        text.push('\n');
    }
    text += "`\nend\n";
    text.into_bytes()
}

/// RFC 1741: header, data fork and resource fork with their CRCs, in digits of six bits.
pub(super) fn binhex(marker: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
    let mut header = Writer::default();
    header.bytes(&[10]).bytes(b"marker.com").bytes(&[0]).bytes(b"BINA????").be16(0).be32(length(marker)).be32(0);
    let header = header.take();
    let mut forks = Writer::default();
    forks.bytes(&header).be16(crc16(&header, false)).bytes(marker).be16(crc16(marker, false)).be16(0);
    // 0x90 marks a run and must be followed by zero when it stands for itself.
    let escaped: Vec<u8> =
        forks.take().iter().flat_map(|byte| if *byte == 0x90 { vec![0x90, 0] } else { vec![*byte] }).collect();
    let mut text = b"(This file must be converted with BinHex 4.0)\r\n:".to_vec();
    let mut column = 1;
    for group in escaped.chunks(3) {
        let value = group.iter().fold(0usize, |value, byte| (value << 8) | usize::from(*byte));
        let value = value << (8 * (3 - group.len()));
        for index in 0..=group.len() {
            text.extend(DIGITS.get((value >> (18 - 6 * index)) & 0x3f));
            column += 1;
            if column % 64 == 0 {
                text.extend_from_slice(b"\r\n");
            }
        }
    }
    text.extend_from_slice(b":\r\n");
    text
}

/// [MS-OXTNEF] 2.1: signature, key, then attributes with a checksum (sum of bytes) each.
pub(super) fn tnef(marker: &[u8]) -> Vec<u8> {
    let mut stream = Writer::default();
    stream.le32(0x223e_9f78).le16(1);
    let mut attribute = |level: u8, id: u32, data: &[u8]| {
        let sum = data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        stream.bytes(&[level]).le32(id).le32(length(data)).bytes(data).le16(sum);
    };
    // Version; rendering data, title and content of one attachment.
    attribute(1, 0x0008_9006, &[0, 0, 1, 0]);
    attribute(2, 0x0006_9002, &[1, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    attribute(2, 0x0001_8010, b"marker.com\0");
    attribute(2, 0x0006_800f, marker);
    stream.take()
}
