# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates that sign revocation lists."""

from forgery import Forgery

EXPECTED = "E-KEY-USAGE"


def attack(scene):
    Forgery(scene, arc=3).seal()
