# SPDX-License-Identifier: GPL-2.0-or-later
"""A second writer, from docs/journal.md alone: what it writes, the station's own verifier must accept."""

import hashlib
import sqlite3
import uuid

import cbor2

import forge
from canonical import dump
from chain import link, start
from segments import APPLICATION, SCHEMA, VERSION


class Signer:
    """An authority and a station whose keys sign checkpoints."""

    def __init__(self):
        self.authority = forge.Authority()
        self.ends = self.authority.station(arc=2)
        self.counter = 0

    def sign(self, journal, sequence, digest, **changes):
        self.counter += 1
        claims = {0: 1, 1: uuid.UUID(journal).bytes, 2: "station-1", 3: "paris", 4: forge.NOW, 5: self.counter, 6: sequence, 7: digest}
        claims |= changes.get("claims", {})
        return forge.envelope(cbor2.dumps(claims), "checkpoint", self.ends, self.authority.issuers), claims[5]

    def publish(self, folder):
        """A trust folder (docs/verify.md)."""
        anchors = folder / "authorities" / "test"
        for one in (folder, folder / "authorities", anchors, folder / "crls"):
            one.mkdir(mode=0o700)
        for holder, name in zip(self.authority.anchors, ("classical.pem", "post-quantum.pem")):
            (anchors / name).write_bytes(holder.certificate.public_bytes(forge.Encoding.PEM))
        for number, crl in enumerate(self.authority.crls()):
            (folder / "crls" / f"{number}.crl").write_bytes(crl)


class Journal:
    """Segments in a folder; the caller says what the clock says."""

    def __init__(self, folder, signer):
        folder.mkdir(mode=0o700)
        self.folder, self.signer, self.id = folder, signer, str(uuid.uuid4())
        self.number, self.sequence, self.hash, self.time = 0, 0, start(self.id), ""
        self.database = None
        self.open("2026-11-28T09:00:00.000Z")

    def open(self, time):
        self.number += 1
        self.database = sqlite3.connect(self.folder / f"{self.number:08}.sqlite", isolation_level=None)
        self.database.executescript(SCHEMA)
        self.database.execute(f"PRAGMA application_id = {APPLICATION}")
        self.database.execute(f"PRAGMA user_version = {VERSION}")
        row = (self.id, self.number, self.sequence + 1, self.hash.hex())
        self.database.execute("INSERT INTO segment VALUES (?, ?, ?, ?)", row)
        self.event("segment_opened", {"journal": self.id, "number": self.number, "previous": self.hash.hex()}, time)

    def record(self, log, kind, body, time):
        if time < self.time:
            was, self.time = self.time, time
            self.event("clock_set_back", {"was": was}, time)
        text = dump({"body": body, "kind": kind, "log": log, "seq": self.sequence + 1, "time": time})
        self.sequence, self.hash, self.time = self.sequence + 1, link(self.hash, text.encode()), time
        insert = f"INSERT INTO {log} (sequence, record, hash) VALUES (?, ?, ?)"
        self.database.execute(insert, (self.sequence, text, self.hash))

    def event(self, kind, body, time):
        self.record("event", kind, body, time)

    def transfer(self, body, time):
        self.record("transfer", "session", body, time)

    def checkpoint(self, time, meanwhile=lambda: None, **changes):
        raw, counter = self.signer.sign(self.id, self.sequence, self.hash, **changes)
        covers = self.sequence
        meanwhile()
        self.database.execute("INSERT INTO checkpoint VALUES (?, ?)", (covers, raw))
        self.event("checkpoint", {"covers": covers, "counter": counter, "sha256": hashlib.sha256(raw).hexdigest()}, time)
        return raw

    def rotate(self, time):
        self.event("segment_closed", {"number": self.number}, time)
        self.database.close()
        self.open(time)

    def retain(self, number, first, last, digest, until, time):
        """Deletes a segment and leaves its stub."""
        body = {"number": number, "first": first, "last": last, "hash": digest.hex(), "until": until}
        self.event("segment_deleted", body, time)
        (self.folder / f"{number:08}.sqlite").unlink()

    def close(self):
        self.database.close()
