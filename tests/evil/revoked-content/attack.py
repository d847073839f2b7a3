# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of this medium was found dangerous after it was sealed."""

import hashlib

from workshop import LETTER

EXPECTED = "E-REVOKED-CONTENT"
LEVEL = "identity"


def attack(scene):
    authority = scene.authority()
    authority.revoke("--content", hashlib.sha256(LETTER).hexdigest())
    authority.publish(scene.trust)
