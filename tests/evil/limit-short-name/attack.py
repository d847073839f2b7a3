# SPDX-License-Identifier: GPL-2.0-or-later
"""The short name of FAT beside a long one: it is not in the manifest, so the same bytes get a name more, here of a program."""

from fat_names import checksum

EXPECTED = "accepted"
SHORT = b"SETUP   EXE"


def attack(scene):
    at = scene.image.read_bytes().index(b"VEC~1TXT") - 3
    scene.write(at, SHORT)
    # The entry of the long name, in front of it, has a sum over the short one.
    scene.write(at - 32 + 13, bytes([checksum(SHORT)]))
