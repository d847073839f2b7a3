# SPDX-License-Identifier: GPL-2.0-or-later
"""A program in *System Volume Information*, where Windows writes and nobody looks."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.mtools("mmd", "::/System Volume Information")
    scene.put("System Volume Information/x.exe", b"MZ")
