# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux mounts the medium for writing, and unmounts it."""

EXPECTED = "accepted"
MEDIUM = "exfat"


def attack(scene):
    with scene.mounted() as point:
        assert (point / "LETTRE.TXT").is_file()
