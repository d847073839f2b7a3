# SPDX-License-Identifier: GPL-2.0-or-later
"""The byte behind PercentInUse of exFAT, which may change."""

from workshop import copy_sparse

EXPECTED = "E-BOOT"
MEDIUM = "exfat"
LEVEL = "identity"


def attack(scene):
    # Linux looks at the checksum of the boot sector before it shows a file.
    scene.mountable = copy_sparse(scene.image, scene.folder / "before.img")
    scene.write(113, b"\xff")
