//! libclamav behind a safe wrapper: start, load, limits, scan.
//!
//! `unsafe` of this crate stands here and in the two mappings of [`crate::matcher`]. libclamav says *clean* for many
//! things that it did not look at; [`scan`] lists them and says what is done about each.

mod bases;
mod ffi;
mod scan;

pub use bases::{FolderError, load_folders};
pub use scan::{Answer, Layer, Missed, ScanLimits, Watch};
pub(crate) use scan::{SMALLEST_CONTENT, is_in_windows};

use blanche_sandbox::wire::EngineLimits;
use std::ffi::{CStr, CString, c_char, c_int, c_longlong, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Mutex, Once, PoisonError};

/// Reads a constant of the installed header.
macro_rules! header {
    ($name:ident) => {
        // SAFETY: an immutable number, defined in csrc/constants.c with this type.
        unsafe { $crate::clamav::ffi::$name }
    };
}
pub(crate) use header;

/// Largest MaxFileSize that libclamav 1.4 keeps as it was given; larger ones are cut to this without an error.
pub const LARGEST_FILE_LIMIT: u64 = 2_147_483_645;

/// Limits of single parsers, above which libclamav skips the parser and, for HTML, the whole content. Set so high that
/// MaxFileSize, MaxScanSize and MaxScanTime, which do alert, come first.
const PARSER_LIMIT: i64 = 1 << 40;
/// Partitions in one disk image that are looked at.
const PARTITION_LIMIT: i64 = 1 << 16;

/// What went wrong in libclamav.
#[derive(Debug, thiserror::Error)]
pub enum ClamavError {
    /// Another libclamav than the one whose header was compiled.
    #[error("libclamav {found} is installed, but this program was built for {built}: rebuild it")]
    Version {
        /// What is running.
        found: String,
        /// What the header said.
        built: String,
    },
    /// A limit that libclamav would not keep, or did not.
    #[error("limit {name}: {given} was given, {found} is in force")]
    Limit {
        /// Name of the limit.
        name: &'static str,
        /// What was asked.
        given: u64,
        /// What was read back.
        found: u64,
    },
    /// libclamav answered with an error.
    #[error("{step}: {reason}")]
    Library {
        /// What was being done.
        step: String,
        /// libclamav's words.
        reason: String,
    },
    /// A path or a text holds a NUL byte.
    #[error("{0}: a NUL byte in a name")]
    Nul(String),
}

/// The last error message of libclamav, which prints its reasons instead of returning them.
static LAST_MESSAGE: Mutex<String> = Mutex::new(String::new());

extern "C" fn on_message(severity: c_int, _full: *const c_char, message: *const c_char, _context: *mut c_void) {
    if severity < header!(BLANCHE_CL_MSG_ERROR) || message.is_null() {
        return;
    }
    // SAFETY: libclamav hands over a NUL-terminated string that lives during the call.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().trim().to_owned();
    *LAST_MESSAGE.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

/// Takes the last message away, so that the next failure does not show an older reason.
fn last_message() -> Option<String> {
    let text = std::mem::take(&mut *LAST_MESSAGE.lock().unwrap_or_else(PoisonError::into_inner));
    (!text.is_empty()).then_some(text)
}

/// libclamav's name of an error code.
fn error_text(code: c_int) -> String {
    // SAFETY: cl_strerror returns a static string for every number.
    let text = unsafe { CStr::from_ptr(ffi::cl_strerror(code)) }.to_string_lossy().into_owned();
    match last_message() {
        Some(message) => format!("{text} ({message})"),
        None => text,
    }
}

/// Turns a libclamav code into a result.
fn check(code: c_int, step: impl Into<String>) -> Result<(), ClamavError> {
    if code == header!(BLANCHE_CL_CLEAN) {
        return Ok(());
    }
    Err(ClamavError::Library { step: step.into(), reason: error_text(code) })
}

/// A path for a C function.
fn c_path(path: &Path) -> Result<CString, ClamavError> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(path.as_os_str().as_bytes()).map_err(|_| ClamavError::Nul(path.display().to_string()))
}

