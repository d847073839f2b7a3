# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest has chaining values that do not lead to the digest of the file: a block-wise reader would be lied to."""

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    long = next(one for one in forgery.entries if one[7])
    long[7] = long[7][:32] + bytes(32)
    forgery.seal()
