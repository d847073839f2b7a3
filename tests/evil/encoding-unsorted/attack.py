# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims whose keys are not in order."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims = dict(reversed(forgery.claims.items()))
    forgery.seal()
