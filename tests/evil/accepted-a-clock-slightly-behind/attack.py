# SPDX-License-Identifier: GPL-2.0-or-later
"""A station whose clock is five minutes ahead of the workstation."""

from forgery import Forgery

EXPECTED = "accepted"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[4] = scene.now + 300
    forgery.seal()
