# SPDX-License-Identifier: GPL-2.0-or-later
"""The classical signature in both places."""

EXPECTED = "E-ALGORITHM"


def attack(scene):
    def repeat(parts):
        parts[3][1] = parts[3][0]

    scene.change_envelope(repeat)
