# SPDX-License-Identifier: GPL-2.0-or-later
"""A sector of the reserved region of FAT32 that no host reads, but boot code may."""

from workshop import MIB

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.write(MIB + 20 * 512, b"\xeb\xfe")
