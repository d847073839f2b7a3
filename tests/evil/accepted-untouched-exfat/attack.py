# SPDX-License-Identifier: GPL-2.0-or-later
"""A sealed key with exFAT, as the station left it."""

EXPECTED = "accepted"
MEDIUM = "exfat"


def attack(scene):
    with scene.mounted("ro") as point:
        assert (point / "blanche.tag").is_file()
