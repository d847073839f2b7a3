# SPDX-License-Identifier: GPL-2.0-or-later
"""A byte behind the item of the envelope."""

from scene import join

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    envelope, manifest = scene.parts()
    scene.write_tag(join(envelope + b"\0", manifest))
