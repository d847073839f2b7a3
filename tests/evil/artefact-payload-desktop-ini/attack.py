# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop.ini of the recycle bin that names another library."""

from artefacts import DESKTOP_INI

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/$RECYCLE.BIN")
    scene.put("$RECYCLE.BIN/desktop.ini", DESKTOP_INI.replace(b"shell32.dll", b"shell99.dll"))
