# SPDX-License-Identifier: GPL-2.0-or-later
"""What the real station recorded and its real signer signed, untouched and altered."""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from both import PROGRAMS, BothTest, blanche, copy, tamper
from station import Authority

SESSIONS = 40
RANDOM = 20
SEED = int(os.environ.get("BLANCHE_SEED", "1"))


class Recorded(BothTest):
    """A journal of several segments, a checkpoint that was taken away, and what a verifier trusts."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="journal-")
        cls.addClassCleanup(cls.folder.cleanup)
        home = Path(cls.folder.name)
        authority = Authority.make(PROGRAMS, home / "offline")
        keys, cls.trust = home / "keys", home / "trust"
        authority.certify(keys, "accueil-1", "paris")
        authority.publish(cls.trust)
        cls.journal, cls.outside = home / "journal", home / "outside.cose"
        record = [PROGRAMS / "record-journal", cls.journal, str(SESSIONS), "--segment", "200000", "--keys", keys]
        subprocess.run(list(map(str, record)), check=True, capture_output=True, timeout=300)
        blanche("export", "--folder", cls.journal, "--checkpoint", cls.outside)
        cls.numbers = sorted(int(path.stem) for path in cls.journal.glob("*.sqlite"))
        assert len(cls.numbers) > 2, cls.numbers

    def setUp(self):
        work = tempfile.TemporaryDirectory(prefix="altered-")
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.copied = copy(self.journal, self.work / "journal")

    def segment(self, number):
        return self.copied / f"{number:08}.sqlite"

    def untouched(self, number):
        """A segment as it was recorded."""
        shutil.copy2(self.journal / f"{number:08}.sqlite", self.segment(number))
        self.segment(number).chmod(0o600)

    def digests(self, number):
        """What the list of a segment says."""
        database = sqlite3.connect(self.segment(number))
        rows = database.execute("SELECT sha256, sequence FROM file ORDER BY 1, 2").fetchall()
        database.close()
        return rows

    def verdict(self):
        return self.ask(self.copied, self.trust, self.outside)

    def assert_found(self, *codes):
        code, faults = self.verdict()
        self.assertEqual(code, 50)
        self.assertTrue(set(codes) <= set(faults), faults)

    def test_an_untouched_journal_is_proved(self):
        self.assertEqual(self.verdict(), (0, []))
        self.assertEqual(self.ask(self.copied, self.trust, every=True), (0, []))

    def test_a_journal_with_every_kind_of_event_that_is_documented_is_proved(self):
        table = (Path(__file__).parents[2] / "docs/journal.md").read_text().split("**Event log**, kinds of the station.")[1]
        documented = set(re.findall(r"^\| `(\w+)` \|", table.split("**Event log**")[0], re.MULTILINE))
        database = sqlite3.connect(self.segment(1))
        recorded = {kind for (kind,) in database.execute("SELECT DISTINCT kind FROM event")}
        database.close()
        self.assertTrue(documented and documented <= recorded, documented - recorded)
        self.assertEqual(self.verdict(), (0, []))

    def test_every_record_that_is_altered_is_found(self):
        for number in self.numbers[:: max(1, len(self.numbers) // 3)]:
            database = sqlite3.connect(self.segment(number))
            records = database.execute("SELECT sequence FROM event UNION SELECT sequence FROM transfer").fetchall()
            database.close()
            for (sequence,) in records[:: max(1, len(records) // 3)]:
                self.untouched(number)
                change = "UPDATE {} SET record = replace(record, '\"time\":\"2', '\"time\":\"3') WHERE sequence = ?"
                tamper(self.segment(number), *((change.format(log), (sequence,)) for log in ("event", "transfer")))
                self.assert_found("J-HASH")

    def test_deleted_inserted_and_reordered_records_are_found(self):
        changes = {
            "DELETE FROM transfer WHERE sequence = (SELECT min(sequence) FROM transfer)": "J-SEQUENCE",
            "DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM event)": "J-SEGMENT",
            "INSERT INTO event (sequence, record, hash) SELECT 0, record, hash FROM event LIMIT 1": "J-SEQUENCE",
            "UPDATE transfer SET sequence = 1000 - sequence": "J-SEQUENCE",
        }
        for change, code in changes.items():
            self.untouched(1)
            tamper(self.segment(1), change)
            self.assert_found(code)

    def test_an_altered_list_of_digests_is_found(self):
        changes = (
            "UPDATE file SET sha256 = 'x' || substr(sha256, 2) WHERE sequence = (SELECT min(sequence) FROM file)",
            "UPDATE file SET sequence = (SELECT max(sequence) FROM transfer) WHERE sequence = (SELECT min(sequence) FROM file)",
            "DELETE FROM file WHERE sequence = (SELECT max(sequence) FROM file)",
            "INSERT INTO file SELECT '00', max(sequence) FROM transfer",
        )
        number = next(number for number in self.numbers if self.digests(number))
        for change in changes:
            self.untouched(number)
            before = self.digests(number)
            tamper(self.segment(number), change)
            self.assertNotEqual(self.digests(number), before, change)
            self.assert_found("J-INDEX")

    def test_an_altered_header_is_found(self):
        other = "previous = CASE substr(previous, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(previous, 2)"
        for change in ("number = 9", "first = first + 1", other):
            self.untouched(2)
            tamper(self.segment(2), f"UPDATE segment SET {change}")
            self.assert_found("J-SEGMENT")

    def test_records_in_the_other_log_are_found(self):
        move = "INSERT INTO event (sequence, record, hash) SELECT sequence, record, hash FROM transfer"
        tamper(self.segment(1), move, "DELETE FROM transfer", "DELETE FROM file")
        self.assert_found("J-LOG")

    def test_a_rewritten_chain_is_found_by_its_checkpoints(self):
        """Somebody who knows the format computes every hash anew, but cannot sign."""
        import canonical
        import chain

        database = sqlite3.connect(self.segment(1))
        rows = database.execute("SELECT sequence, record, 'event' FROM event UNION ALL"
                                " SELECT sequence, record, 'transfer' FROM transfer ORDER BY 1").fetchall()
        (journal,) = database.execute("SELECT journal FROM segment").fetchone()
        database.close()
        digest, updates = chain.start(journal), []
        for sequence, record, log in rows:
            value = canonical.load(record.encode())
            if "medium" in value["body"]:
                value["body"]["medium"]["serial"] = "ANOTHER"
            text = canonical.dump(value)
            digest = chain.link(digest, text.encode())
            updates.append((f"UPDATE {log} SET record = ?, hash = ? WHERE sequence = ?", (text, digest, sequence)))
        tamper(self.segment(1), *updates)
        self.assert_found("J-CHECKPOINT")

    def test_a_tail_that_was_cut_is_found_only_from_outside(self):
        for number in self.numbers[1:]:
            self.segment(number).unlink()
        database = sqlite3.connect(self.segment(1))
        (last,) = database.execute("SELECT max(sequence) - 2 FROM event WHERE kind = 'checkpoint'").fetchone()
        database.close()
        for table in ("event", "transfer", "file", "checkpoint"):
            tamper(self.segment(1), f"DELETE FROM {table} WHERE sequence > {last - (table == 'checkpoint')}")
        code, faults = self.ask(self.copied, self.trust)
        self.assertEqual(faults, [])
        self.assert_found("J-TRUNCATED")

    def test_missing_and_replaced_segments_are_found(self):
        self.segment(2).unlink()
        self.assert_found("J-SEGMENT")
        shutil.copy2(self.segment(1), self.segment(2))
        self.assert_found("J-SEGMENT")
        self.segment(1).unlink()
        self.assert_found("J-SEGMENT")

    def test_another_schema_is_found(self):
        database = sqlite3.connect(self.segment(1))
        database.execute("DROP TRIGGER transfer_is_kept")
        database.close()
        self.assert_found("J-SCHEMA")

    def test_another_journal_is_found(self):
        shutil.rmtree(self.copied)
        subprocess.run([str(PROGRAMS / "record-journal"), str(self.copied), "30"], check=True, capture_output=True, timeout=300)
        self.assert_found("J-OTHER")
        self.assertEqual(self.ask(self.copied, self.trust), (51, []))

    def test_random_changes_of_one_cell_row_or_file_are_found(self):
        dice = random.Random(SEED)
        for turn in range(RANDOM):
            with self.subTest(seed=SEED, turn=turn):
                while not self.altered(dice):
                    pass
                self.assertEqual(self.verdict()[0], 50)

    def altered(self, dice):
        """A fresh copy with one change; not if SQLite itself refuses it, because it would be no JSON any more."""
        shutil.rmtree(self.copied)
        copy(self.journal, self.copied)
        try:
            self.alter(dice)
        except sqlite3.OperationalError:
            return False
        return True

    def alter(self, dice):
        """One change that is no repetition of what is there."""
        path = self.segment(dice.choice(self.numbers))
        database = sqlite3.connect(path)
        rows = database.execute("SELECT 'event', sequence FROM event UNION ALL SELECT 'transfer', sequence FROM transfer"
                                " UNION ALL SELECT 'checkpoint', sequence FROM checkpoint ORDER BY 1, 2").fetchall()
        table, sequence = dice.choice(rows)
        column = "envelope" if table == "checkpoint" else dice.choice(("record", "hash"))
        (value,) = database.execute(f"SELECT {column} FROM {table} WHERE sequence = ?", (sequence,)).fetchone()
        database.close()
        raw = bytearray(value.encode() if isinstance(value, str) else value)
        place = dice.randrange(len(raw))
        kind = dice.choice(("change", "cut", "repeat", "delete", "move"))
        if kind == "change":
            raw[place] ^= 1 << dice.randrange(7)
        elif kind == "cut":
            del raw[place:]
        elif kind == "repeat":
            raw[place:place] = raw[place : place + 1]
        if kind == "delete":
            tamper(path, f"DELETE FROM {table} WHERE sequence = {sequence}")
        elif kind == "move":
            tamper(path, f"UPDATE {table} SET sequence = {sequence + 100_000} WHERE sequence = {sequence}")
        else:
            changed = raw.decode("utf-8", "replace") if isinstance(value, str) else bytes(raw)
            tamper(path, (f"UPDATE {table} SET {column} = ? WHERE sequence = ?", (changed, sequence)))
