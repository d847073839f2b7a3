# SPDX-License-Identifier: GPL-2.0-or-later
"""A program on exFAT, through Linux."""

EXPECTED = "E-ADDED"
MEDIUM = "exfat"


def attack(scene):
    with scene.mounted() as point:
        (point / "x.exe").write_bytes(b"MZ")
