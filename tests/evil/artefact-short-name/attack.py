# SPDX-License-Identifier: GPL-2.0-or-later
"""A host artefact whose short name is that of a program: hosts open it by that one, too."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"
# mtools, and so the second verifier, does not show short names.
VERIFIERS = ("linux", "windows")


def attack(scene):
    scene.put(".DS_Store", b"\0\0\0\1Bud1" + b"\r\nstart harm\r\n" + bytes(6140))
    scene.change_short_name(scene.image.read_bytes().index(b"DS_STO~1   "), b"START   CMD")
