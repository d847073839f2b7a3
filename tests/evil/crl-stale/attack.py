# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody has brought a CRL for longer than a month."""

EXPECTED = "E-CRL-STALE"
LEVEL = "identity"


def attack(scene):
    scene.at = scene.now + 32 * 86_400
