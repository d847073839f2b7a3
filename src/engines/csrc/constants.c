/* What the Rust side must know about the installed <clamav.h>, as it stood when this was compiled.
 *
 * The numbers of enum cl_engine_field and the layout of struct cl_cvd are not part of a stable interface; a compiler
 * that reads the header is the only safe source. */

#include <clamav.h>
#include <clamav-version.h>
#include <stdint.h>

const char blanche_clamav_version[] = CLAMAV_VERSION;

const int32_t BLANCHE_CL_CLEAN = CL_CLEAN;
const int32_t BLANCHE_CL_VIRUS = CL_VIRUS;
const int32_t BLANCHE_CL_EMEM = CL_EMEM;
const int32_t BLANCHE_CL_EWRITE = CL_EWRITE;
const int32_t BLANCHE_CL_MSG_ERROR = CL_MSG_ERROR;
const uint32_t BLANCHE_CL_INIT_DEFAULT = CL_INIT_DEFAULT;
const uint32_t BLANCHE_CL_DB_STDOPT = CL_DB_STDOPT;
const uint32_t BLANCHE_CL_COUNTSIGS_ALL = CL_COUNTSIGS_ALL;

const int32_t BLANCHE_MAX_SCANSIZE = CL_ENGINE_MAX_SCANSIZE;
const int32_t BLANCHE_MAX_FILESIZE = CL_ENGINE_MAX_FILESIZE;
const int32_t BLANCHE_MAX_RECURSION = CL_ENGINE_MAX_RECURSION;
const int32_t BLANCHE_MAX_FILES = CL_ENGINE_MAX_FILES;
const int32_t BLANCHE_MAX_SCANTIME = CL_ENGINE_MAX_SCANTIME;
const int32_t BLANCHE_MAX_EMBEDDEDPE = CL_ENGINE_MAX_EMBEDDEDPE;
const int32_t BLANCHE_MAX_HTMLNORMALIZE = CL_ENGINE_MAX_HTMLNORMALIZE;
const int32_t BLANCHE_MAX_HTMLNOTAGS = CL_ENGINE_MAX_HTMLNOTAGS;
const int32_t BLANCHE_MAX_SCRIPTNORMALIZE = CL_ENGINE_MAX_SCRIPTNORMALIZE;
const int32_t BLANCHE_MAX_ZIPTYPERCG = CL_ENGINE_MAX_ZIPTYPERCG;
const int32_t BLANCHE_MAX_PARTITIONS = CL_ENGINE_MAX_PARTITIONS;
const int32_t BLANCHE_PCRE_MAX_FILESIZE = CL_ENGINE_PCRE_MAX_FILESIZE;
const int32_t BLANCHE_DISABLE_CACHE = CL_ENGINE_DISABLE_CACHE;
const int32_t BLANCHE_KEEPTMP = CL_ENGINE_KEEPTMP;
const int32_t BLANCHE_TMPDIR = CL_ENGINE_TMPDIR;

const uint32_t BLANCHE_GENERAL_ALLMATCHES = CL_SCAN_GENERAL_ALLMATCHES;
const uint32_t BLANCHE_GENERAL_HEURISTICS = CL_SCAN_GENERAL_HEURISTICS;
const uint32_t BLANCHE_PARSE_HTML = CL_SCAN_PARSE_HTML;
const uint32_t BLANCHE_PARSE_EVERYTHING =
    CL_SCAN_PARSE_ARCHIVE | CL_SCAN_PARSE_ELF | CL_SCAN_PARSE_PDF | CL_SCAN_PARSE_SWF | CL_SCAN_PARSE_HWP3 |
    CL_SCAN_PARSE_XMLDOCS | CL_SCAN_PARSE_MAIL | CL_SCAN_PARSE_OLE2 | CL_SCAN_PARSE_HTML | CL_SCAN_PARSE_PE |
    CL_SCAN_PARSE_ONENOTE | CL_SCAN_PARSE_IMAGE | CL_SCAN_PARSE_IMAGE_FUZZY_HASH;
/* Broken executables, exceeded limits, mismatched certificates in mails, macros, encrypted archives and documents.
 * Without EXCEEDS_MAX and the two ENCRYPTED flags libclamav answers "clean" for what it did not look at. */
const uint32_t BLANCHE_HEURISTIC_BROKEN = CL_SCAN_HEURISTIC_BROKEN;
const uint32_t BLANCHE_HEURISTIC_EXCEEDS_MAX = CL_SCAN_HEURISTIC_EXCEEDS_MAX;
const uint32_t BLANCHE_HEURISTIC_SSL_MISMATCH = CL_SCAN_HEURISTIC_PHISHING_SSL_MISMATCH;
const uint32_t BLANCHE_HEURISTIC_MACROS = CL_SCAN_HEURISTIC_MACROS;
const uint32_t BLANCHE_HEURISTIC_ENCRYPTED_ARCHIVE = CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE;
const uint32_t BLANCHE_HEURISTIC_ENCRYPTED_DOC = CL_SCAN_HEURISTIC_ENCRYPTED_DOC;

/* Version, number of signatures and time stamp of a CVD or CLD file; 0 when its header was read. */
int blanche_clamav_cvd_head(const char *path, uint32_t *version, uint32_t *signatures, int64_t *seconds)
{
    struct cl_cvd *head = cl_cvdhead(path);
    if (!head)
        return 1;
    *version = head->version;
    *signatures = head->sigs;
    *seconds = (int64_t)head->stime;
    cl_cvdfree(head);
    return 0;
}
