# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags that no honest station signs: the claims and the manifest of the real one, changed, and signed by an authority that
lives for one run and that the workstation trusts. So nothing but the change can be why a verifier refuses."""

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from encoding import decode, sequence
from forge import DAY, Authority, Case
from scene import envelope_parts
from station import ANCHORS, private

SITES = ("paris", "authority")


class Forgery(Case):
    """The real tag of a scene, to be changed and signed again. The fields are those of `forge.Case`."""

    def __init__(self, scene, sites=SITES, anchor=None, issuer=None, installed=True, **station):
        self.scene = scene
        self.times = {"begins": scene.now - 30 * DAY, "ends": scene.now + 300 * DAY}
        self.authority = Authority(sites, self.times | (anchor or {}), **self.times | (issuer or {}))
        envelope, manifest = scene.parts()
        self.claims = decode(envelope_parts(envelope)[2])
        self.entries = list(sequence(manifest, 0, len(manifest)))
        self.claims[9] = None  # counted again from the entries
        self.ends = self.station(**station)
        self.payload = self.raw_manifest = None
        self.edit = self.edit_headers = self.edit_file = None
        self.purpose = "tag"
        if installed:
            self.install("forger")

    def station(self, name=None, **options):
        """The certificates of a station with the name in the claims, or another one."""
        name = name or f"{self.claims[2]}.{self.claims[3]}.blanche.invalid"
        return self.authority.station(name, **self.times | options)

    def install(self, name):
        """What an administrator does who trusts this authority: its anchors and its CRLs."""
        trust = self.scene.trust
        folder = private(trust / "authorities" / name)
        for file, anchor in zip(ANCHORS, self.authority.anchors):
            (folder / file).write_bytes(anchor.certificate.public_bytes(Encoding.PEM))
        for number, der in enumerate(self.authority.crls(updated=self.scene.now - DAY)):
            pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
            (trust / "crls" / f"{name}-{number}.crl").write_bytes(pem)

    def seal(self):
        """Signs, and puts the tag in the place of the real one."""
        if self.scene.kind.is_fat:
            self.scene.write_tag(self.file())
        else:
            self.scene.given("forged.tag", self.file())

    def payload_of(self, change):
        """The claims in an encoding that `change` made out of the right one."""
        self.claims[9] = self.content(b"".join(cbor2.dumps(one) for one in self.entries))
        self.payload = change(cbor2.dumps(self.claims))
