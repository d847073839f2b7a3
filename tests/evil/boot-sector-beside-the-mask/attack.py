# SPDX-License-Identifier: GPL-2.0-or-later
"""The byte before the dirty flags of FAT32, which may change."""

from workshop import MIB

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.write(MIB + 64, bytes([scene.read(MIB + 64, 1)[0] ^ 0xFF]))
