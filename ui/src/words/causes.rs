//! Why something was not checked, and what to do: one pair for each cause of docs/report.md.

use super::messages;

messages! {
    UNREADABLE = "This part cannot be read. The medium may be damaged.";
    MEDIUM_REMOVED = "The medium was taken out before the end.";
    CORRUPT = "This part of the medium makes no sense. It is damaged, or a trap.";
    FILESYSTEM_UNSUPPORTED = "Part of the medium is in a format ({detail}) that the station does not read.";
    FEATURE_UNSUPPORTED = "This content is stored in a way that the station does not read.";
    UNKNOWN_CONTENT = "Part of the medium holds data that the station does not recognise.";
    AMBIGUOUS_NAMES = "Two files in one folder have the same name.";
    READ_LIMIT = "The medium holds more than the station accepts.";
    NOT_REGULAR_FILE = "This is not an ordinary file.";
    PERMISSION_DENIED = "The station has no right to read this file.";
    OTHER_FILESYSTEM = "This folder leads to another medium.";
    CHANGED_WHILE_READ = "This file changed while it was read.";
    CONTAINER_UNSUPPORTED = "This file ({detail}) holds others that the station cannot open.";
    CONTAINER_BROKEN = "This file ({detail}) is damaged or incomplete.";
    ENCRYPTED = "This file ({detail}) is protected by a password.";
    ENGINE_LIMIT = "This file is too large, or holds too many files inside one another.";
    ENGINE_TIMEOUT = "The antivirus took too long over this file.";
    ENGINE_FAILED = "The antivirus could not check this file.";
    MATCHER_CRASHED = "The antivirus failed on this file. It may be a trap.";
    MATCHER_HUNG = "The antivirus got stuck on this file. It may be a trap.";
    MATCHER_MEMORY = "This file needs more memory than the station has for it.";
    ENGINES_LOST = "The antivirus could not be started again. The rest was not checked.";
    DIGESTS_DIFFER = "Two checks of this content do not agree.";
    CONTENT_REFUSED = "This content got lost inside the station.";
    READER_LOST = "Reading stopped abruptly. The medium may be a trap.";
    NEVER_READ = "This file is in the list, but was never read.";
    CANCELLED_CAUSE = "Somebody stopped the check.";
    SPOOL_FULL = "The station has no room for such a large file.";
    OTHER_CAUSE = "The station gives a reason that this screen does not know ({detail}).";
    NEXT_STAFF = "Take this medium to the security staff.";
    NEXT_AGAIN = "Have this medium checked once more. If it happens again, tell the security staff.";
    NEXT_OTHER_MEDIUM = "Ask for the files on another USB key, a new one if possible.";
    NEXT_ORDINARY = "Ask for the files on an ordinary USB key.";
    NEXT_STAY = "Plug your medium in again, and leave it until the result.";
    NEXT_UNPROTECTED = "Ask for a copy without a password.";
    NEXT_PLAIN_FILES = "Ask for the files themselves, or for a ZIP file without a password.";
    NEXT_NEW_COPY = "Ask for a new copy of this file.";
    NEXT_SMALLER = "Ask for this content in smaller files.";
    NEXT_ADMINISTRATOR = "Tell the station's administrator.";
}
