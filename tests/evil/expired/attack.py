# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag is older than it may become."""

EXPECTED = "E-EXPIRED"
LEVEL = "identity"


def attack(scene):
    scene.policy["max_crl_age"] = 3650 * 86_400
    scene.at = scene.now + 31 * 86_400
