# SPDX-License-Identifier: GPL-2.0-or-later
"""A sealed key with FAT12, as the station left it."""

EXPECTED = "accepted"
MEDIUM = "fat12"


def attack(scene):
    assert scene.read_tag()
