# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates without an extended key usage."""

from forgery import Forgery

EXPECTED = "E-KEY-USAGE"


def attack(scene):
    Forgery(scene, arc=None).seal()
