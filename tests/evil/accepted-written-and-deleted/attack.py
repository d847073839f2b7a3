# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody copied a file on the key and deleted it: what is left of it is in no file."""

EXPECTED = "accepted"


def attack(scene):
    scene.put("essai.txt", b"x" * 5000)
    scene.mtools("mdel", "::/essai.txt")
