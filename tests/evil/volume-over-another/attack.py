# SPDX-License-Identifier: GPL-2.0-or-later
"""A disc's filesystem in the allocation tables of a FAT: hosts decide for themselves which of the two they show."""

from station import run
from workshop import write_tree

EXPECTED = "E-NOT-AVAILABLE"
MEDIUM = "fat16"
VERIFIERS = ("linux", "windows")


def attack(scene):
    tree, disc = scene.folder / "tree", scene.folder / "disc.iso"
    write_tree(tree, {"X.EXE": b"MZ"})
    run("genisoimage", "-quiet", "-o", disc, tree)
    # Both tables have 96 sectors; the first begins in sector 1. What describes a disc begins at 32 KiB (ECMA-119, 6.2).
    described = disc.read_bytes()[32_768 : 97 * 512]
    for table in (0, 1):
        scene.write(32_768 + table * 96 * 512, described)
