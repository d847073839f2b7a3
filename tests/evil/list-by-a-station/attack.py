# SPDX-License-Identifier: GPL-2.0-or-later
"""A revocation list that a station signed, whose key is for tags."""

import cbor2

from forge import envelope
from forgery import Forgery

EXPECTED = "E-LIST"
LEVEL = "identity"


def attack(scene):
    forgery = Forgery(scene)
    number = {0: 1, 1: bytes(16), 2: "accueil-1", 3: "paris", 4: scene.now, 5: 1, 6: [], 7: []}
    signed = envelope(cbor2.dumps(number), "revocations", forgery.ends, forgery.authority.issuers)
    (scene.trust / "lists/forged.cose").write_bytes(signed)
