# SPDX-License-Identifier: GPL-2.0-or-later
"""A filesystem in the middle of a gap, where no boot area looks and no table points yet."""

from workshop import MIB, Kind, make

EXPECTED = "E-ADDED"
VERIFIERS = ("linux", "windows")


def attack(scene):
    added = scene.folder / "added.img"
    make(Kind("fat12", MIB), added, files={"x.exe": b"MZ"})
    scene.write(38 * MIB, added.read_bytes())
