# SPDX-License-Identifier: GPL-2.0-or-later
"""One bit of the classical signature."""

EXPECTED = "E-SIGNATURE"


def attack(scene):
    def turn(parts):
        signature = parts[3][0][2]
        parts[3][0][2] = signature[:-1] + bytes([signature[-1] ^ 1])

    scene.change_envelope(turn)
