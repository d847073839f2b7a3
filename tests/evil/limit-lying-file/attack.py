# SPDX-License-Identifier: GPL-2.0-or-later
"""The firmware shows a file as it was once, which is when level full reads it: only level *on read* holds against that."""

from verifiers import Program
from workshop import LETTER

EXPECTED = "accepted"
VERIFIERS = ("linux",)


def attack(scene):
    scene.evil = scene.image.read_bytes().replace(LETTER, b"b" + LETTER[1:])


def afterwards(scene):
    """What it shows from then on is refused."""
    scene.image.write_bytes(scene.evil)
    scene.evil = None
    assert Program(scene.sealed.programs / "blanche-verify").answer(scene) == "E-CHANGED"
