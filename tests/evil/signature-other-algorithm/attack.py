# SPDX-License-Identifier: GPL-2.0-or-later
"""The signer says ES384 (-35), of which verifiers do not know the curve, instead of ESP384."""

from forgery import Forgery

EXPECTED = "E-ALGORITHM"


def attack(scene):
    forgery = Forgery(scene)
    forgery.edit_headers = lambda headers: headers[0].update({1: -35})
    forgery.seal()
