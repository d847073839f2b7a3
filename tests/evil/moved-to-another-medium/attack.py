# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag of one medium on another one of the same size, with the same files and a serial of its own."""

from workshop import make

EXPECTED = "E-BOOT"


def attack(scene):
    tag = scene.read_tag()
    make(scene.kind, scene.image, serial="0badcafe")
    scene.write_tag(tag)
