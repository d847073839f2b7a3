# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificates of the station begin tomorrow."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-CERTIFICATE-TIME"


def attack(scene):
    Forgery(scene, begins=scene.now + DAY).seal()
