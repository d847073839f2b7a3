# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims of arrays in arrays, nine deep."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.payload = b"\x81" * 9 + b"\0"
    forgery.seal()
