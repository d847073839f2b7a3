# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest lists one file twice."""

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries.append(forgery.entries[-1])
    forgery.seal()
