"""Seeds for the parts of a tag: cuts the tags and revocation lists of the vectors in pieces."""

import json
import pathlib
import sys

vectors, corpus = map(pathlib.Path, sys.argv[1:])
parts = json.loads((vectors / "parts.json").read_text())


def join(pieces):
    def one(piece):
        if isinstance(piece, dict):
            return bytes.fromhex(piece["repeat"]) * piece["times"]
        return bytes.fromhex(parts[piece[1:]] if piece.startswith("$") else piece)

    return b"".join(map(one, pieces))


def payload(envelope):
    """D8 62, an array of 4, the protected header, an empty map, and the payload."""
    at = 3
    for _ in range(2):
        info = envelope[at] & 31
        width = {24: 1, 25: 2, 26: 4}.get(info, 0)
        length = int.from_bytes(envelope[at + 1 : at + 1 + width], "big") if width else info
        content = envelope[at + 1 + width : at + 1 + width + length]
        at += 1 + width + length + 1
    return content


for path in sorted(vectors.glob("*/*.json")):
    vector = json.loads(path.read_text())
    tag = join(vector["tag"])
    if tag[:8] == b"\x89BLT\r\n\x1a\n":
        length = int.from_bytes(tag[12:16], "big")
        envelope, manifest = tag[32 : 32 + length], tag[32 + length :]
        (corpus / "envelope" / path.stem).write_bytes(envelope)
        (corpus / "manifest" / path.stem).write_bytes(manifest)
        if path.parent.name == "good":
            (corpus / "claims" / path.stem).write_bytes(payload(envelope))
    for number, envelope in enumerate(map(join, vector["trust"]["lists"])):
        (corpus / "revocations" / f"{path.stem}-{number}").write_bytes(payload(envelope))
