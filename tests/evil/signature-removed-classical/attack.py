# SPDX-License-Identifier: GPL-2.0-or-later
"""The classical signature is taken away."""

EXPECTED = "E-SIGNATURES"


def attack(scene):
    scene.change_envelope(lambda parts: parts[3].pop(0))
