# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed manifest lists the tag itself."""

from forge import entry

from forgery import Forgery

EXPECTED = "E-MANIFEST"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries.append(entry(0, b"blanche.tag", None, 1, b"MZ"))
    forgery.entries.sort(key=lambda one: (one[0], one[1]))
    forgery.seal()
