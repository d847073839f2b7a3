# SPDX-License-Identifier: GPL-2.0-or-later
"""What Windows writes on a key with exFAT."""

from host_artefacts import WINDOWS

EXPECTED = "accepted"
MEDIUM = "exfat"


def attack(scene):
    scene.put_all(WINDOWS)
