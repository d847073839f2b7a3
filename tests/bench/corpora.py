"""What the bench reads: corpora of this machine's own files or made at random, and images of them. Nothing is kept."""

import array
import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import office as documents

EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


def mixed(folder, megabytes):
    """Ordinary files of this machine until there are enough, and archives of some of them. Returns bytes."""
    picked, size = [], 0
    sources = [p for base in ("/usr/share", "/usr/lib", "/usr/bin") for p in sorted(Path(base).rglob("*"))]
    random.Random(1).shuffle(sources)
    for path in sources:
        try:
            if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size < 8 << 20:
                continue
        except OSError:
            continue
        target = folder / f"d{len(picked) % 40}" / f"{len(picked)}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        picked.append(target)
        size += target.stat().st_size
        if size > megabytes * 1_000_000:
            break
    for number, kind in enumerate(("zip", "gztar", "zip", "gztar")):
        shutil.make_archive(str(folder / f"archive{number}"), kind, folder / f"d{number}")
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()), len(picked) + 4


def bases(folder, signatures):
    """A ClamAV base with `signatures` random digests, a tenth as many patterns, and EICAR."""
    chance = random.Random(2)
    folder.mkdir()
    with open(folder / "bench.hsb", "w") as out:
        out.writelines(f"{chance.randbytes(32).hex()}:*:Bench.Hash-{i}:73\n" for i in range(signatures))
    with open(folder / "bench.ndb", "w") as out:
        out.writelines(f"Bench.Body-{i}:0:*:{chance.randbytes(24).hex()}\n" for i in range(signatures // 10))
        out.write(f"Bench.Eicar:0:*:{EICAR.hex()}\n")


def rules(folder, count):
    """A rule set of `count` synthetic rules beside the house's own: random text, random hex with wildcards, a condition."""
    chance = random.Random(4)
    folder.mkdir()
    word = lambda: "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(12))
    with open(folder / "bench.yar", "w") as out:
        for number in range(count):
            pattern = " ".join("??" if place % 7 == 3 else f"{chance.randrange(256):02x}" for place in range(18))
            out.write(f'rule Bench_{number} {{ meta: severity = "info" strings: $a = "{word()}" nocase $b = {{ {pattern} }} '
                      f"condition: $a and $b and filesize < 50MB }}\n")
    (folder / "manifest.toml").write_text('name = "bench"\nversion = "1"\ndate = 2026-11-01\n')


def run(*command, **more):
    """Runs a tool whose words nobody needs."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def empty(path, size):
    """A sparse file of whole MiB."""
    path.write_bytes(b"")
    os.truncate(path, (size + (1 << 20) - 1) >> 20 << 20)
    return path


def fat32(path, files, size, count):
    """A FAT32 image that holds a folder's content."""
    empty(path, size + count * 33_000 + (64 << 20))
    run("mkfs.vfat", "--invariant", "-F", "32", path)
    run("mcopy", "-s", "-Q", "-i", path, *files.iterdir(), "::/",
        env=os.environ | {"MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})
    return path


def office(work, megabytes):
    """FAT32 with office documents. Returns their folder and the image."""
    files = work / "office"
    files.mkdir()
    size, count = documents.corpus(files, megabytes, random.Random(6))
    print(f"    office: {size / 1e6:.0f} MB, {count} documents", flush=True)
    return files, fat32(work / "office.img", files, size, count)


def large(work, megabytes):
    """FAT32 with files of 64 MB at random, which are clean. Returns the image and the bytes of the files."""
    chance, files = random.Random(5), work / "large"
    files.mkdir()
    count = max(1, megabytes // 64)
    for number in range(count):
        (files / f"{number}.dat").write_bytes(b"%08d" % number + chance.randbytes(64_000_000))
    image = fat32(work / "large.img", files, count * 64_000_008, count)
    shutil.rmtree(files)
    return image, count * 64_000_008


def small(work, count, keep=False):
    """ext4 with `count` files of 4 KiB, a thousand in a folder, each with its own content; `keep` leaves the folder."""
    chance, files = random.Random(3), work / "small"
    for number in range(count):
        folder = files / str(number // 1000)
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        # Pure chance now and then makes the magic of an archive.
        (folder / f"{number}.dat").write_bytes(b"%08d" % number + chance.randbytes(4088))
    image = empty(work / "small.img", count * 4700 + (64 << 20))
    run("mke2fs", "-q", "-F", "-t", "ext4", "-N", str(count * 21 // 20 + 1000), "-d", files, image)
    if not keep:
        shutil.rmtree(files)
    return image


def sparse(work, name, size, file=0):
    """ext4 of `size` bytes on a sparse image, with one sparse file of `file` bytes if asked for."""
    files = work / f"{name}.d"
    files.mkdir()
    if file:
        empty(files / "long.bin", file)
    image = empty(work / f"{name}.img", size)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1", "-d", files, image)
    shutil.rmtree(files)
    return image


def mounted(work, files, *command):
    """Copies `files` through a FUSE driver; the driver ends when it is unmounted."""
    point = work / "mount"
    point.mkdir()
    driver = subprocess.Popen([*command, point], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.ismount(point):
                break
            time.sleep(0.1)
        else:
            sys.exit(f"{command[0]} did not mount")
        shutil.copytree(files, point, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", point], check=False)
        driver.wait()
        point.rmdir()


def media(work, files, size, count):
    """The same files on every filesystem that is read: name, image, ratio to reach."""
    def image(name, room):
        return empty(work / f"{name}.img", size * 5 // 4 + count * room + (64 << 20))

    ext4 = image("ext4", 8192)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", files, ext4)
    yield "ext4", ext4, 0.85
    exfat = image("exfat", 40_000)
    run("mkfs.exfat", exfat)
    loop = subprocess.run(["losetup", "--find", "--show", exfat], check=True, capture_output=True, text=True).stdout.strip()
    try:
        mounted(work, files, "mount.exfat-fuse", "-d", loop)
    finally:
        run("losetup", "--detach", loop)
    yield "exFAT", exfat, 0.85
    ntfs = image("ntfs", 8192)
    run("mkntfs", "--quick", "--force", "--quiet", ntfs)
    mounted(work, files, "ntfs-3g", "-o", "no_detach", ntfs)
    yield "NTFS", ntfs, 0.6
    iso, udf = work / "disc.iso", work / "udf.iso"
    run("xorriso", "-as", "mkisofs", "-quiet", "-J", "-r", "-o", iso, files)
    yield "ISO 9660", iso, None
    run("genisoimage", "-quiet", "-udf", "-R", "-D", "-o", udf, files)
    yield "UDF", udf, None


def slow(work, files):
    """FAT32 with a small file that takes libclamav seconds (3 GiB of zeros, packed twice), alone or among `files`."""
    folder = work / "slow"
    if files:
        shutil.copytree(files, folder)
    else:
        folder.mkdir()
    packer, inner = zlib.compressobj(9, zlib.DEFLATED, 31), []
    for _ in range(3 << 10):
        inner.append(packer.compress(bytes(1 << 20)))
    inner.append(packer.flush())
    (folder / "0-slow.gz.gz").write_bytes(gzip.compress(b"".join(inner), 9))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    count = sum(1 for _ in folder.rglob("*"))
    image = fat32(work / f"slow-{'among' if files else 'alone'}.img", folder, size, count)
    shutil.rmtree(folder)
    return image


def many(work, count):
    """FAT32 with `count` files of 16 bytes, a thousand in a folder, each with its own content; written here, because no
    tool makes a million files in a bearable time. Microsoft, "FAT: General Overview of On-Disk Format", 1.03."""
    cluster, reserved, folders = 4096, 32, (count + 999) // 1000
    per_folder = (1002 * 32 + cluster - 1) // cluster
    root = (folders * 32 + 32 + cluster - 1) // cluster
    clusters = max(66_000, root + folders * per_folder + count + 16)
    fat_sectors = ((clusters + 2) * 4 + 511) // 512
    data = (reserved + fat_sectors) * 512
    image = empty(work / "many.img", data + clusters * cluster)
    table = array.array("I", [0x0FFFFFF8, 0x0FFFFFFF])
    sectors = data // 512 + clusters * (cluster // 512)

    def chain(length):
        first = len(table)
        table.extend(range(first + 1, first + length))
        table.append(0x0FFFFFFF)
        return first

    def entry(name, attributes, first, size):
        return struct.pack("<11sB8xH4xHI", name, attributes, first >> 16, first & 0xFFFF, size)

    with open(image, "r+b") as out:
        boot = struct.pack("<3s8sHBHBHHBHHHIIIHHIHH12sBBBI11s8s", b"\xeb\x58\x90", b"BLANCHE ", 512, cluster // 512, reserved, 1,
                           0, 0, 0xF8, 0, 63, 255, 0, sectors, fat_sectors, 0, 0, 2, 1, 0, b"", 0x80, 0, 0x29, 7,
                           b"MANY       ", b"FAT32   ")
        out.write(boot.ljust(510, b"\0") + b"\x55\xaa")
        out.write(struct.pack("<I480xIII12xI", 0x41615252, 0x61417272, 0xFFFFFFFF, 0xFFFFFFFF, 0xAA550000))
        at = lambda first: data + (first - 2) * cluster
        top, names = chain(root), []
        for folder in range(folders):
            first = chain(per_folder)
            names.append(entry(b"%-11d" % folder, 0x10, first, 0))
            lines = [entry(b".          ", 0x10, first, 0), entry(b"..         ", 0x10, 0, 0)]
            for number in range(folder * 1000, min(count, folder * 1000 + 1000)):
                start = chain(1)
                lines.append(entry(b"%-8dDAT" % number, 0x20, start, 16))
                out.seek(at(start))
                out.write(b"%016d" % number)
            out.seek(at(first))
            out.write(b"".join(lines))
        out.seek(at(top))
        out.write(b"".join(names))
        out.seek(reserved * 512)
        out.write(table.tobytes())
    return image
