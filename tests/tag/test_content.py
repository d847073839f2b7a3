# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps 9 to 20: claims that contradict themselves, lists, manifests, and media that are not what was sealed."""

import hashlib
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cbor2  # noqa: E402

from certificates import authority_id  # noqa: E402
from claims import medium_identity  # noqa: E402
from forge import BIG, DAY, MIB, NOW, Authority, Case, entry  # noqa: E402
from tag_case import Tags, having, setting  # noqa: E402


class Claims(Tags):
    def test_claims_that_are_not_deterministic(self):
        self.refused("E-ENCODING", 9, having(payload=b"\xa1\x18\x00\x01"))
        self.refused("E-ENCODING", 9, having(payload=b"\xa0\xa0"))

    def test_claims_of_another_shape(self):
        self.refused("E-CLAIMS", 9, having(payload=b"\xa0"))
        for change in (
            setting(0, 2), setting(14, 1), setting(1, bytes(15)), setting(2, "Station"), setting(4, -1), setting(6, 0),
            setting(6, 2**53 + 1),
            setting(7, 1, 513), setting(8, []), setting(8, 0, 3, "hfs"), setting(8, 0, 6, 0), setting(10, []),
            setting(12, 4), setting(11, 2, "x" * 256), setting(12, False),
        ):
            self.refused("E-CLAIMS", 9, change)

    def test_claims_that_contradict_themselves(self):
        for change in (
            setting(5, NOW - DAY),  # expires when issued
            setting(7, 4, 1), setting(8, 0, 1, 4 * MIB), setting(10, 0, 2, 513), setting(10, 0, 3, 513),
            setting(10, 1, [0, None, 512, 512]), setting(7, 3, 0, 1, 0), setting(7, 3, 2, 1, None),
            setting(7, 3, 2, 2, MIB + 512), setting(7, 3, 0, 0, 1), setting(7, 3, 1, 3, 512), setting(8, 0, 3, "ntfs"),
            lambda case: case.claims[7][3].reverse(),
            lambda case: case.claims[7][3].insert(0, case.claims[7][3][0]),
            lambda case: case.claims[8].append(dict(case.claims[8][0])),
            lambda case: case.claims[11][0].append(case.claims[11][0][0]),
            lambda case: case.claims[8][0].update({2: 3}),  # role GPT without a GPT
        ):
            self.refused("E-CLAIMS", 9, change)

    def test_sums_of_content(self):
        for key in (2, 3, 8, 10):

            def change(case, key=key):
                case.claims[9] = case.content(b"".join(cbor2.dumps(one) for one in case.entries))
                case.claims[9][key] += 1

            self.refused("E-CLAIMS", 9, change)

    def test_another_station_than_in_the_certificates(self):
        self.refused("E-NAME", 10, setting(2, "station-2"))
        self.refused("E-NAME", 10, setting(3, "lyon"))

    def test_what_the_policy_does_not_accept(self):
        self.refused("E-SITE-POLICY", 10, having(policy={"sites": ["lyon"]}))
        self.refused("E-TOO-OLD", 12, having(policy={"max_tag_age": DAY - 1}))
        self.refused("E-ENGINES", 15, having(policy={"min_engines": 2}))
        self.refused("E-ENGINES", 15, having(policy={"required_engines": ["clamav", "yara"]}))
        self.refused("E-BASE-AGE", 15, having(policy={"max_base_age": DAY - 1}))
        self.refused("E-BASE-AGE", 15, setting(11, 0, 0, 2, 0, 2, NOW + 1))
        self.refused("E-BASE-AGE", 15, having(policy={"fresh_bases": ["main"]}))
        self.accepted(having(policy={"fresh_bases": [], "max_base_age": DAY - 1}))

    def test_another_verdict_than_clean(self):
        for verdict in (1, 2, 3):
            self.refused("E-VERDICT", 11, setting(12, verdict))

    def test_an_exception(self):
        self.refused("E-EXCEPTION", 11, setting(13, [[bytes(16), bytes(32), "agreed", 0, 0]]))

    def test_times(self):
        self.refused("E-NOT-YET-VALID", 12, setting(4, NOW + 601))
        self.accepted(setting(4, NOW + 600))
        self.refused("E-EXPIRED", 12, setting(5, NOW))
        self.refused("E-EXPIRED", 12, having(memory={"time": NOW + DAY}))

    def test_an_older_tag_again(self):
        def seen(counter, station="station-1"):
            def change(case):
                medium = medium_identity(case.claims[7])
                case.memory = {"counters": {f"{authority_id(self.authority.pair())}/{station}.paris/{medium}": counter}}

            return change

        self.refused("E-REPLAYED", 14, seen(13))
        self.accepted(seen(12))
        self.accepted(seen(13, "station-2"))


