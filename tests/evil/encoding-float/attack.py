# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims with a floating-point number."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[6] = 1.5
    forgery.seal()
