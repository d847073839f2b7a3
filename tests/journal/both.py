# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking both verifiers, and changing a journal behind the station's back."""

import json
import os
import shutil
import sqlite3
import subprocess
import unittest
from pathlib import Path

import verify as second

PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[2] / "target")) / "release"


def blanche(*words, good=(0,)):
    command = [str(PROGRAMS / "blanche"), "--lang", "en", "journal", *map(str, words)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    if done.returncode not in good:
        raise AssertionError(f"{command}: code {done.returncode}: {done.stdout.decode()}{done.stderr.decode()}")
    return done


def first(folder, trust, outside):
    """Exit code and codes of faults of `blanche journal verify`."""
    words = ["verify", "--folder", folder, "--trust", trust, "--every-signature", "--json"]
    done = blanche(*words, *(["--checkpoint", outside] if outside else []), good=(0, 50, 51))
    said = json.loads(done.stdout)
    return done.returncode, sorted({fault["code"] for fault in said["faults"]}), said


class BothTest(unittest.TestCase):
    """Both verifiers say the same of a journal."""

    def ask(self, folder, trust, outside=None):
        code, faults, said = first(folder, trust, outside)
        read = second.read_trust(trust)
        raw = outside.read_bytes() if outside else None
        other, answer = second.answer(*second.verify(folder, read, raw, every_signature=True))
        self.assertEqual((code, faults), (other, answer["faults"]), f"{said}\n{answer}")
        if code != 50:
            self.assertEqual(said["last"], answer["last"])
            self.assertEqual(said["proof"] and said["proof"]["record"], answer["proof"])
        return code, faults


def copy(folder, to):
    """A journal whose segments may be written."""
    shutil.copytree(folder, to)
    for path in to.iterdir():
        path.chmod(0o600)
    return to


def tamper(path, *statements):
    """Runs statements on a segment and leaves the triggers as they were."""
    database = sqlite3.connect(path, isolation_level=None)
    triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        database.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)
    for _, sql in triggers:
        database.execute(sql)
    database.close()
