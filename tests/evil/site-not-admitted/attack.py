# SPDX-License-Identifier: GPL-2.0-or-later
"""A real tag where the policy admits another site only."""

EXPECTED = "E-SITE-POLICY"


def attack(scene):
    scene.policy["sites"] = ["lyon"]
