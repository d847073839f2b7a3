# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps 19 and 20: what a walk shows against what the manifest lists."""

import hashlib

import blake3

from artefacts import Tolerance
from manifest import FILE, FOLDER, OTHER, STREAM
from media import NotShown
from refusal import Refusal

TAG_NAME = b"blanche.tag"
ORDER = ("E-ADDED", "E-REMOVED", "E-CHANGED")


class Comparison:
    def __init__(self, claims, listed, medium, copy, outcome):
        self.claims, self.listed, self.medium, self.outcome = claims, listed, medium, outcome
        self.copy = copy  # the tag file as step 1 took it
        self.seen, self.tags, self.repeated = {}, [], []
        self.tolerance = None

    def inventory(self):
        """Step 19."""
        for one in self.walk():
            if one.name in self.seen or (self.tags and self.is_the_tag(one)):
                self.repeated.append(one.name)  # a filesystem that lies: which of the two a host opens is its own affair
            elif self.is_the_tag(one):
                self.tags.append(one)
            else:
                self.seen[one.name] = one
        filesystems = [volume[3] for volume in self.claims[8]]
        self.tolerance = Tolerance(filesystems, list(self.seen.values()))
        if not self.medium.streams_shown:
            self.outcome.not_available.append("streams")
        found = [*self.added(), *self.removed(filesystems), *self.changed()]
        self.outcome.differences = [(code, volume, path.hex()) for code, (volume, path, _) in found]
        for code in ORDER:
            if names := [name for one, name in found if one == code]:
                raise Refusal(code, f"{names[0]}")

    def walk(self):
        try:
            yield from self.medium.walk(self.claims[8])
        except NotShown as error:
            raise Refusal("E-NOT-AVAILABLE", str(error)) from None
        except OSError as error:
            raise Refusal("E-UNREADABLE", str(error)) from None

    def is_the_tag(self, seen):
        return seen.name == (self.claims[7].get(4), TAG_NAME, None) and seen.kind == FILE

    def added(self):
        for name in self.repeated:
            yield "E-ADDED", name
        for name, seen in self.seen.items():
            if name not in self.listed and not self.tolerates(seen):
                yield "E-ADDED", name

    def removed(self, filesystems):
        missing = [entry for entry in self.listed.values() if entry.name not in self.seen]
        tolerance = Tolerance(filesystems, missing)
        for entry in missing:
            if entry.kind == STREAM and not self.medium.streams_shown:
                continue
            if tolerance.fits(entry):
                self.tolerated(entry)
            else:
                yield "E-REMOVED", entry.name

    def equals_copy(self, seen):
        """What stands under the name of the tag is the tag: anything else would hide there."""
        digest, size = hashlib.sha256(), 0
        try:
            for part in self.medium.content(seen):
                digest.update(part)
                size += len(part)
                if size > len(self.copy):
                    break
        except OSError:
            return False
        return seen.size == size == len(self.copy) and digest.digest() == hashlib.sha256(self.copy).digest()

    def changed(self):
        for seen in self.tags:
            if not self.equals_copy(seen):
                yield "E-CHANGED", seen.name
        for name, entry in self.listed.items():
            seen = self.seen.get(name)
            if seen and (seen.kind, seen.size) != (entry.kind, entry.size) and not self.tolerates(seen):
                yield "E-CHANGED", name

    def full(self):
        """Step 20."""
        for name, entry in self.listed.items():
            seen = self.seen.get(name)
            if seen is None or (seen.kind, seen.size) != (entry.kind, entry.size) or entry.kind in (FOLDER, OTHER):
                continue  # step 19 tolerated it, or there is no content
            digest, tree, size = hashlib.sha256(), blake3.blake3(), 0
            for part in self.parts(seen):
                digest.update(part)
                tree.update(part)
                size += len(part)
                if size > entry.size:
                    break
            if (size, digest.digest(), tree.digest()) != (entry.size, entry.sha256, entry.blake3) and not self.tolerates(seen):
                raise Refusal("E-CHANGED", f"{name}")

    def parts(self, seen):
        try:
            yield from self.medium.content(seen)
        except OSError as error:
            raise Refusal("E-UNREADABLE", f"{seen.name}: {error}") from None

    def tolerates(self, seen):
        """Everything about it must fit, its content too: files of the list are small."""
        fits = self.tolerance.fits(seen, lambda one: b"".join(self.parts(one)))
        if fits:
            self.tolerated(seen)
        return fits

    def tolerated(self, entry):
        if entry.path.hex() not in self.outcome.tolerated:
            self.outcome.tolerated.append(entry.path.hex())
