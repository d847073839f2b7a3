//! What libraries open at first use, opened before the fork: a confined matcher cannot open it any more.

use std::ffi::CStr;

/// Encodings that libclamav converts from in HTML, mails, PDF and Office documents. glibc loads each as a shared
/// object; an encoding that is missing here is skipped by libclamav, which then matches the text as it stands.
const ENCODINGS: &[&CStr] = &[
    c"UTF-16",
    c"UTF-16BE",
    c"UTF-16LE",
    c"UTF-32",
    c"UTF-32BE",
    c"UTF-32LE",
    c"UCS-2",
    c"UCS-2BE",
    c"UCS-2LE",
    c"UCS-4",
    c"UCS-4BE",
    c"UCS-4LE",
    c"UNICODE",
    c"UTF-7",
    c"UTF-8",
    c"ASCII",
    c"ISO-8859-1",
    c"ISO-8859-2",
    c"ISO-8859-3",
    c"ISO-8859-4",
    c"ISO-8859-5",
    c"ISO-8859-6",
    c"ISO-8859-7",
    c"ISO-8859-8",
    c"ISO-8859-9",
    c"ISO-8859-10",
    c"ISO-8859-13",
    c"ISO-8859-14",
    c"ISO-8859-15",
    c"ISO-8859-16",
    c"CP1250",
    c"CP1251",
    c"CP1252",
    c"CP1253",
    c"CP1254",
    c"CP1255",
    c"CP1256",
    c"CP1257",
    c"CP1258",
    c"CP437",
    c"CP850",
    c"CP852",
    c"CP866",
    c"CP874",
    c"CP932",
    c"CP936",
    c"CP949",
    c"CP950",
    c"KOI8-R",
    c"KOI8-U",
    c"MACINTOSH",
    c"SHIFT_JIS",
    c"EUC-JP",
    c"ISO-2022-JP",
    c"GB2312",
    c"GBK",
    c"GB18030",
    c"BIG5",
    c"EUC-KR",
    c"ISO-2022-KR",
    c"TIS-620",
];
/// What it converts to.
const TARGETS: &[&CStr] = &[c"UTF-16BE", c"UTF-8", c"UTF-8//TRANSLIT"];

/// Opens encodings (and keeps them open), OpenSSL, the time zone and the source of random numbers. To be called before the
/// first fork, by the only thread.
pub(crate) fn warm() {
    crate::clamav::warm();
    for encoding in ENCODINGS {
        for target in TARGETS {
            // SAFETY: two NUL-terminated names. The descriptor is kept on purpose: glibc unloads what nobody uses.
            unsafe { libc::iconv_open(target.as_ptr(), encoding.as_ptr()) };
        }
    }
    let mut byte = [0u8; 1];
    let mut parts = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: localtime_r(3) with a time and a place for its parts; getrandom(2) with a buffer of one byte.
    unsafe {
        let seconds: libc::time_t = 0;
        libc::localtime_r(&raw const seconds, parts.as_mut_ptr());
        libc::getrandom(byte.as_mut_ptr().cast(), 1, 0);
    }
}
