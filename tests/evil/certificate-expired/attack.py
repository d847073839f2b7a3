# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificates of the station ended yesterday."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-CERTIFICATE-TIME"


def attack(scene):
    Forgery(scene, ends=scene.now - DAY).seal()
