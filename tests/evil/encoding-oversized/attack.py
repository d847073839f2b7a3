# SPDX-License-Identifier: GPL-2.0-or-later
"""An envelope of one byte more than the format allows."""

from scene import join

EXPECTED = "E-FORMAT"
LEVEL = "identity"


def attack(scene):
    envelope, manifest = scene.parts()
    scene.write_tag(join(envelope + bytes(262_145 - len(envelope)), manifest))
