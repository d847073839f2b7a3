# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6 and the part of section 10 that needs the claims alone: their shape, and that they do not contradict each other."""

import hashlib
import re

import cbor2

from encoding import EncodingError, decode
from refusal import Refusal
from shape import (
    ShapeError, boolean, either, fields, integer, items, label, need, null, octets, one_of, sha256, table, text, time,
    tuple_of, uint, uuid,
)

MIB = 1 << 20
HEAD = 64 << 10  # kind 9
TREES = ("iso9660", "rock_ridge", "joliet", "enhanced", "udf", "boot_sector", "ext", "other_table")
FAT = ("fat12", "fat16", "fat32")
FILESYSTEMS = (*FAT, "exfat", "ntfs", "ext", "iso9660", "udf", "blank")
# Section 10: the kind of the area that each filesystem demands at the start of its volume.
OWN_AREA = {"exfat": 5, "ntfs": 6, "ext": 8, "iso9660": 9, "udf": 9, "blank": 9, **dict.fromkeys(FAT, 4)}


def digits(value):
    text(value)
    need(re.fullmatch("[0-9a-f]+", value), f"{value!r} are no hexadecimal digits")


optional_uint = either(null, uint)
BOOT_AREA = tuple_of(integer(0, 10), optional_uint, uint, uint, sha256)
USB = tuple_of(integer(0, 65535), integer(0, 65535), text)
MEDIUM = fields(
    {0: integer(1, 2**64 - 1), 1: one_of(512, 1024, 2048, 4096), 3: items(1, 4096, BOOT_AREA)},
    {2: USB, 4: uint},
)
VOLUME = fields(
    {0: uint, 1: integer(1, 2**64 - 1), 2: integer(0, 4), 3: one_of(*FILESYSTEMS), 6: boolean, 7: boolean, 8: integer(0, 1)},
    {4: digits, 5: either(integer(0, 255), octets(16, 16)), 9: uint, 10: tuple_of(one_of(*TREES), integer(0, 65535))},
)
CONTENT = fields({0: uint, 1: sha256, **{key: uint for key in range(2, 12)}})
AREA_SUM = tuple_of(integer(0, 6), optional_uint, uint, uint)
BASE = tuple_of(text, text, time, uint, sha256)
ENGINE = tuple_of(text, text, items(1, 64, BASE))
HOW = fields({0: items(1, 16, ENGINE), 1: table(64, text, uint), 2: text, 3: uint, 4: text})
EXCEPTION = tuple_of(uuid, sha256, text, uint, uint)
CLAIMS = fields({
    0: one_of(1), 1: uuid, 2: label, 3: label, 4: time, 5: time, 6: integer(1, 2**53), 7: MEDIUM,
    8: items(1, 256, VOLUME), 9: CONTENT, 10: items(1, 4096, AREA_SUM), 11: HOW, 12: integer(0, 3),
    13: items(0, 64, EXCEPTION),
})


def read_claims(payload):
    """Step 9: the claims, decoded and without contradiction."""
    try:
        claims = decode(payload)
    except EncodingError as error:
        raise Refusal("E-ENCODING", f"claims, {error}") from None
    try:
        CLAIMS(claims)
        need(claims[5] > claims[4], "expires is not later than issued")
        check_volumes(claims[7], claims[8])
        check_sums(claims)
        check_areas(claims[7], claims[8])
    except ShapeError as error:
        raise Refusal("E-CLAIMS", str(error)) from None
    return claims


def medium_identity(medium):
    """Section 14: what stays the same from tag to tag. Keys 0 to 2 in this order are the deterministic encoding."""
    return hashlib.sha256(cbor2.dumps({key: medium[key] for key in (0, 1, 2) if key in medium})).hexdigest()


def volume_order(volume):
    """Start, length, view; a volume without a view before one with."""
    tree, session = volume.get(10, (None, 0))
    return volume[0], volume[1], (-1 if tree is None else TREES.index(tree)), session


def check_volumes(medium, volumes):
    for volume in volumes:
        need(volume[0] + volume[1] <= medium[0], "a volume reaches beyond the medium")
    order = [volume_order(volume) for volume in volumes]
    need(all(a < b for a, b in zip(order, order[1:])), "volumes are not sorted, or one is repeated")
    need(medium.get(4, 0) < len(volumes), "the volume of the tag does not exist")


def add_up(*numbers):
    total = sum(numbers)
    need(total < 2**64, "a sum exceeds 64 bits")
    return total


