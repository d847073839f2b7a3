# SPDX-License-Identifier: GPL-2.0-or-later
"""A second medium made to be taken for the first: same size, serial, boot areas, names and lengths, one other content."""

from workshop import FILES, LETTER, make

EXPECTED = "E-CHANGED"


def attack(scene):
    tag = scene.read_tag()
    make(scene.kind, scene.image, files=FILES | {"LETTRE.TXT": b"M" + LETTER[1:]})
    scene.write_tag(tag)
