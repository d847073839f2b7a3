#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A second verifier of a station's journal, written from docs/journal.md alone. Prints one JSON object; exit code 0: whole and
proved by a signed checkpoint, 50: altered, 51: whole but proved by no signature, 2: it could not be asked.
"""

import argparse
import json
import sqlite3
import sys
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "tag")]

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402

import checkpoints  # noqa: E402
from certificates import Certificate  # noqa: E402
from chain import Walk  # noqa: E402
from segments import segments  # noqa: E402

PROVED, ALTERED, UNSIGNED = 0, 50, 51


def der(certificate):
    return x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)


def crl_der(path):
    raw = path.read_bytes()
    return x509.load_pem_x509_crl(raw).public_bytes(Encoding.DER) if raw.startswith(b"-----") else raw


def read_trust(folder):
    """Authorities and CRLs of a trust folder (docs/verify.md)."""
    anchors = ("classical.pem", "post-quantum.pem")
    authorities = [tuple(Certificate(der(one / name)) for name in anchors) for one in sorted((folder / "authorities").iterdir())]
    return authorities, [crl_der(path) for path in sorted((folder / "crls").glob("*.crl"))]


def judge_outside(raw, trust, walk):
    """A checkpoint from outside: the proof, if it is one, and whether it is older than what is kept."""
    try:
        claims = checkpoints.verify(raw, *trust) if trust else checkpoints.unverified(raw)
    except checkpoints.BAD:
        walk.fault("J-SIGNATURE")
        return None, False
    if claims.journal != uuid.UUID(walk.journal).bytes:
        walk.fault("J-OTHER")
    elif claims.sequence > walk.last:
        walk.fault("J-TRUNCATED", claims.sequence)
    elif claims.sequence < walk.first_segment[2]:
        return None, True
    elif claims.sequence in walk.hashes:
        if walk.hashes[claims.sequence] == claims.hash:
            return (claims if trust else None), False
        walk.fault("J-CHECKPOINT", claims.sequence)
    else:
        walk.fault("J-SEQUENCE", claims.sequence)
    return None, False


def verify(folder, trust=None, outside=None, every_signature=False):
    """Faults, proof, whether the checkpoint from outside is older than what is kept."""
    walk = Walk()
    found = segments(folder)
    for segment in found:
        walk.segment(segment)
    walk.end()
    proof, older = judge_outside(outside, trust, walk) if outside is not None else (None, False)
    stored = [raw for segment in reversed(found) for _, raw in sorted(safe(segment.checkpoints).items(), reverse=True)]
    for raw in stored[: None if every_signature else 1] if trust else []:
        try:
            claims = checkpoints.verify(raw, *trust)
            # One that covers only what retention deleted proves nothing.
            if walk.first_segment and claims.sequence >= walk.first_segment[2]:
                proof = max(filter(None, (proof, claims)), key=lambda one: one.sequence)
        except checkpoints.BAD:
            walk.fault("J-SIGNATURE")
    for segment in found:
        segment.database.close()
    return walk, proof, older


def safe(read):
    try:
        return read()
    except sqlite3.Error:
        return {}


def answer(walk, proof, older):
    """As JSON, with the exit code."""
    deletion = proof and walk.stub and walk.stub_at > proof.sequence  # that no signature covers
    code = ALTERED if walk.faults else UNSIGNED if proof is None or older or deletion else PROVED
    return code, {
        "result": {PROVED: "proved", UNSIGNED: "unsigned", ALTERED: "altered"}[code],
        "journal": walk.journal, "last": walk.last, "proof": proof and proof.sequence,
        "faults": sorted({code for code, _ in walk.faults}),
    }


def main(given):
    parser = argparse.ArgumentParser(prog="verify.py", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trust", type=Path, metavar="DIR")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE")
    parser.add_argument("--every-signature", action="store_true")
    options = parser.parse_args(given)
    try:
        trust = read_trust(options.trust) if options.trust else None
        outside = options.checkpoint.read_bytes() if options.checkpoint else None
        code, said = answer(*verify(options.folder, trust, outside, options.every_signature))
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(said))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
