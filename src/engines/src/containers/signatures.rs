//! Recognising containers by content, each at its right offset.
//!
//! Content may be several things at once (an ISO image may begin like a zip), so everything that fits is returned.
//! A container that is recognised too often costs a person's time; one that is not recognised costs the rule that what
//! was not checked is not clean. Hence several signatures for each format, and a plausibility check for weak ones.

use super::bytes::{be32, digits, has, le16, le32, le64, offset, part};
use super::{boot, cms, mail, members, zip};
use blanche_sandbox::wire::Container;
use memchr::memmem;

/// Signatures that are strong enough by themselves.
const FIXED: &[(usize, &[u8], Container)] = &[
    (0, b"7z\xbc\xaf\x27\x1c", Container::SevenZip),
    (0, b"Rar!\x1a\x07\x00", Container::Rar),
    (0, b"Rar!\x1a\x07\x01\x00", Container::Rar),
    (0, b"RE~^", Container::Rar),
    (0, b"\x1f\x8b", Container::Gzip),
    (0, b"\xfd7zXZ\x00", Container::Xz),
    (0, b"\x28\xb5\x2f\xfd", Container::Zstd),
    (0, b"\x04\x22\x4d\x18", Container::Lz4),
    (0, b"\x02\x21\x4c\x18", Container::Lz4),
    (0, b"LZIP\x00", Container::Lzip),
    (0, b"LZIP\x01", Container::Lzip),
    (0, b"\x89LZO\x00\x0d\x0a\x1a\x0a", Container::Lzop),
    (0, b"\x1f\x9d", Container::Compress),
    (0, b"\x1f\xa0", Container::Compress),
    (0, b"\x1f\x1e", Container::Compress),
    (0, b"SZDD\x88\xf0\x27\x33", Container::Compress),
    (0, b"KWAJ\x88\xf0\x27\xd1", Container::Compress),
    // PPMd of 7-Zip and ppmd(1).
    (0, b"\x8f\xaf\xac\x84", Container::Compress),
    (7, b"**ACE**", Container::Ace),
    (0, b"ALZ\x01", Container::Alz),
    (0, b"EGGA", Container::Egg),
    (20, b"\xdc\xa7\xc4\xfd", Container::Zoo),
    (10, b"rLau", Container::StuffIt),
    (0, b"StuffIt (c)1997", Container::StuffIt),
    (0, b"StuffIt!", Container::StuffIt),
    (0, b"7kSt\xa0\x31\x83\xd3", Container::Zpaq),
    (0, b"zPQ", Container::Zpaq),
    (0, b"LRZI\x00", Container::Lrzip),
    (0, b"RZIP\x02", Container::Lrzip),
    (0, b"070701", Container::Cpio),
    (0, b"070702", Container::Cpio),
    (0, b"070707", Container::Cpio),
    (0, b"!<arch>\n", Container::Ar),
    (0, b"!<thin>\n", Container::Ar),
    (0, b"xar!", Container::Xar),
    (0, b"\xed\xab\xee\xdb", Container::Rpm),
    (0, b"MSWIM\x00\x00\x00", Container::Wim),
    (0, b"WLPWM\x00\x00\x00", Container::Wim),
    (0, VHD, Container::Vhd),
    (0, b"vhdxfile", Container::Vhdx),
    (0, b"KDMV", Container::Vmdk),
    (0, b"COWD", Container::Vmdk),
    (0, b"# Disk DescriptorFile", Container::Vmdk),
    (64, b"\x7f\x10\xda\xbe", Container::Vdi),
    (0, b"QFI\xfb", Container::Qcow2),
    // Android sparse, Parallels, Apple sparse image, EWF.
    (0, b"\x3a\xff\x26\xed\x01\x00", Container::VirtualDisk),
    (0, b"WithoutFreeSpace", Container::VirtualDisk),
    (0, b"WithouFreSpacExt", Container::VirtualDisk),
    (0, b"sprs", Container::VirtualDisk),
    (0, b"EVF\x09\x0d\x0a\xff\x00", Container::VirtualDisk),
    (0, b"hsqs", Container::SquashFs),
    (0, b"sqsh", Container::SquashFs),
    (0, b"shsq", Container::SquashFs),
    (0, b"qshs", Container::SquashFs),
    (0, b"\x45\x3d\xcd\x28", Container::CramFs),
    (0, b"\x28\xcd\x3d\x45", Container::CramFs),
    (512, b"\x45\x3d\xcd\x28", Container::CramFs),
    (0, b"!BDN", Container::Pst),
    (0, b"\x78\x9f\x3e\x22", Container::Tnef),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Container::Ole2),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", Container::OneNote),
    (0, b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", Container::OneNote),
    (0, b"{\\rt", Container::Rtf),
    (0, b"ITSF", Container::Chm),
    (0, b"ITOLITLS", Container::Chm),
    (0, b"ISc(", Container::InstallShield),
    (0, b"\x13\x5d\x65\x8c", Container::InstallShield),
    (0, b"LUKS\xba\xbe", Container::EncryptedBlob),
    (0, b"SKUL\xba\xbe", Container::EncryptedBlob),
    (3, b"-FVE-FS-", Container::EncryptedBlob),
    (0, b"Salted__", Container::EncryptedBlob),
    (0, b"age-encryption.org/v1", Container::EncryptedBlob),
    // KeePass, macOS disk images, AES Crypt, AxCrypt.
    (0, b"\x03\xd9\xa2\x9a", Container::EncryptedBlob),
    (0, b"encrcdsa", Container::EncryptedBlob),
    (0, b"AES\x00", Container::EncryptedBlob),
    (0, b"AES\x01", Container::EncryptedBlob),
    (0, b"AES\x02", Container::EncryptedBlob),
    (0, b"AES\x03", Container::EncryptedBlob),
    (0, b"\xc0\xb9\x07\x2e\x4f\x93\xf1\x46\xa0\x15\x79\x2c\xa1\xd9\xe8\x21", Container::EncryptedBlob),
    (4, b"Standard ACE DB\x00", Container::Access),
    (4, b"Standard Jet DB\x00", Container::Access),
    (0, b"WARC/", Container::Warc),
];

