# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2: the files of a journal, and their schema, which is the SQL text of the document itself."""

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "journal.md"
SCHEMA = DOCUMENT.read_text("utf-8").split("```sql\n")[1].split("```")[0]
NAME = re.compile(r"([0-9]{8,})\.sqlite")
APPLICATION, VERSION = 0x424C4A31, 1


@dataclass
class Segment:
    """One file, open for reading. Texts come as bytes: nothing is decoded before it was hashed."""

    path: Path
    number: int
    database: sqlite3.Connection

    @classmethod
    def open(cls, path):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        database.text_factory = bytes
        return cls(path, int(NAME.fullmatch(path.name)[1]), database)

    def header(self):
        """Journal, number, first record, hash before it."""
        journal, number, first, previous = self.database.execute(
            "SELECT journal, number, first, previous FROM segment").fetchone()
        return journal.decode(), number, first, bytes.fromhex(previous.decode())

    def records(self):
        """Sequence, record, hash and log of each, by sequence."""
        return self.database.execute(
            "SELECT sequence, record, hash, 'event' FROM event"
            " UNION ALL SELECT sequence, record, hash, 'transfer' FROM transfer ORDER BY 1")

    def listed(self):
        return {(digest.decode(), number) for digest, number in self.database.execute("SELECT sha256, sequence FROM file")}

    def checkpoints(self):
        return dict(self.database.execute("SELECT sequence, envelope FROM checkpoint"))

    def is_sound(self):
        return self.database.execute("PRAGMA integrity_check(5)").fetchall() == [(b"ok",)]

    def has_schema(self):
        pragma = [self.database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        return pragma == [APPLICATION, VERSION] and tables(self.database) == model()


def tables(database):
    return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def model():
    database = sqlite3.connect(":memory:")
    database.text_factory = bytes
    database.executescript(SCHEMA)
    return tables(database)


def segments(folder):
    """The segments of a folder by number."""
    paths = [path for path in Path(folder).iterdir() if NAME.fullmatch(path.name)]
    return [Segment.open(path) for path in sorted(paths, key=lambda path: int(path.stem))]
