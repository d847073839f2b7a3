# SPDX-License-Identifier: GPL-2.0-or-later
"""An envelope of arrays in arrays, 200 000 deep: who recurses first and checks later runs out of stack."""

from scene import join

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    _, manifest = scene.parts()
    scene.write_tag(join(b"\xd8\x62" + b"\x81" * 200_000 + b"\0", manifest))
