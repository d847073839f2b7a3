//! Mail and the encodings of text channels: eml, mbox, uuencode, TNEF.

use super::ContainerSample;
use crate::bytes::{Put, base64_lines, len32};
use crate::samples::{eicar, eicar_gzipped};
use blanche_sandbox::wire::Container;

pub(super) fn samples() -> Vec<ContainerSample> {
    let message = eml(&eicar());
    let mbox = ["From agent@example.org Sun Nov 22 08:00:00 2026\n", &message, "\n"].concat();
    vec![
        ContainerSample::new("eml", "message.eml", Container::Eml, message.into_bytes()),
        ContainerSample::new("mbox", "folder.mbox", Container::Mbox, mbox.into_bytes()),
        ContainerSample::new("uuencode", "message.uue", Container::UuEncode, uuencode(&eicar()).into_bytes()),
        ContainerSample::new("tnef", "winmail.dat", Container::Tnef, tnef(&eicar_gzipped())),
    ]
}

/// A message with an attachment (RFC 5322, RFC 2046).
fn eml(content: &[u8]) -> String {
    format!(
        "From: Agent <agent@example.org>\nTo: Blanche <station@example.org>\nSubject: sample\n\
         Date: Sun, 22 Nov 2026 08:00:00 +0000\nMessage-ID: <sample@example.org>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"frontier\"\n\n--frontier\nContent-Type: text/plain\n\nSee attachment.\n\
         --frontier\nContent-Type: application/octet-stream; name=\"eicar.com\"\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename=\"eicar.com\"\n\n{}--frontier--\n",
        base64_lines(content)
    )
}

/// uuencode (POSIX.1-2017): lines of 45 bytes, six bits a character from 0x20 on, zero as a grave accent.
fn uuencode(content: &[u8]) -> String {
    let letter = |bits: u8| {
        if bits == 0 { '`' } else { char::from(bits + 0x20) }
    };
    let mut text = String::from("begin 644 eicar.com\n");
    for line in content.chunks(45) {
        text.push(letter(line.len() as u8));
        for three in line.chunks(3) {
            let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            text.extend([18, 12, 6, 0].map(|shift| letter((bits >> shift & 0x3f) as u8)));
        }
        text.push('\n');
    }
    text + "`\nend\n"
}

/// TNEF (MS-OXTNEF 2.1): level, identifier, length, data, sum of the data's bytes.
fn tnef(content: &[u8]) -> Vec<u8> {
    let attribute = |file: &mut Vec<u8>, level: u8, id: u32, data: &[u8]| {
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        file.u8(level).u32(id).u32(len32(data)).raw(data).u16(sum);
    };
    let mut rendering = Vec::new();
    rendering.u16(1).u32(0xffff_ffff).u16(32).u16(32).u32(0);
    let mut file = Vec::new();
    file.u32(0x223e_9f78).u16(1);
    attribute(&mut file, 1, 0x0008_9006, &[0, 0, 1, 0]);
    attribute(&mut file, 1, 0x0006_9007, &[0xe4, 4, 0, 0, 0, 0, 0, 0]);
    attribute(&mut file, 1, 0x0007_8008, b"IPM.Microsoft Mail.Note\0");
    attribute(&mut file, 2, 0x0006_9002, &rendering);
    attribute(&mut file, 2, 0x0001_8010, b"eicar.gz\0");
    attribute(&mut file, 2, 0x0006_800f, content);
    file
}
