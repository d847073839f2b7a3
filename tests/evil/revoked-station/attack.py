# SPDX-License-Identifier: GPL-2.0-or-later
"""The authority revoked the station after it sealed."""

from station import SITE, STATION

EXPECTED = "E-REVOKED-STATION"
LEVEL = "identity"


def attack(scene):
    authority = scene.authority()
    authority.revoke("--station", STATION, "--site", SITE)
    authority.publish(scene.trust)
