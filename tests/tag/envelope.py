# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4 and 5: the COSE_Sign around everything signed, and its two signatures."""

from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from encoding import ENVELOPE_TAG, EncodingError, decode
from refusal import Refusal
from shape import ShapeError, either, fields, items, need, octets

ALG, CONTENT_TYPE, TYP, X5CHAIN = 1, 3, 16, 33
ALGORITHMS = (-51, -50)  # ESP384 (RFC 9864), ML-DSA-87 (RFC 9964)
SIGNATURE_SIZES = (96, 4627)


@dataclass(frozen=True)
class Purpose:
    """A row of the table of section 5."""

    name: str
    arc: int
    largest: int

    @property
    def typ(self):
        return f"blanche-{self.name}+cose"

    @property
    def content_type(self):
        return f"application/blanche-{self.name}+cbor"


TAG = Purpose("tag", 1, 262_144)
REVOCATIONS = Purpose("revocations", 3, 4_194_304)


def any_text(value):
    need(type(value) is str, "not text")


def any_algorithm(value):
    need(type(value) in (int, str), "an algorithm is neither integer nor text (RFC 9052, 3.1)")


any_bytes = octets(0, 1 << 32)
BODY_HEADER = fields({CONTENT_TYPE: any_text, TYP: any_text})
SIGNATURE_HEADER = fields({ALG: any_algorithm, X5CHAIN: either(any_bytes, items(2, 3, any_bytes))})


@dataclass
class Envelope:
    body_protected: bytes
    payload: bytes
    sign_protected: list
    chains: list  # per signature: DER certificates, the end certificate first
    signatures: list

    def to_be_signed(self, number):
        """RFC 9052, 4.4, with the protected headers exactly as they stand in the envelope."""
        return cbor2.dumps(["Signature", self.body_protected, self.sign_protected[number], b"", self.payload])


def read_envelope(raw, purpose, at_step=lambda number: None):
    """Steps 3 and 4."""
    at_step(3)
    item, headers = decode_all(raw)
    at_step(4)
    try:
        body, payload, signatures = check_shape(item, headers)
    except ShapeError as error:
        raise Refusal("E-ENVELOPE", str(error)) from None
    if (body[TYP], body[CONTENT_TYPE]) != (purpose.typ, purpose.content_type):
        raise Refusal("E-TYP", f"{body[TYP]!r} with {body[CONTENT_TYPE]!r}, not {purpose.typ!r}")
    if len(signatures) != 2:
        raise Refusal("E-SIGNATURES", f"{len(signatures)} signatures")
    found = tuple(header[ALG] for header in headers[1:])
    if found != ALGORITHMS:
        raise Refusal("E-ALGORITHM", f"{found}")
    chains = [header[X5CHAIN] for header in headers[1:]]
    return Envelope(
        item.value[0],
        payload,
        [one[0] for one in signatures],
        [chain if type(chain) is list else [chain] for chain in chains],
        [one[2] for one in signatures],
    )


def decode_all(raw):
    """The envelope and the protected headers in it, as far as something stands where they should: the rest is step 4's."""
    try:
        item = decode(raw, envelope=True)
        parts = item.value if isinstance(item, cbor2.CBORTag) else None
        headers = []
        if type(parts) is list and len(parts) == 4:
            signatures = parts[3] if type(parts[3]) is list else []
            for holder in [parts, *signatures]:
                if type(holder) is list and holder and type(holder[0]) is bytes:
                    headers.append(decode(holder[0]))
    except EncodingError as error:
        raise Refusal("E-ENCODING", f"envelope, {error}") from None
    return item, headers


def check_shape(item, headers):
    need(isinstance(item, cbor2.CBORTag) and item.tag == ENVELOPE_TAG, "not tagged as COSE_Sign")
    parts = item.value
    need(type(parts) is list and len(parts) == 4, "not an array of 4 items")
    protected, unprotected, payload, signatures = parts
    need(type(protected) is bytes and type(payload) is bytes, "protected header or payload is no byte string")
    need(type(unprotected) is dict and not unprotected, "unprotected header parameters")
    need(type(signatures) is list, "signatures are no array")
    for one in signatures:
        need(type(one) is list and len(one) == 3, "a signature is not an array of 3 items")
        need(type(one[0]) is bytes and type(one[2]) is bytes, "a signature or its header is no byte string")
        need(type(one[1]) is dict and not one[1], "unprotected header parameters of a signature")
    BODY_HEADER(headers[0])
    for header in headers[1:]:
        SIGNATURE_HEADER(header)
    return headers[0], payload, signatures


def check_signatures(envelope, keys):
    """Step 8: both verify, with the keys of the end certificates."""
    for number, size in enumerate(SIGNATURE_SIZES):
        if len(envelope.signatures[number]) != size:
            raise Refusal("E-SIGNATURE", f"signature {number} has {len(envelope.signatures[number])} bytes, not {size}")
    for number, key in enumerate(keys):
        try:
            verify_raw(key, envelope.signatures[number], envelope.to_be_signed(number))
        except (InvalidSignature, ValueError):
            raise Refusal("E-SIGNATURE", f"signature {number} does not verify") from None


def verify_raw(key, signature, message):
    if isinstance(key, ec.EllipticCurvePublicKey):
        r, s = (int.from_bytes(half, "big") for half in (signature[:48], signature[48:]))
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA384()))
    else:
        key.verify(signature, message)
