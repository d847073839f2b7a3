#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test here and ends with the line that `cargo test` prints, so that `make test` adds them up together.

A test that was skipped, or no test at all, is a failure: a second verifier that did not run says nothing.
"""

import sys
import unittest
from pathlib import Path


def main():
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.discover(str(Path(__file__).parent)))
    # An error outside a test (a module, a setUpClass) counts without having been run.
    bad = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
    failed = bad or int(result.testsRun == 0)
    word = "FAILED" if failed else "ok"
    print(f"test result: {word}. {max(result.testsRun - bad, 0)} passed; {failed} failed; in tests/tag", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
