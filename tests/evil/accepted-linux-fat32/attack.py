# SPDX-License-Identifier: GPL-2.0-or-later
"""What the FAT driver of Linux changes by mounting for writing: dirty flags and the counts of FSInfo."""

from workshop import MIB

EXPECTED = "accepted"


def attack(scene):
    scene.write(MIB + 65, b"\x01")
    scene.write(MIB + 512 + 488, bytes(range(8)))
    # The flag "cleanly unmounted" in entry 1 of both tables (Microsoft, FAT32 specification, 4.2).
    sectors = int.from_bytes(scene.read(MIB + 36, 4), "little")
    for table in (0, 1):
        at = MIB + (32 + table * sectors) * 512 + 7
        scene.write(at, bytes([scene.read(at, 1)[0] & ~0x08]))
