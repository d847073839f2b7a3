# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag file lacks its last bytes."""

EXPECTED = "E-FORMAT"


def attack(scene):
    scene.write_tag(scene.read_tag()[:-40])
