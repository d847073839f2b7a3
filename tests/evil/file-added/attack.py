# SPDX-License-Identifier: GPL-2.0-or-later
"""A program beside the files that were checked."""

EXPECTED = "E-ADDED"
LEVEL = "inventory"


def attack(scene):
    scene.put("autorun.inf", b"[autorun]\r\nopen=x.exe\r\n")
