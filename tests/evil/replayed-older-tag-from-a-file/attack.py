# SPDX-License-Identifier: GPL-2.0-or-later
"""The medium was sealed again; the older tag is given as a file, to a workstation that remembers nothing."""

EXPECTED = "E-CHANGED"


def attack(scene):
    older = scene.read_tag()
    scene.sealed.station.seal(scene.image)
    scene.given("older.tag", older)
