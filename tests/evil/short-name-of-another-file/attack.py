# SPDX-License-Identifier: GPL-2.0-or-later
"""A checked file gets the name of another one as its short name, and stands in front of it: every name is as it was checked, and
hosts open other bytes under one of them."""

from fat_names import long_entry

EXPECTED = "E-UNREADABLE"
VERIFIERS = ("linux", "windows")
SHORT = b"LETTRE  TXT"


def attack(scene):
    raw = scene.image.read_bytes()
    places = raw.index(b"LONG    BIN"), raw.index(SHORT)
    other, honest = (raw[at : at + 32] for at in places)
    # Both are deleted, and stand again behind all others.
    for at in places:
        scene.write(at, b"\xe5")
    end = next(at for at in range(max(places), len(raw), 32) if raw[at] == 0)
    scene.write(end, long_entry("long.bin", SHORT) + SHORT + other[11:] + honest)
