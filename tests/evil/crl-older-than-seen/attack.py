# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody puts back CRLs of before a revocation."""

EXPECTED = "E-CRL-OLD"
LEVEL = "identity"


def attack(scene):
    older = {one: one.read_bytes() for one in (scene.trust / "crls").iterdir()}
    authority = scene.authority()
    authority.revoke("--renew")
    authority.publish(scene.trust)
    scene.remember()
    for one in (scene.trust / "crls").iterdir():
        one.unlink()
    for one, content in older.items():
        one.write_bytes(content)
