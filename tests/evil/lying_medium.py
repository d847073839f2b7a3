# SPDX-License-Identifier: GPL-2.0-or-later
"""A medium whose firmware shows a sector honestly the first time, and something else from then on.

A file that is a FUSE filesystem of its own (Linux, include/uapi/linux/fuse.h), read past the page cache: what the kernel
keeps in memory could not lie. Each time it is inserted it starts anew, as a medium does that forgets without power.
"""

import contextlib
import ctypes
import errno
import os
import stat
import struct
import threading

from workshop import unmount

SECTOR = 512
BUFFER = 1 << 18  # above what the kernel ever sends: a request to write has 128 KiB
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
REQUEST = struct.Struct("<IIQQIIII")
ANSWER = struct.Struct("<IiQ")
GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 3, 14, 15, 18, 25, 26
WITHOUT_ANSWER = (2, 36, 42)  # forget, interrupt, batch forget
INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
ATTR_OUT = struct.Struct("<QII6Q10I")
OPEN_OUT = struct.Struct("<QII")
READ_IN = struct.Struct("<QQI")
FOPEN_DIRECT_IO = 1


class Firmware:
    """What it answers: `honest` for a sector's first read, `evil` for the others."""

    def __init__(self, honest, evil):
        self.honest, self.evil = honest, evil
        self.shown = set()

    def read(self, at, length):
        end = min(at + length, len(self.honest))
        answer = bytearray()
        for sector in range(at // SECTOR, -(-end // SECTOR)):
            source = self.evil if sector in self.shown else self.honest
            answer += source[sector * SECTOR : (sector + 1) * SECTOR]
            self.shown.add(sector)
        skip = at % SECTOR
        return bytes(answer[skip : skip + max(end - at, 0)])

    def answer(self, kind, body):
        if kind == INIT:
            return INIT_OUT.pack(7, 31, 0, 0, 0, 0, 1 << 17, 1, 32, 0, 0)
        if kind == GETATTR:
            size = len(self.honest)
            return ATTR_OUT.pack(0, 0, 0, 1, size, size // SECTOR, 0, 0, 0, 0, 0, 0, stat.S_IFREG | 0o400, 1, 0, 0, 0, SECTOR, 0)
        if kind == OPEN:
            return OPEN_OUT.pack(0, FOPEN_DIRECT_IO, 0)
        if kind == READ:
            _, at, length = READ_IN.unpack_from(body)
            return self.read(at, length)
        return b"" if kind in (RELEASE, FLUSH) else None

    def serve(self, device):
        while True:
            try:
                request = os.read(device, BUFFER)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.ENOENT, errno.EINTR):  # the request was taken back
                    continue
                raise
            _, kind, number, *_ = REQUEST.unpack_from(request)
            if kind in WITHOUT_ANSWER:
                continue
            body = self.answer(kind, request[REQUEST.size :])
            error = -errno.ENOSYS if body is None else 0
            os.write(device, ANSWER.pack(ANSWER.size + len(body or b""), error, number) + (body or b""))


@contextlib.contextmanager
def inserted(folder, honest, evil):
    """The medium as a file, from its first read on."""
    medium = folder / "inserted.img"
    medium.touch()
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    try:
        options = f"fd={device},rootmode={stat.S_IFREG:o},user_id={os.getuid()},group_id={os.getgid()}"
        libc = ctypes.CDLL(None, use_errno=True)
        flags = MS_RDONLY | MS_NOSUID | MS_NODEV
        if libc.mount(b"lying", os.fsencode(medium), b"fuse", ctypes.c_ulong(flags), options.encode()) != 0:
            raise OSError(ctypes.get_errno(), f"mount of {medium}: {os.strerror(ctypes.get_errno())}")
        threading.Thread(target=Firmware(honest, evil).serve, args=[device], daemon=True).start()
        try:
            yield medium
        finally:
            unmount(medium)
    finally:
        os.close(device)
