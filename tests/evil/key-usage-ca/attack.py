# SPDX-License-Identifier: GPL-2.0-or-later
"""The end certificates are those of a CA."""

from forgery import Forgery

EXPECTED = "E-CHAIN"


def attack(scene):
    Forgery(scene, ca=True, usage={"digital_signature": True}).seal()
