# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims that announce four thousand million items."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.payload = b"\x9a\xff\xff\xff\xff\0"
    forgery.seal()
