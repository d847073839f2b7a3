# SPDX-License-Identifier: GPL-2.0-or-later
"""A station signed that the medium is refused, as a bad report would be."""

from forgery import Forgery

EXPECTED = "E-VERDICT"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[12] = 3
    forgery.seal()
