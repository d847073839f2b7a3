# SPDX-License-Identifier: GPL-2.0-or-later
"""An authority, a station and its tag, made in Python for tests: every knob that a bad tag needs. Keys live for one run."""

import datetime
import hashlib
import io
import struct

import blake3
import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

import blake3_tree
from boot import area_digest
from certificates import PURPOSE_ARC, Certificate
from memory_medium import MemoryMedium
from policy import Clock, Policy
from steps import MAGIC, Inputs

NOW = 1_790_000_000
DAY = 86_400
MIB = 1 << 20
CA_USAGE = {"key_cert_sign": True, "crl_sign": True}
END_USAGE = {"digital_signature": True}
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
          "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def new_key(algorithm):
    return ec.generate_private_key(ec.SECP384R1()) if algorithm == 0 else mldsa.MLDSA87PrivateKey.generate()


def hash_for(key):
    return SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) else None


def sign_raw(key, message):
    if hash_for(key) is None:
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


class Holder:
    """A key and its certificate."""

    serial = 100

    def __init__(self, algorithm, name, issuer=None, **options):
        self.key, self.algorithm = new_key(algorithm), algorithm
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        Holder.serial += 1
        self.number = Holder.serial
        self.certificate = self.certify(issuer or self, **options)
        self.der = self.certificate.public_bytes(Encoding.DER)

    def certify(self, issuer, ca=True, sites=None, names=None, arc=None, usage=None, begins=NOW - 30 * DAY,
                ends=NOW + 300 * DAY, extra=None):
        builder = (
            x509.CertificateBuilder().subject_name(self.name).issuer_name(issuer.name).serial_number(self.number)
            .public_key(self.key.public_key()).not_valid_before(moment(begins)).not_valid_after(moment(ends))
            .add_extension(x509.BasicConstraints(ca, None), True)
        )
        flags = dict.fromkeys(USAGES, False) | (usage if usage is not None else CA_USAGE if ca else END_USAGE)
        builder = builder.add_extension(x509.KeyUsage(**flags), True)
        if sites is not None:
            permitted = [x509.DNSName(f"{site}.blanche.invalid") for site in sites]
            builder = builder.add_extension(x509.NameConstraints(permitted, None), True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
        if arc is not None:
            purpose = x509.ObjectIdentifier(f"{PURPOSE_ARC}.{arc}")
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        if extra:
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(extra), b"\x05\0"), True)
        return builder.sign(issuer.key, hash_for(issuer.key))

    def crl(self, number=7, updated=NOW - DAY, revoked=()):
        builder = (
            x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(moment(updated))
            .next_update(moment(updated + 30 * DAY)).add_extension(x509.CRLNumber(number), False)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.number).revocation_date(moment(updated)).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hash_for(self.key)).public_bytes(Encoding.DER)


class Authority:
    """Two anchors, two intermediates, and stations under them."""

    def __init__(self, sites=("paris",), anchor_options=None, **options):
        self.anchors = [Holder(a, f"anchor {a}", **(anchor_options or {})) for a in (0, 1)]
        self.issuers = [Holder(a, f"issuer {a}", self.anchors[a], sites=sites, **options) for a in (0, 1)]

    def pair(self):
        return tuple(Certificate(one.der) for one in self.anchors)

    def station(self, name="station-1.paris.blanche.invalid", arc=1, other=None, **options):
        """Both end certificates; `other` overrides options of the post-quantum one."""
        settings = [dict(names=[name], arc=arc, ca=False) | options for _ in (0, 1)]
        settings[1] |= other or {}
        return [Holder(a, "station", self.issuers[a], **settings[a]) for a in (0, 1)]

    def crls(self, **options):
        return [one.crl(**options) for one in [*self.anchors, *self.issuers]]


def envelope(payload, purpose, ends, issuers, edit=None, edit_headers=None):
    """COSE_Sign over the payload; `edit` gets the four parts, `edit_headers` both signature headers before they are signed."""
    body = cbor2.dumps({3: f"application/blanche-{purpose}+cbor", 16: f"blanche-{purpose}+cose"})
    headers = [{1: algorithm, 33: [end.der, issuer.der]} for algorithm, end, issuer in zip((-51, -50), ends, issuers)]
    if edit_headers:
        edit_headers(headers)
    signatures = []
    for header, end in zip(headers, ends):
        protected = cbor2.dumps(header)
        signed = cbor2.dumps(["Signature", body, protected, b"", payload])
        signatures.append([protected, {}, sign_raw(end.key, signed)])
    parts = [body, {}, payload, signatures]
    if edit:
        edit(parts)
    return cbor2.dumps(cbor2.CBORTag(98, parts))


def entry(volume, path, stream, kind, content):
    """An entry of the manifest about this content."""
    if kind in (0, 4):
        return [volume, path, stream, kind, 0, None, None, None, None]
    subtrees = None
    if len(content) > MIB:
        parts = [content[at : at + MIB] for at in range(0, len(content), MIB)]
        subtrees = b"".join(blake3_tree.subtree(part, i) for i, part in enumerate(parts))
    sha256, blake = hashlib.sha256(content).digest(), blake3.blake3(content).digest()
    return [volume, path, stream, kind, len(content), sha256, blake, subtrees, NOW]


