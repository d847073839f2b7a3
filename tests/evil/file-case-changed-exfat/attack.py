# SPDX-License-Identifier: GPL-2.0-or-later
"""A name on exFAT in lower case, through Linux."""

EXPECTED = "E-ADDED"
MEDIUM = "exfat"


def attack(scene):
    with scene.mounted() as point:
        (point / "LETTRE.TXT").rename(point / "lettre.txt")
