# SPDX-License-Identifier: GPL-2.0-or-later
"""Everybody who may be asked about a medium, each in its own words: the program, the same program for Windows under Wine,
and the second verifier (tests/tag)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from station import ANCHORS, environment, private

SECOND = Path(__file__).resolve().parents[1] / "tag" / "verify.py"
ACCEPTED = "accepted"
TIMEOUT = 300
# Section 16: these have a unit in TOML.
AGES = ("max_tag_age", "max_base_age", "max_crl_age", "max_list_age")


def ask(command, **options):
    words = [str(word) for word in command]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False, **options)


def no_answer(done):
    return f"no answer, code {done.returncode}: {(done.stderr or done.stdout).decode(errors='replace').strip()[-400:]}"


class Program:
    """`blanche-verify`: reads the medium itself. `place` turns a path into the program's own form."""

    name = "linux"

    def __init__(self, program):
        self.command = [program]

    def place(self, path):
        return str(path)

    def memory(self, scene):
        """A copy for each verifier: what one of them learns does not change the answer of the next."""
        own = private(scene.folder / f"memory-{self.name}") / "memory.json"
        if scene.memory:
            own.write_text(json.dumps({"schema": "blanche-memory/1", **scene.memory}), "utf-8")
        return own

    def words(self, scene, target):
        (scene.trust / "policy.toml").write_text(in_toml(scene.policy), "utf-8")
        yield from ("--json", "--quiet", "--lang", "en", "--level", scene.level, "--trust", self.place(scene.trust))
        if scene.memory is None:
            yield "--no-memory"
        else:
            yield from ("--memory", self.place(self.memory(scene)))
        if scene.at is not None:
            yield from ("--at", str(scene.at))
        if scene.tag is not None:
            yield from ("--tag", self.place(scene.tag))
        yield self.place(target)

    def answer(self, scene):
        with scene.inserted() as target:
            done = ask([*self.command, *self.words(scene, target)])
        try:
            document = json.loads(done.stdout)
            refusal, exit_code = document["refusal"], document["exit_code"]
        except (ValueError, KeyError):
            return no_answer(done)
        if done.returncode != exit_code or (exit_code == 0) != (refusal is None) or exit_code not in (0, 40, 41, 42, 43):
            return f"exit code {done.returncode} with {document}"
        return refusal["code"] if refusal else ACCEPTED


class WindowsProgram(Program):
    """The same for Windows. Wine shows the machine's files as drive Z:."""

    WINE = Path(__file__).resolve().parents[1] / "windows" / "wine.sh"

    name = "windows"

    def __init__(self, program):
        super().__init__(program)
        self.command = [self.WINE, program]

    def place(self, path):
        return "Z:" + str(path).replace("/", "\\")


class Second:
    """tests/tag/verify.py, which wants DER, JSON, the tag as a file, and a folder beside the medium for what it cannot read itself."""

    name = "python"

    def answer(self, scene):
        own = private(scene.folder / "second")
        authorities, crls = in_der(scene.trust, own)
        (own / "policy.json").write_text(json.dumps(scene.policy), "utf-8")
        (own / "memory.json").write_text(json.dumps(scene.memory or {}), "utf-8")
        words = [
            sys.executable, SECOND, "--authority", authorities, "--crl", crls, "--policy", own / "policy.json",
            "--memory", own / "memory.json", "--level", scene.level, "--block", "512",
        ]
        for one in sorted((scene.trust / "lists").glob("*.cose")):
            words += ["--list", one]
        if scene.at is not None:
            words += ["--now", scene.at]
        with scene.shown() as (target, folder):
            if folder:
                words += ["--folder", f"0={folder}"]
            tag = scene.tag or self.tag_of(scene, folder or target, own / "blanche.tag")
            done = ask([*words, tag, target], env={**environment(), "PYTHONDONTWRITEBYTECODE": "1"})
        try:
            document = json.loads(done.stdout)
        except ValueError:
            return no_answer(done)
        if done.returncode != (0 if document["accepted"] else 1):
            return f"exit code {done.returncode} with {document}"
        return ACCEPTED if document["accepted"] else document["code"]

    @staticmethod
    def tag_of(scene, target, copy):
        """The file on the medium; where there is none the verifier says so."""
        copy.unlink(missing_ok=True)
        if scene.kind.is_fat:
            ask(["mcopy", "-n", "-i", f"{target}@@{scene.kind.start}", "::/blanche.tag", copy], env=environment())
        elif (target / "blanche.tag").is_file():
            shutil.copyfile(target / "blanche.tag", copy)
        return copy


def in_der(trust, own):
    """The trust folder in the form that the second verifier reads."""
    authorities, crls = own / "authorities", own / "crls"
    for folder in (authorities, crls):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for authority in sorted((trust / "authorities").iterdir()):
        (authorities / authority.name).mkdir()
        for pem, der in zip(ANCHORS, ("classical.der", "post_quantum.der")):
            anchor = x509.load_pem_x509_certificate((authority / pem).read_bytes())
            (authorities / authority.name / der).write_bytes(anchor.public_bytes(Encoding.DER))
    for crl in sorted((trust / "crls").glob("*.crl")):
        raw = crl.read_bytes()
        pem = raw.startswith(b"-----BEGIN")
        (crls / crl.name).write_bytes(x509.load_pem_x509_crl(raw).public_bytes(Encoding.DER) if pem else raw)
    return authorities, crls


def in_toml(policy):
    """Section 16 as docs/verify.md writes it: ages with their unit, `all` and `none` as words."""
    lines = []
    for name, value in policy.items():
        if value is None:
            value = "all" if name == "sites" else "none"
        elif name in AGES:
            value = f"{value} s"
        lines.append(f"{name} = {json.dumps(value)}\n")
    return "".join(lines)


def all_of(programs, without_wine):
    """The verifiers of this run. The one for Windows is where tests/windows/ready.sh says."""
    found = [Program(programs / "blanche-verify"), Second()]
    return found if without_wine else [*found, WindowsProgram(os.environ["BLANCHE_VERIFY_EXE"])]
