# SPDX-License-Identifier: GPL-2.0-or-later
"""The authority revoked this tag."""

from uuid import UUID

import cbor2

from scene import envelope_parts

EXPECTED = "E-REVOKED-TAG"
LEVEL = "identity"


def attack(scene):
    claims = cbor2.loads(envelope_parts(scene.parts()[0])[2])
    authority = scene.authority()
    authority.revoke("--tag", str(UUID(bytes=claims[1])))
    authority.publish(scene.trust)
