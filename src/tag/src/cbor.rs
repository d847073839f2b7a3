//! Strict deterministic CBOR (RFC 8949, 4.2.1), as section 3 of the specification limits it.
//!
//! [`check`] looks at a whole item before anything is built from it. [`Reader`] takes typed values from a slice and
//! accepts the shortest forms only; [`Writer`] makes nothing else. Neither allocates from a length that was announced.

use thiserror::Error;

/// Items inside items.
const MAX_DEPTH: usize = 8;
/// `COSE_Sign` (RFC 9052, 2).
pub(crate) const TAG_COSE_SIGN: u64 = 98;

/// What is wrong with encoded bytes, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("at byte {at}: {what}")]
pub struct Malformed {
    /// Byte from the start of the item that was decoded.
    pub at: usize,
    /// What was expected or is not allowed.
    pub what: &'static str,
}

/// The head of an item, with the content of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Unsigned(u64),
    /// The number is −1 − n.
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(u64),
    Map(u64),
    Tag(u64),
    Bool(bool),
    Null,
}

/// Takes items from a slice.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, Malformed>;

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes taken so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn wrong<T>(&self, what: &'static str) -> Read<T> {
        Err(Malformed { at: self.at, what })
    }

    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    fn raw(&mut self, length: u64) -> Read<&'a [u8]> {
        let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
        let Some((end, slice)) = end.and_then(|end| Some((end, self.bytes.get(self.at..end)?))) else {
            return self.wrong("ends too early");
        };
        self.at = end;
        Ok(slice)
    }

    /// Initial byte and argument, in the shortest form (RFC 8949, 3 and 4.2.1).
    pub(crate) fn head(&mut self) -> Read<(u8, u64)> {
        let initial = self.raw(1)?.first().copied().unwrap_or(0);
        let (major, info) = (initial >> 5, initial & 0x1f);
        let (width, least) = match info {
            0..=23 => return Ok((major, u64::from(info))),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return self.wrong("indefinite length"),
            _ => return self.wrong("reserved form"),
        };
        let value = self.raw(width)?.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        if major == 7 {
            return self.wrong("neither true, false nor null");
        }
        if value < least {
            return self.wrong("not the shortest form");
        }
        Ok((major, value))
    }

    /// The next item; of arrays and maps only the head.
    pub(crate) fn item(&mut self) -> Read<Item<'a>> {
        let (major, value) = self.head()?;
        Ok(match major {
            0 => Item::Unsigned(value),
            1 => Item::Negative(value),
            2 => Item::Bytes(self.raw(value)?),
            3 => match std::str::from_utf8(self.raw(value)?) {
                Ok(text) => Item::Text(text),
                Err(_) => return self.wrong("text that is not UTF-8"),
            },
            4 => Item::Array(self.count(value, 1)?),
            5 => Item::Map(self.count(value, 2)?),
            6 => Item::Tag(value),
            _ => match value {
                20 => Item::Bool(false),
                21 => Item::Bool(true),
                22 => Item::Null,
                _ => return self.wrong("neither true, false nor null"),
            },
        })
    }

    /// A number of items that can be there: each takes a byte at least.
    fn count(&self, count: u64, items: u64) -> Read<u64> {
        let least = count.checked_mul(items).and_then(|least| usize::try_from(least).ok());
        if least.is_some_and(|least| least <= self.left()) { Ok(count) } else { self.wrong("more items than bytes") }
    }

    pub(crate) fn unsigned(&mut self) -> Read<u64> {
        match self.item()? {
            Item::Unsigned(value) => Ok(value),
            _ => self.wrong("not an unsigned number"),
        }
    }

    /// An unsigned number up to `most`.
    pub(crate) fn up_to<T: TryFrom<u64>>(&mut self, most: u64) -> Read<T> {
        let value = self.unsigned()?;
        match T::try_from(value) {
            Ok(small) if value <= most => Ok(small),
            _ => self.wrong("number too large"),
        }
    }

    pub(crate) fn signed(&mut self) -> Read<i64> {
        let value = match self.item()? {
            Item::Unsigned(value) => i64::try_from(value).ok(),
            Item::Negative(value) => i64::try_from(value).ok().map(|value| !value),
            _ => return self.wrong("not a number"),
        };
        value.map_or_else(|| self.wrong("number too large"), Ok)
    }

    pub(crate) fn bytes(&mut self) -> Read<&'a [u8]> {
        match self.item()? {
            Item::Bytes(bytes) => Ok(bytes),
            _ => self.wrong("not a byte string"),
        }
    }

    pub(crate) fn array_of<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes = self.bytes()?;
        <[u8; N]>::try_from(bytes).or_else(|_| self.wrong("byte string of the wrong length"))
    }

    pub(crate) fn text(&mut self) -> Read<&'a str> {
        match self.item()? {
            Item::Text(text) => Ok(text),
            _ => self.wrong("not a text"),
        }
    }

    pub(crate) fn boolean(&mut self) -> Read<bool> {
        match self.item()? {
            Item::Bool(value) => Ok(value),
            _ => self.wrong("neither true nor false"),
        }
    }

    /// The length of an array.
    pub(crate) fn array(&mut self) -> Read<u64> {
        match self.item()? {
            Item::Array(length) => Ok(length),
            _ => self.wrong("not an array"),
        }
    }

    /// An array of exactly `length` items.
    pub(crate) fn tuple(&mut self, length: u64) -> Read<()> {
        if self.array()? == length { Ok(()) } else { self.wrong("array of the wrong length") }
    }

    /// An array of `least` to `most` items, each taken by `take`.
    pub(crate) fn list<T>(
        &mut self,
        least: u64,
        most: u64,
        mut take: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let length = self.array()?;
        if length < least || length > most {
            return self.wrong("too few or too many items");
        }
        (0..length).map(|_| take(self)).collect()
    }

    /// `null`, or what `take` takes.
    pub(crate) fn nullable<T>(&mut self, take: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.bytes.get(self.at) == Some(&0xf6) {
            self.at = self.at.saturating_add(1);
            return Ok(None);
        }
        take(self).map(Some)
    }

    /// A map whose keys are small numbers, to be taken in their order.
    pub(crate) fn fields(&mut self) -> Read<Fields> {
        match self.item()? {
            Item::Map(left) => Ok(Fields { left }),
            _ => self.wrong("not a map"),
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&self) -> Read<()> {
        if self.left() == 0 { Ok(()) } else { self.wrong("something follows the item") }
    }
}

