# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 7: chaining values of BLAKE3 subtrees of one MiB, and the root over them.

The package blake3 gives whole hashes only, so the compression function stands here, from the BLAKE3 paper (2.2): slow,
and enough to check a MiB. `test_verify.py` compares the outcome with the package.
"""

import struct

MIB = 1 << 20
CHUNK, BLOCK = 1024, 64
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
MASK = 0xFFFFFFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)


def quarter(v, a, b, c, d, x, y):
    v[a] = (v[a] + v[b] + x) & MASK
    t = v[d] ^ v[a]
    v[d] = (t >> 16 | t << 16) & MASK
    v[c] = (v[c] + v[d]) & MASK
    t = v[b] ^ v[c]
    v[b] = (t >> 12 | t << 20) & MASK
    v[a] = (v[a] + v[b] + y) & MASK
    t = v[d] ^ v[a]
    v[d] = (t >> 8 | t << 24) & MASK
    v[c] = (v[c] + v[d]) & MASK
    t = v[b] ^ v[c]
    v[b] = (t >> 7 | t << 25) & MASK


def compress(key, block, counter, length, flags):
    """The first 8 words of the output."""
    m = struct.unpack("<16I", block)
    v = [*key, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for number in range(7):
        for i, (a, b, c, d) in enumerate(COLUMNS_AND_DIAGONALS):
            quarter(v, a, b, c, d, m[2 * i], m[2 * i + 1])
        if number < 6:
            m = [m[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def chunk_value(data, counter):
    key = IV
    starts = range(0, max(len(data), 1), BLOCK)
    for at in starts:
        part = data[at : at + BLOCK]
        flags = (CHUNK_START if at == 0 else 0) | (CHUNK_END if at == starts[-1] else 0)
        key = compress(key, part.ljust(BLOCK, b"\0"), counter, len(part), flags)
    return struct.pack("<8I", *key)


def join(values, top):
    """The value over leaves; `top` are the flags of the topmost parent."""
    if len(values) == 1:
        return values[0]
    left = 1 << ((len(values) - 1).bit_length() - 1)
    block = join(values[:left], 0) + join(values[left:], 0)
    return struct.pack("<8I", *compress(IV, block, 0, BLOCK, PARENT | top))


def subtree(data, number):
    """The chaining value of MiB `number` of a content that is larger than one MiB."""
    chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return join([chunk_value(chunk, number * (MIB // CHUNK) + i) for i, chunk in enumerate(chunks)], 0)


def root(subtrees):
    """The hash of the content whose subtrees, two or more, stand one after the other in `subtrees`."""
    return join([subtrees[at : at + 32] for at in range(0, len(subtrees), 32)], ROOT)
