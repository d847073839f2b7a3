# SPDX-License-Identifier: GPL-2.0-or-later
"""The anchors ended yesterday; path validation (RFC 5280) alone does not look."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-CERTIFICATE-TIME"


def attack(scene):
    Forgery(scene, anchor={"ends": scene.now - DAY}).seal()
