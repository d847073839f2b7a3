//! Names in FAT folders: long names in pieces of 13 UTF-16 units (FAT specification 1.03, "FAT Long Directory
//! Entries") and short names in a code page.

use crate::bytes::Record;
use crate::names::{fold_key, upper};

/// Most pieces of a long name.
const MAX_PIECES: u8 = 20;
/// UTF-16 units of a piece.
const PIECE_UNITS: usize = 13;

/// Upper half of code page 850: Western Windows, mkfs.vfat and mtools use it for short names (Linux shows them in 437
/// by default). A name with a long form does not depend on it.
const CODE_PAGE_850: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û',
    'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '®', '¬', '½', '¼', '¡',
    '«', '»', '░', '▒', '▓', '│', '┤', 'Á', 'Â', 'À', '©', '╣', '║', '╗', '╝', '¢', '¥', '┐', '└', '┴', '┬', '├', '─',
    '┼', 'ã', 'Ã', '╚', '╔', '╩', '╦', '╠', '═', '╬', '¤', 'ð', 'Ð', 'Ê', 'Ë', 'È', 'ı', 'Í', 'Î', 'Ï', '┘', '┌', '█',
    '▄', '¦', 'Ì', '▀', 'Ó', 'ß', 'Ô', 'Ò', 'õ', 'Õ', 'µ', 'þ', 'Þ', 'Ú', 'Û', 'Ù', 'ý', 'Ý', '¯', '´', '\u{ad}', '±',
    '‗', '¾', '¶', '§', '÷', '¸', '°', '¨', '·', '¹', '³', '²', '■', '\u{a0}',
];

/// Collects the pieces of a long name, which stand before their short entry in reverse order.
#[derive(Debug, Default)]
pub struct LongName {
    units: Vec<u16>,
    checksum: u8,
    /// Number of the piece that came last; 1 when the name is complete.
    at: u8,
}

impl LongName {
    /// Forgets what was collected.
    pub fn clear(&mut self) {
        self.units.clear();
        self.at = 0;
    }

    /// Takes one piece; one that does not continue the last makes what was collected an orphan.
    pub fn piece(&mut self, record: Record<'_>) {
        let order = record.u8(0);
        let number = order & !0x40;
        let checksum = record.u8(13);
        if order & 0x40 != 0 {
            self.clear();
            if !(1..=MAX_PIECES).contains(&number) {
                return;
            }
            self.units.resize(usize::from(number).saturating_mul(PIECE_UNITS), 0xffff);
        } else if self.at == 0 || Some(number) != self.at.checked_sub(1) || number == 0 || checksum != self.checksum {
            return self.clear();
        }
        self.at = number;
        self.checksum = checksum;
        let start = usize::from(number).saturating_sub(1).saturating_mul(PIECE_UNITS);
        let offsets = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
        for (unit, offset) in self.units.iter_mut().skip(start).zip(offsets) {
            *unit = record.u16(offset);
        }
    }

    /// The long name of the short entry that follows, unless it is an orphan.
    pub fn finish(&mut self, short: &[u8; 11]) -> Option<Vec<u16>> {
        let valid = self.at == 1 && self.checksum == checksum(short);
        let end = self.units.iter().position(|unit| *unit == 0).unwrap_or(self.units.len());
        let name = self.units.get(..end).unwrap_or_default().to_vec();
        self.clear();
        (valid && !name.is_empty()).then_some(name)
    }
}

/// Checksum of a short name (FAT specification 1.03, "ChkSum").
pub(crate) fn checksum(short: &[u8; 11]) -> u8 {
    short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The short name as hosts show it. `case` is the NT byte: 08h lower-case base, 10h lower-case extension.
pub(crate) fn short_name(short: &[u8; 11], case: u8) -> String {
    let mut raw = *short;
    // 05h stands for E5h, which would mean "deleted" (FAT specification 1.03, "DIR_Name[0]").
    if let [first @ 0x05, ..] = &mut raw {
        *first = 0xe5;
    }
    let (base, extension) = raw.split_at(8);
    let base = part(base, case & 0x08 != 0);
    let extension = part(extension, case & 0x10 != 0);
    match (base.is_empty(), extension.is_empty()) {
        // All spaces: kept as it is, because a name is never empty.
        (true, true) => " ".repeat(8),
        (_, true) => base,
        _ => format!("{base}.{extension}"),
    }
}

/// The short name for comparing it with a long one.
pub(crate) fn units(short: &[u8; 11]) -> Vec<u16> {
    short_name(short, 0).encode_utf16().collect()
}

fn part(bytes: &[u8], lower: bool) -> String {
    let end = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last.saturating_add(1));
    let letters = bytes.get(..end).unwrap_or_default().iter().map(|byte| letter(*byte));
    if lower { letters.flat_map(char::to_lowercase).collect() } else { letters.collect() }
}

