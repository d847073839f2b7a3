//! Names in OSTA compressed Unicode (UDF 2.60, 2.1.1) and fixed-length fields that hold them (ECMA-167 1/7.2.12).

/// A name as units of 16 bits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) units: Vec<u16>,
    /// Hosts understand it: compression 8 or 16, and nothing left over.
    pub(super) plain: bool,
}

/// Decodes a compression identifier and what follows; nothing for an identifier that has no meaning.
///
/// The identifiers 254 and 255 stand for 8 and 16 in names of deleted files (UDF 2.60, 2.3.4.7). Hosts refuse them
/// elsewhere.
pub(super) fn decode(bytes: &[u8]) -> Option<Decoded> {
    let (compression, text) = bytes.split_first()?;
    match compression {
        8 | 254 => {
            let units = text.iter().map(|byte| u16::from(*byte)).collect();
            Some(Decoded { units, plain: *compression == 8 })
        }
        16 | 255 => {
            let (pairs, rest) = text.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            Some(Decoded { units, plain: *compression == 16 && rest.is_empty() })
        }
        _ => None,
    }
}

/// Decodes a field of fixed length, whose last byte says how many bytes are used.
pub(super) fn decode_field(field: &[u8]) -> Option<Vec<u16>> {
    let (length, text) = field.split_last()?;
    decode(text.get(..usize::from(*length))?).map(|decoded| decoded.units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_widths() {
        assert_eq!(decode(&[8, 0x61, 0xe9]), Some(Decoded { units: vec![0x61, 0xe9], plain: true }));
        assert_eq!(decode(&[16, 0xd8, 0x3d, 0, 0x61]), Some(Decoded { units: vec![0xd83d, 0x61], plain: true }));
        assert_eq!(decode(&[255, 1, 2, 3]), Some(Decoded { units: vec![0x102], plain: false }));
        assert_eq!((decode(&[7, 1]), decode(&[])), (None, None));
        assert_eq!(decode_field(&[8, 0x41, 0x42, 0, 3]), Some(vec![0x41, 0x42]));
        assert_eq!(decode_field(&[8, 0x41, 9]), None);
    }
}
