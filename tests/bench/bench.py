#!/usr/bin/env python3
"""`make bench`: Blanche against ClamAV's own daemon and against the tools one after the other, in one run.

Machines are shared and noisy, so only ratios of medians within one run mean something. The corpus is made of this
machine's own files on a FAT32 image (for Blanche) and in a folder (for the peers); the bases are generated: random
signatures of the size asked for, and EICAR. All sides get the same bases and the same rules.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


def corpus(folder, megabytes):
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


def timed(*command):
    """Wall seconds of one command, and CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # clamscan and clamdscan say 1 when they found something, 2 when some file was odd; blanche 10 and 20.
    if done.returncode not in (0, 1, 2, 10, 20):
        sys.exit(f"{command[0]}: exit code {done.returncode}: {done.stderr.decode()[-400:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
        path = work / f"{name}.img"
        path.write_bytes(b"")
        os.truncate(path, (size * 5 // 4 + count * room + (64 << 20)) >> 20 << 20)
        return path

    def run(*command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

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


def read_and_hash(program, image, pairs):
    """P4: median of the ratio of a plain read of the image to reading and hashing its contents, per byte."""
    ratios, rates = [], []
    for pair in range(pairs + 1):
        start = time.monotonic()
        with open(image, "rb", buffering=0) as raw:
            while raw.read(1 << 20):
                pass
        plain = os.path.getsize(image) / (time.monotonic() - start)
        done = subprocess.run([program, image], check=True, capture_output=True, text=True).stdout.split()
        if pair > 0:
            rates.append(int(done[1]) / float(done[3]))
            ratios.append(rates[-1] / plain)
    return statistics.median(ratios), statistics.median(rates), int(done[2])


def daemon(work, base):
    """Starts clamd on `base` and waits until it answers."""
    settings = work / "clamd.conf"
    # Without its cache of clean files: the second pair would time a look-up.
    settings.write_text(
        f"DisableCache yes\nLocalSocket {work}/clamd.socket\nDatabaseDirectory {base}\nForeground yes\nMaxThreads {os.cpu_count()}\n"
        f"LogFile {work}/clamd.log\nMaxFileSize 2000M\nMaxScanSize 4000M\n"
    )
    process = subprocess.Popen(["clamd", f"--config-file={settings}"], stdout=subprocess.DEVNULL)
    for _ in range(600):
        if subprocess.run(["clamdscan", f"--config-file={settings}", "--ping", "1"], capture_output=True).returncode == 0:
            return process, settings
        time.sleep(0.2)
    sys.exit("clamd did not start; see its log")


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--programs", type=Path, required=True)
    ask.add_argument("--megabytes", type=int, default=200)
    ask.add_argument("--signatures", type=int, default=500_000)
    ask.add_argument("--pairs", type=int, default=5)
    options = ask.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        work.chmod(0o755)
        files = work / "files"
        files.mkdir()
        size, count = corpus(files, options.megabytes)
        bases(work / "base", options.signatures)
        image = work / "corpus.img"
        image.write_bytes(b"")
        os.truncate(image, size + (count * 33_000) + (64 << 20))
        subprocess.run(["mkfs.vfat", "--invariant", "-F", "32", image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mcopy", "-s", "-Q", "-i", image, *files.iterdir(), "::/"], check=True,
                       env=os.environ | {"MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})
        print("P4 read + hash, no engine / plain read of the same image, both from the page cache")
        reader = options.programs / "examples" / "read"
        for kind, path, goal in [("FAT32", image, 0.85), *media(work, files, size, count)]:
            ratio, rate, gaps = read_and_hash(reader, path, options.pairs)
            wanted = f"to reach {goal}" if goal else "no goal"
            print(f"   {kind:9} {ratio:.2f}  {rate / 1e6:.0f} MB/s, {gaps} gaps  ({wanted})")
            if path != image:
                path.unlink()
        settings = work / "blanche.toml"
        rules = ROOT / "signatures" / "rules"
        settings.write_text(f'[bases]\nclamav = ["{work}/base"]\nrules = ["{rules}"]\nrequired = []\n')
        yara_rules = sorted(str(path) for path in rules.glob("*.yar"))
        process, clamd = daemon(work, work / "base")
        report = work / "report.json"
        blanche = [options.programs / "blanche", "--config", settings, "scan", "--quiet", f"--json={report}", image]
        ours, whole, theirs, tools, cpu = [], [], [], [], []
        try:
            for pair in range(options.pairs + 1):
                wall, used = timed(*blanche)
                session = json.loads(report.read_text())
                multi, _ = timed("clamdscan", f"--config-file={clamd}", "--multiscan", "--fdpass", "--quiet", files)
                in_turn = [
                    timed("sh", "-c", f"find {files} -type f -print0 | xargs -0 b3sum --quiet >/dev/null 2>&1; true"),
                    timed("yara", "-r", "-w", *yara_rules, files),
                    timed("clamscan", "-r", "--quiet", "--infected", f"--database={work}/base", files),
                ]
                if pair == 0:
                    continue  # warm-up: page cache
                ours.append(session["duration"])
                whole.append(wall)
                theirs.append(multi)
                tools.append(sum(seconds for seconds, _ in in_turn))
                # Matchers are collected by the kernel, so their time is the report's, not the accounting's.
                spent = session["profile"]
                used += spent["clamav"] + spent["rules"] + spent["hash"]
                cpu.append(used / sum(seconds for _, seconds in in_turn))
        finally:
            process.terminate()
            process.wait()
        median = statistics.median
        profile = session["profile"]
        engines = profile["clamav"] + profile["rules"] + profile["hash"]
        cores = os.cpu_count() or 1
        print(f"corpus {size / 1e6:.0f} MB, {count} files; {options.signatures} signatures; {cores} cores; "
              f"{options.pairs} pairs, medians; verdict {session['verdict']}")
        for engine in session["engines"]["engines"]:
            print(f"  {engine['name']} {engine['version']}")
        print(f"session {median(ours):.1f} s, clamdscan --multiscan {median(theirs):.1f} s, "
              f"b3sum + yara + clamscan {median(tools):.1f} s")
        print(f"P1 session / clamdscan (base loaded on both sides)   {median([a / b for a, b in zip(ours, theirs)]):.2f}  (to reach 0.90)")
        print(f"P2 whole program / tools one after the other: wall   {median([a / b for a, b in zip(whole, tools)]):.2f}  (to reach 0.55)")
        print(f"                                              CPU    {median(cpu):.2f}  (to reach 1.00)")
        print(f"P3 engines' CPU / cores / wall                       {engines / cores / session['duration']:.2f}  (to reach 0.95)")


main()
