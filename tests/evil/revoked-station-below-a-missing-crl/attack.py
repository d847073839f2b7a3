# SPDX-License-Identifier: GPL-2.0-or-later
"""On a workstation that may do without CRLs somebody takes those of the anchors away; those of the issuers revoke the station."""

from forgery import Forgery

EXPECTED = "E-REVOKED-STATION"
LEVEL = "identity"


def attack(scene):
    scene.policy = {"require_crl": False}
    forgery = Forgery(scene)
    forgery.seal()
    crls = scene.trust / "crls"
    # The order of `forge.Authority.crls`: both anchors, both issuers.
    for number, (issuer, end) in enumerate(zip(forgery.authority.issuers, forgery.ends)):
        (crls / f"forger-{number}.crl").unlink()
        (crls / f"forger-{number + 2}.crl").write_bytes(issuer.crl(number=8, updated=scene.now, revoked=[end]))
