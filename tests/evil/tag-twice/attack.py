# SPDX-License-Identifier: GPL-2.0-or-later
"""A second folder entry named blanche.tag, with a payload as content."""

EXPECTED = "E-ADDED"


def attack(scene):
    scene.put("EVIL.TXT", b"MZ")
    # Lower case by the bits of byte 12, as the station writes the name.
    scene.replace(b"EVIL    TXT\x20\x00", b"BLANCHE TAG\x20\x18")
