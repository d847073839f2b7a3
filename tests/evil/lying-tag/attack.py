# SPDX-License-Identifier: GPL-2.0-or-later
"""The firmware shows the tag once; from the second read on a payload stands in its clusters."""

EXPECTED = "E-CHANGED"
VERIFIERS = ("linux", "python")


def attack(scene):
    tag = scene.read_tag()
    at = scene.image.read_bytes().index(tag[:512])
    evil = bytearray(scene.image.read_bytes())
    evil[at : at + 512] = b"MZ" + bytes(510)
    scene.evil = bytes(evil)
