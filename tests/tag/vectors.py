#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the vectors of docs/tag-vectors (their README gives the form) and names each one that this verifier disagrees with.

`vectors.py [DIR]`; exit code 0 only if there were vectors and all agree. `write_vector` goes the other way, so that another
verifier can be asked about the tags that the tests here make.
"""

import io
import json
import os
import sys
from pathlib import Path

from certificates import Certificate
from memory_medium import MemoryMedium
from policy import Clock, Policy
from steps import Inputs, verify

# BLANCHE_DOCS: another copy of docs/ than the one beside this program.
DOCUMENTS = Path(os.environ.get("BLANCHE_DOCS") or Path(__file__).resolve().parents[2] / "docs")
PLACE = DOCUMENTS / "tag-vectors"


class Vectors:
    def __init__(self, folder):
        self.parts = json.loads((folder / "parts.json").read_text("utf-8"))
        self.cases = sorted(path for kind in ("good", "bad") for path in (folder / kind).glob("*.json"))

    def octets(self, pieces):
        """The byte string that a list of pieces stands for; null stays None."""
        if pieces is None:
            return None
        return b"".join(self.piece(one) for one in ([pieces] if isinstance(pieces, (str, dict)) else pieces))

    def piece(self, one):
        if isinstance(one, dict):
            return bytes.fromhex(one["repeat"]) * one["times"]
        if one.startswith("$"):
            return self.octets(self.parts[one[1:]])
        return bytes.fromhex(one)

    def inputs(self, case):
        tag, trust = self.octets(case["tag"]), case["trust"]
        return Inputs(
            tag=None if tag is None else io.BytesIO(tag),
            authorities=[
                tuple(Certificate(self.octets(pair[name])) for name in ("classical", "post_quantum"))
                for pair in trust["authorities"]
            ],
            crls=[self.octets(one) for one in trust["crls"]],
            lists=[self.octets(one) for one in trust["lists"]],
            clock=Clock(case["clock"], case["memory"]),
            policy=Policy.from_json(case["policy"]),
            medium=self.medium(case["medium"], case["entries"], case["walked"]),
        )

    def medium(self, seen, entries, walked):
        usb = seen["usb"] and tuple(seen["usb"][name] for name in ("vendor", "product", "serial"))
        areas = None if seen["bytes"] is None else [(start, self.octets(part)) for start, part in seen["bytes"]]
        shown, sizes = None, {}
        if entries is not None:
            shown = []
            for one in entries:
                path, stream = bytes.fromhex(one["path"]), one["stream"] and bytes.fromhex(one["stream"])
                shown.append((one["volume"], path, stream, one["kind"], self.octets(one["content"])))
                sizes[one["volume"], path, stream] = one["size"]
        return MemoryMedium(seen["capacity"], seen["block"], usb, areas, shown, sizes, walked)


def write_vector(folder, name, case, outcome):
    """A case of `forge.py`, once built and verified, as a vector."""
    for kind in ("good", "bad"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / "parts.json").write_text("{}", "utf-8")
    pairs = [dict(zip(("classical", "post_quantum"), ([one.der.hex()] for one in pair))) for pair in case.authorities]
    usb = case.medium.get("usb")
    vector = {
        "about": name,
        "tag": None if case.tag is None else [case.tag.hex()],
        "trust": {"authorities": pairs, "crls": [[one.hex()] for one in case.crls], "lists": [[one.hex()] for one in case.lists]},
        "clock": case.clock,
        "memory": {"time": 0, "crls": {}, "lists": {}, "counters": {}} | case.memory,
        "policy": case.policy,
        "medium": {
            "capacity": case.medium.get("capacity"), "block": case.medium.get("block"),
            "usb": usb and dict(zip(("vendor", "product", "serial"), usb)),
            "bytes": case.areas and [[start, [bytes(part).hex()]] for start, part in case.areas],
        },
        "entries": None if case.shown is None else sorted(map(entry_of, case.shown), key=lambda one: (
            one["volume"], bytes.fromhex(one["path"]), one["stream"] is not None, bytes.fromhex(one["stream"] or ""))),
        "walked": [] if case.shown is None else list(range(len(case.claims[8]))),
        "expect": "accepted" if outcome.accepted else outcome.code,
        "step": None if outcome.accepted else outcome.step,
        "tolerated": outcome.tolerated if outcome.accepted else [],
        "remembered": outcome.memory,
    }
    text = json.dumps(vector, indent=1, sort_keys=True)
    (folder / ("good" if outcome.accepted else "bad") / f"{name}.json").write_text(text, "utf-8")


def entry_of(shown):
    volume, path, stream, kind, content = shown
    return {"volume": volume, "path": path.hex(), "stream": stream and stream.hex(), "kind": kind,
            "size": len(content or b""), "content": None if content is None and kind in (1, 2, 3) else [(content or b"").hex()]}


def disagreement(case, outcome):
    found = ("accepted" if outcome.accepted else outcome.code, None if outcome.accepted else outcome.step)
    expected = (case["expect"], case["step"])
    if found != expected:
        return f"expected {expected}, found {found}: {outcome.why}"
    if sorted(outcome.tolerated) != sorted(case["tolerated"]):
        return f"expected {case['tolerated']} to be tolerated, found {outcome.tolerated}"
    if outcome.memory != case["remembered"]:
        return f"expected {case['remembered']} to be remembered, found {outcome.memory}"
    return None


def disagreements(vectors):
    found = []
    for path in vectors.cases:
        case = json.loads(path.read_text("utf-8"))
        if problem := disagreement(case, verify(vectors.inputs(case))):
            found.append(f"{path.parent.name}/{path.name}: {problem}")
    return found


def main(given):
    vectors = Vectors(Path(given[0]) if given else PLACE)
    wrong = disagreements(vectors)
    print(*wrong, f"{len(vectors.cases)} vectors, {len(wrong)} disagreements", sep="\n")
    return 0 if vectors.cases and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
