# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole older state of a medium, on a workstation that never saw the newer one: valid until it expires."""

EXPECTED = "accepted"


def attack(scene):
    older = scene.image.read_bytes()
    scene.sealed.station.seal(scene.image)
    scene.write(0, older)
