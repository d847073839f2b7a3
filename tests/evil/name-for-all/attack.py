# SPDX-License-Identifier: GPL-2.0-or-later
"""A certificate for every station of a site."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    Forgery(scene, names=["*.paris.blanche.invalid"]).seal()
