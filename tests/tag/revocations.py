# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 12, step 13: revocation lists."""

from dataclasses import dataclass

from encoding import EncodingError, decode
from envelope import REVOCATIONS, read_envelope
from refusal import Refusal
from shape import ShapeError, fields, items, label, need, one_of, sha256, time, uint, uuid

EVERY_SITE = "authority"
LIST = fields({
    0: one_of(1), 1: uuid, 2: label, 3: label, 4: time, 5: uint, 6: items(0, 65536, uuid), 7: items(0, 65536, sha256),
})


@dataclass(frozen=True)
class Revocations:
    """A list that verified, or all those that count together."""

    site: str = EVERY_SITE
    authority: str | None = None
    issued: int = 0
    tags: frozenset = frozenset()
    contents: frozenset = frozenset()

    def counts_for(self, site, authority):
        return self.authority == authority and self.site in (EVERY_SITE, site)

    @classmethod
    def union(cls, lists):
        return cls(
            tags=frozenset().union(*(one.tags for one in lists)),
            contents=frozenset().union(*(one.contents for one in lists)),
        )


def read_lists(inputs, origin):
    """Every given list verifies and is not older than the last one seen of its authority, signer and site.

    All of them are read before the first bad one refuses: those that verify teach.
    """
    found, refusals = [], []
    for raw in inputs.lists:
        try:
            found.append(read_list(raw, inputs, origin))
        except Refusal as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return found


def read_list(raw, inputs, origin):
    try:
        need(len(raw) <= REVOCATIONS.largest, f"{len(raw)} bytes")
        envelope = read_envelope(raw, REVOCATIONS)
        signer, site, authority = origin(envelope, REVOCATIONS, inputs, lambda number: None)
        claims = decode(envelope.payload)
        check_list(claims)
        need((claims[2], claims[3]) == (signer, site), "another name than in its certificates")
    except (Refusal, EncodingError, ShapeError) as error:
        raise Refusal("E-LIST", str(error)) from None
    name = f"{authority}/{signer}.{site}"
    if claims[5] < inputs.clock.lists.get(name, 0):
        raise Refusal("E-LIST-OLD", f"number {claims[5]} of {name}")
    inputs.clock.saw_list(name, claims[5], claims[4])
    return Revocations(site, authority, claims[4], frozenset(claims[6]), frozenset(claims[7]))


def check_list(claims):
    LIST(claims)
    for key in (6, 7):
        need(all(a < b for a, b in zip(claims[key], claims[key][1:])), "not ascending, or repeated")
