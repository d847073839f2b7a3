//! One scan, and what libclamav does not tell by itself.
//!
//! libclamav answers *clean* for content that it did not look at. What this module does about it:
//! * limits: `HEURISTIC_EXCEEDS_MAX` is on, so each limit becomes a name ([`crate::severity`] turns it into a cause);
//! * a name may be NULL: handed on as `None`;
//! * content of a type that it ignores (MP3, Ogg, SQLite, … by their first bytes) is not matched at all, and HTML only
//!   in a normalised form, without what hides behind it: both are matched a second time in a form that it does not
//!   recognise ([`Again`]); text in UTF-16 is matched as UTF-8 too;
//! * parsers fail in silence: [`crate::containers`] compares what came out with what the container announces.

use super::{Clamav, check, ffi, header, text};
use std::ffi::{c_char, c_int, c_void};
use std::ops::Range;
use std::ptr;
use std::time::{Duration, Instant};

/// Bytes in a second that the time limit allows on top of its base: libclamav's slowest half, measured.
const BYTES_PER_SECOND: u64 = 5_000_000;
/// Most bytes that libclamav 1.4 matches to their end: its offsets have 32 bits, and in anything longer it goes in circles
/// until its time is over (8 GiB of zeros, seen).
const LONGEST: u64 = (4 << 30) - (16 << 20);
/// What is longer is matched in windows of so many bytes. A container as a whole is then not seen, so
/// [`crate::containers`] calls it not checked. Signatures of a whole file (digest, distance from its end) cannot match, nor
/// those whose parts lie in two windows; YARA sees the whole.
const WINDOW: u64 = 1 << 30;
/// By which a window reaches into the next: no signature without gaps is longer.
const OVERLAP: u64 = 1 << 20;
/// Bytes from which on libclamav looks at a content at all.
pub(crate) const SMALLEST_CONTENT: usize = 6;
/// Content of an ignored type inside content of an ignored type inside …: no honest file needs more.
const MAX_AGAIN: u32 = 3;

/// Limits of one scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    /// Bytes unpacked beyond the content's own size; 0 = no limit.
    pub max_scan_size: u64,
    /// Milliseconds, to which one second per 5 MB of content is added; 0 = no limit.
    pub max_scan_time: u32,
}

impl ScanLimits {
    /// Milliseconds for a content of so many bytes; 0 = no limit.
    #[must_use]
    pub fn time_for(&self, bytes: u64) -> u32 {
        if self.max_scan_time == 0 {
            return 0;
        }
        let extra = bytes.saturating_mul(1000) / BYTES_PER_SECOND;
        self.max_scan_time.saturating_add(u32::try_from(extra).unwrap_or(u32::MAX))
    }
}

/// One layer, as libclamav hands it over. The buffer is gone when the call returns.
#[derive(Debug)]
pub struct Layer<'a> {
    /// Its content.
    pub buffer: &'a [u8],
    /// libclamav's name of its type, such as "CL_TYPE_ZIP".
    pub kind: &'a str,
    /// Its name in its container, when libclamav knows it.
    pub name: Option<String>,
    /// 0 for the content itself.
    pub depth: u32,
    /// Made by libclamav (HTML without tags, for instance), not a member of a container.
    pub normalised: bool,
}

/// Who is told what happens during a scan, in this order: `enter` a layer, its inner layers, hits, `leave`.
pub trait Watch {
    /// A layer begins.
    fn enter(&mut self, layer: &Layer<'_>);
    /// The layer that was entered last ends.
    fn leave(&mut self);
    /// A signature matched; libclamav sometimes gives no name.
    fn hit(&mut self, name: Option<String>);
    /// A part was not matched, for this reason.
    fn missed(&mut self, reason: Missed);
}

/// Why a part was not matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Too many contents of an ignored type in each other.
    TooDeep,
    /// The time was over.
    Time,
    /// libclamav gave no buffer, or an error.
    Failed,
}

/// What libclamav answered in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Clean, for what it looked at.
    Clean,
    /// At least one hit.
    Hit,
    /// No memory.
    Memory,
    /// Another error.
    Failed(String),
}

