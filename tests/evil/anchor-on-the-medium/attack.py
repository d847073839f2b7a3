# SPDX-License-Identifier: GPL-2.0-or-later
"""The forger's anchors stand in the tag's own chain, and on the medium where a trust folder would have them."""

from cryptography.hazmat.primitives.serialization import Encoding

from forgery import Forgery
from station import ANCHORS

EXPECTED = "E-CHAIN"


def attack(scene):
    forgery = Forgery(scene, installed=False)
    anchors = forgery.authority.anchors

    def append(headers):
        for header, anchor in zip(headers, anchors):
            header[33].append(anchor.der)

    forgery.edit_headers = append
    scene.mtools("mmd", "::/authorities", "::/authorities/forger")
    for name, anchor in zip(ANCHORS, anchors):
        scene.put(f"authorities/forger/{name}", anchor.certificate.public_bytes(Encoding.PEM))
    forgery.seal()
