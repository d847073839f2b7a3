# SPDX-License-Identifier: GPL-2.0-or-later
"""One bit of the post-quantum signature."""

EXPECTED = "E-SIGNATURE"


def attack(scene):
    def turn(parts):
        signature = parts[3][1][2]
        parts[3][1][2] = signature[:-1] + bytes([signature[-1] ^ 1])

    scene.change_envelope(turn)