/// The context of the callbacks of one call of libclamav.
struct Context<'a> {
    clamav: *const ffi::Engine,
    watch: &'a mut dyn Watch,
    /// Depth of this call's outermost layer.
    base: u32,
    /// A second look: the outermost layer was announced already.
    again: u32,
    deadline: Option<Instant>,
    /// Layers of this call that began and did not end.
    open: u32,
    /// The outermost layer of this call was announced.
    looked: bool,
    failed: bool,
}

impl Clamav {
    /// Matches `content` and every layer in it.
    ///
    /// # Errors
    /// When a limit cannot be set; what libclamav says about the content is in the [`Answer`].
    pub fn scan(
        &mut self,
        content: &[u8],
        limits: ScanLimits,
        watch: &mut dyn Watch,
    ) -> Result<Answer, super::ClamavError> {
        debug_assert!(self.compiled, "an engine scans after compile()");
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let scan_size = match limits.max_scan_size {
            0 => 0,
            more => more.saturating_add(bytes).min(i64::MAX.unsigned_abs()),
        };
        // The limit of a call; several calls have several.
        let time = limits.time_for(if bytes > LONGEST { WINDOW } else { bytes });
        self.set_number("max_scan_size", header!(BLANCHE_MAX_SCANSIZE), scan_size)?;
        self.set_number("max_scan_time", header!(BLANCHE_MAX_SCANTIME), time.into())?;
        if content.len() < SMALLEST_CONTENT {
            // libclamav refuses to look at so few bytes; the other engine does, and there is no layer in them.
            return Ok(Answer::Clean);
        }
        let patience = Duration::from_millis(limits.time_for(bytes).into());
        let deadline = (time != 0).then(|| Instant::now() + patience);
        let clamav = self.engine.as_ptr();
        let mut context = Context { clamav, watch, base: 0, again: 0, deadline, open: 0, looked: false, failed: false };
        let mut all = Answer::Clean;
        for range in windows(content.len()) {
            let part = content.get(range).unwrap_or_default();
            context.looked = false;
            match run(&mut context, part, true) {
                Answer::Clean if !context.looked && part.len() >= SMALLEST_CONTENT => {
                    return Ok(Answer::Failed("it answered without looking at the content".to_owned()));
                }
                Answer::Clean => {}
                Answer::Hit => all = Answer::Hit,
                failure => return Ok(failure),
            }
        }
        Ok(all)
    }
}

/// Whether a content of so many bytes is matched in windows.
pub(crate) fn is_in_windows(length: usize) -> bool {
    length > size(LONGEST)
}

