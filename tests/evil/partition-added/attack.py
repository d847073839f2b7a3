# SPDX-License-Identifier: GPL-2.0-or-later
"""A second partition with a payload behind the first, where the medium was empty."""

from workshop import MIB, Kind, make

EXPECTED = "E-BOOT"
LEVEL = "identity"


def attack(scene):
    added = scene.folder / "added.img"
    make(Kind("fat12", 2 * MIB), added, files={"x.exe": b"MZ"})
    scene.write(37 * MIB, added.read_bytes())
    sectors = ((37 * MIB) // 512).to_bytes(4, "little") + ((2 * MIB) // 512).to_bytes(4, "little")
    scene.write(446 + 16, bytes([0, 254, 255, 255, 1, 254, 255, 255]) + sectors)
