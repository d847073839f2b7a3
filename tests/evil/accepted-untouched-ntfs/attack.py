# SPDX-License-Identifier: GPL-2.0-or-later
"""A medium that cannot carry its tag, with the detached one."""

EXPECTED = "accepted"
MEDIUM = "ntfs"


def attack(scene):
    assert scene.read_tag()
