#!/usr/bin/env python3
"""`make bench`: Blanche against ClamAV's own daemon, the tools one after the other, and plain reading, in one run.

Machines are shared and noisy, so only ratios of medians within one run mean something. The corpora are made of this
machine's own files or at random (corpora.py); the bases are generated: random signatures of the size asked for, and
EICAR. All sides get the same bases and the same rules.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True
import corpora  # noqa: E402
import rows  # noqa: E402
from measure import Bench  # noqa: E402


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--programs", type=Path, required=True)
    ask.add_argument("--megabytes", type=int, default=200, help="of the mixed corpus")
    ask.add_argument("--files", type=int, default=100_000, help="of the small corpus")
    ask.add_argument("--signatures", type=int, default=500_000)
    ask.add_argument("--rules", type=int, default=2_000)
    ask.add_argument("--pairs", type=int, default=5)
    ask.add_argument("--rows", default="P4,P1,P3,P5,P6,P7,P8,P9,P10,P14,P15", help="which rows, separated by commas; P1 prints P2 too")
    options = ask.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        work.chmod(0o755)
        bench = Bench(work, options)
        files = work / "files"
        files.mkdir()
        size, count = corpora.mixed(files, options.megabytes)
        corpora.bases(work / "base", options.signatures)
        corpora.rules(work / "rules", options.rules)
        image = corpora.fat32(work / "corpus.img", files, size, count)
        print(f"corpus {size / 1e6:.0f} MB, {count} files; {options.signatures} signatures, {options.rules} rules beside "
              f"the house's; {os.cpu_count()} cores; {options.pairs} pairs, medians", flush=True)
        for row in options.rows.split(","):
            getattr(rows, row.lower())(bench, files, image, size, count)


main()
