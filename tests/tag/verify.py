#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A second verifier of the media tag, written from docs/tag-format.md alone, so that the document is tested and not only
the program. Prints one JSON object; exit code 0: accepted, 1: refused, 2: it could not be asked.

An authority's folder holds `classical.der` and `post_quantum.der`; a folder whose subfolders do, several authorities.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from certificates import Certificate
from media import Folders, Image
from policy import LEVELS, Clock, Policy, PolicyError
from steps import Inputs, verify

ANCHORS = ("classical.der", "post_quantum.der")


def arguments(given):
    parser = argparse.ArgumentParser(prog="verify.py", description=__doc__.splitlines()[0])
    parser.add_argument("--authority", type=Path, required=True, metavar="DIR", help="anchors, in DER")
    parser.add_argument("--crl", type=Path, required=True, metavar="DIR", help="every file in it is a CRL in DER")
    parser.add_argument("--list", type=Path, action="append", default=[], metavar="FILE", help="a revocation list; repeatable")
    parser.add_argument("--policy", type=Path, metavar="FILE.json", help="what differs from section 16")
    parser.add_argument("--memory", type=Path, metavar="FILE.json", help="time, crls, lists, counters; never written")
    parser.add_argument("--now", type=int, metavar="SECONDS", help="the clock; default: that of this machine")
    parser.add_argument("--level", choices=LEVELS, help="instead of the policy's")
    parser.add_argument("--block", type=int, help="logical block size of the medium of an image")
    parser.add_argument("--usb", metavar="VENDOR:PRODUCT:SERIAL", help="USB identity, numbers in hexadecimal")
    parser.add_argument("--volume", type=int, default=0, metavar="N", help="the volume that a folder TARGET shows")
    parser.add_argument("--folder", action="append", default=[], metavar="N=DIR", help="a folder that shows volume N")
    parser.add_argument("tag", type=Path, metavar="TAGFILE")
    parser.add_argument("target", type=Path, metavar="TARGET", help="folder or image")
    return parser.parse_args(given)


def read_authorities(folder):
    folders = [folder] if (folder / ANCHORS[0]).exists() else sorted(one for one in folder.iterdir() if one.is_dir())
    if not folders:
        raise PolicyError(f"{folder}: no {ANCHORS[0]} and no folder with one")
    return [tuple(Certificate((one / name).read_bytes()) for name in ANCHORS) for one in folders]


def read_json(path):
    return json.loads(path.read_text("utf-8")) if path else {}


def read_medium(options, spool):
    folders = {}
    for one in options.folder:
        number, _, folder = one.partition("=")
        folders[int(number)] = folder
    if options.target.is_dir():
        medium = Folders({options.volume: options.target, **folders})
    else:
        medium = Image(options.target, spool, options.block, folders)
    if options.usb:
        vendor, product, serial = options.usb.split(":", 2)
        medium.usb = (int(vendor, 16), int(product, 16), serial)
    return medium


def run(options, spool):
    policy = Policy.from_json(read_json(options.policy))
    if options.level:
        policy.level = options.level
    now = int(time.time()) if options.now is None else options.now
    tag = options.tag.open("rb") if options.tag.exists() else None
    return verify(Inputs(
        tag=tag,
        authorities=read_authorities(options.authority),
        crls=[one.read_bytes() for one in sorted(options.crl.iterdir())],
        lists=[one.read_bytes() for one in options.list],
        clock=Clock(now, read_json(options.memory)),
        policy=policy,
        medium=read_medium(options, spool),
    ))


def main(given):
    options = arguments(given)
    try:
        with tempfile.TemporaryDirectory(prefix="verify-tag-") as spool:
            outcome = run(options, spool)
    except (OSError, ValueError, PolicyError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    shown = ("accepted", "code", "step", "level", "tolerated", "not_available", "why", "differences")
    print(json.dumps({name: getattr(outcome, name) for name in shown}))
    return 0 if outcome.accepted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
