# SPDX-License-Identifier: GPL-2.0-or-later
"""A station excepted part of the medium, and the policy accepts no exception."""

from forgery import Forgery

EXPECTED = "E-EXCEPTION"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[13] = [[bytes(16), bytes(32), "because", 0, 0]]
    forgery.seal()
