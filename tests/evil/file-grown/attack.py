# SPDX-License-Identifier: GPL-2.0-or-later
"""One byte more at the end of a file."""

from workshop import LETTER

EXPECTED = "E-CHANGED"
LEVEL = "inventory"


def attack(scene):
    scene.put("LETTRE.TXT", LETTER + b"!")
