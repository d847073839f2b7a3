# SPDX-License-Identifier: GPL-2.0-or-later
"""A real revocation list in the place of the tag."""

from scene import join

EXPECTED = "E-TYP"


def attack(scene):
    authority = scene.authority()
    authority.revoke("--tag", "019a0000-0000-7000-8000-000000000001")
    (revocations,) = (authority.folder / "lists").iterdir()
    _, manifest = scene.parts()
    scene.write_tag(join(revocations.read_bytes(), manifest))
