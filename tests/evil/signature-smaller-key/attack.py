# SPDX-License-Identifier: GPL-2.0-or-later
"""The post-quantum certificate has a key of ML-DSA-65."""

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from forgery import Forgery

EXPECTED = "E-CERTIFICATE"


def attack(scene):
    forgery = Forgery(scene)
    end = forgery.ends[1]
    end.key = MLDSA65PrivateKey.generate()
    names = [f"{forgery.claims[2]}.{forgery.claims[3]}.blanche.invalid"]
    end.certificate = end.certify(forgery.authority.issuers[1], ca=False, names=names, arc=1, **forgery.times)
    end.der = end.certificate.public_bytes(Encoding.DER)
    forgery.seal()
