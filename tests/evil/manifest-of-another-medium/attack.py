# SPDX-License-Identifier: GPL-2.0-or-later
"""The manifest of another real tag of the same station."""

from pathlib import Path

from scene import join, split
from station import run
from workshop import FILES, make

EXPECTED = "E-MANIFEST"


def attack(scene):
    other = Path(scene.folder, "other.img")
    files = FILES | {"x.exe": b"MZ"}
    make(scene.kind, other, files=files)
    scene.sealed.station.seal(other)
    envelope, _ = scene.parts()
    _, manifest = split(run("mtype", "-i", f"{other}@@{scene.kind.start}", "::/blanche.tag"))
    scene.write_tag(join(envelope, manifest))
