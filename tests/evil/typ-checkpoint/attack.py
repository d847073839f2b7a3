# SPDX-License-Identifier: GPL-2.0-or-later
"""A signed object of another purpose: a checkpoint of a journal, with the key usage of one."""

from forgery import Forgery

EXPECTED = "E-TYP"


def attack(scene):
    forgery = Forgery(scene, arc=2)
    forgery.purpose = "checkpoint"
    forgery.seal()
