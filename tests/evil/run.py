#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every attack on the media tag, one folder each: made out of a really sealed medium, then asked of every verifier.

A folder holds `attack.py`: `attack(scene)` changes the scene, EXPECTED is the code that every verifier must give, or
`accepted`. Optional: MEDIUM (fat32), LEVEL (full), VERIFIERS (all), `afterwards(scene)`, which may fail an assertion.
"""

import argparse
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "tag")]

import workshop  # noqa: E402
from refusal import CODES  # noqa: E402
from scene import Scene  # noqa: E402
from station import Authority, Failed, Station  # noqa: E402
from verifiers import ACCEPTED, all_of  # noqa: E402

ROW = re.compile(r"\| `([a-z0-9-]+)` \|.*\| `([A-Za-z-]+)` \|")


class Sealed:
    """The media of this run: made and sealed when the first attack asks for one."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.authority = Authority.make(programs, folder / "offline")
        self.station = Station(programs, folder / "station", self.authority)
        self.media = {}

    def get(self, name, **options):
        """Image and, if it could not be written on the medium, the tag of a sealed medium of this kind."""
        key = (name, *sorted(options))
        if key not in self.media:
            image = self.folder / f"{len(self.media)}-{name}.img"
            workshop.make(workshop.KINDS[name], image, **options)
            self.media[key] = image, self.station.seal(image)
        return self.media[key]

    def scene(self, name, folder):
        """Copies of everything that an attack may change."""
        original, detached = self.get(name)
        image = workshop.copy_sparse(original, folder / "medium.img")
        trust = folder / "trust"
        shutil.copytree(self.station.trust, trust)
        scene = Scene(folder, workshop.KINDS[name], image, trust, self.authority, self)
        if detached:
            scene.given("detached.tag", detached.read_bytes())
        return scene


def load(folder):
    specification = importlib.util.spec_from_file_location(f"attack_{folder.name}", folder / "attack.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if module.EXPECTED not in CODES | {ACCEPTED}:
        raise AssertionError(f"{module.EXPECTED} is not a code of section 17")
    return module


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def tell(self, what, error):
        self.failed, self.passed = self.failed + bool(error), self.passed + (not error)
        print(f"{what} ... {'FAILED: ' + str(error) if error else 'ok'}", flush=True)


def run_attack(folder, sealed, verifiers, results):
    try:
        module = load(folder)
        wanted = getattr(module, "VERIFIERS", None)
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=sealed.folder) as place:
            scene = sealed.scene(getattr(module, "MEDIUM", "fat32"), Path(place))
            scene.level = getattr(module, "LEVEL", scene.level)
            module.attack(scene)
            for verifier in verifiers:
                if wanted is None or verifier.name in wanted:
                    found = verifier.answer(scene)
                    error = None if found == module.EXPECTED else f"{found}, and {module.EXPECTED} is right"
                    results.tell(f"{folder.name} [{verifier.name}] {module.EXPECTED}", error)
            if hasattr(module, "afterwards"):
                module.afterwards(scene)
                results.tell(f"{folder.name} [afterwards]", None)
    except Exception as error:  # an attack that could not be made is a failure, and the others go on
        results.tell(folder.name, f"{type(error).__name__}: {error}")


def run_attacks(folders, programs, without_wine, results):
    with tempfile.TemporaryDirectory(prefix="evil-") as place:
        start = time.monotonic()
        try:
            sealed = Sealed(programs, Path(place))
        except (Failed, OSError) as error:
            return results.tell("an authority and a station", error)
        verifiers = all_of(programs, without_wine)
        for folder in folders:
            run_attack(folder, sealed, verifiers, results)
    print(f"{len(folders)} attacks, {time.monotonic() - start:.0f} s")


def check_table(folders, results):
    """The table of README.md has each folder with its code, and no other."""
    rows = dict(ROW.findall((HERE / "README.md").read_text("utf-8")))
    codes = {}
    for folder in folders:
        text = (folder / "attack.py").read_text("utf-8")
        codes[folder.name] = re.search(r'^EXPECTED = "(.*)"$', text, re.MULTILINE).group(1)
    wrong = sorted(name for name in rows.keys() | codes.keys() if rows.get(name) != codes.get(name))
    results.tell("README.md", f"another table than the folders: {', '.join(wrong)}" if wrong else None)


def main(given):
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0])
    target = os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")
    parser.add_argument("--programs", type=Path, default=Path(target, "release"), help="folder of blanche and blanche-verify")
    parser.add_argument("--only", metavar="NAME", help="this folder alone")
    parser.add_argument("--without-wine", action="store_true", help="do not ask the program for Windows")
    options = parser.parse_args(given)
    folders = sorted(one.parent for one in HERE.glob("*/attack.py"))
    results = Results()
    if not options.only:
        check_table(folders, results)
    chosen = [one for one in folders if options.only in (None, one.name)]
    os.umask(0o077)
    run_attacks(chosen, options.programs.resolve(), options.without_wine, results)
    # No attack at all says nothing.
    failed = results.failed or int(not chosen)
    print(f"test result: {'FAILED' if failed else 'ok'}. {results.passed} passed; {failed} failed; in tests/evil", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
