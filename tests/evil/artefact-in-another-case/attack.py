# SPDX-License-Identifier: GPL-2.0-or-later
"""A host artefact in a folder of another case: not the one that Windows makes."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/SYSTEM VOLUME INFORMATION")
    scene.put("SYSTEM VOLUME INFORMATION/WPSettings.dat", b"\x0c\0\0\0" + bytes(8))
