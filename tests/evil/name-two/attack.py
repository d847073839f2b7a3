# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates with two names, of which one is right."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    Forgery(scene, names=["accueil-1.paris.blanche.invalid", "accueil-2.paris.blanche.invalid"]).seal()
