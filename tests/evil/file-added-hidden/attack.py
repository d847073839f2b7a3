# SPDX-License-Identifier: GPL-2.0-or-later
"""The same with the attributes hidden and system, in a folder that was checked."""

EXPECTED = "E-ADDED"


def attack(scene):
    scene.put("Dossier/x.exe", b"MZ")
    scene.mtools("mattrib", "+h", "+s", "::/Dossier/x.exe")
