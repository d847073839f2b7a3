# SPDX-License-Identifier: GPL-2.0-or-later
"""One letter of a file, in place."""

from workshop import LETTER

EXPECTED = "E-CHANGED"


def attack(scene):
    scene.replace(LETTER, b"b" + LETTER[1:])
