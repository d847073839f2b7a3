# SPDX-License-Identifier: GPL-2.0-or-later
"""The medium was pulled out while it was mounted: dirty, and another part in use."""

EXPECTED = "accepted"
MEDIUM = "exfat"


def attack(scene):
    # VolumeFlags (dirty) and PercentInUse, in the main boot sector only, as hosts do (exFAT 1.00, 3.1.13).
    scene.write(106, b"\x02\x00")
    scene.write(112, b"\x07")
