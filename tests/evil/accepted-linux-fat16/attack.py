# SPDX-License-Identifier: GPL-2.0-or-later
"""The dirty flags of a FAT16 without a partition table."""

EXPECTED = "accepted"
MEDIUM = "fat16"


def attack(scene):
    scene.write(37, b"\x01")
