# SPDX-License-Identifier: GPL-2.0-or-later
"""The second allocation table leads a file through other clusters than the first."""

from workshop import MIB

EXPECTED = "E-UNREADABLE"
VERIFIERS = ("linux", "windows")


def attack(scene):
    sectors = int.from_bytes(scene.read(MIB + 36, 4), "little")  # BPB_FATSz32
    second = MIB + (32 + sectors) * 512
    scene.write(second + 100 * 4, (200).to_bytes(4, "little"))
