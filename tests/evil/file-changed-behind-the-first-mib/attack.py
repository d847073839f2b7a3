# SPDX-License-Identifier: GPL-2.0-or-later
"""One bit in the second MiB of a long file."""

EXPECTED = "E-CHANGED"


def attack(scene):
    at = scene.image.read_bytes().index((340_000).to_bytes(4, "little") + (340_001).to_bytes(4, "little"))
    scene.write(at, bytes([scene.read(at, 1)[0] ^ 1]))
