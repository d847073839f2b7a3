# SPDX-License-Identifier: GPL-2.0-or-later
"""The CRLs are gone."""

EXPECTED = "E-CRL-MISSING"
LEVEL = "identity"


def attack(scene):
    for one in (scene.trust / "crls").iterdir():
        one.unlink()
