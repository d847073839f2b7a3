# SPDX-License-Identifier: GPL-2.0-or-later
"""A good tag is accepted, and each bad one is refused at its step with its code.

Run: `python3 -m venv V && V/bin/pip install -r tests/tag/requirements.txt && V/bin/python -m unittest discover -s tests/tag`
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cbor2  # noqa: E402

from forge import DAY, NOW, TAG_ITSELF, Authority, Case, Holder, entry  # noqa: E402
from tag_case import Tags, having  # noqa: E402

NAME = "station-1.paris.blanche.invalid"
WP_SETTINGS = b"\x0c\0\0\0abcdefgh"


class Accepted(Tags):
    def test_a_good_tag(self):
        self.accepted(level="full", tolerated=[], not_available=[])

    def test_level_identity_needs_no_files(self):
        self.accepted(having(shown=None, policy={"level": "identity"}), level="identity")

    def test_what_is_not_available_is_named(self):
        def change(case):
            case.medium, case.areas = {}, None

        self.accepted(change, not_available=["capacity", "block size", "usb", "boot areas"])

    def test_masked_bytes_may_change(self):
        def change(case):
            case.areas[0][1][440:444] = b"\1\2\3\4"
            case.areas[1][1][37] = 0xEE

        self.accepted(change)

    def test_the_tag_itself_is_no_addition(self):
        self.accepted(lambda case: case.shown.append((0, b"blanche.tag", None, 1, TAG_ITSELF)))

    def test_host_artefacts_are_tolerated_and_named(self):
        folder, file = b"System Volume Information", b"System Volume Information\0WPSettings.dat"

        def change(case):
            case.shown += [(0, folder, None, 0, None), (0, file, None, 1, WP_SETTINGS)]

        self.accepted(change, tolerated=[folder.hex(), file.hex()])

    def test_a_host_artefact_may_change_or_go(self):
        store = b"\0\0\0\1Bud1" + bytes(4096)
        for seen in ([(0, b".DS_Store", None, 1, b"\0\0\0\1Bud1" + bytes(4500))], []):

            def change(case):
                case.entries.insert(0, entry(0, b".DS_Store", None, 1, store))
                case.shown += seen

            self.accepted(change, tolerated=[b".DS_Store".hex()])

    def test_an_exception_that_the_policy_accepts(self):
        def change(case):
            case.claims[13] = [[bytes(16), bytes(32), "agreed", 0, 0]]
            case.policy = {"accept_exceptions": True}

        self.accepted(change)

    def test_a_list_of_another_site_does_not_count(self):
        authority = Authority(sites=("paris", "lyon"))

        def change(case):
            case.__init__(authority, authority.station())
            case.lists = [case.revocations(tags=[case.claims[1]], site="lyon")]

        self.accepted(change)

    def test_the_remembered_time_moves_with_a_crl(self):
        self.accepted(remembered=NOW - DAY)


class Form(Tags):
    def test_no_tag(self):
        self.refused("E-NO-TAG", 1, having(edit_file=lambda tag: None))

    def test_cut_in_the_header(self):
        self.refused("E-FORMAT", 1, having(edit_file=lambda tag: tag[:31]))

    def test_files_that_are_no_tag_files(self):
        for edit in (
            lambda tag: b"\x88" + tag[1:],
            lambda tag: tag[:31] + b"\1" + tag[32:],
            lambda tag: tag[:-1],
            lambda tag: tag + b"\0",
            lambda tag: tag[:12] + bytes(4) + tag[16:],
            lambda tag: tag[:12] + (262_145).to_bytes(4, "big") + tag[16:],
        ):
            self.refused("E-FORMAT", 2, having(edit_file=edit))

    def test_another_version(self):
        self.refused("E-VERSION", 2, having(edit_file=lambda tag: tag[:9] + b"\2" + tag[10:]))
        self.refused("E-VERSION", 2, having(edit_file=lambda tag: tag[:11] + b"\x40" + tag[12:]))

    def test_an_envelope_with_a_long_form(self):
        # d8 62 is tag 98 in its shortest form; d9 00 62 the same number with two bytes.
        def longer(tag):
            size = int.from_bytes(tag[12:16], "big") + 1
            return tag[:12] + size.to_bytes(4, "big") + tag[16:32] + b"\xd9\0\x62" + tag[34:]

        self.refused("E-ENCODING", 3, having(edit_file=longer))

    def test_envelopes_of_another_shape(self):
        def unprotected(parts):
            parts[1] = {4: b"kid"}

        def detached(parts):
            parts[2] = None

        def body(parts):
            parts[0] = cbor2.dumps({2: [16], 3: "application/blanche-tag+cbor", 16: "blanche-tag+cose"})

        def signature(parts):
            parts[3][1].append(b"more")

        for edit in (unprotected, detached, body, signature):
            self.refused("E-ENVELOPE", 4, having(edit=edit))

    def test_a_protected_header_that_is_not_deterministic(self):
        def swapped(parts):
            parts[0] = cbor2.dumps({16: "blanche-tag+cose", 3: "application/blanche-tag+cbor"})

        self.refused("E-ENCODING", 3, having(edit=swapped))

    def test_an_object_of_another_purpose(self):
        self.refused("E-TYP", 4, having(purpose="checkpoint"))

    def test_one_or_three_signatures(self):
        self.refused("E-SIGNATURES", 4, having(edit=lambda parts: parts[3].pop()))
        self.refused("E-SIGNATURES", 4, having(edit=lambda parts: parts[3].append(parts[3][0])))

    def test_signatures_swapped_or_of_another_algorithm(self):
        self.refused("E-ALGORITHM", 4, having(edit=lambda parts: parts[3].reverse()))
        self.refused("E-ALGORITHM", 4, having(edit_headers=lambda headers: headers[0].update({1: -35})))


class Origin(Tags):
    def test_a_certificate_that_cannot_be_read(self):
        self.refused("E-CERTIFICATE", 5, having(edit_headers=lambda headers: headers[1][33].__setitem__(0, b"\x30\0")))

    def test_a_certificate_with_the_other_algorithm(self):
        self.refused("E-CERTIFICATE", 5, having(edit_headers=lambda headers: headers[0].update({33: headers[1][33]})))

    def test_names_that_are_not_those_of_one_station(self):
        for options in (
            {"other": {"names": ["station-2.paris.blanche.invalid"]}}, {"names": None}, {"names": [NAME, NAME]},
            {"names": ["station-1.paris.example.org"]}, {"names": ["paris.blanche.invalid"]},
            {"names": ["Station-1.paris.blanche.invalid"]},
        ):
            self.refused("E-NAME", 5, having(ends=self.authority.station(**options)))

    def test_a_certificate_for_something_else(self):
        for options in ({"arc": 3}, {"arc": None}, {"other": {"arc": 2}}, {"usage": {"key_agreement": True}}):
            self.refused("E-KEY-USAGE", 5, having(ends=self.authority.station(**options)))

    def test_certificates_that_are_not_valid_now(self):
        self.refused("E-CERTIFICATE-TIME", 6, having(ends=self.authority.station(ends=NOW - 1)))
        self.refused("E-CERTIFICATE-TIME", 6, having(ends=self.authority.station(other={"begins": NOW + 1})))

    def test_an_anchor_that_has_expired(self):
        self.refused("E-CERTIFICATE-TIME", 6, self.under(Authority(anchor_options={"ends": NOW - 1})))

    def under(self, authority, **options):
        return lambda case: Case(authority, authority.station(**options))

    def test_another_authority(self):
        self.refused("E-CHAIN", 6, having(authorities=[Authority().pair()]))

    def test_anchors_of_two_authorities(self):
        other = Authority().pair()
        mine = self.authority.pair()
        self.refused("E-CHAIN", 6, having(authorities=[(mine[0], other[1]), (other[0], mine[1])]))

    def test_the_anchor_in_the_chain(self):
        def with_anchor(headers):
            for header, anchor in zip(headers, self.authority.anchors):
                header[33].append(anchor.der)

        self.refused("E-CHAIN", 6, having(edit_headers=with_anchor))

    def test_an_unknown_critical_extension(self):
        self.refused("E-CHAIN", 6, having(ends=self.authority.station(extra="1.2.3.4")))

    def test_issuers_that_may_not_issue(self):
        self.refused("E-CHAIN", 6, self.under(Authority(ca=False)))
        self.refused("E-CHAIN", 6, self.under(Authority(usage={"key_cert_sign": True})))

    def test_a_site_outside_the_constraint(self):
        self.refused("E-SITE", 6, having(ends=self.authority.station("station-1.lyon.blanche.invalid")))
        self.refused("E-SITE", 6, self.under(Authority(anchor_options={"sites": ("lyon",)})))

    def test_crls_that_are_missing(self):
        self.refused("E-CRL-MISSING", 7, having(crls=[]))
        self.refused("E-CRL-MISSING", 7, having(crls=self.authority.crls()[:3]))
        self.refused("E-CRL-MISSING", 7, having(crls=[*self.authority.crls()[:3], b"\x30\0"]))
        forged = Holder(1, "issuer 1").crl()
        self.refused("E-CRL-MISSING", 7, having(crls=[*self.authority.crls()[:3], forged]))

    def test_a_crl_older_than_the_last_seen(self):
        issuer = self.authority.pair()[0].issuer_id()
        self.refused("E-CRL-OLD", 7, having(memory={"crls": {issuer: 8}}))

    def test_a_stale_crl(self):
        self.refused("E-CRL-STALE", 7, having(crls=self.authority.crls(updated=NOW - 32 * DAY)))

    def test_a_revoked_station_or_intermediate(self):
        for revoked in (self.pair[1], self.authority.issuers[0]):
            self.refused("E-REVOKED-STATION", 7, having(crls=self.authority.crls(revoked=[revoked])))

    def test_signatures_that_do_not_verify(self):
        def flip(number):
            def edit(parts):
                signature = bytearray(parts[3][number][2])
                signature[50] ^= 1
                parts[3][number][2] = bytes(signature)

            return edit

        self.refused("E-SIGNATURE", 8, having(edit=flip(0)))
        self.refused("E-SIGNATURE", 8, having(edit=flip(1)))
        self.refused("E-SIGNATURE", 8, having(edit=lambda parts: parts[3][0].__setitem__(2, parts[3][0][2] + b"\0")))
        self.refused("E-SIGNATURE", 8, having(edit=lambda parts: parts[3][0].__setitem__(2, bytes(96))))
        self.refused("E-SIGNATURE", 8, having(edit=lambda parts: parts.__setitem__(2, parts[2] + b"\0")))


if __name__ == "__main__":
    unittest.main()
