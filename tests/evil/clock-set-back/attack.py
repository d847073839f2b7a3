# SPDX-License-Identifier: GPL-2.0-or-later
"""A tag that expired ten days ago, on a workstation whose clock was set to before that, but which has seen a CRL since."""

from forge import DAY
from forgery import Forgery

EXPECTED = "E-EXPIRED"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[4], forgery.claims[5] = scene.now - 25 * DAY, scene.now - 10 * DAY
    forgery.seal()
    scene.at = scene.now - 20 * DAY
    scene.memory = {"time": scene.now - DAY, "crls": {}, "lists": {}, "counters": {}}
