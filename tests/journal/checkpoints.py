# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: envelopes of checkpoints, by the modules of the second verifier of the tag."""

from dataclasses import dataclass
from types import SimpleNamespace

from encoding import EncodingError, decode
from envelope import Purpose, read_envelope
from policy import Clock, Policy
from refusal import Refusal
from shape import ShapeError, fields, integer, label, need, one_of, sha256, time, uint, uuid
from steps import origin

CHECKPOINT = Purpose("checkpoint", 2, 262_144)
CLAIMS = fields({0: one_of(1), 1: uuid, 2: label, 3: label, 4: time, 5: uint, 6: integer(1, 2**64 - 1), 7: sha256})
BAD = (Refusal, EncodingError, ShapeError)


@dataclass(frozen=True)
class Checkpoint:
    journal: bytes
    station: str
    site: str
    issued: int
    counter: int
    sequence: int
    hash: bytes


def unverified(raw):
    """What an envelope says. Raises one of BAD if it is none."""
    claims = decode(read_envelope(raw, CHECKPOINT).payload)
    CLAIMS(claims)
    return Checkpoint(*(claims[key] for key in range(1, 8)))


def verify(raw, authorities, crls):
    """Steps 3 to 10, at the checkpoint's own time; CRLs that are missing or old do not count."""
    checkpoint = unverified(raw)
    policy = Policy(require_crl=False, max_crl_age=1 << 62)
    inputs = SimpleNamespace(authorities=authorities, crls=crls, policy=policy, clock=Clock(checkpoint.issued))
    station, site, _ = origin(read_envelope(raw, CHECKPOINT), CHECKPOINT, inputs, lambda number: None)
    need((station, site) == (checkpoint.station, checkpoint.site), "another name than in its certificates")
    return checkpoint
