# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims without the area of the master boot record: nobody would compare it."""

from forgery import Forgery

EXPECTED = "E-CLAIMS"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[7][3] = [area for area in forgery.claims[7][3] if area[0] != 0]
    forgery.seal()
