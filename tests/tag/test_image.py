# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as it is called, on a real FAT image (dosfstools, mtools) and on a folder."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from boot import area_digest  # noqa: E402
from forge import MIB, NOW, Authority, Case, entry  # noqa: E402

FILES = {"lettre.txt": b"bonjour", "Dossier/r\u00e9sum\u00e9 long.txt": b"text", "UPPER.BIN": bytes(5000)}
PROGRAM = Path(__file__).parent / "verify.py"


def run(*command):
    environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
    subprocess.run([str(one) for one in command], env=environment, check=True, capture_output=True, timeout=60)


class Image(unittest.TestCase):
    """A superfloppy: one FAT16 volume over the whole medium."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(sites=("paris",))
        cls.station = cls.authority.station()

    def setUp(self):
        spool = tempfile.TemporaryDirectory(prefix="test-image-")
        self.addCleanup(spool.cleanup)
        self.root = Path(spool.name)
        self.image, self.folder = self.root / "medium.img", self.root / "tree"
        for name, content in FILES.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        with self.image.open("wb") as image:
            image.truncate(16 * MIB)
        run("mkfs.vfat", "-F", "16", "--invariant", "-i", "1234abcd", self.image)
        run("mcopy", "-s", "-i", self.image, *sorted(self.folder.iterdir()), "::/")
        self.write_trust()
        self.seal()

    def write_trust(self):
        authority, crls = self.root / "authority", self.root / "crls"
        authority.mkdir()
        crls.mkdir()
        for name, anchor in zip(("classical.der", "post_quantum.der"), self.authority.anchors):
            (authority / name).write_bytes(anchor.der)
        for number, crl in enumerate(self.authority.crls()):
            (crls / str(number)).write_bytes(crl)

    def seal(self):
        with self.image.open("rb") as image:
            first = image.read(65536)
        length = int.from_bytes(first[14:16], "little") * int.from_bytes(first[11:13], "little")
        case = Case(self.authority, list(self.station))
        case.claims[7] = {
            0: 16 * MIB, 1: 512, 3: [[4, 0, 0, length, area_digest(4, "fat16", first[:length])]], 4: 0,
        }
        case.claims[8][0].update({0: 0, 1: 16 * MIB, 2: 0})
        case.claims[10] = [[3, 0, 16 * MIB, 0]]
        entries = [entry(0, b"Dossier", None, 0, None)]
        entries += [entry(0, name.replace("/", "\0").encode(), None, 1, content) for name, content in FILES.items()]
        case.entries = sorted(entries, key=lambda one: one[1])
        self.tag = self.root / "blanche.tag"
        self.tag.write_bytes(case.file())
        run("mcopy", "-i", self.image, self.tag, "::/blanche.tag")

    def verify(self, target, *options):
        command = [sys.executable, PROGRAM, "--authority", self.root / "authority", "--crl", self.root / "crls",
                   "--now", NOW, *options, self.tag, target]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if found["accepted"] else 1)
        return found

    def test_an_image(self):
        found = self.verify(self.image)
        self.assertTrue(found["accepted"], found)
        self.assertEqual((found["level"], found["not_available"]), ("full", ["block size"]))

    def test_a_folder(self):
        found = self.verify(self.folder)
        self.assertTrue(found["accepted"], found)
        self.assertEqual(found["not_available"], ["capacity", "block size", "boot areas", "streams"])

    def test_a_changed_byte_in_the_image(self):
        raw = self.image.read_bytes()
        self.assertEqual(raw.count(b"bonjour"), 1)
        self.image.write_bytes(raw.replace(b"bonjour", b"bonsoir"))
        self.assertEqual(self.verify(self.image, "--level", "inventory")["level"], "inventory")
        self.assertEqual(self.verify(self.image)["code"], "E-CHANGED")

    def test_a_changed_boot_sector(self):
        with self.image.open("r+b") as image:
            image.seek(100)
            image.write(b"\xeb")
        self.assertEqual(self.verify(self.image)["code"], "E-BOOT")

    def test_a_hidden_file_added_to_the_image(self):
        run("mcopy", "-i", self.image, self.folder / "lettre.txt", "::/autorun.inf")
        run("mattrib", "-i", self.image, "+h", "+s", "::/autorun.inf")
        self.assertEqual(self.verify(self.image)["code"], "E-ADDED")

    def test_a_name_twice_in_one_folder(self):
        """Extracted, the last of the two would hide the first, which is the one that hosts open."""
        run("mcopy", "-i", self.image, self.folder / "lettre.txt", "::/OTHER.BIN")
        raw = self.image.read_bytes()
        self.assertEqual(raw.count(b"OTHER   BIN"), 1)
        self.image.write_bytes(raw.replace(b"OTHER   BIN", b"UPPER   BIN"))
        self.assertEqual(self.verify(self.image)["code"], "E-ADDED")

    def test_a_file_that_became_a_link(self):
        (self.folder / "lettre.txt").unlink()
        (self.folder / "lettre.txt").symlink_to("UPPER.BIN")
        self.assertEqual(self.verify(self.folder)["code"], "E-CHANGED")

    def test_a_folder_of_another_volume(self):
        self.assertEqual(self.verify(self.folder, "--volume", "1")["code"], "E-NOT-AVAILABLE")

    def test_a_policy_from_a_file(self):
        policy = self.root / "policy.json"
        policy.write_text(json.dumps({"boot_not_available": "refuse"}))
        self.assertEqual(self.verify(self.folder, "--policy", policy)["code"], "E-NOT-AVAILABLE")

    def test_wrong_usage(self):
        policy = self.root / "policy.json"
        policy.write_text(json.dumps({"levl": "full"}))
        done = subprocess.run(
            [sys.executable, PROGRAM, "--authority", self.root / "authority", "--crl", self.root / "crls", "--policy", policy,
             self.tag, self.folder], capture_output=True, text=True, timeout=60,
        )
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("levl", done.stderr)


if __name__ == "__main__":
    unittest.main()
