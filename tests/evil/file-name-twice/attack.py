# SPDX-License-Identifier: GPL-2.0-or-later
"""A second folder entry of the same name in front of the first: hosts open the first, a walk may keep the last."""

from workshop import LETTER

EXPECTED = "E-ADDED"


def attack(scene):
    scene.put("EVIL.TXT", b"M" + LETTER[1:])
    raw = scene.image.read_bytes()
    honest, evil = raw.index(b"LETTRE  TXT"), raw.index(b"EVIL    TXT")
    scene.write(honest, b"LETTRE  TXT" + raw[evil + 11 : evil + 32])
    scene.write(evil, raw[honest : honest + 32])
