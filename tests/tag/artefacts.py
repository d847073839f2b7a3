# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 11: the closed list of what ordinary hosts write on a medium by merely seeing it."""

import re

from claims import FAT
from manifest import FILE, FOLDER

FILESYSTEMS = (*FAT, "exfat", "ntfs")
GUID = rb"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
SID = rb"(?=.{1,64}(?:/|\Z))S-1-5-21(?:-[0-9]+)+"
DESKTOP_INI = (
    b"[.ShellClassInfo]\r\nCLSID={645FF040-5081-101B-9F08-00AA002F954E}\r\n"
    b"LocalizedResourceName=@%SystemRoot%\\system32\\shell32.dll,-8964\r\n"
)


def begins(start):
    return lambda content: content.startswith(start)


def is_indexer_guid(content):
    return content[1::2] == bytes(38) and re.fullmatch(rb"\{" + GUID + rb"\}", content[0::2]) is not None


def is_desktop_ini(content):
    return content == DESKTOP_INI


def is_fseventsd_uuid(content):
    return re.fullmatch(GUID, content) is not None


# path with / for the zero byte, smallest and largest size of a file (None: a folder), what its content must be
RULES = [
    (rb"System Volume Information", None, None),
    (rb"System Volume Information/WPSettings\.dat", (12, 12), begins(b"\x0c\0\0\0")),
    (rb"System Volume Information/IndexerVolumeGuid", (76, 76), is_indexer_guid),
    (rb"System Volume Information/AadRecoveryPasswordDelete", None, None),
    (rb"System Volume Information/ClientRecoveryPasswordRotation", None, None),
    (rb"\$RECYCLE\.BIN", None, None),
    (rb"\$RECYCLE\.BIN/desktop\.ini", (129, 129), is_desktop_ini),
    (rb"\$RECYCLE\.BIN/" + SID, None, None),
    (rb"\$RECYCLE\.BIN/" + SID + rb"/desktop\.ini", (129, 129), is_desktop_ini),
    (rb"\.fseventsd", None, None),
    (rb"\.fseventsd/fseventsd-uuid", (36, 36), is_fseventsd_uuid),
    (rb"\.fseventsd/[0-9a-f]{16}", (20, 65_536), begins(b"\x1f\x8b\x08")),
    (rb"\.Spotlight-V100", None, None),
    (rb"\.Spotlight-V100/VolumeConfiguration\.plist", (1, 8192),
     begins(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist ')),
    (rb"\.Trashes", None, None),
    (rb"\._\.Trashes", (4096, 4096), begins(b"\0\x05\x16\x07\0\x02\0\0")),
    (rb"\.DS_Store", (4096, 65_536), begins(b"\0\0\0\1Bud1")),
]


def rule_of(filesystem, path, kind, size):
    """The rule that an entry without a stream fits by name, kind and size."""
    if filesystem not in FILESYSTEMS or b"/" in path:
        return None
    shown = path.replace(b"\0", b"/")
    for pattern, sizes, content in RULES:
        if re.fullmatch(pattern, shown, re.DOTALL):
            fits = kind == FOLDER if sizes is None else kind == FILE and sizes[0] <= size <= sizes[1]
            return (pattern, content) if fits else None
    return None


class Tolerance:
    """Which of the seen (or the missing) entries are on the list, folders only with contents of the list."""

    def __init__(self, filesystems, entries):
        self.filesystems = filesystems
        self.streams = {(one.volume, one.path) for one in entries if one.stream is not None}
        self.inside = {}
        for one in entries:
            if one.stream is None:
                parent = one.path.rpartition(b"\0")[0]
                self.inside.setdefault((one.volume, parent), []).append(one)

    def fits(self, entry, read=None):
        """`read` gives the whole content; without it (a missing entry) the pattern cannot be compared."""
        if entry.stream is not None or (entry.volume, entry.path) in self.streams:
            return False
        rule = rule_of(self.filesystems[entry.volume], entry.path, entry.kind, entry.size)
        if rule is None:
            return False
        if entry.kind == FOLDER:
            return all(self.fits(one, read) for one in self.inside.get((entry.volume, entry.path), []))
        return read is None or rule[1](read(entry))
