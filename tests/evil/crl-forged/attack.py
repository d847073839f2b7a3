# SPDX-License-Identifier: GPL-2.0-or-later
"""CRLs in the name of the authority, with higher numbers and signed by somebody else."""

from cryptography import x509

from forge import Holder
from station import ANCHORS

EXPECTED = "E-CRL-MISSING"
LEVEL = "identity"


def attack(scene):
    for number, name in enumerate(ANCHORS):
        anchor = x509.load_pem_x509_certificate((scene.trust / "authorities/test" / name).read_bytes())
        forger = Holder(number, "forger")
        forger.name = anchor.subject
        (scene.trust / "crls" / f"forged-{number}.crl").write_bytes(forger.crl(number=1000, updated=scene.now))
    for one in (scene.trust / "crls").iterdir():
        if not one.name.startswith("forged-"):
            one.unlink()
