# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot code in the master boot record, right behind the disk signature that may change."""

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.write(444, b"\xeb")
