# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the verifier alone: decoder, BLAKE3 subtrees, USB serials, paths, masks, host artefacts, refusal codes."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import blake3  # noqa: E402
import cbor2  # noqa: E402

import blake3_tree  # noqa: E402
from artefacts import DESKTOP_INI, Tolerance  # noqa: E402
from boot import area_digest  # noqa: E402
from encoding import EncodingError, decode, sequence  # noqa: E402
from manifest import FILE, FOLDER, check_path  # noqa: E402
from media import Seen  # noqa: E402
from refusal import CODES  # noqa: E402
from shape import ShapeError  # noqa: E402
from usb import canonical_serial, windows_serial  # noqa: E402
from vectors import DOCUMENTS, PLACE, Vectors, disagreements  # noqa: E402

MIB = 1 << 20


class Decoder(unittest.TestCase):
    def test_what_is_allowed(self):
        for written, value in {
            "00": 0, "17": 23, "1818": 24, "18ff": 255, "190100": 256, "1a00010000": 65536, "1b0000000100000000": 1 << 32,
            "1bffffffffffffffff": 2**64 - 1, "20": -1, "3bffffffffffffffff": -(2**64), "40": b"", "62c3a9": "é", "80": [],
            "f4": False, "f5": True, "f6": None, "a3000118ff026161f6": {0: 1, 255: 2, "a": None}, "a2012002f5": {1: -1, 2: True},
            "8181818181818181" + "00": [[[[[[[[0]]]]]]]],
        }.items():
            self.assertEqual(decode(bytes.fromhex(written)), value, written)

    def test_what_is_refused(self):
        for written in (
            "", "1800", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "1c", "1f", "5f40ff", "7f60ff", "9fff", "bfff",
            "5800", "7800", "9800", "b800", "61ff", "62c328", "63eda080", "42aa", "61", "81", "a1", "a100", "9bffffffffffffffff",
            "bb8000000000000000", "5bffffffffffffffff", "0000", "8000", "f7", "f0", "f8ff", "f90000", "fa00000000",
            "fb0000000000000000", "ff", "c000", "d81800", "d86280", "a2000000" + "00", "a201000000", "a2616100" + "0000",
            "a1400", "a14000", "a18000", "a1f500", "a2190100001818" + "00", "818181818181818181" + "00", "3800", "1b00", "19",
        ):
            raw = bytes.fromhex(written + "0" * (len(written) % 2))
            with self.assertRaises(EncodingError, msg=written):
                decode(raw)

    def test_tag_98_only_around_an_envelope(self):
        self.assertEqual(decode(bytes.fromhex("d86280"), envelope=True).value, [])
        for written in ("d9006280", "d8628" + "1d86280", "81d86280", "d26280", "d280"):
            with self.assertRaises(EncodingError, msg=written):
                decode(bytes.fromhex(written + "0" * (len(written) % 2)), envelope=True)

    def test_the_tag_counts_as_a_level(self):
        deep = bytes.fromhex("d862" + "81" * 7)
        self.assertEqual(decode(deep + b"\0", envelope=True).tag, 98)
        with self.assertRaises(EncodingError):
            decode(deep + b"\x81\0", envelope=True)

    def test_a_sequence_ends_with_an_item(self):
        self.assertEqual(list(sequence(b"x\x00\x81\x01y", 1, 4)), [0, [1]])
        with self.assertRaises(EncodingError):
            list(sequence(b"\x00\x81", 0, 2))

    def test_what_cbor2_writes_in_order_is_read_back(self):
        value = {0: [1, -5, b"\0", "é", None, True], 70000: {"": 1, "b": 2, "aa": 3}}
        self.assertEqual(decode(cbor2.dumps(value)), value)


class Subtrees(unittest.TestCase):
    def test_against_the_whole_hash(self):
        pattern = bytes(i % 251 for i in range(2 * MIB + 2000))
        for size in (MIB + 1, MIB + 1024, 2 * MIB, 2 * MIB + 1025):
            content = pattern[:size]
            parts = [content[at : at + MIB] for at in range(0, size, MIB)]
            values = b"".join(blake3_tree.subtree(part, i) for i, part in enumerate(parts))
            self.assertEqual(blake3_tree.root(values), blake3.blake3(content).digest(), size)

    def test_shapes_of_the_tree_of_more_leaves(self):
        """BLAKE3 itself as oracle: whole chunks as leaves make the same left-complete tree as whole MiBs."""
        for leaves in (2, 3, 5, 6, 7, 8, 13):
            content = bytes(range(256)) * 4 * leaves
            values = [blake3_tree.chunk_value(content[i * 1024 : (i + 1) * 1024], i) for i in range(leaves)]
            self.assertEqual(blake3_tree.root(b"".join(values)), blake3.blake3(content).digest(), leaves)

    def test_the_counter_is_that_of_the_content(self):
        self.assertNotEqual(blake3_tree.subtree(b"x" * 2048, 0), blake3_tree.subtree(b"x" * 2048, 1))


