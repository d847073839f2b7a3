# SPDX-License-Identifier: GPL-2.0-or-later
"""A host artefact with a payload behind what belongs there."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/System Volume Information")
    scene.put("System Volume Information/WPSettings.dat", b"\x0c\0\0\0" + bytes(8) + b"MZ")
