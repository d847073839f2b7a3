# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims with a key that format 1 does not have."""

from forgery import Forgery

EXPECTED = "E-CLAIMS"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[14] = 0
    forgery.seal()
