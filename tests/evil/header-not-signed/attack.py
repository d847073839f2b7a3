# SPDX-License-Identifier: GPL-2.0-or-later
"""A header parameter outside of what is signed."""

EXPECTED = "E-ENVELOPE"


def attack(scene):
    scene.change_envelope(lambda parts: parts[1].update({4: b"key"}))
