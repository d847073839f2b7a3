# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the strict check of CBOR on the raw bytes, before cbor2 builds anything from them.

cbor2 accepts much more than the format allows (indefinite lengths, long forms, floats, repeated keys), so it only ever
sees bytes that passed here.
"""

import cbor2

MAX_DEPTH = 8
ENVELOPE_TAG = 98
ENVELOPE_HEAD = b"\xd8\x62"


class EncodingError(Exception):
    """Not the deterministic encoding of section 3: at which byte, and why."""

    def __init__(self, at, why):
        super().__init__(f"byte {at}: {why}")


def decode(raw, envelope=False):
    """The one item that `raw` must be; `envelope` allows tag 98 around it."""
    raw = bytes(raw)
    end = item_end(raw, 0, len(raw), envelope=envelope)
    if end != len(raw):
        raise EncodingError(end, f"{len(raw) - end} bytes follow the item")
    if raw.startswith(ENVELOPE_HEAD):
        # cbor2 gives tuples and frozen maps inside of a tag: one kind of array and map is enough for the rules of shape.
        return cbor2.CBORTag(ENVELOPE_TAG, cbor2.loads(raw[len(ENVELOPE_HEAD) :]))
    return cbor2.loads(raw)


def sequence(raw, start, end):
    """The items of a CBOR sequence (RFC 8742) in raw[start:end], one by one."""
    while start < end:
        after = item_end(raw, start, end)
        yield cbor2.loads(bytes(raw[start:after]))
        start = after


def item_end(raw, at, end, depth=0, envelope=False):
    """Where the item that begins at `at` ends, once all of section 3 holds for it."""
    if depth > MAX_DEPTH:
        raise EncodingError(at, f"more than {MAX_DEPTH} deep")
    if at >= end:
        raise EncodingError(at, "an item is missing")
    major, info = raw[at] >> 5, raw[at] & 31
    if major == 7:
        if info not in (20, 21, 22):
            raise EncodingError(at, "neither true, false nor null: no floats, no other simple values")
        return at + 1
    value, body = argument(raw, at, end, info)
    if major in (0, 1):
        return body
    if major in (2, 3):
        return string_end(raw, body, end, value, text=major == 3)
    if major == 4:
        return array_end(raw, body, end, value, depth)
    if major == 5:
        return map_end(raw, body, end, value, depth)
    if value != ENVELOPE_TAG or depth or not envelope:
        raise EncodingError(at, f"tag {value} is not allowed here")
    return item_end(raw, body, end, depth + 1)


def argument(raw, at, end, info):
    """The number in or behind the initial byte, in its shortest form (RFC 8949, 4.2.1), and where it ends."""
    if info < 24:
        return info, at + 1
    if info > 27:
        raise EncodingError(at, "indefinite length or reserved form")
    size = 1 << (info - 24)
    if end - at - 1 < size:
        raise EncodingError(at, "a number is cut")
    value = int.from_bytes(raw[at + 1 : at + 1 + size], "big")
    least = 24 if size == 1 else 1 << (4 * size)
    if value < least:
        raise EncodingError(at, f"{value} has a shorter form")
    return value, at + 1 + size


def string_end(raw, at, end, length, text):
    if length > end - at:
        raise EncodingError(at, f"{length} bytes announced, {end - at} left")
    if text:
        try:
            bytes(raw[at : at + length]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise EncodingError(at + error.start, "not UTF-8") from None
    return at + length


def array_end(raw, at, end, count, depth):
    if count > end - at:
        raise EncodingError(at, f"{count} items announced, {end - at} bytes left")
    for _ in range(count):
        at = item_end(raw, at, end, depth + 1)
    return at


def map_end(raw, at, end, pairs, depth):
    if 2 * pairs > end - at:
        raise EncodingError(at, f"{2 * pairs} items announced, {end - at} bytes left")
    before = None
    for _ in range(pairs):
        after = item_end(raw, at, end, depth + 1)
        if raw[at] >> 5 not in (0, 1, 3):
            raise EncodingError(at, "a map key is neither an integer nor text")
        key = bytes(raw[at:after])
        if before is not None and key <= before:
            raise EncodingError(at, "map keys are not in order, or one is repeated")
        before = key
        at = item_end(raw, after, end, depth + 1)
    return at
