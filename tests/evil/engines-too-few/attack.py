# SPDX-License-Identifier: GPL-2.0-or-later
"""The policy demands an engine that the station has not."""

EXPECTED = "E-ENGINES"
LEVEL = "identity"


def attack(scene):
    scene.policy["required_engines"] = ["another"]
