# SPDX-License-Identifier: GPL-2.0-or-later
"""A program under the name and of the size of a host artefact."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/System Volume Information")
    scene.put("System Volume Information/WPSettings.dat", b"MZ" + bytes(10))
