# SPDX-License-Identifier: GPL-2.0-or-later
"""What macOS writes on a key with exFAT."""

from host_artefacts import MACOS

EXPECTED = "accepted"
MEDIUM = "exfat"


def attack(scene):
    scene.put_all(MACOS)