def check_sums(claims):
    medium, volumes, content, areas = claims[7], claims[8], claims[9], claims[10]
    need(content[2] == add_up(*(content[key] for key in range(3, 8))), "entries are not the sum of their kinds")
    need(content[8] == add_up(content[9], content[10], content[11]), "bytes are not the sum of their kinds")
    need(content[10] == add_up(*(one[3] for one in claims[13])), "skipped bytes without their exceptions")
    need(content[11] == add_up(*(one[4] for one in claims[13])), "unreadable bytes without their exceptions")
    need(add_up(*(area[2] for area in areas)) == medium[0], "the areas do not add up to the capacity")
    for _, volume, size, looked_at in areas:
        need(looked_at <= size, "more looked at than there is")
        need(volume is None or volume < len(volumes), "an area sum of a volume that does not exist")
    need(len({(area[0], area[1]) for area in areas}) == len(areas), "a class and volume repeated")
    need(len({engine[0] for engine in claims[11][0]}) == len(claims[11][0]), "an engine named twice")


def check_areas(medium, volumes):
    """Section 10, what a verifier checks without a partition parser."""
    areas = medium[3]
    for kind, volume, start, length, _ in areas:
        need(start + length <= medium[0], "a boot area reaches beyond the medium")
        need(length <= 16 * MIB, "a boot area above 16 MiB")
        need((volume is not None) == (4 <= kind <= 9), f"an area of kind {kind} with volume {volume}")
        if volume is not None:
            need(volume < len(volumes), "a boot area of a volume that does not exist")
            first, end = volumes[volume][0], volumes[volume][0] + volumes[volume][1]
            inside = first <= start and start + length <= end
            need(inside or (kind == 7 and start == end), f"an area of kind {kind} outside its volume")
            need(kind == (7 if kind == 7 and volumes[volume][3] == "ntfs" else OWN_AREA[volumes[volume][3]]),
                 f"an area of kind {kind} in {volumes[volume][3]}")
            fixed = {6: 8192, 8: 2048, 9: min(HEAD, volumes[volume][1])}
            need(length == fixed.get(kind, length), f"an area of kind {kind} of {length} bytes")
        need(length >= 1, "an empty boot area")
        need(kind not in (0, 1) or length == medium[1], "a boot record that is not one block")
        need(kind != 0 or start == 0, "a master boot record that is not at the start")
    need(sum(area[3] for area in areas) <= 64 * MIB, "boot areas above 64 MiB")
    order = [(start, length, kind, -1 if volume is None else volume) for kind, volume, start, length, _ in areas]
    need(all(a < b for a, b in zip(order, order[1:])), "boot areas are not sorted, or one is repeated")
    check_tables(areas, {volume[2] for volume in volumes})
    check_own_areas(areas, volumes)
    check_gaps(medium, volumes)
    check_first_mib(medium, volumes)


def check_tables(areas, roles):
    count = [sum(1 for area in areas if area[0] == kind) for kind in range(4)]
    need(count[0] <= 1 and count[2] <= 1 and count[3] <= 1, "two areas of a kind of which there is one")
    need(count[0] == 1 or not roles & {1, 2, 3}, "no MBR, but partitions")
    need((count[2] == 1 and count[3] == 1) or 3 not in roles, "no GPT, but GPT partitions")


def check_own_areas(areas, volumes):
    seen = set()
    for number, volume in enumerate(volumes):
        own = [area for area in areas if area[1] == number and area[0] == OWN_AREA[volume[3]]]
        first_view = (volume[0], volume[1]) not in seen
        seen.add((volume[0], volume[1]))
        need(len(own) == 1 or not (own or first_view), f"volume {number} has not the one area that its filesystem demands")
        need(all(area[2] == volume[0] for area in own), f"the area of volume {number} does not begin at its start")


def check_gaps(medium, volumes):
    """The areas of kind 10 are exactly those of the gaps that volumes and tables leave."""
    used = [(volume[0], volume[0] + volume[1]) for volume in volumes]
    used += [(start, start + length) for kind, _, start, length, _ in medium[3] if kind <= 3]
    demanded, reached = [], 0
    for start, end in [*sorted(used), (medium[0], medium[0])]:
        if start - reached > 2 * MIB:
            demanded += [(reached, MIB), (start - MIB, MIB)]
        elif start > reached:
            demanded.append((reached, start - reached))
        reached = max(reached, end)
    found = [(start, length) for kind, _, start, length, _ in medium[3] if kind == 10]
    need(found == demanded, f"areas of gaps {found}, {demanded} are demanded")


def check_first_mib(medium, volumes):
    """Each byte of the first MiB is in a volume or in an area."""
    ranges = [(volume[0], volume[0] + volume[1]) for volume in volumes]
    ranges += [(area[2], area[2] + area[3]) for area in medium[3]]
    reached = 0
    for start, end in sorted(ranges):
        if start > reached:
            break
        reached = max(reached, end)
    need(reached >= min(MIB, medium[0]), f"byte {reached} is in no volume and no area")
