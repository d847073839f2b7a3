# SPDX-License-Identifier: GPL-2.0-or-later
"""A program in the folder that macOS keeps empty on media."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/.Trashes")
    scene.put(".Trashes/x.exe", b"MZ")
