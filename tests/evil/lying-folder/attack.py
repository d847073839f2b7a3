# SPDX-License-Identifier: GPL-2.0-or-later
"""The firmware shows the root folder as it was once, while the tag is looked for; from the second read on with a program more."""

EXPECTED = "E-ADDED"
VERIFIERS = ("linux", "python")


def attack(scene):
    honest = scene.image.read_bytes()
    scene.put("x.exe", b"MZ")
    scene.evil = scene.image.read_bytes()
    scene.write(0, honest)
