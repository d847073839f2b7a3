# SPDX-License-Identifier: GPL-2.0-or-later
"""A third signature."""

EXPECTED = "E-SIGNATURES"


def attack(scene):
    scene.change_envelope(lambda parts: parts[3].append(parts[3][1]))
