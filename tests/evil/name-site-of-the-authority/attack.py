# SPDX-License-Identifier: GPL-2.0-or-later
"""A station of the site that stands for all sites."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    forgery = Forgery(scene)
    forgery.claims[3] = "authority"
    forgery.ends = forgery.station()
    forgery.seal()
