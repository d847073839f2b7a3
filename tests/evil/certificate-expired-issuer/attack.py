# SPDX-License-Identifier: GPL-2.0-or-later
"""The intermediates ended yesterday."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-CERTIFICATE-TIME"


def attack(scene):
    Forgery(scene, issuer={"ends": scene.now - DAY}).seal()
