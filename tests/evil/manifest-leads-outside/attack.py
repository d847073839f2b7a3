# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest has a path with `..` in it."""

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries.insert(0, [0, b"..", None, 0, 0, None, None, None, None])
    forgery.seal()
