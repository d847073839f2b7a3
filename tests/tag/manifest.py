# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 7 and 8, step 16: the manifest as a stream, one entry in memory at a time."""

import hashlib
from dataclasses import dataclass

import blake3_tree
from encoding import EncodingError, sequence
from refusal import Refusal
from shape import ShapeError, either, integer, need, null, octets, sha256, tuple_of, uint

FOLDER, FILE, STREAM, LINK, OTHER = range(5)
MOST_ENTRIES = 4_194_304
PART = 1 << 20
optional_sha256 = either(null, sha256)
ENTRY = tuple_of(
    uint, octets(0, 32768), either(null, octets(1, 1024)), integer(0, 4), uint, optional_sha256, optional_sha256,
    either(null, octets(0, 1 << 32)), either(null, integer(-(2**64), 2**64 - 1)),
)


@dataclass(frozen=True)
class Entry:
    volume: int
    path: bytes
    stream: bytes | None
    kind: int
    size: int
    sha256: bytes | None
    blake3: bytes | None
    subtrees: bytes | None
    modified: int | None

    @property
    def name(self):
        return self.volume, self.path, self.stream

    def order(self):
        return self.volume, self.path, self.stream is not None, self.stream or b""


def check_digest(raw, start, end, content):
    """Length and SHA-256 of the whole, before any entry is believed."""
    digest = hashlib.sha256()
    for at in range(start, end, PART):
        digest.update(raw[at : min(at + PART, end)])
    if end - start != content[0] or digest.digest() != content[1]:
        raise Refusal("E-MANIFEST", "length or SHA-256 are not those of the claims")


def entries(raw, start, end, claims):
    """Every entry, with every rule of section 7; the sums are compared at the end."""
    volumes, content = claims[8], claims[9]
    state, count, kinds, size = Order(), 0, [0] * 5, 0
    try:
        for item in sequence(raw, start, end):
            count += 1
            need(count <= MOST_ENTRIES, f"more than {MOST_ENTRIES} entries")
            ENTRY(item)
            entry = Entry(*item)
            need(entry.volume < len(volumes), "an entry of a volume that does not exist")
            need((entry.volume, entry.path) != (claims[7].get(4), b"blanche.tag"), "the tag itself")
            check_path(entry.path, wtf8=volumes[entry.volume][8] == 0)
            check_content(entry)
            state.next(entry)
            kinds[entry.kind] += 1
            size += entry.size
            yield entry
        listed = [content[key] for key in (5, 3, 4, 6, 7)]
        need(kinds == listed, f"kinds {kinds}, {listed} in the claims")
        need(size == content[8], f"{size} bytes, {content[8]} in the claims")
    except (ShapeError, EncodingError) as error:
        raise Refusal("E-MANIFEST", f"entry {count}: {error}") from None


class Order:
    """What the order of section 7 and "folders first" need to know of the entries before."""

    def __init__(self):
        self.before = None
        self.owner = None  # the last entry without a stream
        self.folders = []  # the folders that the next entry can stand in, each inside the one before

    def next(self, entry):
        order = entry.order()
        need(self.before is None or self.before < order, "not in order, or repeated")
        if self.before is None or self.before[0] != entry.volume:
            self.owner, self.folders = None, []
        self.before = order
        need((entry.stream is not None) == (entry.kind == STREAM), "a stream of another kind, or the reverse")
        if entry.stream is not None:
            need(entry.path == b"" or entry.path == self.owner, "a stream of nothing")
            return
        need(entry.path != b"", "the root of a volume is no entry")
        while self.folders and not entry.path.startswith(self.folders[-1] + b"\0"):
            self.folders.pop()
        parent = entry.path.rpartition(b"\0")[0]
        need(parent == (self.folders[-1] if self.folders else b""), "no folder to stand in")
        self.owner = entry.path
        if entry.kind == FOLDER:
            self.folders.append(entry.path)


def check_content(entry):
    if entry.kind in (FOLDER, OTHER):
        need(entry.size == 0, "a size without content")
        need(entry.sha256 is None and entry.blake3 is None and entry.subtrees is None, "digests without content")
        return
    need(entry.sha256 is not None and entry.blake3 is not None, "no digests")
    if entry.size <= blake3_tree.MIB:
        need(entry.subtrees is None, "subtrees of up to one MiB")
        return
    need(entry.subtrees is not None, "no subtrees")
    need(len(entry.subtrees) == 32 * -(-entry.size // blake3_tree.MIB), "not 32 bytes for each begun MiB")
    need(blake3_tree.root(entry.subtrees) == entry.blake3, "the subtrees do not give the BLAKE3 of the whole")


def check_path(path, wtf8):
    """Section 8; the empty path is the root."""
    if path == b"":
        return
    components = path.split(b"\0")
    need(len(components) <= 512, "more than 512 components")
    for one in components:
        need(1 <= len(one) <= 1024, "a component that is empty or longer than 1024 bytes")
        need(one not in (b".", b".."), "a component . or ..")
        need(not wtf8 or is_wtf8(one), "a component that is not WTF-8")


def is_wtf8(name):
    """Generalised UTF-8, and no surrogate pair in it: a pair must have been joined."""
    try:
        units = name.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return not any("\ud800" <= a <= "\udbff" and "\udc00" <= b <= "\udfff" for a, b in zip(units, units[1:]))
