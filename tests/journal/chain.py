# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 3, 4 and 7: from the first record to the last, what each must be after the one before it."""

import hashlib
import re
import sqlite3
import uuid

from canonical import NotCanonical, load
from checkpoints import BAD, unverified

START, RECORD = b"blanche-journal-start-1\n", b"blanche-journal-record-1\n"
TIME = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
OWN = {
    "segment_opened": {"journal": str, "number": int, "previous": str},
    "segment_closed": {"number": int},
    "segment_deleted": {"number": int, "first": int, "last": int, "hash": str, "until": str},
    "clock_set_back": {"was": str},
    "checkpoint": {"covers": int, "counter": int, "sha256": str},
    "checkpoint_missing": {"reason": str},
}


def start(journal):
    return hashlib.sha256(START + uuid.UUID(journal).bytes).digest()


def link(previous, record):
    return hashlib.sha256(RECORD + previous + record).digest()


def read_record(raw, sequence):
    """Body, kind, log and time. Raises NotCanonical if it is no record."""
    record = load(raw)
    if type(record) is not dict or set(record) != {"body", "kind", "log", "seq", "time"}:
        raise NotCanonical("other members than those of a record")
    body, kind, log, seq, time = (record[name] for name in ("body", "kind", "log", "seq", "time"))
    if type(body) is not dict or type(kind) is not str or log not in ("event", "transfer") or seq != sequence:
        raise NotCanonical("members of another type, or another number than its place")
    if type(time) is not str or not TIME.fullmatch(time):
        raise NotCanonical("another form of time")
    return body, kind, log, time


def named(body):
    """The digests that a record of the transfer log names."""
    files = body.get("files")
    files = files if type(files) is list else []
    found = [one.get("sha256") for one in files if type(one) is dict]
    return {digest for digest in found if type(digest) is str}


class Walk:
    """What the records before have said, and the faults so far: code and record."""

    def __init__(self):
        self.faults = []
        self.journal = self.before = self.time = self.number = self.first_segment = self.stub = self.stub_at = None
        self.closed = True
        self.counter = self.last = 0
        self.hashes = {}  # of every record, and of the one before the first: small enough for a test

    def fault(self, code, sequence=None):
        self.faults.append((code, sequence))

    def segment(self, segment):
        try:
            if not segment.is_sound():
                self.fault("J-DATABASE")
            if not segment.has_schema():
                self.fault("J-SCHEMA")
            self.header(segment)
            self.records(segment)
        except (sqlite3.Error, ValueError, TypeError):
            self.fault("J-DATABASE")

    def header(self, segment):
        journal, number, first, previous = header = segment.header()
        self.current = header
        self.journal = self.journal or journal
        fits = self.before is None or (number, first, previous) == (self.number + 1, self.before[0] + 1, self.before[1])
        if not fits or journal != self.journal or number != segment.number or not self.closed:
            self.fault("J-SEGMENT", first)
        if self.first_segment is None:
            self.first_segment = header
            self.hashes[first - 1] = previous
        self.number, self.before, self.closed = number, (first - 1, previous), False

    def records(self, segment):
        stored, digests = segment.checkpoints(), set()
        for sequence, raw, digest, table in segment.records():
            digest = digest if len(digest) == 32 else bytes(32)
            expected, previous = self.before[0] + 1, self.before[1]
            if sequence != expected:
                self.fault("J-SEQUENCE", sequence)
            if link(previous, raw) != digest:
                self.fault("J-HASH", sequence)
            if self.closed:
                self.fault("J-SEGMENT", sequence)
            self.before, self.last = (sequence, digest), sequence
            self.hashes[sequence] = digest
            try:
                body, kind, log, time = read_record(raw, sequence)
            except NotCanonical:
                self.fault("J-RECORD", sequence)
                continue
            if log != table.decode():
                self.fault("J-LOG", sequence)
            self.own(sequence, kind, body, time, stored)
            if table == b"transfer":
                digests |= {(digest, sequence) for digest in named(body)}
        if digests != segment.listed():
            self.fault("J-INDEX")
        for sequence in stored:
            self.fault("J-CHECKPOINT", sequence)

    def own(self, sequence, kind, body, time, stored):
        """What the journal says about itself."""
        shape = OWN.get(kind, {})
        if {name: type(value) for name, value in body.items()} != shape:
            kind = None
        journal, number, first, previous = self.current
        set_back = kind == "clock_set_back" and body["was"] == self.time
        if self.time is not None and time < self.time and not set_back:
            self.fault("J-TIME", sequence)
        self.time = time
        opened = {"journal": journal, "number": number, "previous": previous.hex()}
        if (kind == "segment_opened" and body == opened) != (sequence == first):
            self.fault("J-SEGMENT", sequence)
        if kind == "segment_closed":
            self.closed = True
            if body["number"] != number:
                self.fault("J-SEGMENT", sequence)
        elif kind == "segment_deleted":
            self.stub, self.stub_at = body, sequence
        elif kind == "checkpoint":
            self.checkpoint(sequence, body, stored.pop(body["covers"], None))

    def checkpoint(self, sequence, body, raw):
        if raw is None:
            self.fault("J-CHECKPOINT", sequence)
            return
        try:
            claims = unverified(raw)
            said = (claims.journal, claims.sequence, claims.counter, claims.hash)
        except BAD:
            said = None
        covers, counter = body["covers"], body["counter"]
        # Of a record that retention deleted there is no hash to compare with.
        deleted = covers < self.first_segment[2] - 1
        digest = said[3] if said and deleted else self.hashes.get(covers)
        fits = said == (uuid.UUID(self.journal).bytes, covers, counter, digest)
        if not fits or hashlib.sha256(raw).hexdigest() != body["sha256"] or covers >= sequence:
            self.fault("J-CHECKPOINT", sequence)
        if counter <= self.counter:
            self.fault("J-CHECKPOINT", sequence)
        self.counter = max(self.counter, counter)

    def end(self):
        """Where the chain begins, once everything was seen."""
        if self.first_segment is None:
            return
        _, number, first, previous = self.first_segment
        if number == 1:
            proved = first == 1 and previous == start(self.journal)
        else:
            stub = self.stub
            proved = stub and (stub["number"] + 1, stub["last"] + 1, stub["hash"]) == (number, first, previous.hex())
        if not proved:
            self.fault("J-SEGMENT", first)