/// Starts the library once and compares its version with the header's.
fn start() -> Result<String, ClamavError> {
    static START: Once = Once::new();
    START.call_once(|| {
        let options = header!(BLANCHE_CL_INIT_DEFAULT);
        // SAFETY: called once, before any other function of the library; the callback lives as long as the program.
        unsafe {
            ffi::cl_set_clcb_msg(on_message);
            ffi::cl_init(options);
        }
    });
    // SAFETY: both are static NUL-terminated strings.
    let (found, built) =
        unsafe { (CStr::from_ptr(ffi::cl_retver()), CStr::from_ptr(&raw const ffi::blanche_clamav_version)) };
    let (found, built) = (found.to_string_lossy().into_owned(), built.to_string_lossy().into_owned());
    // The numbers of enum cl_engine_field move between releases: 1.4.x is one release for this purpose.
    let release = |version: &str| version.splitn(3, '.').take(2).map(str::to_owned).collect::<Vec<_>>();
    if release(&found) != release(&built) {
        return Err(ClamavError::Version { found, built });
    }
    Ok(found)
}

/// One engine of libclamav. Not shared between threads; forked processes each have their copy.
#[derive(Debug)]
pub struct Clamav {
    engine: NonNull<ffi::Engine>,
    version: String,
    compiled: bool,
}

impl Clamav {
    /// A new engine without signatures.
    ///
    /// # Errors
    /// [`ClamavError::Version`] when the library is not the one of the header.
    pub fn new() -> Result<Self, ClamavError> {
        let version = start()?;
        // SAFETY: no arguments; NULL when memory runs out.
        let engine = NonNull::new(unsafe { ffi::cl_engine_new() })
            .ok_or_else(|| ClamavError::Library { step: "new engine".into(), reason: "no memory".into() })?;
        Ok(Self { engine, version, compiled: false })
    }

    /// Version of the library in use.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Loads every signature file of a folder and returns the number of signatures.
    ///
    /// # Errors
    /// libclamav's, with the file that it could not read.
    pub fn load(&mut self, folder: &Path) -> Result<u64, ClamavError> {
        let path = c_path(folder)?;
        let (mut signatures, options) = (0, header!(BLANCHE_CL_DB_STDOPT));
        last_message();
        // SAFETY: a live engine, a NUL-terminated path and a place for the number.
        let code = unsafe { ffi::cl_load(path.as_ptr(), self.engine.as_ptr(), &raw mut signatures, options) };
        check(code, format!("loading {}", folder.display()))?;
        Ok(u64::from(signatures))
    }

