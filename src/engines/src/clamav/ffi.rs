//! The functions of libclamav that are used, and nothing else.
//!
//! Types of the functions: clamav.h of ClamAV 1.4. Every constant comes from `csrc/constants.c`, which a C compiler
//! built against the installed header.

use std::ffi::{c_char, c_int, c_long, c_longlong, c_uint, c_ulong, c_void};

/// `struct cl_engine`, opaque.
#[repr(C)]
pub(super) struct Engine {
    _opaque: [u8; 0],
}

/// `cl_fmap_t`, opaque.
#[repr(C)]
pub(super) struct Map {
    _opaque: [u8; 0],
}

/// `struct cl_scan_options`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ScanOptions {
    pub(super) general: u32,
    pub(super) parse: u32,
    pub(super) heuristic: u32,
    pub(super) mail: u32,
    pub(super) dev: u32,
}

/// `clcb_virus_found`.
pub(super) type VirusFound = extern "C" fn(fd: c_int, name: *const c_char, context: *mut c_void);
/// `clcb_post_scan`.
pub(super) type PostScan = extern "C" fn(fd: c_int, result: c_int, name: *const c_char, context: *mut c_void) -> c_int;
/// `clcb_file_inspection`.
pub(super) type FileInspection = extern "C" fn(
    fd: c_int,
    kind: *const c_char,
    ancestors: *mut *const c_char,
    parent_size: usize,
    name: *const c_char,
    size: usize,
    buffer: *const c_char,
    depth: u32,
    attributes: u32,
    context: *mut c_void,
) -> c_int;
/// `clcb_msg`.
pub(super) type Message =
    extern "C" fn(severity: c_int, full: *const c_char, message: *const c_char, context: *mut c_void);

// SAFETY: these are the prototypes of clamav.h 1.4 (the version is compared at start, see `Clamav::new`); the
// constants are defined with these types in csrc/constants.c.
unsafe extern "C" {
    pub(super) fn cl_init(options: c_uint) -> c_int;
    pub(super) fn cl_retver() -> *const c_char;
    pub(super) fn cl_strerror(code: c_int) -> *const c_char;
    pub(super) fn cl_set_clcb_msg(callback: Message);
    pub(super) fn cl_engine_new() -> *mut Engine;
    pub(super) fn cl_engine_free(engine: *mut Engine) -> c_int;
    pub(super) fn cl_engine_compile(engine: *mut Engine) -> c_int;
    pub(super) fn cl_engine_set_num(engine: *mut Engine, field: c_int, value: c_longlong) -> c_int;
    pub(super) fn cl_engine_get_num(engine: *const Engine, field: c_int, error: *mut c_int) -> c_longlong;
    pub(super) fn cl_engine_set_str(engine: *mut Engine, field: c_int, value: *const c_char) -> c_int;
    pub(super) fn cl_engine_set_clcb_virus_found(engine: *mut Engine, callback: VirusFound);
    pub(super) fn cl_engine_set_clcb_post_scan(engine: *mut Engine, callback: PostScan);
    pub(super) fn cl_engine_set_clcb_file_inspection(engine: *mut Engine, callback: FileInspection);
    pub(super) fn cl_load(path: *const c_char, engine: *mut Engine, signatures: *mut c_uint, options: c_uint) -> c_int;
    pub(super) fn cl_countsigs(path: *const c_char, options: c_uint, signatures: *mut c_uint) -> c_int;
    pub(super) fn cl_fmap_open_memory(start: *const c_void, length: usize) -> *mut Map;
    pub(super) fn cl_hash_data(
        algorithm: *const c_char,
        data: *const c_void,
        length: usize,
        digest: *mut u8,
        digest_length: *mut c_uint,
    ) -> *mut u8;
    pub(super) fn cl_fmap_close(map: *mut Map);
    pub(super) fn cl_scanmap_callback(
        map: *mut Map,
        name: *const c_char,
        virus: *mut *const c_char,
        scanned: *mut c_ulong,
        engine: *const Engine,
        options: *mut ScanOptions,
        context: *mut c_void,
    ) -> c_int;

    pub(super) fn blanche_clamav_cvd_head(
        path: *const c_char,
        version: *mut u32,
        signatures: *mut u32,
        seconds: *mut i64,
    ) -> c_int;
    /// NUL-terminated.
    pub(super) static blanche_clamav_version: c_char;

    pub(super) static BLANCHE_CL_CLEAN: i32;
    pub(super) static BLANCHE_CL_VIRUS: i32;
    pub(super) static BLANCHE_CL_EMEM: i32;
    pub(super) static BLANCHE_CL_EWRITE: i32;
    pub(super) static BLANCHE_CL_MSG_ERROR: i32;
    pub(super) static BLANCHE_CL_INIT_DEFAULT: u32;
    pub(super) static BLANCHE_CL_DB_STDOPT: u32;
    pub(super) static BLANCHE_CL_COUNTSIGS_ALL: u32;

    pub(super) static BLANCHE_MAX_SCANSIZE: i32;
    pub(super) static BLANCHE_MAX_FILESIZE: i32;
    pub(super) static BLANCHE_MAX_RECURSION: i32;
    pub(super) static BLANCHE_MAX_FILES: i32;
    pub(super) static BLANCHE_MAX_SCANTIME: i32;
    pub(super) static BLANCHE_MAX_EMBEDDEDPE: i32;
    pub(super) static BLANCHE_MAX_HTMLNORMALIZE: i32;
    pub(super) static BLANCHE_MAX_HTMLNOTAGS: i32;
    pub(super) static BLANCHE_MAX_SCRIPTNORMALIZE: i32;
    pub(super) static BLANCHE_MAX_ZIPTYPERCG: i32;
    pub(super) static BLANCHE_MAX_PARTITIONS: i32;
    pub(super) static BLANCHE_PCRE_MAX_FILESIZE: i32;
    pub(super) static BLANCHE_DISABLE_CACHE: i32;
    pub(super) static BLANCHE_KEEPTMP: i32;
    pub(super) static BLANCHE_TMPDIR: i32;

    pub(super) static BLANCHE_GENERAL_ALLMATCHES: u32;
    pub(super) static BLANCHE_GENERAL_HEURISTICS: u32;
    pub(super) static BLANCHE_PARSE_HTML: u32;
    pub(super) static BLANCHE_PARSE_EVERYTHING: u32;
    pub(super) static BLANCHE_HEURISTIC_BROKEN: u32;
    pub(super) static BLANCHE_HEURISTIC_EXCEEDS_MAX: u32;
    pub(super) static BLANCHE_HEURISTIC_SSL_MISMATCH: u32;
    pub(super) static BLANCHE_HEURISTIC_MACROS: u32;
    pub(super) static BLANCHE_HEURISTIC_ENCRYPTED_ARCHIVE: u32;
    pub(super) static BLANCHE_HEURISTIC_ENCRYPTED_DOC: u32;
}

/// The widths that the prototypes above rely on (LP64: x86-64 and AArch64 Linux).
const _: () = assert!(size_of::<c_long>() == 8 && size_of::<usize>() == 8);
