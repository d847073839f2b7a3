# SPDX-License-Identifier: GPL-2.0-or-later
"""A folder entry behind the mark that ends the folder: Windows stops there, Linux does not."""

EXPECTED = "E-UNREADABLE"
VERIFIERS = ("linux", "windows")


def attack(scene):
    scene.put("EVIL.TXT", b"MZ")
    at = scene.image.read_bytes().index(b"EVIL    TXT")
    entry = scene.read(at, 32)
    scene.write(at, bytes(32))
    scene.write(at + 64, entry)
