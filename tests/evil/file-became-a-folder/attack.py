# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder in the place of a file."""

EXPECTED = "E-CHANGED"


def attack(scene):
    scene.mtools("mdel", "::/LETTRE.TXT")
    scene.mtools("mmd", "::/LETTRE.TXT")