class Serials(unittest.TestCase):
    def test_the_table_of_section_9(self):
        for linux, udev, windows, canonical in (
            ("AA00000000000489", "AA00000000000489", "AA00000000000489", "AA00000000000489"),
            ("4c530001ab", "4c530001ab", "4C530001AB", "4C530001AB"),
            ("WD  12 34 ", "WD_12_34", "WD__12_34_", "WD_12_34"),
            ("X/1(2)", "X_1_2_", "X/1(2)", "X_1_2"),
            (None, None, "5&2A3F1B&0&2", None),
            ("É1", "É1", "5&2A3F1B&0&2", None),
            ("A,1", None, "5&2A3F1B&0&2", None),
        ):
            self.assertEqual(canonical_serial(linux), canonical, linux)
            self.assertEqual(canonical_serial(udev), canonical, udev)
            self.assertEqual(windows_serial("USB\\VID_1234&PID_5678\\" + windows), canonical, windows)

    def test_usbstor_carries_a_number_more(self):
        self.assertEqual(windows_serial("USBSTOR\\DISK&VEN_X\\4C530001AB&0"), "4C530001AB")
        self.assertIsNone(windows_serial("USBSTOR\\DISK&VEN_X\\7&2A3F1B&0"))

    def test_lengths(self):
        self.assertIsNone(canonical_serial(" / "))
        self.assertEqual(canonical_serial("a" * 126), "A" * 126)
        self.assertIsNone(canonical_serial("a" * 127))


class Paths(unittest.TestCase):
    def test_good_ones(self):
        for path in (b"", b"a", b"a\0b", b"...", b" ", b"x" * 1024, b"\0".join([b"d"] * 512), "é/\U0001f600".encode()):
            check_path(path, wtf8=True)
        check_path(b"\xed\xa0\x80", wtf8=True)  # a lone surrogate
        check_path(b"\xff", wtf8=False)

    def test_bad_ones(self):
        for path in (b"\0", b"a\0", b"\0a", b"a\0\0b", b".", b"..", b"a\0..", b"x" * 1025, b"\0".join([b"d"] * 513)):
            with self.assertRaises(ShapeError, msg=path[:20]):
                check_path(path, wtf8=False)
        for path in (b"\xff", b"\xc0\x80", b"\xed\xa0\xbd\xed\xb8\x80"):  # the last: a pair written as two
            with self.assertRaises(ShapeError, msg=path):
                check_path(path, wtf8=True)


class Masks(unittest.TestCase):
    def changed(self, kind, filesystem, area):
        """Which bytes (with a mask of bits) of the area may change without changing its digest."""
        good, found = area_digest(kind, filesystem, area), {}
        for at in range(len(area)):
            bits = 0
            for bit in range(8):
                other = bytearray(area)
                other[at] ^= 1 << bit
                bits |= (area_digest(kind, filesystem, other) == good) << bit
            if bits:
                found[at] = bits
        return found

    def test_mbr_and_small_fat(self):
        self.assertEqual(self.changed(0, None, bytes(512)), dict.fromkeys(range(440, 444), 0xFF))
        self.assertEqual(self.changed(4, "fat16", bytes(512)), {37: 0xFF})

    def test_fat32_with_its_copies(self):
        area = bytearray(8 * 512)
        area[11:13], area[48:50], area[50:52] = b"\x00\x02", b"\x01\x00", b"\x06\x00"
        places = [65, 6 * 512 + 65, *range(512 + 488, 512 + 496), *range(7 * 512 + 488, 7 * 512 + 496)]
        # The numbers that place the masks may not change: another place gives another digest unless all bytes are zero.
        for at in (11, 48, 50):
            area[512 + 488] = area[7 * 512 + 488] = 1
        self.assertEqual(self.changed(4, "fat32", area), dict.fromkeys(places, 0xFF))

    def test_exfat_and_ext(self):
        area = bytearray(24 * 512)
        area[108] = 9
        places = [at + offset for at in (0, 12 * 512) for offset in (106, 107, 112)]
        self.assertEqual(self.changed(5, "exfat", area), dict.fromkeys(places, 0xFF))
        ext = self.changed(8, "ext", bytes(2048))
        self.assertEqual((ext[1024 + 0x60], ext[1024 + 0x66]), (0x04, 0x01))
        self.assertEqual(sum(1 for bits in ext.values() if bits == 0xFF), 8 + 10 + 2 + 64 + 4 + 4 + 8 + 108 + 4 + 2 + 4 + 4)

    def test_kinds_without_a_mask(self):
        for kind in (1, 2, 3, 6, 7, 9, 10):
            self.assertEqual(self.changed(kind, "ntfs", bytes(512)), {})


