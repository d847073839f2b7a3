# SPDX-License-Identifier: GPL-2.0-or-later
"""The issuer may certify the site aris only: not a label, but the end of one."""

from forgery import Forgery

EXPECTED = "E-SITE"


def attack(scene):
    Forgery(scene, sites=("aris",)).seal()
