# SPDX-License-Identifier: GPL-2.0-or-later
"""A sealed key, as the station left it."""

EXPECTED = "accepted"


def attack(scene):
    assert scene.read_tag()