/// Of the footer of a VHD, and of its copy at the start when the disk is not of fixed size.
const VHD: &[u8] = b"conectix";

/// Texts that make an encrypted blob when they begin a line near the start.
const ENCRYPTED_TEXTS: [&[u8]; 6] = [
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
    b"Proc-Type: 4,ENCRYPTED",
    b"$ANSIBLE_VAULT;",
    // "Salted__" in base 64.
    b"U2FsdGVkX1",
];

/// Texts that make signed content (RFC 7468 8 and 9; OpenSSL) when they begin a line.
const SIGNED_TEXTS: [&[u8]; 3] =
    [b"-----BEGIN PKCS7-----", b"-----BEGIN CMS-----", b"-----BEGIN PKCS #7 SIGNED DATA-----"];

/// Bytes at the start in which texts are looked for.
pub(super) const HEAD: usize = 4096;

/// Everything that `content` is, as a container. `extension` is used only for formats without a signature.
pub(super) fn recognise(content: &[u8], extension: &str) -> Vec<Container> {
    let mut found: Vec<Container> =
        FIXED.iter().filter(|(at, bytes, _)| has(content, *at, bytes)).map(|(_, _, container)| *container).collect();
    let checks: &[(Container, bool)] = &[
        (Container::Zip, zip::begins(content)),
        (Container::Tar, is_tar(content)),
        (Container::Bzip2, is_bzip2(content)),
        (Container::LzmaAlone, is_lzma_alone(content, extension) || is_lzma_86(content, extension)),
        (Container::Cab, is_cab(content)),
        (Container::Split, is_part(extension)),
        (Container::EncodedText, extension == "b64" || is_intel_hex(content)),
        (Container::Arj, members::arj_header(content, 0).is_some()),
        (Container::Lha, is_lha(content)),
        (Container::Cpio, is_old_cpio(content)),
        (Container::Vhd, vhd_footers(content).any(|footer| !is_fixed_vhd(footer))),
        (Container::Dmg, footers(content, b"koly", &[512]).next().is_some()),
        (Container::Iso9660, is_iso(content)),
        (Container::Udf, is_udf(content)),
        (Container::Pdf, memmem::find(head(content, 1024), b"%PDF-").is_some()),
        (Container::Swf, is_swf(content)),
        (Container::BinHex, memmem::find(head(content, HEAD), b"(This file must be converted with BinHex").is_some()),
        (Container::UuEncode, is_uuencoded(content)),
        (Container::EncryptedBlob, is_encrypted(content, extension)),
        (Container::EncryptedBlob, footers(content, b"cdsaencr", &[8]).next().is_some()),
        (Container::Brotli, extension == "br"),
        (Container::RawDisk, boot::is_disk(content) || vhd_footers(content).any(is_fixed_vhd)),
    ];
    found.extend(checks.iter().filter(|(_, fits)| *fits).map(|(container, _)| *container));
    found.extend(frames(content));
    found.extend(mail::recognise(content, extension));
    found.extend(cms::recognise(content, extension));
    found.sort_unstable();
    found.dedup();
    found
}

