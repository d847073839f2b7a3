# SPDX-License-Identifier: GPL-2.0-or-later
"""The medium was sealed again; somebody puts the older tag back, which this workstation has seen overtaken."""

EXPECTED = "E-REPLAYED"


def attack(scene):
    older = scene.read_tag()
    scene.sealed.station.seal(scene.image)
    scene.remember()
    scene.write_tag(older)