class Artefacts(unittest.TestCase):
    GUID = "{0123ABCD-0123-0123-0123-0123456789AB}"
    SID = "S-1-5-21-1-2-3-1001"
    PLIST = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC'

    def fits(self, path, content, filesystem="fat32", more=()):
        def seen(path, content, stream=None):
            kind = FOLDER if content is None else FILE
            return Seen(0, path.replace("/", "\0").encode(), stream, kind, len(content or b""), content)

        one = seen(path, content)
        return Tolerance([filesystem], [one, *(seen(*other) for other in more)]).fits(one, lambda entry: entry.place)

    def test_each_line_of_the_list(self):
        self.assertEqual(len(DESKTOP_INI), 129)
        for path, content in (
            ("System Volume Information", None),
            ("System Volume Information/WPSettings.dat", b"\x0c\0\0\0" + bytes(8)),
            ("System Volume Information/IndexerVolumeGuid", self.GUID.encode("utf-16-le")),
            ("System Volume Information/AadRecoveryPasswordDelete", None),
            ("System Volume Information/ClientRecoveryPasswordRotation", None),
            ("$RECYCLE.BIN", None), ("$RECYCLE.BIN/desktop.ini", DESKTOP_INI), (f"$RECYCLE.BIN/{self.SID}", None),
            (f"$RECYCLE.BIN/{self.SID}/desktop.ini", DESKTOP_INI), (".fseventsd", None),
            (".fseventsd/fseventsd-uuid", self.GUID[1:-1].encode()), (".fseventsd/0123456789abcdef", b"\x1f\x8b\x08" + bytes(17)),
            (".Spotlight-V100", None), (".Spotlight-V100/VolumeConfiguration.plist", self.PLIST), (".Trashes", None),
            ("._.Trashes", bytes.fromhex("0005160700020000") + bytes(4088)), (".DS_Store", b"\0\0\0\1Bud1" + bytes(4088)),
        ):
            self.assertTrue(self.fits(path, content), path)
            self.assertFalse(self.fits(path, content, filesystem="ext"), path)
            self.assertFalse(self.fits(path.swapcase(), content), path)
            self.assertFalse(self.fits(path, content, more=[(path, b"x", b"stream")]), path)
            self.assertFalse(self.fits(f"docs/{path}", content), path)
            if content is None:
                self.assertFalse(self.fits(path, content, more=[(f"{path}/run.exe", b"MZ")]), path)
                self.assertFalse(self.fits(path, b""), path)
            else:
                self.assertFalse(self.fits(path, b"MZ" + content[2:]), path)
                self.assertFalse(self.fits(path, content + bytes(70_000)), path)

    def test_what_only_looks_like_one(self):
        for path, content in (
            ("System Volume Information/IndexerVolumeGuid", self.GUID.lower().encode("utf-16-le")),
            ("$RECYCLE.BIN/S-1-5-18", None), ("$RECYCLE.BIN/S-1-5-21-" + "1" * 56, None), ("$RECYCLE.BIN/S-1-5-21-1\n", None),
            (".fseventsd/0123456789ABCDEF", b"\x1f\x8b\x08" + bytes(17)), (".fseventsd/0123456789abcdef", b"\x1f\x8b\x08"),
            (".DS_Store", b"\0\0\0\1Bud1"), (".Spotlight-V100/Store-V2", None),
        ):
            self.assertFalse(self.fits(path, content), path)

    def test_folders_with_contents_of_the_list(self):
        inside = (".fseventsd/fseventsd-uuid", self.GUID[1:-1].encode())
        self.assertTrue(self.fits(".fseventsd", None, more=[inside]))


class Documents(unittest.TestCase):
    def test_the_codes_are_those_of_the_document(self):
        document = (DOCUMENTS / "tag-format.md").read_text("utf-8")
        table = document.split("<!-- refusals: begin -->")[1].split("<!-- refusals: end -->")[0]
        self.assertEqual(set(re.findall(r"^\| `(E-[A-Z-]+)`", table, re.MULTILINE)), CODES)

    def test_the_vectors(self):
        vectors = Vectors(PLACE)
        self.assertGreater(len(vectors.cases), 0)
        self.assertEqual(disagreements(vectors), [])


if __name__ == "__main__":
    unittest.main()
