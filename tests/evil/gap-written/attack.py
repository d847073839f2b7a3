# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot code in the gap between master boot record and first partition."""

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.write(512, b"\xeb\xfe")
