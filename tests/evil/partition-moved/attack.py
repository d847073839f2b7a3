# SPDX-License-Identifier: GPL-2.0-or-later
"""The partition begins one sector later, where another filesystem could stand; its tag is given as a file."""

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    scene.given("given.tag", scene.read_tag())
    scene.write(446 + 8, (2049).to_bytes(4, "little"))
