# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody puts back the revocation list of before."""

EXPECTED = "E-LIST-OLD"
LEVEL = "identity"


def attack(scene):
    authority = scene.authority()
    authority.revoke("--tag", "019a0000-0000-7000-8000-000000000001")
    older = {one.name: one.read_bytes() for one in (authority.folder / "lists").iterdir()}
    authority.revoke("--tag", "019a0000-0000-7000-8000-000000000002")
    authority.publish(scene.trust)
    scene.remember()
    for one in (scene.trust / "lists").iterdir():
        one.unlink()
    for name, content in older.items():
        (scene.trust / "lists" / name).write_bytes(content)
