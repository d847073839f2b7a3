# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims with the verdict twice: clean, and infected."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    # Key 12, then the same again with another value, in a map of 15.
    forgery.payload_of(lambda raw: b"\xaf" + raw[1:].replace(b"\x0c\x00\x0d\x80", b"\x0c\x00\x0c\x01\x0d\x80"))
    forgery.seal()
