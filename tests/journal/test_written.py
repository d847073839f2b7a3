# SPDX-License-Identifier: GPL-2.0-or-later
"""What a second writer wrote from the document alone: the station's verifier accepts it, and finds what is wrong in it."""

import json
import tempfile
from pathlib import Path

from both import BothTest, blanche
from canonical import NotCanonical, dump, load
from writer import Journal, Signer

NOON = "2026-11-28T12:00:00.000Z"
LATER = "2026-11-28T12:00:01.500Z"
BEFORE = "2026-11-28T11:59:59.999Z"


def session(number, **more):
    body = {"session": f"s-{number}", "verdict": "clean", "medium": {"serial": "A1"}, "files": [], "note": "é\u202e\x1b\x00\"\\/😀"}
    return body | more


class Written(BothTest):
    def setUp(self):
        work = tempfile.TemporaryDirectory(prefix="written-")
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.signer, self.trust = Signer(), self.work / "trust"
        self.signer.publish(self.trust)
        self.journal = Journal(self.work / "journal", self.signer)
        self.addCleanup(self.journal.close)

    def verdict(self, outside=None):
        if outside is not None:
            path = self.work / "outside"
            path.write_bytes(outside)
            outside = path
        self.journal.database.commit()
        return self.ask(self.journal.folder, self.trust, outside)

    def fill(self):
        self.journal.transfer(session(1), NOON)
        self.journal.transfer(session(2, files=[{"sha256": "ab" * 32}, {"sha256": "cd" * 32}, {"sha256": "ab" * 32}]), LATER)
        return self.journal.checkpoint(LATER)

    def test_it_is_accepted(self):
        self.assertEqual(self.verdict(), (51, []))
        outside = self.fill()
        self.assertEqual(self.verdict(outside), (0, []))
        shown = blanche("show", "--folder", self.journal.folder, "s-1", "--json").stdout.decode()
        self.assertNotIn("\u202e", shown)
        self.assertEqual(json.loads(shown)["records"][0]["record"]["body"]["note"], session(1)["note"])

    def test_segments_and_a_clock_that_goes_back_are_accepted(self):
        outside = self.fill()
        self.journal.rotate(LATER)
        self.journal.transfer(session(3), BEFORE)
        self.journal.checkpoint(BEFORE)
        self.assertEqual(self.verdict(outside), (0, []))

    def test_a_clock_that_goes_back_without_a_word_is_found(self):
        self.fill()
        self.journal.time = ""
        self.journal.transfer(session(3), BEFORE)
        self.assertEqual(self.verdict(), (50, ["J-TIME"]))

    def test_retention_with_a_stub_is_accepted_and_without_one_found(self):
        outside = self.fill()
        self.journal.event("segment_closed", {"number": 1}, LATER)
        last, digest = self.journal.sequence, self.journal.hash
        self.journal.database.close()
        self.journal.open(LATER)
        self.journal.transfer(session(3), LATER)
        self.journal.checkpoint(LATER)
        self.assertEqual(self.verdict(outside), (0, []))
        gone = self.journal.folder / "00000001.sqlite"
        kept = gone.read_bytes()
        gone.unlink()
        self.assertEqual(self.verdict(), (50, ["J-SEGMENT"]))
        gone.write_bytes(kept)
        self.journal.retain(1, 1, last, digest, LATER, LATER)
        newest = self.journal.checkpoint(LATER)
        self.assertEqual(self.verdict(newest), (0, []))
        # What covers only deleted records proves nothing.
        self.assertEqual(self.verdict(outside), (51, []))

    def deleted(self, **changes):
        """A checkpoint of what was deleted meanwhile, at the beginning of what is kept."""
        self.journal.transfer(session(1), NOON)
        self.journal.checkpoint(NOON, lambda: self.journal.rotate(NOON), **changes)
        self.retained()

    def retained(self):
        number, first, previous = self.journal.database.execute("SELECT number, first, previous FROM segment").fetchone()
        self.journal.retain(number - 1, 1, first - 1, bytes.fromhex(previous), NOON, LATER)

    def test_a_checkpoint_whose_record_retention_deleted_is_accepted_and_proves_nothing(self):
        self.deleted()
        self.assertEqual(self.verdict(), (51, []))
        self.journal.transfer(session(2), LATER)
        newest = self.journal.checkpoint(LATER)
        self.assertEqual(self.verdict(), (0, []))
        self.assertEqual(self.verdict(newest), (0, []))

    def test_a_checkpoint_of_another_journal_or_record_is_found_also_where_its_record_was_deleted(self):
        for changes in ({1: bytes(16)}, {6: 1}):
            with self.subTest(changes=changes):
                self.journal = Journal(self.work / f"j{len(list(self.work.iterdir()))}", self.signer)
                self.addCleanup(self.journal.close)
                self.deleted(claims=changes)
                self.assertEqual(self.verdict()[1], ["J-CHECKPOINT"])

    def test_a_checkpoint_of_the_last_record_that_was_deleted_has_its_hash(self):
        for changes, faults in (({}, []), ({7: bytes(32)}, ["J-CHECKPOINT"])):
            with self.subTest(changes=changes):
                self.journal = Journal(self.work / f"j{len(list(self.work.iterdir()))}", self.signer)
                self.addCleanup(self.journal.close)
                self.journal.event("segment_closed", {"number": 1}, NOON)
                self.journal.checkpoint(NOON, self.begin_next, claims=changes)
                self.retained()
                self.assertEqual(self.verdict(), (50 if faults else 51, faults))

    def begin_next(self):
        self.journal.database.close()
        self.journal.open(NOON)

    def test_a_deletion_that_no_signature_covers_proves_nothing(self):
        """Somebody who may write the folder says that retention deleted what is inconvenient."""
        self.fill()
        self.journal.rotate(LATER)
        self.journal.transfer(session(3), LATER)
        newest = self.journal.checkpoint(LATER)
        self.assertEqual(self.verdict(newest), (0, []))
        self.retained()
        self.assertEqual(self.verdict(newest), (51, []))

    def test_checkpoints_that_do_not_fit_are_found(self):
        self.fill()
        self.journal.transfer(session(3), LATER)
        self.journal.checkpoint(LATER, claims={7: bytes(32)})
        self.assertEqual(self.verdict(), (50, ["J-CHECKPOINT"]))

    def test_a_counter_that_falls_is_found(self):
        self.fill()
        self.signer.counter = 0
        self.journal.checkpoint(LATER)
        self.assertEqual(self.verdict(), (50, ["J-CHECKPOINT"]))

    def test_signatures_under_certificates_for_tags_and_of_strangers_are_found(self):
        self.signer.ends = self.signer.authority.station(arc=1)
        self.fill()
        self.assertEqual(self.verdict(), (50, ["J-SIGNATURE"]))
        stranger = Signer()
        raw, _ = stranger.sign(self.journal.id, self.journal.sequence, self.journal.hash)
        self.assertEqual(self.verdict(raw), (50, ["J-SIGNATURE"]))
        self.assertEqual(self.verdict(b"no envelope"), (50, ["J-SIGNATURE"]))

    def test_records_that_are_none_are_found(self):
        for change in ({"extra": 1}, {"log": "other"}, {"time": "2026-11-28T12:00:00Z"}, {"seq": 0}, {"body": []}, {"kind": 1}):
            with self.subTest(change=change):
                journal = Journal(self.work / f"j{len(list(self.work.iterdir()))}", self.signer)
                self.addCleanup(journal.close)
                record = {"body": {}, "kind": "x", "log": "event", "seq": 2, "time": NOON} | change
                self.put(journal, dump(record))
                self.assertEqual(self.ask(journal.folder, self.trust), (50, ["J-RECORD"]))

    def put(self, journal, text):
        from chain import link

        journal.sequence, journal.hash = journal.sequence + 1, link(journal.hash, text.encode())
        insert = "INSERT INTO event (sequence, record, hash) VALUES (?, ?, ?)"
        journal.database.execute(insert, (journal.sequence, text, journal.hash))

    def test_both_verifiers_know_the_same_canonical_form(self):
        good = {"body": {"z": 1, "é": [None, True, {}], "\ufb33": "", "😀": "\u007f\u2028"}, "kind": "x", "log": "event", "seq": 2, "time": NOON}
        texts = [dump(good)]
        texts += [texts[0].replace(*change) for change in ((":1", ": 1"), (":1", ":1.0"), ("true", "true "), ("é", "\\u00e9"), (":1", ":9007199254740992"))]
        for text in texts:
            with self.subTest(text=text):
                journal = Journal(self.work / f"j{len(list(self.work.iterdir()))}", self.signer)
                self.addCleanup(journal.close)
                self.put(journal, text)
                try:
                    load(text.encode())
                    expected = []
                except NotCanonical:
                    expected = ["J-RECORD"]
                self.assertEqual(self.ask(journal.folder, self.trust)[1], expected)
        self.assertEqual(load(texts[0].encode()), good)
