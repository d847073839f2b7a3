# SPDX-License-Identifier: GPL-2.0-or-later
"""What Windows writes on a key by seeing it, with a disk signature where there was none."""

from host_artefacts import WINDOWS

EXPECTED = "accepted"


def attack(scene):
    scene.write(440, b"\x11\x22\x33\x44")
    scene.put_all(WINDOWS)
    scene.mtools("mattrib", "+h", "+s", "::/System Volume Information", "::/$RECYCLE.BIN")
