# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag is deleted."""

EXPECTED = "E-NO-TAG"


def attack(scene):
    scene.mtools("mdel", "::/blanche.tag")
