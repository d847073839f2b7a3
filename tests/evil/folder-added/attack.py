# SPDX-License-Identifier: GPL-2.0-or-later
"""An empty folder."""

EXPECTED = "E-ADDED"


def attack(scene):
    scene.mtools("mmd", "::/vide")