BIG = bytes(range(256)) * 4096 + b"one byte and more above a MiB"
SHOWN = [
    (0, b"a.txt", None, 1, b"harmless"),
    (0, b"big.bin", None, 1, BIG),
    (0, b"docs", None, 0, None),
    (0, b"docs\0empty", None, 1, b""),
    (0, "docs\0résumé.txt".encode(), None, 1, b"text"),
]
ENTRIES = [entry(*one) for one in SHOWN]


TAG_ITSELF = object()  # as the content of something shown: the tag file


class Case:
    """A tag that is accepted, until a test changes something. `build` makes the inputs of the verifier from it."""

    def __init__(self, authority, station):
        self.authority, self.ends = authority, station
        self.authorities = [authority.pair()]
        self.crls, self.lists = authority.crls(), []
        self.policy, self.memory, self.clock = {}, {}, NOW
        self.entries, self.shown = [list(one) for one in ENTRIES], list(SHOWN)
        mbr, reserved = bytearray(b"\x33" * 512), bytearray(b"\x44" * 512)
        self.areas = [(0, mbr), (MIB, reserved)]
        self.medium = dict(capacity=4 * MIB, block=512, usb=(0x1234, 0x5678, "ab 1"))
        self.claims = self.good_claims()
        self.payload = self.raw_manifest = None
        self.edit = self.edit_headers = self.edit_file = None
        self.purpose = "tag"
        self.tag = None  # as `build` made it

    def good_claims(self):
        area = [(0, None, 0, 512), (10, None, 512, MIB - 512), (4, 0, MIB, 512)]
        shown = MemoryMedium(areas=self.areas)
        boot = [[k, v, s, n, area_digest(k, "fat16", shown.read(s, n))] for k, v, s, n in area]
        base = ["daily.cld", "27500", NOW - 2 * DAY, 8_000_000, bytes(32)]
        return {
            0: 1, 1: bytes.fromhex("019a0000000070008000000000000001"), 2: "station-1", 3: "paris", 4: NOW - DAY, 5: NOW + DAY,
            6: 12, 7: {0: 4 * MIB, 1: 512, 2: [0x1234, 0x5678, "AB_1"], 3: boot, 4: 0},
            8: [{0: MIB, 1: 3 * MIB, 2: 1, 3: "fat16", 4: "1234abcd", 5: 6, 6: False, 7: False, 8: 0, 9: 850}],
            9: None, 10: [[0, None, 512, 512], [1, 0, 512, 512], [3, 0, 3 * MIB - 512, 1000], [6, None, MIB - 512, MIB - 512]],
            11: {0: [["clamav", "1.4.3", [base]]], 1: {"files": 100}, 2: "default", 3: 1, 4: "blanche 1.0"}, 12: 0, 13: [],
        }

    def content(self, raw):
        kinds = [sum(1 for one in self.entries if one[3] == kind) for kind in range(5)]
        size = sum(one[4] for one in self.entries)
        return {0: len(raw), 1: hashlib.sha256(raw).digest(), 2: sum(kinds), 3: kinds[1], 4: kinds[2], 5: kinds[0],
                6: kinds[3], 7: kinds[4], 8: size, 9: size, 10: 0, 11: 0}

    def file(self):
        raw = self.raw_manifest if self.raw_manifest is not None else b"".join(cbor2.dumps(one) for one in self.entries)
        if self.claims[9] is None:
            self.claims[9] = self.content(raw)
        payload = self.payload or cbor2.dumps(self.claims)
        signed = envelope(payload, self.purpose, self.ends, self.authority.issuers, self.edit, self.edit_headers)
        tag = struct.pack(">8sHHIQ8s", MAGIC, 1, 32, len(signed), len(raw), bytes(8)) + signed + raw
        return self.edit_file(tag) if self.edit_file else tag

    def build(self):
        self.tag = tag = self.file()
        if self.shown is not None:
            self.shown = [(*one[:4], tag if one[4] is TAG_ITSELF else one[4]) for one in self.shown]
        return Inputs(
            tag=None if tag is None else io.BytesIO(tag), authorities=self.authorities, crls=self.crls, lists=self.lists,
            clock=Clock(self.clock, self.memory), policy=Policy.from_json(self.policy),
            medium=MemoryMedium(areas=self.areas, shown=self.shown, **self.medium),
        )

    def revocations(self, tags=(), contents=(), number=3, site="authority", issued=NOW - DAY, signer="security", arc=3):
        """A revocation list signed under the same authority."""
        ends = self.authority.station(f"{signer}.{site}.blanche.invalid", arc=arc)
        claims = {0: 1, 1: bytes(16), 2: signer, 3: site, 4: issued, 5: number, 6: sorted(tags), 7: sorted(contents)}
        return envelope(cbor2.dumps(claims), "revocations", ends, self.authority.issuers)
