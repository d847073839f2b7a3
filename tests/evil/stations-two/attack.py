# SPDX-License-Identifier: GPL-2.0-or-later
"""The classical signature of one station, the post-quantum one of another."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    forgery = Forgery(scene)
    forgery.ends[1] = forgery.station("accueil-2.paris.blanche.invalid")[1]
    forgery.seal()
