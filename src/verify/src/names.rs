//! Paths of a host and paths of a manifest (docs/tag-format.md, section 8).

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// One name as it stands in a manifest: bytes on Unix, UTF-16 as WTF-8 on Windows.
#[cfg(unix)]
pub(crate) fn from_host(name: &OsStr) -> Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    Cow::Borrowed(name.as_bytes())
}

#[cfg(unix)]
fn to_host(name: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(name.to_vec())
}

/// One name as it stands in a manifest: bytes on Unix, UTF-16 as WTF-8 on Windows.
#[cfg(windows)]
pub(crate) fn from_host(name: &OsStr) -> Cow<'_, [u8]> {
    use std::os::windows::ffi::OsStrExt;
    Cow::Owned(blanche_media::wtf8(&name.encode_wide().collect::<Vec<_>>()))
}

#[cfg(windows)]
fn to_host(name: &[u8]) -> OsString {
    use std::os::windows::ffi::OsStringExt;
    OsString::from_wide(&wide(name))
}

/// A path of a manifest below a folder of the host.
pub(crate) fn below(root: &Path, path: &[u8]) -> PathBuf {
    let names = path.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.fold(root.to_owned(), |mut whole, name| {
        whole.push(to_host(name));
        whole
    })
}

/// Appends to `out` a path of a manifest with a name more.
pub(crate) fn join(out: &mut Vec<u8>, path: &[u8], name: &[u8]) {
    if !path.is_empty() {
        out.extend_from_slice(path);
        out.push(0);
    }
    out.extend_from_slice(name);
}

/// WTF-8 as UTF-16 (<https://wtf-8.codeberg.page/>, 4.4). Names come from [`from_host`], so that nothing else stands here.
#[cfg(any(windows, test))]
fn wide(name: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let (text, after) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), after)
            }
        };
        units.extend(text.encode_utf16());
        rest = match after {
            // A lone surrogate: ED, then A0 to BF, then 80 to BF.
            [0xed, second @ 0xa0..=0xbf, third, after @ ..] => {
                let low = (u16::from(*second & 0x3f) << 6) | u16::from(*third & 0x3f);
                units.push(0xd000 | low);
                after
            }
            [_, after @ ..] => {
                units.push(0xfffd);
                after
            }
            [] => after,
        };
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_comes_back_as_it_was() {
        for units in
            [&[0x61, 0xe9, 0xd83d, 0xde00][..], &[0xd800], &[0xdfff, 0x41, 0xd83d], &[0x2028, 0x202e, 0xfffd], &[]]
        {
            assert_eq!(wide(&blanche_media::wtf8(units)), units, "{units:x?}");
        }
    }

    #[test]
    fn paths_lead_below_the_folder() {
        let path = below(Path::new("root"), b"a\0b c\0d");
        assert_eq!(path, Path::new("root").join("a").join("b c").join("d"));
        let mut joined = b"x".to_vec();
        join(&mut joined, b"", b"a");
        join(&mut joined, b"b\0c", b"d");
        assert_eq!(joined, b"xab\0c\0d");
        assert_eq!(*from_host(OsStr::new("é")), *"é".as_bytes());
    }
}