/// What is given to libclamav at once: everything, or, when its 32-bit offsets would begin anew, windows that overlap.
fn windows(length: usize) -> impl Iterator<Item = Range<usize>> {
    let (window, overlap) = (size(WINDOW), size(OVERLAP));
    let step = if is_in_windows(length) { window } else { length.max(1) };
    (0..length.max(1)).step_by(step).map(move |start| start..start.saturating_add(step + overlap).min(length))
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// One call of libclamav.
fn run(context: &mut Context<'_>, content: &[u8], html: bool) -> Answer {
    let mut options = ffi::ScanOptions {
        general: header!(BLANCHE_GENERAL_ALLMATCHES) | header!(BLANCHE_GENERAL_HEURISTICS),
        parse: header!(BLANCHE_PARSE_EVERYTHING),
        heuristic: heuristics(),
        mail: 0,
        dev: 0,
    };
    if !html {
        options.parse &= !header!(BLANCHE_PARSE_HTML);
    }
    super::last_message();
    // SAFETY: `content` outlives the map, which is closed below; NULL when memory runs out.
    let map = unsafe { ffi::cl_fmap_open_memory(content.as_ptr().cast(), content.len()) };
    if map.is_null() {
        return Answer::Memory;
    }
    let (mut virus, mut scanned) = (ptr::null(), 0);
    // SAFETY: a compiled engine, a live map, options and places for the answers on this stack; the callbacks get
    // `context` back during this call only, and nobody else touches it meanwhile.
    let code = unsafe {
        let code = ffi::cl_scanmap_callback(
            map,
            ptr::null(),
            &raw mut virus,
            &raw mut scanned,
            context.clamav,
            &raw mut options,
            ptr::from_mut(context).cast(),
        );
        ffi::cl_fmap_close(map);
        code
    };
    answer(code, context.failed)
}

/// The heuristics that stay on in every scan.
fn heuristics() -> u32 {
    header!(BLANCHE_HEURISTIC_BROKEN)
        | header!(BLANCHE_HEURISTIC_EXCEEDS_MAX)
        | header!(BLANCHE_HEURISTIC_SSL_MISMATCH)
        | header!(BLANCHE_HEURISTIC_MACROS)
        | header!(BLANCHE_HEURISTIC_ENCRYPTED_ARCHIVE)
        | header!(BLANCHE_HEURISTIC_ENCRYPTED_DOC)
}

fn answer(code: c_int, failed: bool) -> Answer {
    // Files that it writes are in memory as well, and there is room for so many only.
    if code == header!(BLANCHE_CL_EMEM) || code == header!(BLANCHE_CL_EWRITE) {
        Answer::Memory
    } else if code == header!(BLANCHE_CL_VIRUS) {
        Answer::Hit
    } else if let Err(error) = check(code, "scanning") {
        Answer::Failed(error.to_string())
    } else if failed {
        Answer::Failed("a layer without content".to_owned())
    } else {
        Answer::Clean
    }
}

/// How a layer must be matched a second time.
enum Again {
    /// Without its first byte, so that its type is not recognised.
    WithoutFirstByte,
    /// As raw bytes instead of normalised HTML.
    AsRawBytes,
    /// From UTF-16 to UTF-8: signatures are written for the latter, and libclamav converts HTML only.
    AsUtf8,
}

impl Again {
    fn wanted(kind: &str) -> Option<Self> {
        match kind {
            "CL_TYPE_IGNORED" => Some(Self::WithoutFirstByte),
            "CL_TYPE_HTML" => Some(Self::AsRawBytes),
            "CL_TYPE_HTML_UTF16" | "CL_TYPE_TEXT_UTF16LE" | "CL_TYPE_TEXT_UTF16BE" => Some(Self::AsUtf8),
            _ => None,
        }
    }
}

impl Context<'_> {
    fn layer(&mut self, layer: &Layer<'_>, outermost: bool) {
        self.open = self.open.saturating_add(1);
        self.looked |= outermost;
        let first_look = self.again == 0 || !outermost;
        if first_look {
            self.watch.enter(layer);
        }
        match (Again::wanted(layer.kind), first_look) {
            (Some(how), true) => self.look_again(layer, &how),
            // Still ignored without its first byte: nothing matched it.
            (Some(Again::WithoutFirstByte), false) => self.watch.missed(Missed::Failed),
            _ => {}
        }
    }

    fn look_again(&mut self, layer: &Layer<'_>, how: &Again) {
        if self.again >= MAX_AGAIN {
            return self.watch.missed(Missed::TooDeep);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return self.watch.missed(Missed::Time);
        }
        match how {
            Again::WithoutFirstByte => {
                self.run_again(layer.buffer.get(1..).unwrap_or_default(), layer.depth, true);
            }
            Again::AsRawBytes => self.run_again(layer.buffer, layer.depth, false),
            Again::AsUtf8 => {
                let text = utf8_of(layer.buffer);
                let depth = layer.depth.saturating_add(1);
                let converted = Layer { buffer: &text, kind: layer.kind, name: None, depth, normalised: true };
                self.watch.enter(&converted);
                self.run_again(&text, depth, false);
                self.watch.leave();
            }
        }
    }

    fn run_again(&mut self, content: &[u8], depth: u32, html: bool) {
        if content.len() < SMALLEST_CONTENT {
            return;
        }
        let mut inner = Context {
            clamav: self.clamav,
            watch: &mut *self.watch,
            base: depth,
            again: self.again + 1,
            deadline: self.deadline,
            open: 0,
            looked: false,
            failed: false,
        };
        match run(&mut inner, content, html) {
            Answer::Clean | Answer::Hit => {}
            Answer::Memory | Answer::Failed(_) => self.watch.missed(Missed::Failed),
        }
    }
}

