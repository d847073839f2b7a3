# SPDX-License-Identifier: GPL-2.0-or-later
"""What one attack may change: a sealed medium, the workstation that will be asked about it, and the workstation's clock."""

import contextlib
import json
import time
from pathlib import Path

import cbor2

from fat_names import checksum
from lying_medium import inserted
from station import environment, private, run
from steps import HEADER, MAGIC
from verifiers import Program
from workshop import mounted

TAG = "blanche.tag"


class Scene:
    """A copy of a sealed medium and of the trust in its station, in a folder of its own."""

    def __init__(self, folder, kind, image, trust, authority, sealed):
        self.folder, self.kind, self.image, self.trust = folder, kind, image, trust
        self.sealed = sealed  # the media of this run: attacks may take things from another one
        self._authority = authority
        self.now = int(time.time())
        self.at = None  # the workstation's clock; None: the machine's own
        self.level = "full"
        self.policy = {}
        self.memory = None  # of section 14: time, crls, lists, counters; None: nothing is remembered
        self.tag = None  # given by --tag
        self.mountable = None  # the medium with these files for a driver that would not mount it any more
        self.evil = None  # what the medium shows from a sector's second read on; None: it does not lie

    # The medium.

    @property
    def volume(self):
        """The FAT volume, in the words of mtools."""
        return f"{self.image}@@{self.kind.start}"

    def mtools(self, program, *words):
        return run(program, "-i", self.volume, *words, env=environment())

    def put(self, path, content):
        """Writes a file of a FAT volume, in place of one of that name."""
        source = self.folder / "put"
        source.write_bytes(content)
        self.mtools("mcopy", "-o", source, f"::/{path}")

    def put_all(self, entries):
        """Files and folders (None), folders before what is in them, by the driver of the filesystem."""
        if not self.kind.is_fat:
            with self.mounted() as point:
                for path, content in entries.items():
                    (point / path).mkdir() if content is None else (point / path).write_bytes(content)
            return
        for path, content in entries.items():
            self.mtools("mmd", f"::/{path}") if content is None else self.put(path, content)

    def get(self, path):
        return self.mtools("mtype", f"::/{path}")

    def mounted(self, *options):
        """An exFAT or NTFS medium, mounted for writing."""
        return mounted(self.kind, self.image, *options)

    @contextlib.contextmanager
    def inserted(self):
        """The medium as one verifier finds it."""
        if self.evil is None:
            yield self.image
        else:
            with inserted(self.folder, self.image.read_bytes(), self.evil) as medium:
                yield medium

    @contextlib.contextmanager
    def shown(self):
        """What the second verifier looks at: the medium, and the folder in which Linux shows it, unless it is FAT."""
        if self.kind.is_fat:
            with self.inserted() as medium:
                yield medium, None
        else:
            with mounted(self.kind, self.mountable or self.image, "ro") as folder:
                yield self.image, folder

    def read(self, at, length):
        with self.image.open("rb") as image:
            image.seek(at)
            return image.read(length)

    def write(self, at, content):
        """Bytes of the medium, counted from its start."""
        with self.image.open("r+b") as image:
            image.seek(at)
            image.write(content)

    def change_short_name(self, at, short):
        """Of the FAT entry at this byte; the entry of its long name stands in front of it."""
        self.write(at, short)
        self.write(at - 32 + 13, bytes([checksum(short)]))

    def replace(self, old, new):
        """The one place where these bytes stand."""
        raw = self.image.read_bytes()
        assert raw.count(old) == 1 and len(old) == len(new), f"{old!r} stands {raw.count(old)} times"
        self.write(raw.index(old), new)

    # The tag.

    def read_tag(self):
        return self.get(TAG) if self.kind.is_fat else self.tag.read_bytes()

    def write_tag(self, tag):
        self.put(TAG, tag)

    def parts(self):
        """Envelope and manifest of the tag."""
        return split(self.read_tag())

    def change_envelope(self, change):
        """`change` gets the parts of the real envelope, and nothing is signed again."""
        envelope, manifest = self.parts()
        parts = envelope_parts(envelope)
        change(parts)
        self.write_tag(join(envelope_of(parts), manifest))

    # The workstation.

    def remember(self):
        """The workstation accepts what there is now, and remembers what a verifier may learn from it."""
        self.memory = {}
        program = Program(self.sealed.programs / "blanche-verify")
        found = program.answer(self)
        assert found == "accepted", found
        self.memory = json.loads((self.folder / "memory-linux" / "memory.json").read_text("utf-8"))
        del self.memory["schema"]

    def authority(self):
        """The authority of the station, in a copy: what it revokes here concerns this scene only."""
        return self._authority.copy(private(self.folder / "offline"))

    def given(self, name, content):
        """A file that the user of the workstation gives with --tag."""
        self.tag = Path(self.folder / name)
        self.tag.write_bytes(content)


def split(tag):
    """Envelope and manifest of a tag file."""
    _, _, _, length, _, _ = HEADER.unpack_from(tag)
    return tag[HEADER.size : HEADER.size + length], tag[HEADER.size + length :]


def join(envelope, manifest):
    """A tag file with a header that fits."""
    return HEADER.pack(MAGIC, 1, HEADER.size, len(envelope), len(manifest), bytes(8)) + envelope + manifest


def envelope_parts(envelope):
    """What tag 98 of an envelope holds, to be changed: protected, unprotected, payload, signatures."""
    protected, unprotected, payload, signatures = cbor2.loads(envelope).value
    return [protected, dict(unprotected), payload, [[one[0], dict(one[1]), one[2]] for one in signatures]]


def envelope_of(parts):
    return cbor2.dumps(cbor2.CBORTag(98, parts))
