# SPDX-License-Identifier: GPL-2.0-or-later
"""Signed claims with one length in a longer form than needed."""

from forgery import Forgery

EXPECTED = "E-ENCODING"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    # A map of 14 with its length in a byte of its own.
    forgery.payload_of(lambda raw: b"\xb8\x0e" + raw[1:])
    forgery.seal()
