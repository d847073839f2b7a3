# SPDX-License-Identifier: GPL-2.0-or-later
"""A version of the tag file that does not exist yet."""

EXPECTED = "E-VERSION"
LEVEL = "identity"


def attack(scene):
    tag = scene.read_tag()
    scene.write_tag(tag[:8] + b"\0\2" + tag[10:])
