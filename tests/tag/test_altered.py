# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever the bytes, the verifier refuses with a code: no altered byte is accepted, and nothing else than a refusal comes out."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cbor2  # noqa: E402

from encoding import EncodingError, decode  # noqa: E402
from steps import verify  # noqa: E402
from tag_case import Tags  # noqa: E402

SEED = 20_260_101
HEADS = bytes.fromhex("0001171819203840416061808182a0a1a2f4f5f6f7d8621b")


def altered(raw, dice):
    """The bytes with one bit flipped, one byte more or one byte less."""
    place, kind = dice.randrange(len(raw)), dice.randrange(3)
    if kind == 0:
        return raw[:place] + bytes([raw[place] ^ 1 << dice.randrange(8)]) + raw[place + 1 :]
    return raw[:place] + bytes([dice.randrange(256)]) * (2 - kind) + raw[place + kind - 1 :]


def in_order(value):
    """The same value with its maps in the order that section 3 demands."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in sorted(value.items(), key=lambda pair: cbor2.dumps(pair[0]))}
    return [in_order(one) for one in value] if isinstance(value, list) else value


class Altered(Tags):
    def refused_with_a_code(self, change):
        case = self.case()
        change(case)
        outcome = verify(case.build())
        self.assertFalse(outcome.accepted)
        return outcome.step

    def test_no_altered_tag_is_accepted(self):
        dice, steps = random.Random(SEED), set()
        for _ in range(60):
            steps.add(self.refused_with_a_code(lambda case: setattr(case, "edit_file", lambda tag: altered(tag, dice))))
        self.assertGreaterEqual(len(steps), 3, "the changes reach several steps")

    def test_an_altered_certificate_is_refused_though_signed(self):
        dice = random.Random(SEED)

        def change(case):
            def edit(headers):
                chain, place = dice.choice(headers)[33], dice.randrange(2)
                chain[place] = altered(chain[place], dice)

            case.edit_headers = edit

        for _ in range(60):
            self.assertIn(self.refused_with_a_code(change), (5, 6))

    def test_an_altered_crl_counts_as_missing(self):
        dice = random.Random(SEED)
        for _ in range(60):

            def change(case):
                place = dice.randrange(4)
                case.crls[place] = altered(case.crls[place], dice)

            self.assertEqual(self.refused_with_a_code(change), 7)

    def test_a_crl_of_an_unknown_version_counts_as_missing(self):
        """The library raises an error of its own for it, which once came out of the verifier."""

        def change(case):
            old = bytes.fromhex("020101")  # INTEGER 1: version 2
            self.assertIn(old, case.crls[0][:12])
            case.crls[0] = case.crls[0].replace(old, bytes.fromhex("020100"), 1)

        self.assertEqual(self.refused_with_a_code(change), 7)


class OneEncoding(unittest.TestCase):
    def test_what_is_accepted_has_no_other_form(self):
        """Everything that the decoder lets through is what cbor2 writes for that value."""
        dice, accepted = random.Random(SEED), 0
        for _ in range(30_000):
            raw = bytes(dice.choice(HEADS) if dice.random() < 0.8 else dice.randrange(256) for _ in range(dice.randrange(1, 12)))
            try:
                value = decode(raw)
            except EncodingError:
                continue
            accepted += 1
            self.assertEqual(cbor2.dumps(in_order(value)), raw)
        self.assertGreater(accepted, 500)


if __name__ == "__main__":
    unittest.main()