    /// Sets the limits, reads each back, and makes the engine ready to scan. The limits as they are in force come back.
    ///
    /// # Errors
    /// [`ClamavError::Limit`] when libclamav would silently keep another value.
    pub fn compile(&mut self, limits: EngineLimits) -> Result<EngineLimits, ClamavError> {
        if limits.max_file_size > LARGEST_FILE_LIMIT {
            let (given, found) = (limits.max_file_size, LARGEST_FILE_LIMIT);
            return Err(ClamavError::Limit { name: "max_file_size", given, found });
        }
        let table = [
            ("max_file_size", header!(BLANCHE_MAX_FILESIZE), limits.max_file_size),
            ("max_scan_size", header!(BLANCHE_MAX_SCANSIZE), limits.max_scan_size),
            ("max_files", header!(BLANCHE_MAX_FILES), limits.max_files.into()),
            ("max_recursion", header!(BLANCHE_MAX_RECURSION), limits.max_recursion.into()),
            ("max_scan_time", header!(BLANCHE_MAX_SCANTIME), limits.max_scan_time.into()),
            ("embedded executable size", header!(BLANCHE_MAX_EMBEDDEDPE), PARSER_LIMIT.unsigned_abs()),
            ("HTML size", header!(BLANCHE_MAX_HTMLNORMALIZE), PARSER_LIMIT.unsigned_abs()),
            ("HTML without tags size", header!(BLANCHE_MAX_HTMLNOTAGS), PARSER_LIMIT.unsigned_abs()),
            ("script size", header!(BLANCHE_MAX_SCRIPTNORMALIZE), PARSER_LIMIT.unsigned_abs()),
            ("zip size for type recognition", header!(BLANCHE_MAX_ZIPTYPERCG), PARSER_LIMIT.unsigned_abs()),
            ("size for regular expressions", header!(BLANCHE_PCRE_MAX_FILESIZE), PARSER_LIMIT.unsigned_abs()),
            ("partitions", header!(BLANCHE_MAX_PARTITIONS), PARTITION_LIMIT.unsigned_abs()),
            // The cache of clean layers would hide what is inside a layer that was seen before: no callback, no YARA.
            ("cache off", header!(BLANCHE_DISABLE_CACHE), 1),
            ("keep temporary files", header!(BLANCHE_KEEPTMP), 0),
        ];
        for (name, field, value) in table {
            self.set_number(name, field, value)?;
        }
        // SAFETY: a live engine that was not compiled yet; the callbacks live as long as the program.
        let code = unsafe {
            let engine = self.engine.as_ptr();
            ffi::cl_engine_set_clcb_virus_found(engine, scan::on_virus);
            ffi::cl_engine_set_clcb_file_inspection(engine, scan::on_layer);
            ffi::cl_engine_set_clcb_post_scan(engine, scan::on_layer_end);
            ffi::cl_engine_compile(engine)
        };
        check(code, "compiling signatures")?;
        self.compiled = true;
        for (name, field, value) in table {
            self.verify_number(name, field, value)?;
        }
        Ok(limits)
    }

    /// Where libclamav writes what it unpacks.
    ///
    /// # Errors
    /// libclamav's.
    pub fn set_temporary_folder(&mut self, folder: &Path) -> Result<(), ClamavError> {
        let (path, field) = (c_path(folder)?, header!(BLANCHE_TMPDIR));
        // SAFETY: a live engine and a NUL-terminated path that libclamav copies.
        let code = unsafe { ffi::cl_engine_set_str(self.engine.as_ptr(), field, path.as_ptr()) };
        check(code, format!("temporary folder {}", folder.display()))
    }

    fn set_number(&mut self, name: &'static str, field: i32, value: u64) -> Result<(), ClamavError> {
        let number = c_longlong::try_from(value).unwrap_or(c_longlong::MAX);
        // SAFETY: a live engine, and a field number from the installed header.
        check(unsafe { ffi::cl_engine_set_num(self.engine.as_ptr(), field, number) }, name)?;
        self.verify_number(name, field, value)
    }

    fn verify_number(&self, name: &'static str, field: i32, given: u64) -> Result<(), ClamavError> {
        let mut code = header!(BLANCHE_CL_CLEAN);
        // SAFETY: as above, with a place for the error.
        let found = unsafe { ffi::cl_engine_get_num(self.engine.as_ptr(), field, &raw mut code) };
        check(code, name)?;
        let found = u64::try_from(found).unwrap_or(u64::MAX);
        // Flags are read back as the bit of a mask.
        let same = if name == "cache off" { (found != 0) == (given != 0) } else { found == given };
        if same { Ok(()) } else { Err(ClamavError::Limit { name, given, found }) }
    }
}

/// Makes OpenSSL, which libclamav hashes with, read its configuration now: a confined process could not.
pub(crate) fn warm() {
    let (mut digest, mut length) = ([0u8; 64], 0);
    // SAFETY: a NUL-terminated name, no data, and a buffer that is longer than a SHA-256.
    unsafe {
        ffi::cl_hash_data(c"sha256".as_ptr(), digest.as_ptr().cast(), 0, digest.as_mut_ptr(), &raw mut length);
    }
}

impl Drop for Clamav {
    fn drop(&mut self) {
        // SAFETY: the engine is live and nobody else holds it.
        unsafe { ffi::cl_engine_free(self.engine.as_ptr()) };
    }
}

/// Text of a C string from outside, bounded.
fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: libclamav's strings are NUL-terminated and live during the callback.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
