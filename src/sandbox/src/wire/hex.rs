//! Digests and GUIDs: raw bytes between processes, hexadecimal digits where a person reads (JSON).

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Write;

/// For `#[serde(with = "super::hex")]`.
pub(super) fn serialize<S, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    [u8; N]: Serialize,
{
    if !to.is_human_readable() {
        return bytes.serialize(to);
    }
    let mut digits = String::with_capacity(N.saturating_mul(2));
    for byte in bytes {
        write!(digits, "{byte:02x}").map_err(serde::ser::Error::custom)?;
    }
    to.serialize_str(&digits)
}

/// For `#[serde(with = "super::hex")]`.
pub(super) fn deserialize<'de, D, const N: usize>(from: D) -> Result<[u8; N], D::Error>
where
    D: Deserializer<'de>,
    [u8; N]: Deserialize<'de>,
{
    if !from.is_human_readable() {
        return <[u8; N]>::deserialize(from);
    }
    let digits = String::deserialize(from)?;
    let pair = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(pair).collect();
    let bytes = bytes.and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
    bytes.ok_or_else(|| D::Error::custom(format!("expected {} hexadecimal digits", N.saturating_mul(2))))
}
