# SPDX-License-Identifier: GPL-2.0-or-later
"""One byte of a folder entry: the name is shown in lower case."""

EXPECTED = "E-ADDED"


def attack(scene):
    # The bits of byte 12 (tag-format.md, section 8): base and extension in lower case.
    scene.replace(b"LETTRE  TXT\x20\x00", b"LETTRE  TXT\x20\x18")
