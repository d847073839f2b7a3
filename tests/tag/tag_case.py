# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of tags share: a good case, and "after this change exactly this code at this step".

BLANCHE_WRITE_CASES=DIR also writes each case there in the form of docs/tag-vectors, to ask another verifier about it.
"""

import os
import unittest
from pathlib import Path

from forge import Authority, Case
from refusal import CODES
from steps import verify
from vectors import write_vector

class Tags(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The intermediates serve one site and the authority's own signers.
        cls.authority = Authority(sites=("paris", "authority"))
        cls.pair = cls.authority.station()
        cls.count = 0

    def case(self):
        return Case(self.authority, list(self.pair))

    def verify(self, case):
        outcome = verify(case.build())
        if folder := os.environ.get("BLANCHE_WRITE_CASES"):
            type(self).count += 1
            write_vector(Path(folder), f"{self.id().replace('.', '-')}-{self.count}", case, outcome)
        return outcome

    def refused(self, code, step, change):
        """The good case after `change` gets exactly this code at this step."""
        self.assertIn(code, CODES)
        case = self.case()
        changed = change(case)  # a test may also give another case
        case = changed if isinstance(changed, Case) else case
        outcome = self.verify(case)
        self.assertEqual((outcome.accepted, outcome.code, outcome.step), (False, code, step), outcome.why)

    def accepted(self, change=lambda case: None, **expected):
        case = self.case()
        change(case)
        outcome = self.verify(case)
        self.assertTrue(outcome.accepted, f"{outcome.code} at step {outcome.step}: {outcome.why}")
        for name, value in expected.items():
            self.assertEqual(getattr(outcome, name), value)


def setting(*path_and_value):
    """Sets case.claims[a][b]… = value."""
    *path, last, value = path_and_value

    def change(case):
        holder = case.claims
        for key in path:
            holder = holder[key]
        holder[last] = value

    return change


def having(**attributes):
    def change(case):
        for name, value in attributes.items():
            setattr(case, name, value)

    return change
