# SPDX-License-Identifier: GPL-2.0-or-later
"""The byte behind PercentInUse of exFAT, which may change."""

EXPECTED = "E-BOOT"
MEDIUM = "exfat"
VERIFIERS = ("linux", "windows")
LEVEL = "identity"


def attack(scene):
    scene.write(113, b"\xff")
