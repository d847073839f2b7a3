# SPDX-License-Identifier: GPL-2.0-or-later
"""The station worked without the base that has what is new; another one has nearly its name."""

from forgery import Forgery

EXPECTED = "E-BASE-AGE"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    for engine in forgery.claims[11][0]:
        for base in engine[2]:
            base[0] = base[0].replace("daily", "daily-2")
    forgery.seal()
