# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims as a map of indefinite length."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.payload_of(lambda raw: b"\xbf" + raw[1:] + b"\xff")
    forgery.seal()
