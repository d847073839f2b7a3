# SPDX-License-Identifier: GPL-2.0-or-later
"""What is seen of a medium: a mounted or extracted folder, or an image, whose FAT volumes mtools extracts and whose other
volumes somebody else has mounted."""

import errno
import os
import stat
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from claims import FAT
from manifest import FILE, FOLDER, LINK, OTHER, STREAM

PART = 1 << 20


@dataclass(frozen=True)
class Seen:
    """An entry as a walk shows it; `place` is for the medium that showed it."""

    volume: int
    path: bytes
    stream: bytes | None
    kind: int
    size: int
    place: object = None

    @property
    def name(self):
        return self.volume, self.path, self.stream


class NotShown(Exception):
    """A volume whose files cannot be seen in this way."""


class Medium:
    """Everything that can be asked; None: not available here."""

    capacity = None
    block = None
    usb = None  # vendor, product, serial as Linux prints it
    streams_shown = False
    has_boot_areas = False

    def read(self, start, length):
        raise NotImplementedError

    def walk(self, volumes):
        """Every entry of every volume, in any order."""
        raise NotImplementedError

    def content(self, seen):
        """The content of a file, stream or link, in parts."""
        raise NotImplementedError


class Folders(Medium):
    """One folder for each volume, by its number."""

    def __init__(self, folders):
        self.folders = {number: os.fsencode(folder) for number, folder in folders.items()}

    def walk(self, volumes):
        for number, volume in enumerate(volumes):
            if number in self.folders:
                root, streams = self.folders[number], self.streams_shown and volume[3] == "ntfs"
                if streams:
                    yield from walk_streams(number, b"", root + b"/")
                yield from walk_folder(number, root, b"", streams)
            elif volume[3] != "blank":
                raise NotShown(f"volume {number} is {volume[3]} and no folder was given for it")

    def content(self, seen):
        if seen.kind == LINK:
            yield os.readlink(seen.place)
            return
        # O_NOFOLLOW: what was a file during the walk must not have become a link.
        with open(os.open(seen.place, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as file:
            while part := file.read(PART):
                yield part


def walk_folder(volume, folder, inside, streams):
    with os.scandir(folder) as found:
        for one in found:
            path = inside + b"\0" + one.name if inside else one.name
            state = one.stat(follow_symlinks=False)
            kind = kind_of(state.st_mode)
            size = state.st_size if kind == FILE else len(os.readlink(one.path)) if kind == LINK else 0
            yield Seen(volume, path, None, kind, size, one.path)
            if streams:
                yield from walk_streams(volume, path, one.path)
            if kind == FOLDER:
                yield from walk_folder(volume, one.path, path, streams)


def walk_streams(volume, path, place):
    """The streams of a file or folder of NTFS. ntfs-3g lists them, and shows one as PLACE:NAME (streams_interface=windows)."""
    try:
        listed = os.getxattr(place, "ntfs.streams.list", follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return
        raise NotShown(f"{os.fsdecode(place)}: streams are not listed ({error})") from None
    for name in filter(None, listed.split(b"\0")):
        stream = place + b":" + name
        yield Seen(volume, path, name, STREAM, os.stat(stream).st_size, stream)


def kind_of(mode):
    if stat.S_ISDIR(mode):
        return FOLDER
    if stat.S_ISREG(mode):
        return FILE
    return LINK if stat.S_ISLNK(mode) else OTHER


class Image(Folders):
    """An image of a whole medium. Its FAT volumes are extracted to `spool`; others are seen in `folders`, by their number."""

    has_boot_areas = True
    streams_shown = True  # of NTFS; others have none

    def __init__(self, path, spool, block=None, folders=None):
        super().__init__(folders or {})
        self.path = Path(path)
        self.spool = Path(spool)
        self.capacity = self.path.stat().st_size
        self.block = block

    def read(self, start, length):
        with self.path.open("rb") as image:
            image.seek(start)
            return image.read(length)

    def walk(self, volumes):
        for number, volume in enumerate(volumes):
            if volume[3] in FAT:
                self.folders[number] = os.fsencode(self.extract(number, volume[0]))
        yield from super().walk(volumes)
        for number, volume in enumerate(volumes):
            if volume[3] in FAT:
                yield from self.repeated(number, volume[0])

    def mtools(self, number, program, *words):
        # The medium is not ours to repair or to doubt: mtools reads what is there. Names come out as UTF-8.
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([program, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=3600)
        if done.returncode != 0:
            raise OSError(f"{program} of volume {number}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def repeated(self, number, start):
        """Names that occur again: the folder that was extracted to cannot hold them a second time."""
        listing = self.mtools(number, "mdir", "-b", "-a", "-/", "-i", f"{self.path}@@{start}", "::")
        for line, count in Counter(listing.splitlines()).items():
            if count > 1:
                kind = FOLDER if line.endswith(b"/") else FILE
                path = line.removeprefix(b"::/").removesuffix(b"/").replace(b"/", b"\0")
                yield Seen(number, path, None, kind, 0)

    def extract(self, number, start):
        folder = self.spool / str(number)
        folder.mkdir()
        self.mtools(number, "mcopy", "-s", "-n", "-i", f"{self.path}@@{start}", "::/", str(folder))
        return folder
