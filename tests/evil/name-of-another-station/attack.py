# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates of another station of the same site than the claims name."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    Forgery(scene, names=["accueil-9.paris.blanche.invalid"]).seal()
