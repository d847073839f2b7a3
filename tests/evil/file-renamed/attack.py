# SPDX-License-Identifier: GPL-2.0-or-later
"""A file gets another name."""

EXPECTED = "E-ADDED"


def attack(scene):
    scene.mtools("mren", "::/LETTRE.TXT", "::/LETTRE.EXE")
