# SPDX-License-Identifier: GPL-2.0-or-later
"""The issuer may certify the site lyon only, and certified one of paris."""

from forgery import Forgery

EXPECTED = "E-SITE"


def attack(scene):
    Forgery(scene, sites=("lyon",)).seal()
