# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest has one number in a longer form than needed."""

import cbor2

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    raw = b"".join(cbor2.dumps(one) for one in forgery.entries)
    # The first entry's array of nine, with its length in a byte of its own.
    forgery.raw_manifest = b"\x98\x09" + raw[1:]
    forgery.seal()