/// UTF-16 as UTF-8; big-endian when its mark or its first ASCII character says so.
fn utf8_of(content: &[u8]) -> Vec<u8> {
    let big = match content {
        [0xfe, 0xff, ..] => true,
        [0xff, 0xfe, ..] => false,
        [first, second, ..] => *first == 0 && *second != 0,
        _ => false,
    };
    let units = content.as_chunks::<2>().0.iter().map(|unit| match big {
        true => u16::from_be_bytes(*unit),
        false => u16::from_le_bytes(*unit),
    });
    let text = char::decode_utf16(units.skip_while(|unit| *unit == 0xfeff));
    text.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into_bytes()
}

/// The context of a callback.
///
/// # Safety
/// `context` must be what [`run`] gave to libclamav, during that call.
unsafe fn context<'a>(context: *mut c_void) -> Option<&'a mut Context<'a>> {
    // SAFETY: by the contract above it is NULL or a live `Context` that nobody else uses.
    unsafe { context.cast::<Context<'a>>().as_mut() }
}

/// Whether a name is libclamav's own, of a temporary file.
fn is_temporary(name: &str) -> bool {
    name.starts_with("clamav-") && name.ends_with(".tmp")
}

/// `LAYER_ATTRIBUTES_NORMALIZED`.
const NORMALISED: u32 = 1;

pub(super) extern "C" fn on_layer(
    _fd: c_int,
    kind: *const c_char,
    _ancestors: *mut *const c_char,
    _parent_size: usize,
    name: *const c_char,
    size: usize,
    buffer: *const c_char,
    depth: u32,
    attributes: u32,
    user: *mut c_void,
) -> c_int {
    // SAFETY: libclamav calls back with the context of the running scan.
    if let Some(context) = unsafe { context(user) } {
        let buffer = if buffer.is_null() {
            context.failed |= size != 0;
            &[]
        } else {
            // SAFETY: libclamav keeps `size` readable bytes mapped until this callback returns.
            unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), size) }
        };
        let kind = text(kind).unwrap_or_default();
        let layer = Layer {
            buffer,
            kind: &kind,
            name: text(name).filter(|name| !is_temporary(name)),
            depth: context.base.saturating_add(depth),
            normalised: attributes & NORMALISED != 0,
        };
        context.layer(&layer, depth == 0);
    }
    header!(BLANCHE_CL_CLEAN)
}

pub(super) extern "C" fn on_layer_end(_fd: c_int, _result: c_int, _name: *const c_char, user: *mut c_void) -> c_int {
    // SAFETY: as above.
    if let Some(context) = unsafe { context(user) } {
        context.open = context.open.saturating_sub(1);
        // The outermost layer of a second look was announced, and will end, in the first.
        if context.again == 0 || context.open > 0 {
            context.watch.leave();
        }
    }
    header!(BLANCHE_CL_CLEAN)
}

pub(super) extern "C" fn on_virus(_fd: c_int, name: *const c_char, user: *mut c_void) {
    // SAFETY: as above.
    if let Some(context) = unsafe { context(user) } {
        context.watch.hit(text(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_everything_and_overlap() {
        let whole: Vec<_> = windows(size(LONGEST)).collect();
        assert_eq!((whole.len(), whole[0].clone()), (1, 0..size(LONGEST)));
        for length in [LONGEST + 1, 5 << 30, (8 << 30) + 5] {
            let windows: Vec<_> = windows(size(length)).collect();
            assert_eq!((windows[0].start, windows.last().map(|last| last.end)), (0, Some(size(length))));
            for pair in windows.windows(2) {
                assert_eq!(pair[0].start + size(WINDOW), pair[1].start);
                assert_eq!(pair[0].end, (pair[1].start + size(OVERLAP)).min(size(length)));
            }
        }
    }
}
