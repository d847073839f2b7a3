# SPDX-License-Identifier: GPL-2.0-or-later
"""Level inventory does not read contents: a changed letter is accepted there, and only there."""

from workshop import LETTER

EXPECTED = "accepted"
LEVEL = "inventory"


def attack(scene):
    scene.replace(LETTER, b"b" + LETTER[1:])
