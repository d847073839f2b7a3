# SPDX-License-Identifier: GPL-2.0-or-later
"""Both signatures, in the other order."""

EXPECTED = "E-ALGORITHM"


def attack(scene):
    scene.change_envelope(lambda parts: parts[3].reverse())
