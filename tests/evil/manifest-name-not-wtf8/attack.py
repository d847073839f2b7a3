# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest has a name that no filesystem of the medium can hold: every host shows another one for it."""

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries.append([0, b"\xff", None, 0, 0, None, None, None, None])
    forgery.seal()
