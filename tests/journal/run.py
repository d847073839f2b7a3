#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test here and ends with the line that `cargo test` prints, so that `make test` adds them up together.

A test that was skipped, or no test at all, is a failure. The programs are those of `make build`.
"""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "tag"), str(HERE.parent / "evil")]


def main():
    tests = unittest.defaultTestLoader.discover(str(HERE), top_level_dir=str(HERE))
    result = unittest.TextTestRunner().run(tests)
    bad = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
    failed = bad or int(result.testsRun == 0)
    word = "FAILED" if failed else "ok"
    print(f"test result: {word}. {max(result.testsRun - bad, 0)} passed; {failed} failed; in tests/journal", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