/// The fields of a map that is being read.
#[derive(Debug)]
#[must_use]
pub(crate) struct Fields {
    left: u64,
}

impl Fields {
    /// The next field must be `key`.
    pub(crate) fn need(&mut self, reader: &mut Reader<'_>, key: u64) -> Read<()> {
        if self.has(reader, key)? { Ok(()) } else { reader.wrong("a field is missing or unknown") }
    }

    /// Whether the next field is `key`; if so, its value comes next.
    pub(crate) fn has(&mut self, reader: &mut Reader<'_>, key: u64) -> Read<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        let mut ahead = reader.clone();
        if ahead.item()? != Item::Unsigned(key) {
            return Ok(false);
        }
        *reader = ahead;
        self.left = self.left.saturating_sub(1);
        Ok(true)
    }

    /// No other field is left.
    pub(crate) fn end(self, reader: &Reader<'_>) -> Read<()> {
        if self.left == 0 { Ok(()) } else { reader.wrong("unknown field") }
    }
}

/// An array or map that is being checked.
struct Open<'a> {
    /// Items, or keys and values, still to come.
    left: u64,
    /// For a map: the key before; and whether a key comes next.
    keys: Option<(&'a [u8], bool)>,
}

/// Checks one whole item and that nothing follows. `outer_tag` is the one tag that it may have.
pub(crate) fn check(bytes: &[u8], outer_tag: Option<u64>) -> Read<()> {
    let mut reader = Reader::new(bytes);
    let mut open: Vec<Open<'_>> = Vec::with_capacity(MAX_DEPTH);
    let mut depth_of_tag = 0;
    if let Some(tag) = outer_tag {
        let mut ahead = reader.clone();
        if ahead.item()? == Item::Tag(tag) {
            reader = ahead;
            depth_of_tag = 1;
        }
    }
    loop {
        let start = reader.position();
        let item = reader.item()?;
        let inner = match item {
            Item::Tag(_) => return reader.wrong("tag"),
            Item::Array(left) => Some(Open { left, keys: None }),
            Item::Map(pairs) => Some(Open { left: pairs.saturating_mul(2), keys: Some((&[], true)) }),
            _ => None,
        };
        check_key(&reader, open.last_mut(), item, bytes.get(start..reader.position()).unwrap_or_default())?;
        if let Some(inner) = inner.filter(|inner| inner.left > 0) {
            if open.len().saturating_add(depth_of_tag) >= MAX_DEPTH {
                return reader.wrong("nested too deeply");
            }
            open.push(inner);
        }
        while open.last().is_some_and(|last| last.left == 0) {
            open.pop();
        }
        let Some(last) = open.last_mut() else { return reader.end() };
        last.left = last.left.saturating_sub(1);
    }
}

