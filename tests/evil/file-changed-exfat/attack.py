# SPDX-License-Identifier: GPL-2.0-or-later
"""One letter of a file on exFAT, through Linux."""

from workshop import LETTER

EXPECTED = "E-CHANGED"
MEDIUM = "exfat"


def attack(scene):
    with scene.mounted() as point:
        (point / "LETTRE.TXT").write_bytes(b"b" + LETTER[1:])