class Lists(Tags):
    def with_list(self, **options):
        def change(case):
            case.lists = [case.revocations(**options)]

        return change

    def test_a_list_that_does_not_verify(self):
        def altered(case):
            raw = bytearray(case.revocations())
            raw[-1] ^= 1
            case.lists = [bytes(raw)]

        self.refused("E-LIST", 13, altered)
        self.refused("E-LIST", 13, having(lists=[b""]))
        self.refused("E-LIST", 13, self.with_list(arc=1))
        self.refused("E-LIST", 13, self.with_list(tags=[bytes(16), bytes(16)]))

    def seen(self, authority):
        def change(case):
            self.with_list()(case)
            case.memory = {"lists": {f"{authority_id(authority.pair())}/security.authority": 4}}

        return change

    def test_a_list_older_than_the_last_seen(self):
        self.refused("E-LIST-OLD", 13, self.seen(self.authority))

    def test_another_authority_has_numbers_of_its_own(self):
        self.accepted(self.seen(Authority()))

    def test_a_list_of_another_trusted_authority_does_not_count(self):
        other = Authority(sites=("authority",))

        def change(case, **policy):
            theirs = Case(other, other.station("security.authority.blanche.invalid"))
            case.authorities += theirs.authorities
            case.crls = [*case.crls, *theirs.crls]
            case.lists = [theirs.revocations(tags=[case.claims[1]])]
            case.policy = policy

        self.accepted(change)
        self.refused("E-LIST-MISSING", 13, lambda case: change(case, require_list=True))

    def test_no_list_where_one_is_needed(self):
        self.refused("E-LIST-MISSING", 13, having(policy={"require_list": True}))

    def test_a_stale_list(self):
        self.refused("E-LIST-STALE", 13, self.with_list(issued=NOW - 32 * DAY))

    def test_a_revoked_tag(self):
        def change(case):
            case.lists = [case.revocations(tags=[case.claims[1]])]

        self.refused("E-REVOKED-TAG", 13, change)

    def test_a_revoked_content(self):
        self.refused("E-REVOKED-CONTENT", 16, self.with_list(contents=[hashlib.sha256(b"harmless").digest()]))


class Manifest(Tags):
    def test_another_manifest_than_the_signed_one(self):
        self.refused("E-MANIFEST", 16, having(edit_file=lambda tag: tag[:-1] + bytes([tag[-1] ^ 1])))

    def test_entries_that_break_a_rule(self):
        def edit(number, place, value):
            return lambda case: case.entries[number].__setitem__(place, value)

        for change in (
            lambda case: case.entries.reverse(),
            lambda case: case.entries.insert(0, case.entries[0]),
            lambda case: case.entries.pop(2),  # the folder of those after it
            lambda case: case.entries.insert(0, entry(0, b"a.sys", b"s", 2, b"x")),  # a stream of nothing
            edit(0, 0, 1), edit(0, 1, b""), edit(0, 1, b"."), edit(0, 1, b"\xff"), edit(0, 2, b"s"), edit(0, 3, 5),
            edit(0, 5, None), edit(0, 6, None), edit(0, 7, bytes(32)), edit(0, 8, 1.5), edit(1, 7, None), edit(1, 7, bytes(64)),
            edit(1, 7, bytes(96)), edit(1, 6, bytes(32)), edit(2, 5, bytes(32)), edit(2, 4, 1),
        ):
            self.refused("E-MANIFEST", 16, change)

    def test_the_tag_in_its_own_manifest(self):
        self.refused("E-MANIFEST", 16, lambda case: case.entries.insert(2, entry(0, b"blanche.tag", None, 1, b"any")))

    def test_counts_of_the_manifest(self):
        def change(case):
            content = case.content(b"".join(cbor2.dumps(one) for one in case.entries))
            content[3], content[4] = content[3] - 1, content[4] + 1
            case.claims[9] = content

        self.refused("E-MANIFEST", 16, change)