pub(super) fn head(content: &[u8], length: usize) -> &[u8] {
    content.get(..length).unwrap_or(content)
}

fn is_tar(content: &[u8]) -> bool {
    has(content, 257, b"ustar") || members::is_tar_header(content)
}

fn is_bzip2(content: &[u8]) -> bool {
    has(content, 0, b"BZh")
        && content.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
        && (has(content, 4, b"1AY&SY") || has(content, 4, b"\x17\x72\x45\x38\x50\x90"))
}

/// [MS-CAB] 2.1: some readers look at neither reserved field.
fn is_cab(content: &[u8]) -> bool {
    has(content, 0, b"MSCF") && (has(content, 4, &[0; 4]) || has(content, 24, &[3, 1]))
}

/// Extensions by which 7-Zip and others take a file for the first of several, or for a later one: `001`, `02`, `aa`.
fn is_part(extension: &str) -> bool {
    let counted = extension.starts_with('0') && extension.bytes().all(|byte| byte.is_ascii_digit());
    (counted && extension.len() >= 2) || matches!(extension, "aa" | "aaa")
}

/// Intel HEX: the first line is a record of a known type whose sum is right.
fn is_intel_hex(content: &[u8]) -> bool {
    let Some(line) = content.strip_prefix(b":") else { return false };
    let end = line.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(line.len());
    let digits = line.get(..end).unwrap_or_default();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let Some(record) = pairs.take(1 << 9).collect::<Option<Vec<u8>>>() else { return false };
    record.first().is_some_and(|count| usize::from(*count).saturating_add(5) == record.len())
        && record.get(3).is_some_and(|kind| *kind <= 5)
        && record.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0
}

/// What 7-Zip calls LZMA-86: whether jumps were changed, in front of the header of LZMA.
fn is_lzma_86(content: &[u8], extension: &str) -> bool {
    matches!(content.first(), Some(0 | 1)) && is_lzma_alone(content.get(1..).unwrap_or_default(), extension)
}

/// LZMA SDK, "lzma.txt": properties below 225, a dictionary size that encoders write, a size that is unknown or sane.
pub(super) fn is_lzma_alone(content: &[u8], extension: &str) -> bool {
    let (Some(properties), Some(dictionary), Some(size)) = (content.first(), le32(content, 1), le64(content, 5)) else {
        return false;
    };
    let written = dictionary == u32::MAX
        || dictionary.is_power_of_two()
        || (dictionary % 3 == 0 && (dictionary / 3).is_power_of_two());
    let sane = size == u64::MAX || size < 1 << 40;
    (*properties == 0x5d || matches!(extension, "lzma" | "lzma86" | "tlz"))
        && *properties < 225
        && written
        && sane
        // The first byte of the range coder is zero.
        && content.get(13) == Some(&0)
}

fn is_lha(content: &[u8]) -> bool {
    part(content, 2, 5).is_some_and(|method| {
        method.first() == Some(&b'-')
            && method.last() == Some(&b'-')
            && (method.starts_with(b"-lh") || method.starts_with(b"-lz") || method.starts_with(b"-pm"))
            && content.get(20).is_some_and(|level| *level <= 3)
    })
}

/// The binary cpio of Version 7: a magic number of two bytes, hence also a plausible name.
pub(super) fn is_old_cpio(content: &[u8]) -> bool {
    let read = |at: usize, big: bool| le16(content, at).map(|word| if big { word.swap_bytes() } else { word });
    [(b"\xc7\x71", false), (b"\x71\xc7", true)].into_iter().any(|(magic, big)| {
        has(content, 0, magic)
            && read(20, big)
                .is_some_and(|length| (2..=4096).contains(&length) && content.get(25 + usize::from(length)) == Some(&0))
    })
}

/// What follows each of `signature` that stands so many bytes from the end.
fn footers<'a>(content: &'a [u8], signature: &[u8], from_end: &[usize]) -> impl Iterator<Item = &'a [u8]> {
    let places = from_end.iter().filter_map(|back| content.get(content.len().checked_sub(*back)?..));
    places.filter(move |footer| footer.starts_with(signature))
}

/// Footers of a VHD (Microsoft, Virtual Hard Disk Image Format Specification 1.0): the oldest have 511 bytes.
fn vhd_footers(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    footers(content, VHD, &[512, 511])
}

/// Whether a VHD holds the sectors of its disk one after the other, as a reader takes them: disk type 2, no dynamic header.
fn is_fixed_vhd(footer: &[u8]) -> bool {
    has(footer, 16, &[0xff; 8]) && be32(footer, 60) == Some(2)
}

