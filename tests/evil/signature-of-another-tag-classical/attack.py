# SPDX-License-Identifier: GPL-2.0-or-later
"""The classical signature of another real tag of the same station."""

from pathlib import Path

from scene import envelope_parts, split
from station import run
from workshop import copy_sparse

EXPECTED = "E-SIGNATURE"


def attack(scene):
    other = Path(scene.folder, "other.img")
    copy_sparse(scene.image, other)
    scene.sealed.station.seal(other)
    envelope, _ = split(run("mtype", "-i", f"{other}@@{scene.kind.start}", "::/blanche.tag"))
    foreign = envelope_parts(envelope)[3][0]

    def exchange(parts):
        parts[3][0] = foreign

    scene.change_envelope(exchange)
