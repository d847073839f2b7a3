# SPDX-License-Identifier: GPL-2.0-or-later
"""The partition is marked as the one to boot from."""

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.write(446, b"\x80")
