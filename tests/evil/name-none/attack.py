# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates without a name of a station."""

from forgery import Forgery

EXPECTED = "E-NAME"


def attack(scene):
    Forgery(scene, names=[]).seal()
