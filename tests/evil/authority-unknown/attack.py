# SPDX-License-Identifier: GPL-2.0-or-later
"""An authority that this workstation does not trust."""

from forgery import Forgery

EXPECTED = "E-CHAIN"


def attack(scene):
    Forgery(scene, installed=False).seal()
