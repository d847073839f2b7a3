# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag stands in a folder and not at the root."""

EXPECTED = "E-NO-TAG"


def attack(scene):
    tag = scene.read_tag()
    scene.mtools("mdel", "::/blanche.tag")
    scene.put("Dossier/blanche.tag", tag)
