# SPDX-License-Identifier: GPL-2.0-or-later
"""A medium in memory: what the tests and the vectors show to the verifier."""

from manifest import FOLDER, OTHER
from media import Medium, NotShown, Seen


class MemoryMedium(Medium):
    """`areas`: (start, bytes) that can be read, zeros elsewhere, None: no boot area can be seen.
    `shown`: (volume, path, stream, kind, content) or None; content None cannot be read; `sizes` overrides by name;
    `walked`: numbers of the volumes that can be seen, None: all."""

    streams_shown = True

    def __init__(self, capacity=None, block=None, usb=None, areas=None, shown=None, sizes=None, walked=None):
        self.capacity, self.block, self.usb = capacity, block, usb
        self.areas = areas
        self.shown = shown
        self.sizes = sizes or {}
        self.walked = () if shown is None else walked

    @property
    def has_boot_areas(self):
        return self.areas is not None

    def read(self, start, length):
        found = bytearray(length)
        for at, part in self.areas:
            low, high = max(start, at), min(start + length, at + len(part))
            if low < high:
                found[low - start : high - start] = part[low - at : high - at]
        return bytes(found)

    def walk(self, volumes):
        for number, volume in enumerate(volumes):
            if volume[3] != "blank" and self.walked is not None and number not in self.walked:
                raise NotShown(f"the files of volume {number}")
        for volume, path, stream, kind, content in self.shown or ():
            size = 0 if kind in (FOLDER, OTHER) else len(content or b"")
            yield Seen(volume, path, stream, kind, self.sizes.get((volume, path, stream), size), content)

    def content(self, seen):
        if seen.place is None:
            raise OSError("unreadable")
        yield seen.place
