# SPDX-License-Identifier: GPL-2.0-or-later
"""Only the post-quantum certificate is for another purpose."""

from forgery import Forgery

EXPECTED = "E-KEY-USAGE"


def attack(scene):
    Forgery(scene, other={"arc": 2}).seal()
