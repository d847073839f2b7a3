# SPDX-License-Identifier: GPL-2.0-or-later
"""A checked file that only has the name of a host artefact is deleted: it was content, and it is missing."""

from forge import entry

from forgery import Forgery

EXPECTED = "E-REMOVED"
LEVEL = "inventory"


def attack(scene):
    forgery = Forgery(scene)
    forgery.entries.append(entry(0, b".DS_Store", None, 1, b"ten bytes."))
    forgery.entries.sort(key=lambda one: (one[0], one[1]))
    forgery.seal()
