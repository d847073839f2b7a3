# SPDX-License-Identifier: GPL-2.0-or-later
"""A real authority and a real station: made with `blanche keys`, and sealing with `blanche scan --seal`, as people do."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

SIGNATURES = Path(__file__).resolve().parents[2] / "signatures"
STATION, SITE = "accueil-1", "paris"
ANCHORS = ("classical.pem", "post-quantum.pem")


class Failed(Exception):
    """A program did not do what every test here needs of it."""


def run(*command, good=(0,), **options):
    """Runs a program to its end. Raises Failed with what it said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False, **options)
    if done.returncode not in good:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise Failed(f"{' '.join(words)}: code {done.returncode}: {said}")
    return done.stdout


def private(folder):
    """A folder that only we may enter: what others may write is not trusted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class Authority:
    """The folder of an authority on its offline machine."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.passphrase = folder.parent / "passphrase"

    @classmethod
    def make(cls, programs, folder, name="test"):
        authority = cls(programs, private(folder) / "authority")
        authority.passphrase.touch(mode=0o600)
        authority.passphrase.write_text("correct horse battery staple\n", "utf-8")
        authority.keys("authority", "--name", name, "--folder", authority.folder)
        return authority

    def keys(self, *words):
        blanche = self.programs / "blanche"
        return run(blanche, "--lang", "en", "keys", *words, "--passphrase-file", self.passphrase)

    def copy(self, folder):
        """The same authority, to revoke with it and leave this one as it is."""
        shutil.copytree(self.folder, private(folder) / "authority")
        shutil.copy2(self.passphrase, folder / "passphrase")
        return Authority(self.programs, folder / "authority")

    def revoke(self, *words):
        self.keys("revoke", "--authority", self.folder, *words)

    def certify(self, keys, station, site):
        """Keys of a station in the folder `keys`, with their certificates."""
        name, issued = ("--station", station, "--site", site), keys.with_name(f"{keys.name}-issued")
        self.keys("request", *name, "--folder", keys)
        requests = [keys / "classical.csr", keys / "post-quantum.csr"]
        self.keys("issue", *name, *requests, "--authority", self.folder, "--out", issued)
        for chain in issued.iterdir():
            shutil.copy2(chain, keys / chain.name)

    def publish(self, trust):
        """What a workstation gets of this authority: anchors, CRLs and revocation lists as they are now."""
        anchors = private(private(private(trust) / "authorities") / "test")
        for anchor in ANCHORS:
            shutil.copy2(self.folder / anchor, anchors / anchor)
        for published in ("crls", "lists"):
            private(trust / published)
            for one in sorted((self.folder / published).glob("*")):
                shutil.copy2(one, trust / published / one.name)


class Station:
    """A station of that authority with a configuration of its own."""

    def __init__(self, programs, folder, authority):
        self.programs, self.folder = programs, private(folder)
        self.trust = folder / "trust"
        authority.publish(self.trust)
        authority.certify(folder / "keys", STATION, SITE)
        self.configuration = folder / "blanche.toml"
        self.configuration.write_text("".join(f"{key} = {value}\n" for key, value in self.settings()), "utf-8")

    def settings(self):
        yield "bases.clamav", json.dumps([str(SIGNATURES / "clamav"), str(self.daily())])
        yield "bases.rules", json.dumps([str(SIGNATURES / "rules")])
        yield "bases.required", '["daily"]'
        yield "known_results.file", '"none"'
        yield "seal.keys", json.dumps(str(self.folder / "keys"))
        yield "seal.trust", json.dumps(str(self.trust))
        yield "seal.detached", json.dumps(str(private(self.folder / "tags")))

    def daily(self):
        """The base whose age counts, published today."""
        folder, today = private(self.folder / "daily"), datetime.now(UTC).date().isoformat()
        (folder / "daily.ndb").write_text(f"Blanche.Test.Nothing:0:*:{os.urandom(32).hex()}\n", "utf-8")
        (folder / "manifest.toml").write_text(f'name = "daily"\nversion = "1"\ndate = {today}\n', "utf-8")
        # The engines run as the user `nobody`: they read what everybody may.
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return folder

    def seal(self, image):
        """Scans and seals; returns the tag's place if it could not be written on the medium, else None."""
        raw = run(self.programs / "blanche", "--config", self.configuration, "scan", "--json", "--seal", image)
        seal = json.loads(raw).get("seal") or {}
        if seal.get("outcome") not in ("on_medium", "detached"):
            raise Failed(f"{image} was not sealed: {seal}")
        return Path(seal["file"]) if seal["outcome"] == "detached" else None


def environment():
    """For mtools: names in UTF-8, and no doubts about the geometry."""
    return {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
