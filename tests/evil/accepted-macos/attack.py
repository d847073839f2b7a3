# SPDX-License-Identifier: GPL-2.0-or-later
"""What macOS writes on a key by seeing it."""

from host_artefacts import MACOS

EXPECTED = "accepted"


def attack(scene):
    scene.put_all(MACOS)
