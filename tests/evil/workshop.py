# SPDX-License-Identifier: GPL-2.0-or-later
"""Clean media as people have them, made by other people's programs: what the station seals, and the attacks change."""

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from station import Failed, environment, run

MIB = 1 << 20
PATIENCE = 600  # seconds for a driver to mount, and to write back what it holds: minutes on a busy disk

# Short and long names, accents, an empty file, and one with BLAKE3 subtrees (above 1 MiB).
LETTER = b"Bonjour, voici le compte rendu.\r\n"
FILES = {
    "LETTRE.TXT": LETTER,
    "Dossier/Été 2026/naïve clé.txt": "accents\r\n".encode(),
    "Dossier/vide.dat": b"",
    "long.bin": b"".join(number.to_bytes(4, "little") for number in range(350_000)),
}


@dataclass(frozen=True)
class Kind:
    """A form of medium: its size, and where its filesystem starts."""

    name: str
    capacity: int
    start: int = 0

    @property
    def is_fat(self):
        return self.name.startswith("fat")


# FAT32 needs 65 525 clusters: 36 MiB of one sector each. Behind it the partitioned key has a gap of 3 MiB.
KINDS = {
    kind.name: kind
    for kind in (Kind("fat32", 40 * MIB, MIB), Kind("fat16", 12 * MIB), Kind("fat12", 2 * MIB), Kind("exfat", 8 * MIB),
                 Kind("ntfs", 8 * MIB))
}


def make(kind, image, files=None, serial="1234abcd"):
    """A clean medium with `files` in the sparse file `image`."""
    with image.open("wb") as file:
        file.truncate(kind.capacity)
    tree = write_tree(image.with_suffix(".tree"), FILES if files is None else files)
    if kind.is_fat:
        make_fat(kind, image, tree, serial)
    elif kind.name == "exfat":
        run("mkfs.exfat", image)
        with mounted(kind, image) as point:
            shutil.copytree(tree, point, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        run("mkntfs", "-Q", "-F", "-q", "-s", "512", "-p", "0", "-H", "255", "-S", "63", image)
        with mounted(kind, image) as point:
            shutil.copytree(tree, point, dirs_exist_ok=True, copy_function=shutil.copyfile)
    shutil.rmtree(tree)


def write_tree(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def make_fat(kind, image, tree, serial):
    width = kind.name.removeprefix("fat")
    # --invariant has a serial of its own, which the option behind it replaces.
    options = ["-F", width, "-s", "1", "--invariant", "-i", serial]
    if kind.start:
        # Type 0c: FAT32 with logical block addresses. The kernel need not hear of it.
        script = f"label: dos\nstart={kind.start // 512}, size={36 * MIB // 512}, type=c\n"
        partition = ["sfdisk", "--quiet", "--no-tell-kernel", str(image)]
        subprocess.run(partition, input=script.encode(), check=True, capture_output=True, timeout=PATIENCE)
        run("mkfs.vfat", *options, "--offset", kind.start // 512, image, 36 * 1024)
    else:
        run("mkfs.vfat", *options, image)
    copied = sorted(tree.iterdir())
    run("mcopy", "-s", "-i", f"{image}@@{kind.start}", *copied, "::/", env=environment())


def unmount(point):
    """A busy machine hands the last closings to the driver late: until then the point is "busy"."""
    wait_until(lambda: subprocess.run(["umount", str(point)], capture_output=True).returncode == 0, f"umount {point}")


@contextlib.contextmanager
def mounted(kind, image, *options):
    """The medium as Linux shows it in user space: exfat-fuse on a loop device, ntfs-3g on the image itself."""
    point = image.with_suffix(".mounted")
    point.mkdir(exist_ok=True)
    if kind.name == "exfat":
        with loop_device(image, "ro" in options) as device:
            run("mount.exfat-fuse", *(["-o", ",".join(options)] if options else []), device, point)
            try:
                yield point
            finally:
                unmount(point)
        return
    words = ["ntfs-3g", "-o", ",".join(["no_detach", "streams_interface=windows", *options]), str(image), str(point)]
    driver = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: os.path.ismount(point) or driver.poll() is not None, f"{words} mounts nothing")
        if driver.poll() is not None:
            raise Failed(f"{words} ended with code {driver.returncode}")
        try:
            yield point
        finally:
            unmount(point)
    finally:
        # Only the driver's end says that everything is written: umount returns before.
        driver.wait(PATIENCE)


@contextlib.contextmanager
def loop_device(image, read_only):
    options = ["--read-only"] if read_only else []
    device = run("losetup", "--find", "--show", *options, image).decode().strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)
        # umount returns while exfat-fuse still writes; the device goes only when that has closed it.
        wait_until(lambda: not run("losetup", "--associated", image), f"{device} is still in use")


def wait_until(done, complaint):
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise Failed(complaint)
        time.sleep(0.02)


def copy_sparse(source, to):
    run("cp", "--sparse=always", source, to)
    return Path(to)
