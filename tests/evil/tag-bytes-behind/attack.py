# SPDX-License-Identifier: GPL-2.0-or-later
"""A payload behind the end of the tag file."""

EXPECTED = "E-FORMAT"
LEVEL = "identity"


def attack(scene):
    scene.write_tag(scene.read_tag() + b"MZ")
