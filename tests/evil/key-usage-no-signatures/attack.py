# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates for key agreement."""

from forgery import Forgery

EXPECTED = "E-KEY-USAGE"


def attack(scene):
    Forgery(scene, usage={"key_agreement": True}).seal()
