# SPDX-License-Identifier: GPL-2.0-or-later
"""What ordinary hosts write on a key by merely seeing it (tag-format.md, section 11); None: a folder."""

import gzip

from artefacts import DESKTOP_INI

GUID = "6B29FC40-CA47-1067-B31D-00DD010662DA"
SID = "S-1-5-21-1004336348-1177238915-682003330-1001"

WINDOWS = {
    "System Volume Information": None,
    "System Volume Information/IndexerVolumeGuid": f"{{{GUID}}}".encode("utf-16-le"),
    "System Volume Information/WPSettings.dat": b"\x0c\0\0\0" + bytes(range(8)),
    "$RECYCLE.BIN": None,
    "$RECYCLE.BIN/desktop.ini": DESKTOP_INI,
    f"$RECYCLE.BIN/{SID}": None,
    f"$RECYCLE.BIN/{SID}/desktop.ini": DESKTOP_INI,
}

MACOS = {
    ".fseventsd": None,
    ".fseventsd/fseventsd-uuid": GUID.encode(),
    ".fseventsd/0000000000a1b2c3": gzip.compress(b"1SLD" + bytes(40)),
    ".Spotlight-V100": None,
    ".Spotlight-V100/VolumeConfiguration.plist":
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN">\n<plist/>\n',
    ".Trashes": None,
    "._.Trashes": b"\0\x05\x16\x07\0\x02\0\0" + bytes(4088),
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(6140),
}
