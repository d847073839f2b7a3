# SPDX-License-Identifier: GPL-2.0-or-later
"""The time of expiry in the real claims is put off, and nothing is signed again."""

import cbor2

EXPECTED = "E-SIGNATURE"


def attack(scene):
    def put_off(parts):
        claims = cbor2.loads(parts[2])
        claims[5] += 365 * 86_400
        parts[2] = cbor2.dumps(claims)

    scene.change_envelope(put_off)
