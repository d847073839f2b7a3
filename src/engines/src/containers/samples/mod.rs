//! One small sample for each container that has an opener, written by hand as its standard says, without compression
//! where the format allows it. The self-test puts a marker in and looks whether it comes out.

mod archives;
mod disk;
mod documents;
mod mail;
mod streams;

use blanche_sandbox::wire::Container;

/// A container of this kind that holds `marker`; `None` when there is no opener to prove.
#[must_use]
pub fn sample(container: Container, marker: &[u8]) -> Option<Vec<u8>> {
    Some(match container {
        Container::Zip => archives::zip(&[("marker.com", marker)]),
        Container::SevenZip => archives::seven_zip(marker),
        Container::Tar => archives::tar(marker),
        Container::Cab => archives::cab(marker),
        Container::Arj => archives::arj(marker),
        Container::Lha => archives::lha(marker),
        Container::Cpio => archives::cpio(marker),
        Container::Xar => archives::xar(marker),
        Container::Gzip => streams::gzip(marker),
        Container::Bzip2 => streams::bzip2(marker),
        Container::Xz => streams::xz(marker),
        Container::Swf => streams::swf(marker),
        Container::Iso9660 => disk::iso(marker),
        Container::Ole2 => documents::compound(marker, [0; 16]),
        Container::Msi => documents::compound(marker, documents::MSI_CLASS),
        Container::Ooxml => documents::ooxml(marker),
        Container::OpenDocument => documents::open_document(marker),
        Container::Pdf => documents::pdf(marker),
        Container::Rtf => documents::rtf(marker),
        Container::Eml => mail::eml(marker),
        Container::Mbox => mail::mbox(marker),
        Container::Tnef => mail::tnef(marker),
        Container::UuEncode => mail::uuencode(marker),
        Container::BinHex => mail::binhex(marker),
        _ => return None,
    })
}

/// Bytes in the order in which a format wants them.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    fn le16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn le32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn be16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    fn be32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Zeros up to a multiple of `block`.
    fn pad(&mut self, block: usize) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(block), 0);
        self
    }

    /// Zeros up to an offset.
    fn until(&mut self, offset: usize) -> &mut Self {
        self.0.resize(offset.max(self.0.len()), 0);
        self
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Length of a sample's part; samples are a few hundred bytes.
fn length<T: TryFrom<usize> + Default>(bytes: &[u8]) -> T {
    T::try_from(bytes.len()).unwrap_or_default()
}

/// CRC-16 with the reflected polynomial 0xa001 (LHA, TNEF tools) or, bit by bit from the top, 0x1021 (BinHex).
fn crc16(bytes: &[u8], reflected: bool) -> u16 {
    bytes.iter().fold(0u16, |crc, byte| {
        if reflected {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
        } else {
            let start = crc ^ (u16::from(*byte) << 8);
            (0..8).fold(start, |crc, _| if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::OPENERS;
    use super::*;

    #[test]
    fn there_is_a_sample_for_each_opener_and_for_nothing_else() {
        for row in OPENERS {
            assert_eq!(sample(row.container, b"marker").is_some(), row.engine.is_some(), "{:?}", row.container);
        }
    }

    #[test]
    fn checksums_are_those_of_the_catalogue() {
        // "123456789": CRC-16/ARC and CRC-16/XMODEM.
        assert_eq!(crc16(b"123456789", true), 0xbb3d);
        assert_eq!(crc16(b"123456789", false), 0x31c3);
    }
}
