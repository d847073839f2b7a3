# SPDX-License-Identifier: GPL-2.0-or-later
"""An extension that says it must be understood, and nobody does."""

from forgery import Forgery

EXPECTED = "E-CHAIN"


def attack(scene):
    Forgery(scene, extra="2.25.1.2.3").seal()
