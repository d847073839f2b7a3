# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 10: the masks of boot areas. Offsets as in the table there; a mask that would reach outside its area is not applied."""

import hashlib

EXT_MASKS = (
    (0x0C, 8), (0x2C, 10), (0x3A, 2), (0x60, 1, 0x04), (0x66, 1, 0x01), (0x88, 64), (0xE8, 4), (0x158, 4), (0x178, 8),
    (0x194, 108), (0x248, 4), (0x274, 2), (0x278, 4), (0x3FC, 4),
)


def masks(kind, filesystem, area):
    """(offset, length, bits to clear) for an area of a volume with this filesystem."""
    if kind == 0:
        return [(440, 4, 0xFF)]
    if kind == 4 and filesystem in ("fat12", "fat16"):
        return [(37, 1, 0xFF)]
    if kind == 4 and filesystem == "fat32":
        return fat32_masks(area)
    if kind == 5 and len(area) > 108:
        backup = 12 << area[108]
        return [(at + 106, 2, 0xFF) for at in (0, backup)] + [(at + 112, 1, 0xFF) for at in (0, backup)]
    if kind == 8:
        return [(1024 + at, length, bits[0] if bits else 0xFF) for at, length, *bits in EXT_MASKS]
    return []


def fat32_masks(area):
    if len(area) < 52:
        return []
    sector, info, copy = (int.from_bytes(area[at : at + 2], "little") for at in (11, 48, 50))
    found = [(65, 1, 0xFF)]
    if copy:
        found.append((copy * sector + 65, 1, 0xFF))
    if info not in (0, 0xFFFF):
        found.append((info * sector + 488, 8, 0xFF))
        if copy:
            found.append(((copy + info) * sector + 488, 8, 0xFF))
    return found


def area_digest(kind, filesystem, area):
    """SHA-256 of an area after its mask."""
    masked = bytearray(area)
    for at, length, bits in masks(kind, filesystem, area):
        if at + length <= len(masked):
            for place in range(at, at + length):
                masked[place] &= ~bits & 0xFF
    return hashlib.sha256(masked).digest()
