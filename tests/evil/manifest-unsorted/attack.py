# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest is not in order."""

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries[0], forgery.entries[-1] = forgery.entries[-1], forgery.entries[0]
    forgery.seal()
