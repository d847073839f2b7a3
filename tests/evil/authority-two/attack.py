# SPDX-License-Identifier: GPL-2.0-or-later
"""One signature under each of two trusted authorities."""

from forgery import Forgery

EXPECTED = "E-CHAIN"


def attack(scene):
    forgery = Forgery(scene)
    other = Forgery(scene, installed=False)
    other.install("other")
    forgery.ends[1], forgery.authority.issuers[1] = other.ends[1], other.authority.issuers[1]
    forgery.seal()
