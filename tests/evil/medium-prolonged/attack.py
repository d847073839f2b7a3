# SPDX-License-Identifier: GPL-2.0-or-later
"""The same bytes on a longer medium, with room for more behind them."""

from workshop import MIB

EXPECTED = "E-MEDIUM"
LEVEL = "identity"


def attack(scene):
    with scene.image.open("r+b") as image:
        image.truncate(scene.kind.capacity + MIB)
