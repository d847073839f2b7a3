//! Dates of ISO 9660: the form of directory records, and the one of volume descriptors, which Rock Ridge uses too.

use crate::bytes::Record;
use crate::calendar::Civil;
use blanche_sandbox::wire::Modified;

/// Bytes of a date in a directory record.
pub(super) const SHORT: usize = 7;
/// Bytes of a date in a volume descriptor.
pub(super) const LONG: usize = 17;

/// A date of a directory record (ECMA-119, 9.1.5). Seven zeros say nothing.
pub(super) fn short(bytes: [u8; SHORT]) -> Option<Modified> {
    let [years, month, day, hour, minute, second, offset] = bytes;
    let year = u16::from(years).saturating_add(1900);
    moment(Civil { year, month, day, hour, minute, second }, offset)
}

/// A date of a volume descriptor (ECMA-119, 8.4.26.1): digits, year first. Hundredths are left out.
pub(super) fn long(bytes: [u8; LONG]) -> Option<Modified> {
    let record = Record(&bytes);
    let two = |at: usize| -> Option<u8> {
        let [tens, units] = record.array(at);
        let digit = |byte: u8| byte.is_ascii_digit().then(|| byte.saturating_sub(b'0'));
        Some(digit(tens)?.saturating_mul(10).saturating_add(digit(units)?))
    };
    let year = u16::from(two(0)?).saturating_mul(100).saturating_add(two(2)?.into());
    let civil = Civil { year, month: two(4)?, day: two(6)?, hour: two(8)?, minute: two(10)?, second: two(12)? };
    moment(civil, record.u8(16))
}

/// Local time so many quarters of an hour ahead of UTC, from -48 to 52. Another number says nothing about the zone.
fn moment(civil: Civil, offset: u8) -> Option<Modified> {
    match i8::from_le_bytes([offset]) {
        quarters @ -48..=52 => civil.quarters_ahead(quarters),
        _ => civil.local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::Clock;

    const UTC: Option<Modified> = Some(Modified { seconds: 1_795_521_600, clock: Clock::Utc });

    #[test]
    fn the_distance_from_utc_counts_only_where_it_can_be_one() {
        let at = |hour, offset: i8| short([126, 11, 24, hour, 0, 0, offset.to_le_bytes()[0]]);
        assert_eq!([at(12, 0), at(13, 4), at(0, -48), at(0, 52)].map(|found| found.unwrap().clock), [Clock::Utc; 4]);
        assert_eq!((at(12, 0), at(13, 4), at(0, -48)), (UTC, UTC, UTC));
        assert_eq!(at(0, 52).unwrap().seconds, 1_795_521_600 - 12 * 3600 - 13 * 3600);
        for nonsense in [-49, 53, i8::MIN, i8::MAX] {
            assert_eq!(at(12, nonsense), Some(Modified { seconds: 1_795_521_600, clock: Clock::Local }), "{nonsense}");
        }
    }

    #[test]
    fn digits_are_the_same_moment_and_anything_else_is_none() {
        let with = |text: &[u8; 16], offset: i8| {
            let mut bytes = [0; LONG];
            bytes[..16].copy_from_slice(text);
            bytes[16] = offset.to_le_bytes()[0];
            long(bytes)
        };
        assert_eq!((with(b"2026112412000099", 0), with(b"2026112413300000", 6)), (UTC, UTC));
        for nothing in [b"0000000000000000", b"2026023112000000", b"2026 12412000000", b"\xff026112412000000"] {
            assert_eq!(with(nothing, 0), None);
        }
        assert_eq!(short([0; SHORT]), None);
        assert_eq!(short([0xff; SHORT]), None);
    }
}
