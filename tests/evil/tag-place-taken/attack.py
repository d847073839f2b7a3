# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag is given as a file; on the medium a payload of the same length has its name."""

EXPECTED = "E-CHANGED"
LEVEL = "inventory"


def attack(scene):
    tag = scene.read_tag()
    scene.given("given.tag", tag)
    scene.write_tag(b"MZ" + bytes(len(tag) - 2))
