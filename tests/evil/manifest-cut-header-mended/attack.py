# SPDX-License-Identifier: GPL-2.0-or-later
"""The last entry of the manifest is cut off, and the header says so."""

import cbor2

from encoding import sequence
from scene import join

EXPECTED = "E-MANIFEST"


def attack(scene):
    envelope, manifest = scene.parts()
    entries = list(sequence(manifest, 0, len(manifest)))
    scene.write_tag(join(envelope, b"".join(cbor2.dumps(one) for one in entries[:-1])))