/// Bytes of the code page as text.
pub(crate) fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| letter(*byte)).collect()
}

fn letter(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(high) => CODE_PAGE_850.get(usize::from(high)).copied().unwrap_or('?'),
    }
}

/// The forms under which hosts look an entry up. Long and short names share one space; a short name beyond ASCII is
/// compared by its bytes, because its code page is not known.
pub(crate) fn keys(long: Option<&[u16]>, short: &[u8; 11]) -> [Option<u64>; 2] {
    let text = short_name(short, 0);
    let key = if text.is_ascii() {
        folded(&text.encode_utf16().collect::<Vec<_>>())
    } else {
        fold_key(1, short.iter().map(|byte| u16::from(*byte)))
    };
    let long = long.map(folded).filter(|long| *long != key);
    [Some(key), long]
}

/// Without the trailing dots and spaces that hosts drop.
fn folded(units: &[u16]) -> u64 {
    let end = units.iter().rposition(|unit| !matches!(unit, 0x20 | 0x2e)).map_or(0, |last| last.saturating_add(1));
    fold_key(0, units.get(..end).unwrap_or_default().iter().map(|unit| upper(*unit)))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "test code")]
mod tests {
    use super::*;

    fn piece(order: u8, text: &str, checksum: u8) -> [u8; 32] {
        let mut record = [0xffu8; 32];
        record[0] = order;
        record[11..14].copy_from_slice(&[0x0f, 0, checksum]);
        let units = text.encode_utf16().chain(std::iter::once(0)).take(13);
        let offsets = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
        for (unit, offset) in units.zip(offsets) {
            record[offset..offset + 2].copy_from_slice(&unit.to_le_bytes());
        }
        record
    }

    #[test]
    fn a_long_name_needs_every_piece_and_the_checksum() {
        let short = b"THEQUI~1FOX";
        let sum = checksum(short);
        let collect = |pieces: &[[u8; 32]]| {
            let mut name = LongName::default();
            pieces.iter().for_each(|bytes| name.piece(Record(bytes)));
            name.finish(short).map(|units| String::from_utf16_lossy(&units))
        };
        let last = piece(0x42, "wn.fox", sum);
        let first = piece(0x01, "The quick bro", sum);
        assert_eq!(collect(&[last, first]).as_deref(), Some("The quick brown.fox"));
        assert_eq!(collect(&[first]), None);
        assert_eq!(collect(&[last]), None);
        assert_eq!(collect(&[last, piece(0x01, "The quick bro", sum ^ 1)]), None);
        assert_eq!(collect(&[last, last, first]).as_deref(), Some("The quick brown.fox"));
        assert_eq!(collect(&[piece(0x40 | 21, "x", sum), first]), None);
    }

    #[test]
    fn short_names_are_shown_as_hosts_do() {
        assert_eq!(short_name(b"README  TXT", 0), "README.TXT");
        assert_eq!(short_name(b"README  TXT", 0x18), "readme.txt");
        assert_eq!(short_name(b"README     ", 0x08), "readme");
        assert_eq!(short_name(b"NA\xd8VE   TXT", 0x18), "naïve.txt");
        assert_eq!(short_name(b"\x05\x90T\x90    TXT", 0), "ÕÉTÉ.TXT");
        assert_eq!(short_name(b"           ", 0), "        ");
    }

    #[test]
    fn a_long_name_may_not_hide_behind_a_short_one() {
        let other: Vec<u16> = "readme.txt".encode_utf16().collect();
        let [short, _] = keys(None, b"README  TXT");
        let [_, long] = keys(Some(&other), b"OTHER~1 TXT");
        assert_eq!(short, long);
        let trailing: Vec<u16> = "readme.txt. ".encode_utf16().collect();
        assert_eq!(keys(Some(&trailing), b"OTHER~1 TXT")[1], long);
    }
}
