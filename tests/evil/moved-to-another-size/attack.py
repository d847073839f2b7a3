# SPDX-License-Identifier: GPL-2.0-or-later
"""The tag of one medium on another one of another capacity."""

from workshop import KINDS, copy_sparse

EXPECTED = "E-MEDIUM"


def attack(scene):
    other, _ = scene.sealed.get("fat16")
    tag = scene.read_tag()
    scene.kind = KINDS["fat16"]
    copy_sparse(other, scene.image)
    scene.write_tag(tag)
