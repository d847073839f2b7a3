# SPDX-License-Identifier: GPL-2.0-or-later
"""An alternate stream beside a file of NTFS."""

EXPECTED = "E-ADDED"
MEDIUM = "ntfs"


def attack(scene):
    with scene.mounted() as point:
        (point / "LETTRE.TXT:x.exe").write_bytes(b"MZ")
