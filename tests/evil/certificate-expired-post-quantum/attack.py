# SPDX-License-Identifier: GPL-2.0-or-later
"""Only the post-quantum certificate has ended."""

from forge import DAY

from forgery import Forgery

EXPECTED = "E-CERTIFICATE-TIME"


def attack(scene):
    Forgery(scene, other={"ends": scene.now - DAY}).seal()