/// ECMA-119 8.4: sector 16, also in raw images with sectors of 2352 bytes (offset 16 or 24 in the sector).
fn is_iso(content: &[u8]) -> bool {
    [0x8001, 0x9311, 0x9319].into_iter().any(|at| has(content, at, b"CD001"))
}

/// ECMA-167 2/9: NSR descriptors among the volume structures behind 32 KiB, or an anchor at sector 256.
fn is_udf(content: &[u8]) -> bool {
    let structures = (0..64usize).map(|sector| 0x8001 + sector * 2048);
    let nsr = structures.clone().any(|at| has(content, at, b"NSR02") || has(content, at, b"NSR03"));
    let bea = structures.into_iter().any(|at| has(content, at, b"BEA01"));
    nsr || bea || [512usize, 2048].into_iter().any(|block| is_udf_anchor(content, 256 * block))
}

fn is_udf_anchor(content: &[u8], at: usize) -> bool {
    let Some(tag) = part(content, at, 16) else { return false };
    let sum = tag.iter().enumerate().filter(|(i, _)| *i != 4).fold(0u8, |sum, (_, byte)| sum.wrapping_add(*byte));
    le16(tag, 0) == Some(2) && tag.get(4) == Some(&sum) && matches!(le16(tag, 2), Some(2 | 3))
}

fn is_swf(content: &[u8]) -> bool {
    [b"FWS", b"CWS", b"ZWS"].into_iter().any(|magic| has(content, 0, magic))
        && content.get(3).is_some_and(|version| (1..=60).contains(version))
        && le32(content, 4).is_some_and(|length| length >= 8)
}

/// `begin MODE NAME` at the start of a line (POSIX uuencode), base 64 form included.
fn is_uuencoded(content: &[u8]) -> bool {
    memmem::find_iter(content, b"begin").any(|at| {
        let starts_line = at == 0 || content.get(at - 1).is_some_and(|before| matches!(before, b'\n' | b'\r'));
        let rest = content.get(at + 5..).unwrap_or_default();
        let rest = rest.strip_prefix(b"-base64").unwrap_or(rest);
        starts_line
            && rest.first() == Some(&b' ')
            && part(rest, 1, 3).is_some_and(|mode| digits(mode, 8).is_some())
            && part(rest, 1, 3).is_some_and(|mode| mode.iter().all(u8::is_ascii_digit))
            && matches!(rest.get(4), Some(b' ' | b'0'..=b'7'))
    })
}

/// Whether one of `marks` begins a line.
fn has_line(text: &[u8], marks: &[&[u8]]) -> bool {
    let starts_line = |at: usize| at.checked_sub(1).is_none_or(|at| matches!(text.get(at), Some(b'\n' | b'\r')));
    marks.iter().any(|mark| memmem::find_iter(text, mark).any(starts_line))
}

/// Whether content is CMS signed-data (RFC 5652) in base 64: what was signed lies in it, and nobody decodes it.
pub(super) fn is_signed_text(content: &[u8]) -> bool {
    has_line(content, &SIGNED_TEXTS)
}

fn is_encrypted(content: &[u8], extension: &str) -> bool {
    let armoured = has_line(head(content, HEAD), &ENCRYPTED_TEXTS);
    // RFC 9580 4.2: binary OpenPGP begins with a packet tag, too weak a signature without the name.
    let binary_pgp = matches!(extension, "gpg" | "pgp") && content.first().is_some_and(|tag| tag & 0x80 != 0);
    // TrueCrypt and VeraCrypt write nothing but noise.
    let is_text = std::str::from_utf8(head(content, 512)).is_ok();
    armoured || binary_pgp || (matches!(extension, "hc" | "tc") && !is_text)
}

/// RFC 8878 3.1.2 and the LZ4 frame format: skippable frames may come first, and old zstd frames.
fn frames(content: &[u8]) -> Option<Container> {
    let mut at = 0usize;
    let mut skipped = false;
    while let Some(magic) = le32(content, at) {
        match magic {
            0x184D_2A50..=0x184D_2A5F => {
                let Some(size) = le32(content, at.checked_add(4)?) else { break };
                at = at.checked_add(8)?.checked_add(offset(size))?;
                skipped = true;
            }
            0x184D_2204 | 0x184C_2102 => return Some(Container::Lz4),
            0xFD2F_B522..=0xFD2F_B528 => return Some(Container::Zstd),
            _ => break,
        }
    }
    // Zstandard 0.1 had its magic number the other way round.
    let oldest = be32(content, 0) == Some(0xFD2F_B51E) || le32(content, 0) == Some(0xFD2F_B51E);
    (skipped || oldest).then_some(Container::Zstd)
}
