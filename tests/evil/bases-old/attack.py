# SPDX-License-Identifier: GPL-2.0-or-later
"""The bases of the station were eight days old."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-BASE-AGE"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    for engine in forgery.claims[11][0]:
        for base in engine[2]:
            base[2] = forgery.claims[4] - 8 * DAY
    forgery.seal()
