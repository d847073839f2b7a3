# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole manifest twice, one behind the other."""

from scene import join

EXPECTED = "E-MANIFEST"


def attack(scene):
    envelope, manifest = scene.parts()
    scene.write_tag(join(envelope, manifest * 2))
