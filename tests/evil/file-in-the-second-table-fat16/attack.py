# SPDX-License-Identifier: GPL-2.0-or-later
"""The copies of a small allocation table differ: a second tree over the same bytes, which nobody checked."""

EXPECTED = "E-ADDED"
MEDIUM = "fat16"
VERIFIERS = ("linux", "windows")


def attack(scene):
    reserved, sectors = (int.from_bytes(scene.read(at, 2), "little") for at in (14, 22))  # BPB_RsvdSecCnt, BPB_FATSz16
    second = (reserved + sectors) * 512
    scene.write(second + 100 * 2, (200).to_bytes(2, "little"))
