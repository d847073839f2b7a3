"""How the bench measures: commands in pairs, sessions of Blanche with their own report, memory while they run."""

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSE_RULES = ROOT / "signatures" / "rules"
median = statistics.median


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


def plain_read(path):
    """Bytes per second of reading a file from its beginning to its end."""
    start, total = time.monotonic(), 0
    with open(path, "rb", buffering=0) as raw:
        while part := raw.read(1 << 20):
            total += len(part)
    return total / (time.monotonic() - start)


def forget(path):
    """What memory holds of a file is given up: whoever reads it next waits for the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def from_disk(path, bytes_per_second, pairs):
    """Ratio of what `bytes_per_second()` gives to a plain read, both from the disk: the median of pairs, and that of the plain reads."""
    ratios, plain = [], []
    for _ in range(pairs):
        forget(path)
        plain.append(plain_read(path))
        forget(path)
        ratios.append(bytes_per_second() / plain[-1])
    return median(ratios), median(plain)


class Bench:
    """The folder of one run, its options, and sessions of Blanche."""

    def __init__(self, work, options):
        self.work, self.options, self.pairs = work, options, options.pairs
        self.programs = options.programs
        self.report = work / "report.json"

    def rules(self):
        """Rule folders: the house's own, and synthetic ones."""
        return [HOUSE_RULES, self.work / "rules"]

    def settings(self, name, small_base=False, known="none", matchers="auto"):
        """A configuration of Blanche."""
        base = ROOT / "signatures" / "clamav" if small_base else self.work / "base"
        rules = [HOUSE_RULES] if small_base else self.rules()
        count = matchers if matchers == "auto" else int(matchers)
        path = self.work / f"{name}.toml"
        path.write_text(
            f"bases.clamav = {json.dumps([str(base)])}\nbases.rules = {json.dumps([str(rule) for rule in rules])}\n"
            f"bases.required = []\nknown_results.file = {json.dumps(str(known))}\nmatchers.count = {json.dumps(count)}\n"
        )
        path.chmod(0o600)
        return path

    def seal(self, target):
        """Keys and trust of a throw-away station, once; seals a clean medium and returns the tag, if it is detached."""
        station = self.work / "station"
        if not station.exists():
            self.ceremony(station)
        settings = self.settings("seal", small_base=True)
        with settings.open("a") as more:
            more.write(f"bases.fresh = []\nseal.keys = {json.dumps(str(station / 'keys'))}\n"
                       f"seal.trust = {json.dumps(str(self.work / 'trust'))}\nseal.detached = {json.dumps(str(station / 'tags'))}\n")
        command = [self.programs / "blanche", "--config", settings, "scan", "--quiet", "--seal", f"--json={self.report}", target]
        done = subprocess.run(command, capture_output=True, text=True)
        sealed = json.loads(self.report.read_text())["seal"]
        if done.returncode != 0:
            sys.exit(f"not sealed: {sealed}")
        return sealed.get("file")

    def ceremony(self, station):
        """docs/keys.md, with a trust folder that takes the repository's own bases, which are as old as they are."""
        station.mkdir(mode=0o700)
        (station / "tags").mkdir()
        secret = station / "passphrase"
        secret.write_text(os.urandom(24).hex() + "\n")
        secret.chmod(0o600)
        keys, authority, trust = station / "keys", station / "authority", self.work / "trust"

        def step(*words):
            subprocess.run([self.programs / "blanche", "keys", *words, "--passphrase-file", secret], check=True,
                           capture_output=True)

        name = ("--station", "bench", "--site", "bench")
        step("authority", "--folder", authority, "--name", "bench")
        step("request", "--folder", keys, *name)
        step("issue", "--authority", authority, *name, "--out", station / "issued", keys / "classical.csr",
             keys / "post-quantum.csr")
        (trust / "authorities" / "bench").mkdir(parents=True)
        for chain in (station / "issued").glob("*.pem"):
            (keys / chain.name).write_bytes(chain.read_bytes())
        for chain in ("classical.pem", "post-quantum.pem"):
            (trust / "authorities" / "bench" / chain).write_bytes((authority / chain).read_bytes())
        for published in ("crls", "lists"):
            (trust / published).mkdir()
            for file in (authority / published).iterdir():
                (trust / published / file.name).write_bytes(file.read_bytes())
        (trust / "policy.toml").write_text('fresh_bases = []\n')
        signer = keys / "signer.toml"
        signer.write_text(signer.read_text().replace('fresh_bases = ["daily"]', 'fresh_bases = []'))

    def command(self, settings, target, *before):
        return [*before, self.programs / "blanche", "--config", settings, "scan", "--quiet", f"--json={self.report}", target]

    def session(self, settings, target, *before):
        """The report of one session, with the wall and CPU seconds of the whole program beside it."""
        wall, cpu = timed(*self.command(settings, target, *before))
        report = json.loads(self.report.read_text())
        report["wall"], report["cpu"] = wall, cpu
        return report

    def example(self, name, target):
        """What an example program of the reader prints, as numbers."""
        done = subprocess.run([self.programs / "examples" / name, target], check=True, capture_output=True, text=True)
        return [float(word) for word in done.stdout.split()[:4] if word.replace(".", "").isdigit()]

    def hash_rate(self, path):
        """Bytes per second of SHA-256 and BLAKE3 on one core."""
        size, seconds = self.example("hash", path)[:2]
        return size / seconds

    def memory(self, settings, target):
        """Peak bytes of all of Blanche's processes and of shared memory beyond what there was before; the report; bytes of the bases:
        what the process holds by itself that has loaded them, when there are matchers."""
        shared = shared_memory()
        program = subprocess.Popen(self.command(settings, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak, bases, over = [0], [], threading.Event()

        def watch():
            while not over.is_set():
                private, loaded = private_memory(program.pid)
                peak[0] = max(peak[0], private + max(0, shared_memory() - shared))
                bases.extend(loaded)
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        program.wait()
        over.set()
        watcher.join()
        return peak[0], json.loads(self.report.read_text()), min(bases)


def shared_memory():
    """Bytes of shared memory of the machine: memory files and tmpfs."""
    return meminfo()["Shmem"]


def meminfo():
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


def private_memory(program):
    """Bytes of memory, but shared memory, of a process and all that descends from it, each shared page counted once; and
    what those of them that have children of their own hold by themselves."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    total, parents, queue = 0, [], [program]
    while queue:
        process = queue.pop()
        queue += children.get(process, [])
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_File:")):
                    total += int(line.split()[1]) * 1024
            if process != program and process in children:
                status = Path(f"/proc/{process}/status").read_text()
                parents.append(int(status.split("RssAnon:")[1].split()[0]) * 1024)
        except (OSError, IndexError):
            pass  # it has ended meanwhile
    return total, parents


def say(row, text, value, goal=None, below=True):
    """One row: what, the ratio, and what is to be reached."""
    wanted = ""
    if goal is not None:
        reached = value <= goal if below else value >= goal
        wanted = f"  (to reach {goal}{'' if reached else ': NOT REACHED'})"
    print(f"{row:3} {text:58} {value:8.2f}{wanted}", flush=True)


def cores():
    return os.cpu_count() or 1
