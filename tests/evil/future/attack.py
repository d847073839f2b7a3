# SPDX-License-Identifier: GPL-2.0-or-later
"""A tag of a station whose clock is an hour ahead, or that was signed in advance."""

from forgery import Forgery

EXPECTED = "E-NOT-YET-VALID"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[4] = scene.now + 3600
    forgery.seal()
    scene.memory = {}


def afterwards(scene):
    """It leaves no trace: one mis-set station must not expire the others' tags."""
    assert not list(scene.folder.glob("memory-*/memory.json"))
