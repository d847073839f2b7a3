# SPDX-License-Identifier: GPL-2.0-or-later
"""The short name of FAT beside a long one: it is not in the manifest, so the same bytes get a name more, here of a program."""

EXPECTED = "accepted"
SHORT = b"SETUP   EXE"


def checksum(short):
    """Microsoft, FAT32 file system specification 1.03, "ChkSum"."""
    total = 0
    for letter in short:
        total = ((total & 1) << 7) + (total >> 1) + letter & 0xFF
    return total


def attack(scene):
    at = scene.image.read_bytes().index(b"VEC~1TXT") - 3
    scene.write(at, SHORT)
    # The entry of the long name, in front of it, has a sum over the short one.
    scene.write(at - 32 + 13, bytes([checksum(SHORT)]))
