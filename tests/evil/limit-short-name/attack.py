# SPDX-License-Identifier: GPL-2.0-or-later
"""The short name of FAT beside a long one: it is not in the manifest, so the same bytes get a name more, here of a program."""

EXPECTED = "accepted"


def attack(scene):
    scene.change_short_name(scene.image.read_bytes().index(b"VEC~1TXT") - 3, b"SETUP   EXE")
