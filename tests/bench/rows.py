"""The rows of the table, P1 to P10, P14 and P15: what is compared with what stands in each function's first line."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import time

import corpora
from measure import cores, from_disk, median, plain_read, say, timed

MIB = 1 << 20


def engines_cpu(report):
    profile = report["profile"]
    return profile["clamav"] + profile["rules"] + profile["hash"]


def matchers_cpu(report):
    return engines_cpu(report) + report["profile"]["inspection"]


def daemon(work, base):
    """Starts clamd on `base` and waits until it answers."""
    settings = work / "clamd.conf"
    # Without its cache of clean files: the second pair would time a look-up.
    settings.write_text(
        f"DisableCache yes\nLocalSocket {work}/clamd.socket\nDatabaseDirectory {base}\nForeground yes\nMaxThreads {cores()}\n"
        f"LogFile {work}/clamd.log\nMaxFileSize 2000M\nMaxScanSize 4000M\n"
    )
    process = subprocess.Popen(["clamd", f"--config-file={settings}"], stdout=subprocess.DEVNULL)
    for _ in range(600):
        if subprocess.run(["clamdscan", f"--config-file={settings}", "--ping", "1"], capture_output=True).returncode == 0:
            return process, settings
        time.sleep(0.2)
    sys.exit("clamd did not start; see its log")


def p1(bench, files, image, size, count):
    """P1, P2: a session and the whole program against clamdscan, and against b3sum, yara and clamscan in turn: mixed, then office documents."""
    peers(bench, files, image)
    documents, medium = corpora.office(bench.work, bench.options.megabytes // 4)
    peers(bench, documents, medium)


def peers(bench, files, image):
    """P1, P2 for the same files in a folder and in an image."""
    settings = bench.settings("p1")
    yara_rules = sorted(str(path) for folder in bench.rules() for path in folder.glob("*.yar"))
    process, clamd = daemon(bench.work, bench.work / "base")
    sessions, theirs, tools = [], [], []
    try:
        for pair in range(bench.pairs + 1):
            session = bench.session(settings, image)
            multi, _ = timed("clamdscan", f"--config-file={clamd}", "--multiscan", "--fdpass", "--quiet", files)
            in_turn = [
                timed("sh", "-c", f"find {files} -type f -print0 | xargs -0 b3sum --quiet >/dev/null 2>&1; true"),
                timed("yara", "-r", "-w", *yara_rules, files),
                timed("clamscan", "-r", "--quiet", "--infected", f"--database={bench.work}/base", files),
            ]
            if pair == 0:
                continue  # warm-up: page cache
            sessions.append(session)
            theirs.append(multi)
            tools.append([sum(column) for column in zip(*in_turn)])
    finally:
        process.terminate()
        process.wait()
    last = sessions[-1]
    engines = ", ".join(f"{engine['name']} {engine['version']}" for engine in last["engines"]["engines"])
    for tool in ("b3sum", "yara", "clamdscan"):
        print(f"    {tool}: {subprocess.run([tool, '--version'], capture_output=True, text=True).stdout.strip()}")
    print(f"    {engines}; verdict {last['verdict']}; session {median([s['duration'] for s in sessions]):.1f} s, clamdscan "
          f"{median(theirs):.1f} s, b3sum + yara + clamscan {median([wall for wall, _ in tools]):.1f} s")
    # Matchers are collected by the kernel, so their time is the report's, not the accounting's.
    used = [(s["cpu"] + matchers_cpu(s)) / cpu for s, (_, cpu) in zip(sessions, tools)]
    say("P1", "session / clamdscan --multiscan (base loaded on both sides)",
        median([s["duration"] / wall for s, wall in zip(sessions, theirs)]), 0.90)
    say("P2", "whole program / tools one after the other: wall",
        median([s["wall"] / wall for s, (wall, _) in zip(sessions, tools)]), 0.55)
    say("", "CPU", median(used), 1.00)
    for name in ("clamav", "rules", "inspection", "hash", "read"):
        share = median([s["profile"][name] / (matchers_cpu(s) + s["profile"]["read"]) for s in sessions])
        rate = median([s["profile"]["rates"][name] for s in sessions])
        print(f"    {name:10} {share:5.1%} of the CPU, {rate / 1e6:7.1f} MB per CPU second")


def p3(bench, files, image, size, count):
    """P3: engines' CPU ÷ cores ÷ wall, on one core, on two, with four matchers, and with one slow file among many."""
    for name, matchers, pinned in (("one core", 1, 1), ("all cores", "auto", cores()), ("four matchers", 4, cores())):
        settings = bench.settings(f"p3-{matchers}", matchers=matchers)
        cpus = ",".join(str(core) for core in range(pinned))
        efficient = []
        for _ in range(max(3, bench.pairs // 2)):
            report = bench.session(settings, image, "taskset", "--cpu-list", cpus)
            efficient.append(engines_cpu(report) / pinned / report["duration"])
        say("P3", f"engines' CPU / cores / wall: {name}", median(efficient), 0.95, below=False)
    settings = bench.settings("p3-slow")
    alone = corpora.slow(bench.work, None)
    among = corpora.slow(bench.work, files)
    first, second, without = (bench.session(settings, path)["duration"] for path in (alone, among, image))
    # The slow file keeps one core; the others share the rest of the work.
    say("", "     a slow file among thousands / the longer of the two alone", second / max(first, without))
    say("", "     the same / what the cores allow", second / max(first, first / cores() + without))


def p4(bench, files, image, size, count):
    """P4: read + hash, no engine, against a plain read of the same image, in memory and from the disk, and against hashing alone."""
    for kind, path, goal in [("FAT32", image, 0.85), *corpora.media(bench.work, files, size, count)]:
        plain, bound, rates = [], [], []
        for pair in range(bench.pairs + 1):
            read, hashed = plain_read(path), bench.hash_rate(path)
            _, content, gaps, seconds = bench.example("read", path)
            if pair > 0:
                rates.append(content / seconds)
                plain.append(rates[-1] / read)
                bound.append(rates[-1] / hashed)
        say("P4", f"{kind}: read + hash / plain read, {median(rates) / 1e6:.0f} MB/s, {gaps:.0f} gaps", median(plain), goal,
            below=False)
        say("", "     / SHA-256 and BLAKE3 alone on one core", median(bound))

        def rate():
            _, content, _, seconds = bench.example("read", path)
            return content / seconds

        ratio, disk = from_disk(path, rate, bench.pairs)
        say("", f"     from this machine's disk / plain read from it, {disk / 1e6:.0f} MB/s", ratio, goal, below=False)
        if path != image:
            path.unlink()


def p5(bench, files, image, size, count):
    """P5: the same medium again under the same bases, against a plain read, hashing alone, and the first scan."""
    known = bench.work / "known.sqlite"
    settings = bench.settings("p5", known=known)
    plain, bound, again = [], [], []
    first = bench.session(settings, image)["duration"]
    for _ in range(bench.pairs):
        report = bench.session(settings, image)
        rate = report["content"]["bytes"] / report["duration"]
        plain.append(rate / plain_read(image))
        bound.append(rate / bench.hash_rate(image))
        again.append(report["duration"] / first)
    part = report["profile"]["known"]["bytes"] / report["content"]["bytes"]
    say("P5", f"same medium again ({part:.0%} of the bytes known) / plain read", median(plain), 0.7, below=False)
    say("", "     / SHA-256 and BLAKE3 alone on one core", median(bound))
    say("", "     wall of the second scan / first", median(again))

    def known_rate():
        report = bench.session(settings, image)
        return report["content"]["bytes"] / report["duration"]

    ratio, disk = from_disk(image, known_rate, bench.pairs)
    say("", f"     the same from this machine's disk / plain read from it, {disk / 1e6:.0f} MB/s", ratio, 0.7, below=False)
    rate, ratios = 200_000_000, []
    for _ in range(3):
        with device(bench, image, rate) as (medium, read):
            report = bench.session(settings, medium)
        ratios.append(read[0] / report["duration"] / rate)
    say("", "     the same from a device of 200 MB/s / its speed", median(ratios), 0.7, below=False)


@contextlib.contextmanager
def device(bench, image, rate):
    """The image as a file that gives `rate` bytes per second (nbdkit's rate filter behind nbdfuse), and where the bytes
    that were read from it are counted once it is gone."""
    point, socket, stats = bench.work / "nbd", bench.work / "nbd.socket", bench.work / "nbd.stats"
    point.mkdir()
    server = subprocess.Popen(
        ["nbdkit", "--foreground", "--readonly", "--unix", socket, "--filter=stats", "--filter=rate", "file", image,
         f"rate={rate * 8}", "burstiness=0.05", f"statsfile={stats}"])
    for _ in range(100):
        if socket.exists():
            break
        time.sleep(0.05)
    # nbdfuse ends when its mount does; `--readonly` so that nothing can be written through it.
    fuse = subprocess.Popen(["nbdfuse", "--readonly", point, f"nbd+unix:///?socket={socket}"])
    read = []
    try:
        for _ in range(100):
            if (point / "nbd").exists():
                break
            time.sleep(0.1)
        else:
            sys.exit("nbdfuse did not mount")
        yield point / "nbd", read
    finally:
        subprocess.run(["umount", point], check=False)
        fuse.wait()
        server.terminate()
        server.wait()
        point.rmdir()
        socket.unlink(missing_ok=True)
    line = next(line for line in stats.read_text().splitlines() if line.startswith("read:"))
    read.append(float(line.split(" s, ")[1].split(" MiB")[0]) * MIB)


def p6(bench, files, image, size, count):
    """P6: a device of 30 MB/s: session against bytes read ÷ speed."""
    rate, ratios = 30_000_000, []
    settings = bench.settings("p6", small_base=True)
    for _ in range(3):
        with device(bench, image, rate) as (medium, read):
            report = bench.session(settings, medium)
        ratios.append(report["duration"] / (read[0] / rate))
    say("P6", f"device of 30 MB/s: session / (bytes read, {read[0] / 1e6:.0f} MB, / speed)", median(ratios), 1.05)


def p7(bench, files, image, size, count):
    """P7: files of 4 KiB each, engines on a small base: files per second, and the time at ten times as many."""
    settings, rates = bench.settings("p7", small_base=True), {}
    for number in (bench.options.files // 10, bench.options.files):
        small = corpora.small(bench.work, number)
        report = bench.session(settings, small)
        small.unlink()
        assert report["content"]["files_checked"] >= number, report["content"]
        rates[number] = number / report["duration"]
    few, all_of_them = rates.values()
    say("P7", f"files of 4 KiB per second, {bench.options.files} of them", all_of_them, 2000, below=False)
    say("", "     time per file / at a tenth as many", few / all_of_them)
    rates = []
    for number in (bench.options.files, bench.options.files * 10):
        tiny = corpora.many(bench.work, number)
        report = bench.session(settings, tiny)
        tiny.unlink()
        assert report["content"]["files_checked"] == number, report["content"]
        rates.append(number / report["duration"])
    say("", f"     files of 16 bytes per second, {bench.options.files * 10} of them", rates[1])
    say("", "     time per file / at a tenth as many", rates[0] / rates[1])


def p8(bench, files, image, size, count):
    """P8: peak memory of all processes above the loaded bases, in MiB, beside what each medium may take."""
    settings = bench.settings("p8", small_base=True)
    many = bench.options.files * 10
    media = [
        ("1 MiB, empty", corpora.sparse(bench.work, "bare", MIB), 0),
        ("mixed corpus", image, max(path.stat().st_size for path in files.rglob("*") if path.is_file())),
        ("2 TB, sparse", corpora.sparse(bench.work, "wide", 2_000_000_000_000), 0),
        (f"{bench.options.files} files", corpora.small(bench.work, bench.options.files), 4096),
        (f"{many} files", corpora.many(bench.work, many), 16),
        ("one sparse file of 8 GiB", corpora.sparse(bench.work, "long", 9 << 30, 8 << 30), 8 << 30),
    ]
    for name, path, largest in media:
        peak, report, base = bench.memory(settings, path)
        content = report["content"]
        assert content["bytes"] >= largest, content
        print(f"    {name}: {content['files_checked']} of {content['files']} files checked, {report['verdict']}; {base / MIB:.0f} MiB of bases")
        # What waits in the spool for a matcher is not counted: its quota is the administrator's choice.
        spooled = largest if largest > report["read_limits"]["max_memory_object"] else 0
        above = max(0, peak - base - spooled)
        say("P8", f"{name}: MiB above the loaded bases", above / MIB, 256 + largest / 4 / MIB)
        if path != image:
            path.unlink()


def verify(bench, target, *options):
    """Wall seconds of the verifier, which must accept."""
    command = [bench.programs / "blanche-verify", "--quiet", "--no-memory", "--trust", bench.work / "trust", *options, target]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    wall = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"blanche-verify: {done.returncode}: {done.stdout}{done.stderr}")
    return wall


def p9(bench, files, image, size, count):
    """P9: the verifier at level inventory, 100 000 files, against one walk of the same folder, and of the image."""
    small, number = corpora.small(bench.work, bench.options.files, keep=True), bench.options.files
    tag = bench.seal(small)
    tree = bench.work / "small"
    (tree / "lost+found").mkdir()
    folder, walk, medium = [], [], []
    for pair in range(bench.pairs + 1):
        walked = timed("find", tree, "-printf", "%y %s %p\\n")[0]
        found = verify(bench, tree, "--level", "inventory", "--tag", tag)
        read = verify(bench, small, "--level", "inventory", "--tag", tag)
        if pair > 0:
            folder.append(found)
            walk.append(found / walked)
            medium.append(read)
    say("P9", f"inventory of a folder of {number} files / find -printf", median(walk), 1.2)
    say("", "     seconds", median(folder), 2)
    say("", "     seconds for the image of the same files", median(medium), 2)
    shutil.rmtree(tree)
    small.unlink()


def p10(bench, files, image, size, count):
    """P10: the verifier at level full, against a plain read in memory and from the disk, hashing alone, a device of 200 MB/s."""
    sealed, size = corpora.large(bench.work, bench.options.megabytes)
    bench.seal(sealed)
    plain, bound = [], []
    for pair in range(bench.pairs + 1):
        rate = size / verify(bench, sealed, "--level", "full")
        if pair > 0:
            plain.append(rate / plain_read(sealed))
            bound.append(rate / bench.hash_rate(sealed))
    say("P10", "full / plain read, both in memory", median(plain), 0.85, below=False)
    say("", "     / SHA-256 and BLAKE3 alone on one core", median(bound))
    ratio, disk = from_disk(sealed, lambda: size / verify(bench, sealed, "--level", "full"), bench.pairs)
    say("", f"     full / plain read, both from this machine's disk, {disk / 1e6:.0f} MB/s", ratio, 0.85, below=False)
    rate, ratios = 200_000_000, []
    for _ in range(3):
        with device(bench, sealed, rate) as (medium, read):
            wall = verify(bench, medium, "--level", "full")
        ratios.append(read[0] / wall / rate)
    say("", "     full from a device of 200 MB/s / its speed", median(ratios), 0.85, below=False)
    sealed.unlink()


def p14(bench, files, image, size, count):
    """P14: the static verifier for Linux and, where it was built, the one for Windows: bytes, start."""
    triple = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = next(line.split()[1] for line in triple.splitlines() if line.startswith("host:"))
    target = bench.programs.parent
    static = target / host / "small" / "blanche-verify"
    windows = target / "windows" / "x86_64-pc-windows-gnu" / "small" / "blanche-verify.exe"
    linked = subprocess.run(["ldd", static], capture_output=True, text=True)
    print(f"    ldd: {(linked.stdout + linked.stderr).strip()}")
    say("P14", "static verifier, MB", static.stat().st_size / 1e6, 5)
    if windows.exists():
        say("", "     blanche-verify.exe, MB", windows.stat().st_size / 1e6, 5)
    starts = [timed(static, "--version")[0] * 1000 for _ in range(20)]
    say("", "     start, milliseconds", median(starts), 50)


def journal_page(bench, folder, *filters):
    """Milliseconds of `blanche journal list`, the start of the program included, and the page."""
    command = [bench.programs / "blanche", "--lang", "en", "journal", "list", "--folder", folder, "--json", *filters]
    begun = time.monotonic()
    said = subprocess.run(command, check=True, capture_output=True).stdout
    return (time.monotonic() - begun) * 1000, json.loads(said)


def p15(bench, files, image, size, count):
    """P15: the journal at 1 000 000 sessions: any page of the list, with and without filters; how fast it records."""
    folder = bench.work / "journal"
    record = [bench.programs / "record-journal", folder]
    one = json.loads(subprocess.run([*record, "500"], check=True, capture_output=True).stdout)
    print(f"    one session at a time, synchronised: {one['sessions'] / one['seconds']:.0f} sessions/s")
    shutil.rmtree(folder)
    bulk = json.loads(subprocess.run([*record, "1000000", "--batch", "5000"], check=True, capture_output=True).stdout)
    on_disk = sum(path.stat().st_size for path in folder.iterdir())
    print(f"    in bulk: {bulk['sessions'] / bulk['seconds']:.0f} sessions/s, {on_disk / 1e9:.2f} GB")
    digest = hashlib.sha256(b"file 500003").hexdigest()
    cases = {
        "first page": (), "page in the middle": ("--before", "1000000"), "last page": ("--before", "60"),
        "by serial": ("--serial", "SERIAL123"), "by serial, far back": ("--serial", "SERIAL123", "--before", "400000"),
        "by digest": ("--digest", digest), "by verdict": ("--verdict", "infected"),
        "by verdict and serial": ("--verdict", "infected", "--serial", "SERIAL123"),
        "by session": ("--session", "019a0000-0000-7000-8000-00000000000f"),
        "by a day without records": ("--until", "2020-01-01"), "a serial that nobody has": ("--serial", "nobody"),
        "events": ("--log", "event"), "a rare kind": ("--log", "event", "--kind", "alarm"),
    }
    for text, filters in cases.items():
        runs = [journal_page(bench, folder, *filters) for _ in range(bench.pairs)]
        found = len(runs[0][1]["records"])
        say("P15" if text == "first page" else "", f"{text} ({found} records), milliseconds", median(wall for wall, _ in runs), 50)
    begun = time.monotonic()
    subprocess.run([bench.programs / "blanche", "journal", "verify", "--folder", folder], capture_output=True)
    print(f"    verified in {time.monotonic() - begun:.0f} s")
