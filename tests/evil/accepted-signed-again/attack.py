# SPDX-License-Identifier: GPL-2.0-or-later
"""The control of every forgery here: the same claims, signed by the forger's authority, which the workstation trusts."""

from forgery import Forgery

EXPECTED = "accepted"


def attack(scene):
    Forgery(scene).seal()
