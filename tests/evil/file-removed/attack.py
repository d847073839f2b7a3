# SPDX-License-Identifier: GPL-2.0-or-later
"""A file is deleted."""

EXPECTED = "E-REMOVED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mdel", "::/LETTRE.TXT")