/// Keys are numbers or texts, ascending, once each.
fn check_key<'a>(reader: &Reader<'_>, map: Option<&mut Open<'a>>, item: Item<'_>, bytes: &'a [u8]) -> Read<()> {
    let Some(Open { keys: Some((before, is_key)), .. }) = map else { return Ok(()) };
    if *is_key {
        if !matches!(item, Item::Unsigned(_) | Item::Negative(_) | Item::Text(_)) {
            return reader.wrong("key that is neither number nor text");
        }
        if !before.is_empty() && *before >= bytes {
            return reader.wrong("keys out of order or repeated");
        }
        *before = bytes;
    }
    *is_key = !*is_key;
    Ok(())
}

/// Encodes in the one deterministic way. The caller keeps the order of keys.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn head(&mut self, major: u8, value: u64) -> &mut Self {
        let major = major << 5;
        let bytes = value.to_be_bytes();
        let (info, width) = match value {
            0..=23 => {
                let [.., low] = bytes;
                self.0.push(major | low);
                return self;
            }
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major | info);
        self.0.extend(bytes.iter().skip(bytes.len().saturating_sub(width)));
        self
    }

    pub(crate) fn unsigned(&mut self, value: impl Into<u64>) -> &mut Self {
        self.head(0, value.into())
    }

    pub(crate) fn signed(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            Err(_) => self.head(1, (!value).unsigned_abs()),
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.string(2, bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.string(3, text.as_bytes())
    }

    fn string(&mut self, major: u8, bytes: &[u8]) -> &mut Self {
        self.head(major, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn array(&mut self, length: usize) -> &mut Self {
        self.head(4, u64::try_from(length).unwrap_or(u64::MAX))
    }

    pub(crate) fn map(&mut self, length: usize) -> &mut Self {
        self.head(5, u64::try_from(length).unwrap_or(u64::MAX))
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.0.push(if value { 0xf5 } else { 0xf4 });
        self
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.0.push(0xf6);
        self
    }

    pub(crate) fn nullable<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            Some(value) => put(self, value),
            None => {
                self.null();
            }
        }
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8949, appendix A, the forms that we admit.
    #[test]
    fn deterministic_forms_are_accepted() {
        for good in [
            "00",
            "17",
            "1818",
            "1903e8",
            "1b000000e8d4a51000",
            "3903e7",
            "f4",
            "f6",
            "44010203 04",
            "6161",
            "83010203",
            "a201020304",
            "a26161016162820203",
            "80",
            "a0",
        ] {
            assert_eq!(check(&hex(good), None), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_other_form_is_refused() {
        for (bad, why) in [
            ("1817", "not the shortest form"),
            ("190018", "not the shortest form"),
            ("1a00000100", "not the shortest form"),
            ("1b00000000ffffffff", "not the shortest form"),
            ("5801aa", "not the shortest form"),
            ("f90000", "neither true, false nor null"),
            ("f7", "neither true, false nor null"),
            ("f818", "neither true, false nor null"),
            ("9fff", "indefinite length"),
            ("5f41aaff", "indefinite length"),
            ("1c", "reserved form"),
            ("c000", "tag"),
            ("a201000100", "keys out of order or repeated"),
            ("a202000100", "keys out of order or repeated"),
            ("a1800000", "key that is neither number nor text"),
            ("62c328", "text that is not UTF-8"),
            ("0000", "something follows the item"),
            ("4401", "ends too early"),
            ("9bffffffffffffffff", "more items than bytes"),
            ("bb8000000000000000", "more items than bytes"),
            ("81818181818181818100", "nested too deeply"),
            ("", "ends too early"),
        ] {
            assert_eq!(check(&hex(bad), None).unwrap_err().what, why, "{bad}");
        }
        assert_eq!(check(&hex("818181818181818100"), None), Ok(()));
    }

    #[test]
    fn numbers_survive_a_round() {
        for value in [0, 1, -1, 23, 24, -24, -25, 255, 256, -256, -257, 65_536, i64::MAX, i64::MIN] {
            let mut writer = Writer::default();
            writer.signed(value);
            let bytes = writer.into_bytes();
            assert_eq!(check(&bytes, None), Ok(()));
            assert_eq!(Reader::new(&bytes).signed(), Ok(value));
        }
    }

    fn hex(digits: &str) -> Vec<u8> {
        let digits: Vec<u8> = digits.bytes().filter(|digit| *digit != b' ').collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}