class Medium(Tags):
    def medium(self, **changes):
        return lambda case: case.medium.update(changes)

    def test_another_medium(self):
        for changes in ({"capacity": 5 * MIB}, {"block": 4096}, {"usb": (0x1234, 0x5679, "ab 1")}, {"usb": (0x1234, 0x5678, "ab 2")}):
            self.refused("E-MEDIUM", 17, self.medium(**changes))

    def test_what_the_policy_wants_compared(self):
        for what, change in (
            ("usb", self.medium(usb=None)), ("capacity", self.medium(capacity=None)), ("boot", having(areas=None)),
        ):

            def whole(case, what=what, change=change):
                change(case)
                case.policy = {f"{what}_not_available": "refuse"}

            self.refused("E-NOT-AVAILABLE", 18 if what == "boot" else 17, whole)

    def test_a_level_that_cannot_be_reached(self):
        self.refused("E-NOT-AVAILABLE", 19, having(shown=None))

    def test_level_identity_accepts_no_medium_of_which_nothing_is_seen(self):
        identity = {"level": "identity"}
        self.refused("E-NOT-AVAILABLE", 18, having(medium={}, areas=None, policy=identity))
        # A part of it is something to compare.
        self.accepted(having(medium={}, policy=identity), level="identity")
        self.accepted(having(areas=None, policy=identity), level="identity")

    def test_another_boot_area(self):
        for area, at in ((0, 439), (0, 446), (1, 36), (1, 38)):

            def change(case, area=area, at=at):
                case.areas[area][1][at] ^= 1

            self.refused("E-BOOT", 18, change)
        self.refused("E-BOOT", 18, lambda case: case.areas.append((MIB - 1, b"\1")))

    def test_something_added(self):
        volume_information = b"System Volume Information"
        for more in (
            [(0, b"b.txt", None, 1, b"")], [(0, b"A.TXT", None, 1, b"harmless")], [(0, b"a.txt", b"hidden", 2, b"x")],
            [(0, b"docs\0blanche.tag", None, 1, b"")], [(0, b"BLANCHE.TAG", None, 1, b"")],
            [(0, b"blanche.tag", b"hidden", 2, b"x")],
            [(0, volume_information, None, 0, None), (0, volume_information + b"\0run.exe", None, 1, b"MZ")],
            [(0, b".DS_Store", None, 1, b"\0\0\0\1Bud2" + bytes(4096))],
            [(0, b".Trashes", None, 0, None), (0, b".Trashes", b"s", 2, b"x")],
        ):
            self.refused("E-ADDED", 19, lambda case, more=more: case.shown.extend(more))

    def test_something_else_in_the_place_of_the_tag(self):
        for content in (b"any", None):
            self.refused("E-CHANGED", 19, lambda case, content=content: case.shown.append((0, b"blanche.tag", None, 1, content)))

    def test_something_removed_or_renamed(self):
        self.refused("E-REMOVED", 19, lambda case: case.shown.pop())
        self.refused("E-ADDED", 19, lambda case: case.shown.__setitem__(0, (0, b"A.txt", None, 1, b"harmless")))

    def test_another_size_or_kind(self):
        self.refused("E-CHANGED", 19, lambda case: case.shown.__setitem__(0, (0, b"a.txt", None, 1, b"harmful")))
        self.refused("E-CHANGED", 19, lambda case: case.shown.__setitem__(0, (0, b"a.txt", None, 3, b"harmless")))

    def test_another_content(self):
        changed = lambda case: case.shown.__setitem__(0, (0, b"a.txt", None, 1, b"Harmless"))  # noqa: E731
        self.refused("E-CHANGED", 20, changed)
        self.accepted(lambda case: (changed(case), case.policy.update(level="inventory")), level="inventory")
        self.refused("E-CHANGED", 20, lambda case: case.shown.__setitem__(1, (0, b"big.bin", None, 1, BIG[:-1] + b"!")))

    def test_another_blake3(self):
        self.refused("E-CHANGED", 20, lambda case: case.entries[0].__setitem__(6, bytes(32)))

    def test_a_content_that_cannot_be_read(self):
        def change(case):
            case.shown[3] = (0, b"docs\0empty", None, 1, None)

        self.refused("E-UNREADABLE", 20, change)


if __name__ == "__main__":
    unittest.main()
