# SPDX-License-Identifier: GPL-2.0-or-later
"""An alternate stream of the root folder of NTFS."""

EXPECTED = "E-ADDED"
MEDIUM = "ntfs"


def attack(scene):
    with scene.mounted() as point:
        (point / ":x.exe").write_bytes(b"MZ")
